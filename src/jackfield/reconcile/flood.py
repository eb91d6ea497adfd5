"""Planning flood lists: never changed in place, shared when alike, cells reused later only. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jackfield.datapath._abi import FloodKey, FloodList, Limit
from jackfield.reconcile.observed import Tables
from jackfield.reconcile.steps import Owner, Step, Table, Write, WriteCells

Lists = Mapping[FloodKey, tuple[int, ...]]


class FloodPlanner:
    """Changes from one set of lists to another, in one pass."""

    def __init__(self, tables: Tables) -> None:
        heads = tables.flood_lists
        members = {head: tables.members(head) for head in set(heads.values())}
        self.current: dict[FloodKey, tuple[int, ...]] = {key: members[head] for key, head in heads.items()}
        self._places: dict[tuple[int, ...], FloodList] = {ports: head for head, ports in members.items()}
        self._gaps = _gaps(sorted({(head.start, head.start + head.count_) for head in heads.values()}))
        self._gap = next(self._gaps, None)

    def change(
        self, wanted: Lists, owners: Mapping[int, Owner], problems: dict[Owner, str]
    ) -> Iterator[Step]:
        """The steps from the current lists to `wanted`; `owners` are the bridges by id."""
        for key, members in wanted.items():
            if self.current.get(key) == members:
                continue
            owner = owners[key.bridge]
            place = self._places.get(members)
            start = self._allocated(len(members)) if place is None else place.start
            full = key not in self.current and len(self.current) >= Limit.MAX_FLOOD_LISTS
            if start is None or full:
                problems[owner] = f"{owner.name} has more VLANs and ports than the flood lists can hold"
                continue
            if place is None:
                place = self._places[members] = FloodList(start, len(members))
                if members:
                    yield WriteCells(owner, start, members)
            self.current[key] = members
            yield Write(owner, Table.FLOOD_LISTS, key, place, f"flood {_vlan(key)} to {len(members)} ports")
        for key in [key for key in self.current if key not in wanted]:
            del self.current[key]
            owner = owners.get(key.bridge, Owner("Bridge", f"id {key.bridge}"))
            yield Write(owner, Table.FLOOD_LISTS, key, None, f"no flood list of its own for {_vlan(key)}")

    def _allocated(self, count: int) -> int | None:
        if not count:
            return 0
        while self._gap is not None:
            start, end = self._gap
            if end - start >= count:
                self._gap = (start + count, end)
                return start
            self._gap = next(self._gaps, None)
        return None


def _vlan(key: FloodKey) -> str:
    return "any other VLAN" if key.vlan == Limit.ANY_VLAN else f"VLAN {key.vlan}"


def _gaps(used: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The free ranges between the used ones, rising."""
    free = 0
    for start, end in used:
        if start > free:
            yield free, start
        free = max(free, end)
    if free < Limit.MAX_FLOOD_CELLS:
        yield free, int(Limit.MAX_FLOOD_CELLS)
