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
$b mkdir /new/lower /new/upper /new/work /new/top
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,cache=loose,access=any,ro root /new/lower
$b mount -t overlay -o lowerdir=/new/lower,upperdir=/new/upper,workdir=/new/work overlay /new/top
$b mount --move /proc /new/top/proc
$b mount --move /sys /new/top/sys
$b mount --move /dev /new/top/dev
$b mount -t tmpfs -o mode=755 run /new/top/run
$b mkdir /new/top/run/jackfield-vm
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,access=any control /new/top/run/jackfield-vm
exec $b switch_root /new/top /run/jackfield-vm/boot
