"""What a process leaves behind for the data plane."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace

import pytest

from jackfield.datapath._abi import Bond
from jackfield.datapath.bonds import NEVER
from jackfield.switchd.bonds.port import BondPort
from jackfield.switchd.bonds.runtime import Bonds
from jackfield.switchd.status import Update
from tests.bonds.views import bond


@pytest.mark.parametrize(
    ("kernel_follows", "downdelay_ms", "told"),
    [(False, 0, [(3, NEVER)]), (True, 5, [(3, NEVER)]), (True, 0, [])],
)
def test_a_process_that_ends_leaves_the_links_to_the_data_plane_at_once(
    kernel_follows: bool, downdelay_ms: int, told: list[tuple[int, int]]
) -> None:
    heard: list[tuple[int, int]] = []
    table = SimpleNamespace(watch=lambda number, until_ns: heard.append((number, until_ns)))
    plane = SimpleNamespace(follows_carrier=kernel_follows, bonds=table, lacp={}, fdb_entries=list[Bond])

    async def nowhere(_: Iterable[Update]) -> None:
        pass

    async def work() -> None:
        bonds = Bonds(plane, nowhere)  # type: ignore[arg-type]
        bonds.ports["bond1"] = BondPort(bond("e0", "e1", downdelay_ms=downdelay_ms), None, {}, 0.0)
        bonds.close()

    asyncio.run(work())
    assert heard == told
