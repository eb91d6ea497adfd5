"""Putting back: layer 3 from the internal port to the device that had it, the devices off the bridge.

This is the way back from any point of a takeover, and the whole of a release. Every step of it is one that
does no harm when it has been done before.
"""

from __future__ import annotations

from jackfield.adopt import linuxbridge
from jackfield.adopt.announce import announce
from jackfield.adopt.host import Host
from jackfield.adopt.move import add_last_routes, correct, prepare, strip, strip_routes
from jackfield.adopt.record import Record
from jackfield.adopt.wiring import Wiring


def restore(host: Host, record: Record, wiring: Wiring) -> None:
    """Raises Failure, KernelError; then it may be called again."""
    holder = record.holder
    if record.linux_bridge is not None:
        holder = linuxbridge.name_now(host, record.linux_bridge)
    switched = host.devices.get_link(record.port) if record.port != holder else None
    prepare(host, record.state, holder, record.holder_ifindex, record.holder)
    add_last_routes(host, record.state, holder, record.holder_ifindex)
    if not record.state.up:
        correct(host, record.state, holder)  # it had no link-local address
    if switched is not None:
        # What the host sends leaves by the card already, what it gets still comes by the bridge.
        strip_routes(host, record.port)
    gone = wiring.disconnect(record.bridge, record.ports, record.made, record.hwaddr)
    if record.linux_bridge is not None:
        linuxbridge.take_back(host, record.linux_bridge)
    # Only now: a Linux bridge has its MAC from its ports.
    link = host.link(holder)
    if switched is not None and switched.mac != link.mac:
        announce(link, record.state.addresses)
    if switched is not None and not gone:
        own = {address.address for address in record.state.addresses}
        strip(host, record.port, lambda address: address.link_local and address.address not in own)
    if record.linux_bridge is not None:
        linuxbridge.rename_back(host, record.linux_bridge)
        correct(host, record.state, record.holder)
        prepare(host, record.state, record.holder, record.holder_ifindex)
        add_last_routes(host, record.state, record.holder, record.holder_ifindex)
