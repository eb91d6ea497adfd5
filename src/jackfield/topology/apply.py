"""Carrying out a plan, in an order that works, and telling how far it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.topology import containers, hosts
from jackfield.topology.difference import Action, Change, Kind, difference
from jackfield.topology.network import Device, Network
from jackfield.topology.present import TABLES, network
from jackfield.topology.transaction import operations
from jackfield.topology.views import all_views

Progress = Callable[[str], None]
"""Is told what is being done."""

_IN_DATABASE = (Kind.SWITCH, Kind.BRIDGE, Kind.PORT)


@dataclass(slots=True)
class Outcome:
    """What came of a plan: the changes that were made, those that failed and why, those not begun."""

    done: list[Change] = field(default_factory=list)
    failed: list[tuple[Change, str]] = field(default_factory=list)
    not_begun: list[Change] = field(default_factory=list)


class Present:
    """What there is: read once, then what was made is looked up in it. Raises Failure."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.views = all_views()
        self.network = network(database.tables, self.views, containers.attached(database))

    def plan(self, wanted: Network, prune: bool) -> tuple[Change, ...]:
        """The changes that make it so."""
        return difference(self.network, wanted, prune)


def open_database() -> Database:
    """The database with what is needed of it. Raises Failure."""
    return Database.open(TABLES)


def apply(present: Present, wanted: Network, changes: Sequence[Change], progress: Progress) -> Outcome:
    """Do what the changes say. Of a stage everything is tried; after one that failed no further is begun."""
    outcome = Outcome()
    for title, stage, work in _stages(present, wanted, changes):
        if not stage:
            continue
        if outcome.failed:
            outcome.not_begun += stage
            continue
        progress(title)
        work(stage, outcome)
    return outcome


def errors(database: Database, wanted: Network) -> list[str]:
    """What the switch says is wrong with ports that are asked for."""
    names = {name for port in wanted.ports.values() for name in port.interfaces}
    return sorted(
        f"{row['name']}: {row['error']}"
        for row in database.tables["Interface"].values()
        if row["name"] in names and row["error"]
    )


Work = Callable[[Sequence[Change], Outcome], None]


def _stages(
    present: Present, wanted: Network, changes: Sequence[Change]
) -> Iterable[tuple[str, list[Change], Work]]:
    """What is done one after the other: what others stand on comes first, and goes last."""

    def some(*kinds: Kind, remove: bool = False) -> list[Change]:
        return [c for c in changes if c.kind in kinds and (c.action is Action.REMOVE) == remove]

    there = present.network

    def namespace(change: Change) -> None:
        if change.action is Action.ADD:
            hosts.make_namespace(change.key)
        # A new namespace begins as the host is, which may be a router.
        hosts.set_forwarding(change.key, wanted.namespaces[change.key])

    def link(change: Change) -> None:
        if change.action is Action.CHANGE:
            hosts.remove_link(there.links[change.key])
        ends = wanted.links[change.key]
        hosts.make_link(change.key, ends, (_device(wanted, ends[0]), _device(wanted, ends[1])))

    def database(stage: Sequence[Change], outcome: Outcome) -> None:
        try:
            asked = operations(stage, there, wanted, present.database.tables)
            present.database.commit(asked)
        except Failure as failure:
            outcome.failed += [(change, str(failure)) for change in stage]
        else:
            outcome.done += stage

    def device(change: Change) -> None:
        hosts.set_device(change.key, wanted.devices[change.key])

    def attach(change: Change) -> None:
        containers.attach(present.database, wanted.containers[change.key])

    in_database = [c for c in changes if c.kind in _IN_DATABASE]
    return (
        ("namespaces", some(Kind.NAMESPACE), _each(namespace)),
        (
            "containers",
            some(Kind.CONTAINER, remove=True),
            _each(lambda c: containers.detach(present.database, c.key)),
        ),
        ("cables", some(Kind.LINK), _each(link)),
        ("the switch", in_database, database),
        ("devices", some(Kind.DEVICE), _each(device)),
        ("containers", some(Kind.CONTAINER), _each(attach)),
        ("cables", some(Kind.LINK, remove=True), _each(lambda c: hosts.remove_link(there.links[c.key]))),
        ("namespaces", some(Kind.NAMESPACE, remove=True), _each(lambda c: hosts.remove_namespace(c.key))),
    )


def _device(wanted: Network, place: object) -> Device:
    return wanted.devices[place]  # type: ignore[index]


def _each(work: Callable[[Change], None]) -> Work:
    def run(stage: Sequence[Change], outcome: Outcome) -> None:
        for change in stage:
            try:
                work(change)
            except Failure as failure:
                outcome.failed.append((change, str(failure)))
            else:
                outcome.done.append(change)

    return run
