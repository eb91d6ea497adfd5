"""The classic pair: a veth device, one end a port of the switch, the other the container's."""

from __future__ import annotations

from contextlib import closing

from jackfield.containers.attachment import Attachment
from jackfield.containers.targets import Running
from jackfield.net import netns, veth
from jackfield.net.errors import KernelError
from jackfield.net.netdev import Devices
from jackfield.net.netlink import Netlink


def create(running: Running, wanted: Attachment) -> None:
    """Make the pair, the switch's end up. Raises KernelError, and then there is none."""
    mac, mtu = bytes.fromhex(wanted.mac.replace(":", "")), wanted.wish.mtu or 0
    with netns.opened(running.netns, running.inode) as there, closing(Netlink()) as requests:
        far = veth.End(wanted.wish.ifname, there, mac, mtu)
        veth.create(requests, veth.End(wanted.port, mtu=mtu), far)
    try:
        with Devices.open() as devices:
            link = devices.get_link(wanted.port)
            if link is not None:
                devices.set_up(link.ifindex, True)
    except KernelError:
        remove(wanted.port)
        raise


def remove(port: str, ifindex: int | None = None) -> None:
    """Remove the pair, with `ifindex` only if the port's end is that device; no error when it is gone. Raises
    KernelError."""
    with Devices.open() as devices:
        link = devices.get_link(port)
        if link is not None and link.kind == "veth" and ifindex in (None, link.ifindex):
            devices.delete(link.ifindex)
