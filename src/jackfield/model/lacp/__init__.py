"""The Link Aggregation Control Protocol (IEEE 802.1AX-2014, clause 6): no I/O, no clock."""

from jackfield.model.lacp.link import Counters, Link, Memory, Status
from jackfield.model.lacp.pdu import (
    LACPDU_LENGTH,
    SLOW_PROTOCOLS,
    SLOW_PROTOCOLS_ADDRESS,
    BadPdu,
    Information,
    Lacpdu,
    State,
    decode,
    encode,
    frame,
)
from jackfield.model.lacp.protocol import Lacp
from jackfield.model.lacp.settings import LacpSettings, LinkSettings

__all__ = [
    "LACPDU_LENGTH",
    "SLOW_PROTOCOLS",
    "SLOW_PROTOCOLS_ADDRESS",
    "BadPdu",
    "Counters",
    "Information",
    "Lacp",
    "LacpSettings",
    "Lacpdu",
    "Link",
    "LinkSettings",
    "Memory",
    "State",
    "Status",
    "decode",
    "encode",
    "frame",
]
