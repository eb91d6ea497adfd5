"""Ports for tests, as an outcome describes them."""

from __future__ import annotations

from typing import Any

from jackfield.model.bonding import BondSettings
from jackfield.model.config import PortConfig
from jackfield.model.lacp import LacpSettings, LinkSettings
from jackfield.switchd.bonds.view import MemberView, PortView

SYSTEM = bytes.fromhex("020000000099")


def member(place: int, name: str, *, up: bool = True) -> MemberView:
    """A member whose numbers all follow from its place."""
    return MemberView(
        name,
        f"uuid-{name}",
        place,
        10 + place,
        100 + place,
        bytes((2, 0, 0, 0, 1, place)),
        up,
        LinkSettings(place + 1),
    )


def bond(*names: str, up: str | None = None, lacp: LacpSettings | None = None, **settings: Any) -> PortView:
    """A bond; the members in `up`, or all, have a link."""
    works = names if up is None else up.split()
    return PortView(
        name="bond1",
        uuid="uuid-bond1",
        bridge=1,
        port=2,
        bond=3,
        config=PortConfig("bond1"),
        settings=BondSettings(**settings),
        lacp=lacp,
        members=tuple(member(place, name, up=name in works) for place, name in enumerate(names) if name),
    )
