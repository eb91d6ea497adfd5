#!/bin/busybox sh
# shellcheck shell=dash
# The guest's first process: this machine's files, read-only, below a layer in memory that takes every change.
set -eu
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do
    [ ! -e "$module" ] || $b insmod "$module"
done
$b mount -t tmpfs -o mode=755,size=75% layer /new
$b mkdir /new/lower /new/upper /new/work /new/root
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,cache=loose,access=any,ro root /new/lower
$b mount -t overlay -o lowerdir=/new/lower,upperdir=/new/upper,workdir=/new/work overlay /new/root
$b mount --move /proc /new/root/proc
$b mount --move /sys /new/root/sys
$b mount --move /dev /new/root/dev
$b mount -t tmpfs -o mode=755 run /new/root/run
$b mkdir /new/root/run/jackfield-vm
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,access=any control /new/root/run/jackfield-vm
exec $b switch_root /new/root /run/jackfield-vm/boot
