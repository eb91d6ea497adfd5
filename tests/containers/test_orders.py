"""Commands that the agent carries out for those who ask."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jackfield.containers import order
from tests.containers.conftest import JACKFIELD, World
from tests.netlab import until


@pytest.fixture
def served(world: World) -> World:
    """A world whose agent is there, as something is attached, and takes orders."""
    first = world.switch.lab.namespace("first")
    world.do("attach", f"netns:{first.name}", "br0", "--ip", "10.0.0.1/24")
    until(lambda: ask(world, "detach", "netns:nobody") is not None, what="an agent that answers")
    return world


def ask(world: World, *words: str) -> tuple[int, str, str] | None:
    """What the agent says to a command line; None when it leaves it to the command."""
    code = "import sys; from jackfield.containers.order import ask; print(repr(ask(sys.argv[1:])))"
    python = str(Path(JACKFIELD).parent / "python")
    done = world.switch.daemon.run(python, "-c", code, *words)
    assert done.returncode == 0, done.stderr
    answer = eval(done.stdout)
    assert answer is None or isinstance(answer, tuple)
    return answer


def test_the_agent_attaches_and_detaches_as_the_commands_do(served: World) -> None:
    one = served.switch.lab.namespace("one")
    words = ("attach", f"netns:{one.name}", "br0", "--ip", "10.0.0.2/24")
    assert ask(served, *words[:3], "--tag", "5000") == (1, "", "5000 is not a VLAN (0 to 4094, 0 for no tag)")
    first = ask(served, *words)
    assert first is not None
    assert (first[0], first[2]) == (0, "")
    assert first[1].startswith(f"{one.name} attached eth1: port ")
    assert one.pings("10.0.0.1")
    again = ask(served, *words)
    assert again is not None
    assert again[1] == served.do(*words) == first[1].replace(" attached ", " is attached already: ")
    assert ask(served, "detach", f"netns:{one.name}") == (0, f"{one.name}: detached eth1\n", "")
    assert one.devices() == {"lo"}


def test_what_the_agent_refuses_is_told_as_the_command_tells_it(served: World) -> None:
    sentence = served.refuses("attach", "netns:jftnone", "br0")
    assert ask(served, "attach", "netns:jftnone", "br0") == (1, "", sentence)
    assert sentence.startswith("there is no network namespace /run/netns/jftnone")


def test_nobody_has_the_agent_act_elsewhere_than_where_he_is(served: World) -> None:
    words = ("attach", "netns:jftnone", "br0")
    code = "import sys; from jackfield.containers.order import ask; print(ask(sys.argv[1:]))"
    python = str(Path(JACKFIELD).parent / "python")
    for space in ("--mount", "--net", "--user"):
        done = served.switch.daemon.run("unshare", space, python, "-c", code, *words)
        assert done.stdout == "None\n", (space, done.stderr)
    assert ask(served, "attach", "netns:jftnone", "br0", "--help") is None


def test_the_command_does_itself_what_a_dead_agent_does_not(served: World) -> None:
    one = served.switch.lab.namespace("one")
    pid = served.agent_pid()
    path = str(served.switch.daemon.rundir / "jackfield-agent.sock")

    def asked() -> bool:
        sockets = Path(f"/proc/{served.switch.daemon.pid}/net/unix").read_text().splitlines()
        return sum(line.endswith(path) for line in sockets) > 1

    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        command = pool.submit(served.run, "attach", f"netns:{one.name}", "br0")
        until(asked, what="a command that has asked")
        os.kill(pid, signal.SIGKILL)
        done = command.result()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{one.name} attached eth1")
    until(lambda: served.agent_pid() != pid, what="another agent")


def test_an_order_that_makes_no_sense_is_not_answered(served: World) -> None:
    path = str(served.switch.daemon.rundir / "jackfield-agent.sock")
    assert Path(path).stat().st_mode & 0o007 == 0
    for data in (b"", b"\0", b"1\0nowhere\0\0\0attach\0", b"no end", b"x" * (order.MOST_ORDER + 1)):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(path)
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100) == b""


def test_an_agent_that_has_nothing_to_do_any_more_ends_and_takes_its_socket_along(served: World) -> None:
    path = served.switch.daemon.rundir / "jackfield-agent.sock"
    for name in served.states():
        served.do("detach", f"netns:{name}")
    until(lambda: not path.exists(), what="the end of the socket")
