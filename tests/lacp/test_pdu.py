"""LACPDUs and marker PDUs, byte by byte."""

from __future__ import annotations

import pytest

from jackfield.model.lacp import LACPDU_LENGTH, BadPdu, Information, Lacpdu, State, decode, encode, frame
from jackfield.model.lacp.pdu import is_marker, marker_response

ACTOR = Information(65535, bytes.fromhex("020000000001"), 7, 255, 3, State.ACTIVITY | State.SYNCHRONIZED)
PARTNER = Information(1, bytes.fromhex("020000000002"), 9, 128, 4, State.TIMEOUT)
WHOLE = bytes.fromhex(
    "0101"
    "0114 ffff 020000000001 0007 00ff 0003 09 000000"
    "0214 0001 020000000002 0009 0080 0004 02 000000"
    "0310 0000" + "00" * 12 + "0000" + "00" * 50
)


def test_a_pdu_has_the_layout_of_the_standard() -> None:
    assert encode(Lacpdu(ACTOR, PARTNER)) == WHOLE
    assert len(WHOLE) == LACPDU_LENGTH


def test_what_was_encoded_is_decoded() -> None:
    assert decode(WHOLE) == Lacpdu(ACTOR, PARTNER)


def test_a_later_version_and_what_follows_are_no_fault() -> None:
    later = WHOLE[:1] + b"\x02" + WHOLE[2:42] + b"\x09\x63" + WHOLE[44:] + b"more"
    assert decode(later) == Lacpdu(ACTOR, PARTNER)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "has 0 bytes"),
        (WHOLE[:-1], "has 109 bytes"),
        (b"\x03" + WHOLE[1:], "subtype 3"),
        (WHOLE[:2] + b"\x04" + WHOLE[3:], "not the actor's"),
        (WHOLE[:3] + b"\x13" + WHOLE[4:], "not the actor's"),
        (WHOLE[:22] + b"\x01" + WHOLE[23:], "not the partner's"),
        (WHOLE[:23] + b"\x00" + WHOLE[24:], "not the partner's"),
    ],
)
def test_what_is_no_pdu_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadPdu, match=reason):
        decode(data)


def test_a_marker_is_answered_with_itself() -> None:
    request = b"\x02\x01" + b"\x01\x10" + bytes(range(1, 15)) + bytes(92)
    assert len(request) == LACPDU_LENGTH
    assert is_marker(request)
    assert marker_response(request) == b"\x02\x01" + b"\x02\x10" + bytes(range(1, 15)) + bytes(92)


@pytest.mark.parametrize("data", [WHOLE, b"\x02\x01\x02\x10" + bytes(106), b"\x02\x01\x01\x10"])
def test_nothing_else_is_answered(data: bytes) -> None:
    assert marker_response(data) is None


def test_a_frame_goes_to_the_slow_protocols_address() -> None:
    source = bytes.fromhex("02000000000a")
    assert frame(source, b"pdu") == bytes.fromhex("0180c2000002") + source + b"\x88\x09pdu"
