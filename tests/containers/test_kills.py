"""Whoever attaches or detaches may be killed at any step: what he began is then ended without him."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest

from jackfield.containers.attachment import Wish
from tests.containers.conftest import World
from tests.containers.test_undoing import REPLACING, prepared, seen
from tests.netlab import Namespace, until

REPLACING_BY_PAIR = Wish("br0", ifname="eth0", addresses=("10.0.0.1/24",), replace=True, veth=True)
PROGRAM = """
import os, signal, sys
from jackfield.client.database import Database
from jackfield.containers.attachment import Wish
from jackfield.containers.commands import AttachOrder, DetachOrder, carry_out
from jackfield.net.netlink import Netlink

left = int(sys.argv[3])

def deadly(owner, name):
    real = getattr(owner, name)
    def wrapped(*words):
        global left
        result = real(*words)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, wrapped)

deadly(Netlink, "_exchange")
deadly(Database, "transact")
wish = Wish(**eval(sys.argv[2]))
order = AttachOrder(sys.argv[1], wish) if wish.bridge else DetachOrder(sys.argv[1])
list(carry_out(order))
"""
STRIDE = 3
MOST_STEPS = 60


@pytest.mark.parametrize("wish", [REPLACING, REPLACING_BY_PAIR], ids=["internal", "pair"])
def test_an_attachment_whose_maker_is_killed_is_made_by_the_agent_or_not_at_all(
    world: World, wish: Wish
) -> None:
    one = prepared(world)
    before = seen(world, one)
    for step in range(1, MOST_STEPS, STRIDE):
        killed = _killed(world, one, wish, step)
        _expect_whole_or_nothing(world, one, before, step)
        if not killed:
            return
    raise AssertionError("it goes on and on")


@pytest.mark.parametrize("wish", [REPLACING, REPLACING_BY_PAIR], ids=["internal", "pair"])
def test_a_detachment_whose_maker_is_killed_is_ended_by_the_agent_or_not_begun(
    world: World, wish: Wish
) -> None:
    one = prepared(world)
    before = seen(world, one)
    for step in range(1, MOST_STEPS, STRIDE):
        assert not _killed(world, one, wish, MOST_STEPS)
        until(lambda: _is_whole(world, one), what="an attachment")
        killed = _killed(world, one, Wish(""), step)
        _expect_whole_or_nothing(world, one, before, step)
        if not killed:
            return
    raise AssertionError("it goes on and on")


def _expect_whole_or_nothing(world: World, one: Namespace, before: tuple[Any, ...], step: int) -> None:
    """And leave nothing."""

    def told() -> str:
        return f"an end after step {step}: {before} is now {_seen(world, one)}"

    until(lambda: _seen(world, one) == before or _is_whole(world, one), what=told)
    if _seen(world, one) != before:
        world.do("detach", f"netns:{one.name}")
    until(lambda: _seen(world, one) == before, what=told)


def _seen(world: World, one: Namespace) -> tuple[Any, ...]:
    """All that an attachment touches, nothing while its interface changes hands."""
    with suppress(AssertionError):
        return seen(world, one)
    return ()


def _killed(world: World, one: Namespace, wish: Wish, step: int) -> bool:
    """Attach, or detach by a wish for nothing, to be killed after so many dealings with kernel and database;
    whether it came to that."""
    given: dict[str, Any] = asdict(wish)
    done = world.switch.daemon.run(sys.executable, "-c", PROGRAM, f"netns:{one.name}", repr(given), str(step))
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def _is_whole(world: World, one: Namespace) -> bool:
    """Whether it is all there: the record with a port, and the interface up with its address."""
    addresses = subprocess.run(
        ["ip", "-n", one.name, "-4", "-o", "addr", "show", "eth0", "up"],
        capture_output=True,
        text=True,
        check=False,
    )
    return (
        world.states() == {one.name: "attached"}
        and "10.0.0.1/24" in addresses.stdout
        and "jf-eth0" in one.devices()
    )
