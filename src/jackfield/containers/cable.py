"""The classic pair: a veth device, one end a port of the switch, the other the container's.

The switch's end bears an alias by which the pairs of a switch are known when their record is gone.
"""

from __future__ import annotations

import errno
from collections.abc import Container
from contextlib import closing
from hashlib import blake2b

from jackfield.client.control import rundir
from jackfield.client.errors import Failure
from jackfield.containers.attachment import Attachment
from jackfield.containers.targets import Running
from jackfield.net import netns, veth
from jackfield.net.errors import KernelError
from jackfield.net.netdev import Devices
from jackfield.net.netlink import Netlink


def create(running: Running, wanted: Attachment) -> None:
    """Make the pair, the switch's end up. Raises Failure and KernelError, and then there is none."""
    mac, mtu = bytes.fromhex(wanted.mac.replace(":", "")), wanted.wish.mtu or 0
    with netns.opened(running.netns, running.inode) as there, closing(Netlink()) as requests:
        far = veth.End(wanted.wish.ifname, there, mac, mtu)
        try:
            veth.create(requests, veth.End(wanted.port, mtu=mtu), far)
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
            what = f"there is a network device {wanted.port} already"
            raise Failure(f"{what}; --port gives another name") from error
    try:
        with Devices.open() as devices:
            link = devices.get_link(wanted.port)
            if link is not None:
                devices.set_alias(link.ifindex, _mark())
                devices.set_up(link.ifindex, True)
    except KernelError:
        remove(wanted.port)
        raise


def remove(port: str) -> None:
    """Remove the pair, if it is there and not somebody else's. Raises KernelError."""
    with Devices.open() as devices:
        link = devices.get_link(port)
        # Whoever makes a pair and is killed at once leaves it down and without a mark.
        if (
            link is not None
            and link.kind == "veth"
            and (link.alias == _mark() or not (link.alias or link.up))
        ):
            devices.delete(link.ifindex)


def remove_others(ports: Container[str]) -> None:
    """Remove this switch's pairs that belong to none of the ports. Raises KernelError."""
    with Devices.open() as devices:
        for link in devices.list_links():
            if link.kind == "veth" and link.alias == _mark() and link.name not in ports:
                devices.delete(link.ifindex)


def _mark() -> str:
    return f"jackfield-pair {blake2b(rundir().encode(), digest_size=8).hexdigest()}"
