"""Whoever moves a card may be killed at any step, and who puts it back too: in the end all is as before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.adopt.hosts import elaborate
from tests.adopt.world import Stream, World
from tests.netlab import DEADLINE, until

pytestmark = pytest.mark.timeout(600)  # many commands, one after the other

STRIDE = int(os.environ.get("JACKFIELD_TEST_KILL_STRIDE", "17"))
MOST_STEPS = 400
PROGRAM = """
import os, signal, sys
from pathlib import Path
from jackfield.adopt import guard, takeover
from jackfield.adopt.record import written
from jackfield.client.database import Database
from jackfield.net.netlink import Netlink

left = int(sys.argv[2])

def deadly(owner, name):
    real = getattr(owner, name)
    def wrapped(*words, **more):
        global left
        result = real(*words, **more)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, wrapped)

def all_deadly():
    for owner, name in ((Netlink, "_exchange"), (Database, "transact"), (Path, "write_text")):
        deadly(owner, name)

def adopt():
    real = guard.Guard.__init__
    def begun(*words):
        real(*words)
        all_deadly()
    guard.Guard.__init__ = begun
    takeover.adopt(takeover.Wish(("eth0",), seconds=30.0))

class Undoing:
    def __init__(self, record, seconds):
        self.record = record
    def undo(self):
        with written(self.record) as path:
            all_deadly()
            guard._put_back(self.record)
            path.unlink()

def release():
    takeover.Guard = Undoing
    takeover.release("eth0")

{"adopt": adopt, "release": release}[sys.argv[1]]()
"""


def killed(world: World, *words: str) -> bool:
    """Run a part of the program, to be killed after so many dealings with kernel or switch; whether so."""
    with world.host.entered():
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words],
            env=world.daemon.environment,
            capture_output=True,
            text=True,
            timeout=12 * DEADLINE,
            check=False,
        )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def test_a_command_killed_after_any_step_is_put_back(world: World) -> None:
    elaborate(world)
    with Stream(world) as stream:
        for step in range(1, MOST_STEPS, STRIDE):
            with world.everything_as_before():
                if not killed(world, "adopt", str(step)):
                    world.jackfield("release", "eth0")
                    return
                until(
                    lambda: not world.undecided(),
                    what=f"the way back from step {step}",
                    deadline=6 * DEADLINE,
                )
            stream.goes_on()
    raise AssertionError("it goes on and on")


def test_a_way_back_that_was_killed_at_any_step_is_finished_by_the_next_command(world: World) -> None:
    elaborate(world)
    with Stream(world) as stream:
        for step in range(1, MOST_STEPS, STRIDE):
            with world.everything_as_before():
                world.jackfield("adopt", "eth0")
                over = not killed(world, "release", str(step))
                if not over:
                    assert "has been finished" in world.jackfield("release", "eth0")
            stream.goes_on()
            if over:
                return
    raise AssertionError("it goes on and on")


def test_a_card_that_was_down_is_down_again(world: World) -> None:
    world.host.ip("link", "set", "eth0", "down")
    with world.everything_as_before():
        assert killed(world, "adopt", "20")
        until(lambda: not world.undecided(), what="the way back", deadline=6 * DEADLINE)
    assert " DOWN " in world.host.ip("-br", "link", "show", "eth0")
