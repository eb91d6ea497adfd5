"""Bonds in the data plane: configuration and state share one record, which only programs write.

Any thread may use a BondTable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from jackfield.datapath import _abi
from jackfield.datapath._abi import BondFieldFlag as Field
from jackfield.datapath._abi import BondOp, Limit
from jackfield.datapath.maps import PerCpuTable, Table

FOREVER, NEVER = (1 << 64) - 1, 0
BUCKETS, LOAD_PARTS = int(Limit.BOND_BUCKETS), int(Limit.BOND_LOAD_PARTS)


class BondTable:
    """Bonds by number. Raises KernelError when the kernel refuses."""

    def __init__(
        self,
        records: Table[int, _abi.Bond],
        loads: PerCpuTable[int, _abi.BondLoad],
        run: Callable[[_abi.BondRequest], None],
    ) -> None:
        self._records = records
        self._loads = loads
        self._run = run

    def get(self, number: int) -> _abi.Bond | None:
        """Configuration and state of a bond; None when there is no such bond."""
        return self._records.get(number)

    def items(self) -> list[tuple[int, _abi.Bond]]:
        """All that is there."""
        return self._records.items()

    def set(self, number: int, bond: _abi.Bond) -> None:
        """Configure a bond, as `members`, `mode`, `flags` and `basis` of the record say. One that is new
        begins with all members enabled, the first one active, and the buckets dealt out in turn; of one that
        is there, members that go lose their state, and members that come wait to be enabled."""
        places = [at for at, member in enumerate(bond.members) if member]
        present = sum(1 << at for at in places)
        self._run(
            _abi.BondRequest(
                op=BondOp.CONFIGURE,
                bond=number,
                fields=int(Field.ENABLED | Field.COLLECTING | Field.ACTIVE | Field.BUCKETS),
                basis=bond.basis,
                present=present,
                enabled=present,
                collecting=present,
                mode=bond.mode,
                flags=bond.flags,
                active=places[0] if places else int(Limit.NO_MEMBER),
                members=bond.members,
                buckets=dealt(places),
            )
        )

    def delete(self, number: int) -> None:
        """Forget a bond. No error when it is absent."""
        self._run(_abi.BondRequest(op=BondOp.REMOVE, bond=number))
        self._loads.clear(number)

    def change(
        self,
        number: int,
        *,
        enabled: int | None = None,
        collecting: int | None = None,
        active: int | None = None,
        lacp: int | None = None,
        buckets: bytes | None = None,
    ) -> None:
        """Set what is given of a bond's state: see struct jf_bond. A bond without LACP keeps none."""
        fields = Field(0)
        for value, field in (
            (enabled, Field.ENABLED),
            (collecting, Field.COLLECTING),
            (active, Field.ACTIVE),
            (lacp, Field.LACP),
            (buckets, Field.BUCKETS),
        ):
            if value is not None:
                fields |= field
        self._run(
            _abi.BondRequest(
                op=BondOp.SET,
                bond=number,
                fields=int(fields),
                enabled=enabled or 0,
                collecting=collecting or 0,
                active=active or 0,
                lacp=lacp or 0,
                buckets=buckets or bytes(BUCKETS),
            )
        )

    def set_down(self, number: int, member: int, down: bool) -> None:
        """Note that a member has no link, or has one."""
        self._run(_abi.BondRequest(op=BondOp.LINK, bond=number, member=member, down=down))

    def watch(self, number: int, until_ns: int) -> None:
        """Until then, by CLOCK_MONOTONIC, somebody notes which members have no link; FOREVER when the kernel
        does. Later the data plane tries by itself whether members take frames."""
        self._run(_abi.BondRequest(op=BondOp.WATCH, bond=number, watched_ns=until_ns))

    def loads(self, number: int) -> tuple[int, ...]:
        """Bytes sent for each bucket since the bond was made: an estimate by samples."""
        found = self._loads.get(number)
        return tuple(count * LOAD_PARTS for count in found.bytes_) if found is not None else (0,) * BUCKETS


def dealt(places: Sequence[int]) -> bytes:
    """Members for all buckets in turn."""
    count = len(places)
    return bytes(places[at % count] for at in range(BUCKETS)) if count else bytes(BUCKETS)


def add_loads(parts: Iterable[_abi.BondLoad]) -> _abi.BondLoad:
    """The sum, bucket by bucket."""
    return _abi.BondLoad(tuple(map(sum, zip(*(part.bytes_ for part in parts), strict=True))))
