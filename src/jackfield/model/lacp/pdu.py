"""LACPDUs and marker PDUs on the wire (IEEE 802.1AX-2014, sections 6.4.2 and 6.5.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag

SLOW_PROTOCOLS_ADDRESS = bytes.fromhex("0180c2000002")
SLOW_PROTOCOLS = 0x8809
LACP_SUBTYPE, MARKER_SUBTYPE = 1, 2
LACPDU_LENGTH = 110
"""Bytes of an LACPDU or marker PDU behind the ethertype."""

_VERSION = 1
_INFORMATION = struct.Struct("!H6sHHHB")
_LACPDU = struct.Struct("!BB BB15s3x BB15s3x BBH12x 52x")
_ACTOR, _PARTNER, _COLLECTOR = (1, 20), (2, 20), (3, 16)
_MARKER_REQUEST, _MARKER_RESPONSE, _MARKER_LENGTH = 1, 2, 16


class State(IntFlag):
    """The state of one end of a link (section 6.4.2.3, Actor_State)."""

    ACTIVITY = 0x01
    TIMEOUT = 0x02  # wants to hear often: the short timeout
    AGGREGATION = 0x04
    SYNCHRONIZED = 0x08
    COLLECTING = 0x10
    DISTRIBUTING = 0x20
    DEFAULTED = 0x40
    EXPIRED = 0x80


NO_STATE = State(0)


class BadPdu(ValueError):
    """Not a PDU that this protocol takes; the text says why."""


@dataclass(frozen=True, slots=True)
class Information:
    """What one end of a link says of itself. The system is a MAC address; lower priorities rank first."""

    system_priority: int = 0
    system: bytes = bytes(6)
    key: int = 0
    port_priority: int = 0
    port: int = 0
    state: State = NO_STATE

    def pack(self) -> bytes:
        """The 15 bytes on the wire."""
        return _INFORMATION.pack(
            self.system_priority, self.system, self.key, self.port_priority, self.port, self.state
        )

    @classmethod
    def unpack(cls, data: bytes) -> Information:
        """From 15 bytes."""
        priority, system, key, port_priority, port, state = _INFORMATION.unpack(data)
        return cls(priority, system, key, port_priority, port, State(state))


@dataclass(frozen=True, slots=True)
class Lacpdu:
    """What an LACPDU tells: its sender's end of the link, and what the sender knows of the other."""

    actor: Information
    partner: Information


UNKNOWN = Information()
"""What is told of a partner that nothing is known of."""


def encode(pdu: Lacpdu) -> bytes:
    """The LACPDU behind the ethertype, LACPDU_LENGTH bytes."""
    return _LACPDU.pack(
        *(LACP_SUBTYPE, _VERSION),
        *(*_ACTOR, pdu.actor.pack()),
        *(*_PARTNER, pdu.partner.pack()),
        *(*_COLLECTOR, 0),
    )


def decode(data: bytes) -> Lacpdu:
    """The LACPDU in `data`, which begins behind the ethertype. Raises BadPdu.

    As the standard wants it, the version and what is reserved are not judged, nor what follows the partner's
    part, so that later versions are understood.
    """
    if len(data) < LACPDU_LENGTH:
        raise BadPdu(f"has {len(data)} bytes, an LACPDU has {LACPDU_LENGTH}")
    subtype, _version, *rest = _LACPDU.unpack_from(data)
    actor_type, actor_length, actor, partner_type, partner_length, partner, *_ = rest
    if subtype != LACP_SUBTYPE:
        raise BadPdu(f"has the subtype {subtype}, an LACPDU has {LACP_SUBTYPE}")
    if (actor_type, actor_length) != _ACTOR:
        raise BadPdu(f"begins with a part of type {actor_type} and length {actor_length}, not the actor's")
    if (partner_type, partner_length) != _PARTNER:
        raise BadPdu(
            f"goes on with a part of type {partner_type} and length {partner_length}, not the partner's"
        )
    return Lacpdu(Information.unpack(actor), Information.unpack(partner))


def is_marker(data: bytes) -> bool:
    """Whether the slow protocol's PDU in `data`, which begins behind the ethertype, is a marker PDU."""
    return len(data) >= LACPDU_LENGTH and data[0] == MARKER_SUBTYPE


def marker_response(data: bytes) -> bytes | None:
    """The answer to a marker request, the same in all but its type (section 6.5.4.1); None to all else."""
    if not is_marker(data) or (data[2], data[3]) != (_MARKER_REQUEST, _MARKER_LENGTH):
        return None
    return data[:2] + bytes((_MARKER_RESPONSE,)) + data[3:LACPDU_LENGTH]


def frame(source: bytes, pdu: bytes) -> bytes:
    """The Ethernet frame that carries a PDU from a device's address."""
    return SLOW_PROTOCOLS_ADDRESS + source + SLOW_PROTOCOLS.to_bytes(2, "big") + pdu
