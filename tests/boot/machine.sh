#!/bin/sh
# The first process of a host in namespaces of its own: this machine's files below a layer in memory that takes
# every change, then a command and, if that prepared one, an init.
#     machine.sh CONTROL FOLDER COMMAND...     CONTROL becomes /run/jackfield-vm; it and FOLDER are as outside
set -eu
control=$1 folder=$2
shift 2

mount --make-rprivate /
mount -t tmpfs layer /mnt
mkdir /mnt/lower /mnt/upper /mnt/work /mnt/top
mount --bind / /mnt/lower
mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/top
cd /mnt/top
mount -t proc proc proc
# What cannot write to /sys has no udev, and devices are ready at once.
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
mount -t tmpfs dev dev
for name in null zero full random urandom tty; do
    touch "dev/$name"
    mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
mount -t tmpfs shm dev/shm
ln -s pts/ptmx dev/ptmx
for number in 0 1 2; do
    ln -s "/proc/self/fd/$number" "dev/$(echo stdin stdout stderr | cut -d ' ' -f $((number + 1)))"
done
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 run run
mkdir -p run/netns run/lock run/jackfield-vm ".$folder"
mount --bind "$control" run/jackfield-vm
mount --bind "$folder" ".$folder"
mkdir old
pivot_root . old
umount -l /old
hostname jackfield-vm
ip link set lo up
cd "$folder"
"$@" >/run/jackfield-vm/out 2>/run/jackfield-vm/err </dev/null
container=jackfield exec /run/jackfield-vm/init </dev/null >/run/jackfield-vm/console 2>&1
