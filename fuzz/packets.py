"""What the kernel and servers of the network tell: netlink messages, DHCP."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress

from fuzz.choices import Choices
from jackfield.containers import dhcpcodec
from jackfield.containers.dhcp import Lease
from jackfield.model.config import PortConfig
from jackfield.model.loops.probe import Probe, packed, unpacked
from jackfield.net import inet
from jackfield.net.addresses import Address, read_address
from jackfield.net.errors import KernelError
from jackfield.net.linkcodec import read_carrier, read_identity, read_link
from jackfield.net.neighbours import read_neighbour
from jackfield.net.netlink import NLMSG_ERROR, attribute, attributes, messages
from jackfield.net.netlink import _raise_error as raise_error
from jackfield.net.routes import Route, read_route
from jackfield.net.rules import read_rule

READERS: tuple[tuple[Callable[[bytes], object], int], ...] = (
    (read_link, 16),
    (read_identity, 16),
    (read_carrier, 16),
    (read_address, 8),
    (read_route, 12),
    (read_rule, 12),
    (read_neighbour, 12),
)
"""What reads a kind of message, and how long its fixed part is."""


def netlink(data: bytes) -> None:
    """Whatever a message holds, its parts are found or it is refused, and nothing goes on for ever."""
    choices = Choices(data)
    reader, fixed = choices.pick(READERS)
    if choices.below(2):
        body = bytes(choices.byte() for _ in range(fixed)) + choices.rest()
    else:
        body = bytes(choices.byte() for _ in range(fixed))
        while choices.left:
            kind = choices.byte() | (0x8000 if choices.rarely() else 0)
            body += attribute(kind, bytes(choices.byte() for _ in range(choices.below(24))))
    whole = struct.pack("=IHHII", 16 + len(body), NLMSG_ERROR, 0x200, 1, 0) + body
    for _kind, flags, _sequence, payload in messages(whole + body):
        attributes(payload)
        if len(payload) >= 4:
            with suppress(KernelError, OverflowError):
                raise_error("fuzzing", flags, payload)
    # The kernel is trusted to send whole messages; these are what a broken one is refused by.
    with suppress(ValueError, IndexError, struct.error):
        reader(body)


def dhcp(data: bytes) -> None:
    """Any packet is an answer or none; a lease made of one can be kept, and given to a device."""
    choices = Choices(data)
    mac, body = b"\x02\0\0\0\0\x01", b""
    if choices.below(4):
        made = dhcpcodec.request(choices.below(9), 7, mac, "host")
        head = bytearray(made[:240])
        head[0] = 1 if choices.rarely() else 2
        head[16:20] = bytes(choices.byte() for _ in range(4))
        for _ in range(choices.below(4)):
            head[choices.below(240)] = choices.byte()
        body = bytes(head) + choices.rest()
    else:
        body = choices.rest()
    packet = bytearray(dhcpcodec.wrap(body))
    packet[20:24] = struct.pack("!HH", dhcpcodec.SERVER_PORT, dhcpcodec.CLIENT_PORT)
    assert dhcpcodec.unwrap(bytes(packet)) == body
    dhcpcodec.unwrap(body)
    reply = dhcpcodec.read(body)
    if reply is None:
        return
    lease = Lease.of(reply, 0.0)
    assert 0 <= lease.renew_seconds <= lease.rebind_seconds <= lease.seconds
    Address.of(1, lease.address)
    assert inet.split(lease.address)
    if lease.gateway:
        Route.to("default", 1, lease.gateway)
    assert Lease(**lease.record()) == lease


_SECRET = bytes(range(16))


def probes(data: bytes) -> None:
    """Any frame is a probe of this switch's or is none; one that was sent comes back as it was."""
    choices = Choices(data)
    sent = Probe(choices.byte() << 8 | choices.byte(), (choices.byte() << 8 | choices.byte()) & 0xFFF)
    frame = packed(sent, PortConfig("p"), 7, _SECRET)
    assert frame is not None
    assert unpacked(frame, _SECRET) == sent
    changed = bytearray(frame)
    for _ in range(choices.below(6)):
        changed[choices.below(len(changed))] = choices.byte()
    unpacked(bytes(changed[: choices.below(80)]), _SECRET)
    unpacked(choices.rest(), _SECRET)
