"""Which status columns are still to be written: what is new, what somebody else has changed, and what was due
the last time until it is seen to be there. What is as it was costs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jackfield.reconcile.outcome import InterfaceOutcome, Outcome, PortOutcome
from jackfield.reconcile.renewed import renewed
from jackfield.reconcile.rows import Row, Snapshot
from jackfield.switchd.status import (
    Platform,
    Update,
    bridge_update,
    interface_update,
    notes_by_object,
    port_update,
)

_Told = PortOutcome | InterfaceOutcome
_TABLES = ("Port", "Interface")


class Unwritten:
    """Remembers what was told of each row, and how the rows were when they were last looked at."""

    def __init__(self) -> None:
        self._ports: Sequence[PortOutcome] = ()
        self._interfaces: Sequence[InterfaceOutcome] = ()
        self._told: dict[str, _Told] = {}
        self._notes: Mapping[tuple[str, str], Sequence[str]] = {}
        self._rows: dict[str, Mapping[str, Row]] = {table: {} for table in _TABLES}
        self._due: list[Update] = []

    def updates(
        self,
        outcome: Outcome,
        platform: Platform,
        resets: Mapping[str, int],
        statistics: Mapping[str, Mapping[str, int]],
        tables: Snapshot,
    ) -> list[Update]:
        """Those of `status_updates` that say something else than `tables`, whose rows are never changed in
        place. An interface's number in `resets` may change with its outcome only."""
        notes = notes_by_object(outcome.warnings)
        told = self._told
        if outcome.ports is not self._ports or outcome.interfaces is not self._interfaces:
            told = {each.uuid: each for each in outcome.ports if each.uuid is not None}
            told |= {each.uuid: each for each in outcome.interfaces if each.uuid is not None}
            self._ports, self._interfaces = outcome.ports, outcome.interfaces
        look = [update.uuid for update in self._due] + renewed(self._told, told)
        if notes != self._notes:
            noted = notes.keys() | self._notes.keys()
            look += [uuid for uuid, each in told.items() if _object(each) in noted]
        if statistics:
            look += [each.uuid for each in outcome.interfaces if each.uuid and each.name in statistics]
        for table in _TABLES:
            look += renewed(self._rows[table], tables[table])
            self._rows[table] = dict(tables[table])
        self._told, self._notes = told, notes
        due = [
            bridge_update(each, notes.get(("Bridge", each.name), ()), platform) for each in outcome.bridges
        ]
        for each in (told[uuid] for uuid in dict.fromkeys(look) if uuid in told):
            remarks = notes.get(_object(each), ())
            if isinstance(each, PortOutcome):
                due.append(port_update(each, remarks))
            else:
                count = resets.get(each.name, 0)
                due.append(interface_update(each, count, remarks, statistics.get(each.name)))
        self._due = [update for update in due if _says_more(update, tables)]
        return list(self._due)


def _object(told: _Told) -> tuple[str, str]:
    """The table of an object and its name, as warnings have them."""
    return "Port" if isinstance(told, PortOutcome) else "Interface", told.name


def _says_more(update: Update, tables: Snapshot) -> bool:
    row = tables[update.table].get(update.uuid)
    return row is not None and any(row[name] != value for name, value in update.columns.items())
