"""Whatever step of an attachment fails, all is as it was before."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.containers import attach as attaching
from jackfield.containers.attach import attach, detach
from jackfield.containers.attachment import Wish
from jackfield.containers.lock import exclusive
from jackfield.containers.records import TABLES, every
from jackfield.containers.targets import find, started_at
from jackfield.net.errors import KernelError
from jackfield.net.netlink import Netlink
from tests.containers.conftest import World
from tests.netlab import Namespace, eventually, until

PLAIN = Wish("br0", addresses=("10.0.0.1/24", "fd00::1/64"), gateways=("10.0.0.254",), tag=5)
VETH = Wish("br0", addresses=("10.0.0.1/24",), veth=True, mtu=1400)
REPLACING = Wish("br0", ifname="eth0", addresses=("10.0.0.1/24",), gateways=("10.0.0.254",), replace=True)
OTHER = Wish(
    "br0", addresses=("10.0.0.2/24",), tag=6, mac="02:00:00:00:00:09", routes=("10.9.0.0/16=10.0.0.9",)
)


class Saboteur:
    """Lets the n-th dealing with the kernel or the database fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left = 0
        self._dealings = {Netlink: "_exchange", Database: "transact"}
        for owner, name in self._dealings.items():
            self._wrap(monkeypatch, owner, name)

    def fail(self, number: int) -> None:
        self._left = number

    @property
    def struck(self) -> bool:
        return self._left <= 0

    def _wrap(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        real = getattr(owner, name)

        def wrapped(this: Any, *words: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                raise KernelError("sabotage", errno.EIO) if owner is Netlink else Failure("sabotage")
            return real(this, *words)

        monkeypatch.setattr(owner, name, wrapped)


@pytest.fixture
def saboteur(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Saboteur]:
    monkeypatch.setenv("OVS_RUNDIR", str(world.switch.daemon.rundir))
    with world.switch.host.entered():
        yield Saboteur(monkeypatch)


def prepared(world: World) -> Namespace:
    """A namespace with an interface that has addresses and routes."""
    one = world.switch.lab.namespace("one")
    world.switch.lab.cable(one, "eth0", world.switch.lab.namespace("other"), "peer")
    one.ip("address", "add", "172.16.0.2/24", "dev", "eth0")
    one.ip("route", "add", "198.51.100.0/24", "via", "172.16.0.9")
    return one


def seen(world: World, one: Namespace) -> tuple[Any, ...]:
    """All that an attachment touches."""
    routes = [sorted(one.ip(family, "route").splitlines()) for family in ("-4", "-6")]
    lines = (
        line.partition(": ")[2].split("valid_lft") for line in one.ip("-4", "-o", "address").splitlines()
    )
    addresses = sorted(line[0] for line in lines)
    return (
        world.configuration(),
        world.switch.host.devices(),
        one.devices(),
        one.mac("eth0"),
        routes,
        addresses,
    )


@pytest.mark.parametrize("wish", [PLAIN, VETH, REPLACING], ids=["plain", "veth", "replacing"])
def test_a_failed_attachment_leaves_no_trace(world: World, saboteur: Saboteur, wish: Wish) -> None:
    one = prepared(world)
    steps = _fail_at_each_step(world, saboteur, one, wish, lambda _database: _detach_all())
    assert steps > 10


@pytest.mark.parametrize("wish", [OTHER, VETH], ids=["other", "veth"])
def test_a_failed_change_leaves_what_was_there(world: World, saboteur: Saboteur, wish: Wish) -> None:
    one = prepared(world)
    running = find(f"netns:{one.name}")
    steps = _fail_at_each_step(world, saboteur, one, wish, lambda database: attach(database, running, PLAIN))
    assert steps > 10


@pytest.mark.parametrize("step", ["_made_room", "configure", "_wait_for_link"])
def test_a_namespace_that_vanishes_in_the_middle_leaves_nothing(
    world: World, saboteur: Saboteur, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with world.switch.container() as pid:
        running = find(f"pid:{pid}")
        original = getattr(attaching, step)

        def after_the_end(*arguments: Any) -> Any:
            os.kill(pid, signal.SIGKILL)
            until(lambda: started_at(pid) is None, what="the end of the process")
            return original(*arguments)

        monkeypatch.setattr(attaching, step, after_the_end)
        with exclusive(), Database.open() as database:
            try:
                attach(database, running, PLAIN)
            except Failure as failure:
                said = str(failure)
            else:
                said = ""
        assert saboteur
        assert (step == "_made_room") == ("No such device" in said), said
        until(lambda: world.ports() == [], what="the end of the port")
        until(lambda: world.attachments() == [], what="the end of the attachment")


def _fail_at_each_step(
    world: World, saboteur: Saboteur, one: Namespace, wish: Wish, prepare: Callable[[Database], object]
) -> int:
    """Attach, failing at the first step, the second and so on; how many there are."""
    running = find(f"netns:{one.name}")
    for number in range(1, 100):
        # As the commands do: else the switch's agent would take up what is half undone.
        with exclusive(), Database.open() as database:
            prepare(database)
            before = seen(world, one)
            saboteur.fail(number)
            try:
                attach(database, running, wish)
            except Failure:
                saboteur.fail(0)
                _expect(world, one, before, number)
            if not saboteur.struck:
                saboteur.fail(0)
                return number
            saboteur.fail(0)
    raise AssertionError("it goes on and on")


def _expect(world: World, one: Namespace, before: tuple[Any, ...], number: int) -> None:
    after = eventually(lambda: (now := seen(world, one)) == before and now)
    if not after:
        after = seen(world, one)
        differing = [f"{old}\n  is now\n{new}" for old, new in zip(before, after, strict=True) if old != new]
        raise AssertionError(f"after step {number} failed: " + "\n".join(differing))


def _detach_all() -> None:
    with Database.open(TABLES) as database:
        for known in every(database):
            detach(database, known, find(f"netns:{known.attachment.target.name}"))
