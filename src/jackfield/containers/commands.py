"""The commands `attach` and `detach`, done here, by whoever was asked: the command itself or the agent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.containers import telling
from jackfield.containers.attach import attach, detach
from jackfield.containers.attachment import Wish, checked
from jackfield.containers.engine import NoContainer
from jackfield.containers.lock import exclusive
from jackfield.containers.records import TABLES, Known, every, last_seen
from jackfield.containers.targets import Running, Target, find, look_up, remembered, renamed


@dataclass(frozen=True, slots=True)
class AttachOrder:
    """`jackfield attach TARGET BRIDGE …`."""

    target: str
    wish: Wish
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class DetachOrder:
    """`jackfield detach TARGET …`; without `ifname` all that was attached."""

    target: str
    ifname: str | None = None


Order = AttachOrder | DetachOrder


def carry_out(
    order: Order, environment: Mapping[str, str] = os.environ, before: Callable[[], None] = lambda: None
) -> Iterator[str]:
    """Do it; what there is to say, text by text. `environment` says where the engines are; `before` is called
    when nothing has been changed yet, and may raise. Raises Failure."""
    match order:
        case AttachOrder():
            yield _attach(order, environment, before)
        case DetachOrder():
            yield from _detach(order, environment, before)


def _attach(order: AttachOrder, environment: Mapping[str, str], before: Callable[[], None]) -> str:
    wish = checked(order.wish)
    running = find(order.target, environment)
    with exclusive(running.target.key) as meanwhile, Database.open() as database:
        before()
        attachment, changed = attach(database, running, wish, meanwhile)
    return telling.attached(attachment, changed, as_json=order.as_json)


def _detach(order: DetachOrder, environment: Mapping[str, str], before: Callable[[], None]) -> Iterator[str]:
    with Database.open(TABLES) as database:
        known = [each.attachment.target for each in every(database)]
        try:
            whose = remembered(order.target, known)
        except Failure:
            found = renamed(order.target, known, environment)
            if found is None:
                raise
            whose = found
        for ifname in take_off(database, whose, order.ifname, before):
            yield f"{whose.name}: detached {ifname}"


def take_off(
    database: Database, whose: Target, ifname: str | None, before: Callable[[], None] = lambda: None
) -> Iterator[str]:
    """Undo a target's attachment, without `ifname` all of them; the names of the interfaces. The database has
    been opened with TABLES; `before` is as for `carry_out`. Raises Failure, also when there is none."""
    # Others need not wait while an engine is asked.
    running = _running(_attached(database, whose, ifname))
    with exclusive(whose.key) as meanwhile:
        database.refresh()
        before()
        for each in _attached(database, whose, ifname):
            detach(database, each, running, meanwhile)
            yield each.attachment.wish.ifname


def _attached(database: Database, whose: Target, ifname: str | None) -> list[Known]:
    """The attachments of a target that are meant. Raises Failure when there is none."""
    mine = [
        each
        for each in every(database)
        if each.attachment.target.key == whose.key and ifname in (None, each.attachment.wish.ifname)
    ]
    if not mine:
        raise Failure(f"{whose.name} has no attached interface {ifname or 'any more'}")
    return mine


def _running(mine: list[Known]) -> Running | None:
    """Where their target runs, as far as that matters. Raises Failure."""
    aside = any(each.attachment.aside for each in mine)
    if not aside and not any(each.attachment.lease for each in mine):
        return None
    try:
        return look_up(mine[0].attachment.target)
    except NoContainer:
        return None
    except Failure:
        # An engine that cannot be asked is not needed as long as the namespace is there.
        found = next(filter(None, map(last_seen, mine)), None)
        if found is None and aside:
            raise
        return found
