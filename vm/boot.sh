#!/bin/sh
# The guest's first process once it has this machine's files: what a started system has, then the command.
set -eu
control=/run/jackfield-vm
# shellcheck source=/dev/null
. "$control/settings"

mkdir -p /dev/pts /dev/shm /run/netns /run/lock
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
modules=/lib/modules/$(uname -r)
mkdir -p "$modules"
mount --bind "$VM_MODULES" "$modules"
number=0
for folder in $VM_WRITABLE; do
    mount -t 9p -o "trans=virtio,version=9p2000.L,msize=1048576,access=any" "share$number" "$folder"
    number=$((number + 1))
done
ip link set lo up
echo jackfield-vm >/proc/sys/kernel/hostname
# shellcheck disable=SC2086  # a list of names
modprobe -a $VM_LOAD

channel() { # NAME: the device that leads outside
    file=$(grep -lx "$1" /sys/class/virtio-ports/*/name)
    file=${file%/name}
    echo "/dev/${file##*/}"
}
out=$(channel out)
err=$(channel err)
status=0
setsid sh "$control/command" >"$out" 2>"$err" </dev/null || status=$?
if [ "$status" = 0 ] && [ -x "$control/init" ]; then
    # The command has prepared a system of its own, which ends the guest.
    exec "$control/init" </dev/console >/dev/console 2>&1
fi
echo "$status" >"$control/status"
# The emulator ends when the machine is reset.
echo b >/proc/sysrq-trigger
sleep 60
