"""The fuzz target of LACP: what a partner can say, and when, does no harm."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from fuzz.choices import Choices
from jackfield.model.lacp import (
    LACPDU_LENGTH,
    BadPdu,
    Lacp,
    Lacpdu,
    LacpSettings,
    LinkSettings,
    decode,
    encode,
)
from jackfield.model.lacp.link import MOST_A_SECOND

NAMES = ("a", "b", "c")
SYSTEM, PARTNER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def lacp(data: bytes) -> None:
    """Any bytes are a PDU or refused in words; whatever is said at any time, the protocol keeps its rules."""
    choices = Choices(data)
    flags = choices.byte()
    settings = LacpSettings(SYSTEM, 100, bool(flags & 1), bool(flags & 2), bool(flags & 4))
    end = Lacp(settings)
    end.configure(settings, {name: LinkSettings(place) for place, name in enumerate(NAMES, 1)}, 0.0)
    now = 0.0
    sent: dict[str, list[float]] = {name: [] for name in NAMES}
    while choices.left:
        name = NAMES[choices.below(len(NAMES))]
        match choices.below(4):
            case 0:
                end.carrier(name, choices.below(2) == 1, now)
            case 1:
                now += choices.byte() / 8
            case 2:
                now = max(now, min(end.wakeup(), now + 100))
            case _:
                _hear(end, name, choices, now)
        for who, pdu in end.run(now):
            assert len(pdu) == LACPDU_LENGTH
            assert encode(decode(pdu)) == pdu
            sent[who].append(now)
        assert end.wakeup() > now
        _check(end)
    for times in sent.values():
        assert all(late - early >= 1 for early, late in zip(times, times[MOST_A_SECOND:], strict=False))


def _hear(end: Lacp, name: str, choices: Choices, now: float) -> None:
    """A PDU, whole but for some bytes, or anything at all."""
    link = end.links[name]
    pdu = bytearray(_echo(end, name))
    if choices.below(4):
        for _ in range(choices.below(6)):
            pdu[choices.below(len(pdu))] = choices.byte()
    else:
        pdu = bytearray(choices.byte() for _ in range(choices.below(130)))
    bad = link.counters.bad
    with suppress(BadPdu):
        end.receive(name, bytes(pdu), now)
        return
    assert link.counters.bad == bad + 1


def _echo(end: Lacp, name: str) -> bytes:
    """What a partner says that knows us as we are, and is as we are."""
    us = end.actor(end.links[name])
    return encode(Lacpdu(replace(us, system=PARTNER), us))


def _check(end: Lacp) -> None:
    for name, link in end.links.items():
        assert end.collecting(name) or not end.distributing(name)
        assert link.attached or not end.collecting(name)
        assert not (link.attached and link.loopback)
    attached = [link for link in end.links.values() if link.attached and end.negotiated]
    assert len({(link.partner.system, link.partner.key) for link in attached}) <= 1
