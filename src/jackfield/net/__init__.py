"""The kernel's network devices and namespaces, by netlink and ioctl. Knows nothing of switches."""
