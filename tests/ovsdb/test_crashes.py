from __future__ import annotations

import asyncio

import pytest

from tests.ovsdb.crashes import PROGRAM, experiments

KILLS = 20


def test_a_server_that_is_killed_again_and_again_loses_nothing_that_it_acknowledged() -> None:
    tally = asyncio.run(experiments(KILLS, seed=6))
    assert tally.problems == []
    assert tally.kills == KILLS
    assert tally.acknowledged > KILLS


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        # Answers before the disk has what it has done.
        ("import jackfield.ovsdb.log as log\nlog.LogFile.sync = lambda self: None", "durability"),
        # Tells monitors before that.
        (
            "from jackfield.ovsdb.service import Service\n"
            "run = Service.run\n"
            "def hasty(self, execution, operations, *how):\n"
            "    count = len(self._done)\n"
            "    run(self, execution, operations, *how)\n"
            "    for done in self._done[count:]:\n"
            "        self.commit(done.changes)\n"
            "Service.run = hasty",
            "was seen and is lost",
        ),
        # Writes half of a transaction.
        (
            "import jackfield.ovsdb.storage as storage\n"
            "to_record = storage.to_record\n"
            "def half(changes, comment, date):\n"
            "    return to_record([c for c in changes if c.table.schema.name != 'Right'], comment, date)\n"
            "storage.to_record = half",
            "atomicity: half of",
        ),
    ],
    ids=["no sync", "hasty", "half"],
)
def test_a_server_with_a_fault_is_found_out(fault: str, found: str) -> None:
    program = PROGRAM.replace("from jackfield.ovsdbd.main", fault + "\nfrom jackfield.ovsdbd.main")
    tally = asyncio.run(experiments(6, seed=7, program=program))
    assert any(found in problem for problem in tally.problems)
