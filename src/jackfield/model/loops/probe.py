"""The frame that is sent out of a port to see whether it comes back.

    destination  03:6a:66 and three bytes of the switch's own: a group address, which other bridges flood
    source       02:6a:66 and the same three bytes
    type         0x88b5 (IEEE 802, local experimental)
    payload      "jackfield-loop", a secret of the daemon's (16 bytes), port, VLAN (16 bits each)

The program takes frames to its own switch's address out of the stream wherever they come in.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from jackfield.model.config import ETH_P_8021Q, PortConfig
from jackfield.model.frame import ETH_HLEN, Frame, Tag, parse
from jackfield.model.vlan import includes, output_tags

ETHERTYPE = b"\x88\xb5"
SECRET_BYTES = 16
_GROUP, _STATION = bytes.fromhex("036a66"), bytes.fromhex("026a66")
_PAYLOAD = struct.Struct(f"!14s{SECRET_BYTES}sHH")
_MAGIC = b"jackfield-loop"
_LEAST = 60
_TAGS_READ = 3


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe: the number of the port that it left by, and the VLAN inside the bridge there."""

    port: int
    vlan: int


def probe_address(number: int) -> bytes:
    """Where the probes of the switch with this number (24 bits, not 0) are sent to."""
    return _GROUP + number.to_bytes(3, "big")


def packed(probe: Probe, config: PortConfig, number: int, secret: bytes) -> bytes | None:
    """The frame as it leaves by the port; None if the port does not carry the VLAN."""
    stack = (Tag(ETH_P_8021Q, probe.vlan),) if probe.vlan else ()
    if not includes(config, stack):
        return None
    payload = ETHERTYPE + _PAYLOAD.pack(_MAGIC, secret, probe.port, probe.vlan)
    source = _STATION + number.to_bytes(3, "big")
    return (
        Frame(probe_address(number), source, output_tags(config, stack, ()), payload)
        .pack()
        .ljust(_LEAST, b"\0")
    )


def unpacked(data: bytes, secret: bytes) -> Probe | None:
    """The probe in a frame that came in, its outer tag there or not; None when it is not this daemon's."""
    if len(data) < ETH_HLEN:
        return None
    rest = parse(data, _TAGS_READ).rest
    if rest[:2] != ETHERTYPE or len(rest) < 2 + _PAYLOAD.size:
        return None
    magic, theirs, port, vlan = _PAYLOAD.unpack_from(rest, 2)
    return Probe(port, vlan) if (magic, theirs) == (_MAGIC, secret) else None
