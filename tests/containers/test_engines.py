"""Engines that hang: they are given up, and nobody else's attachments wait for them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from jackfield.client.errors import Failure
from jackfield.containers import engine, enquiries
from jackfield.containers.engine import Engine, NoAnswer, NoContainer
from jackfield.containers.enquiries import Answer, Enquiries
from jackfield.containers.search import search
from jackfield.containers.targets import Running, Target
from tests.containers.conftest import World
from tests.containers.engines import FakeEngine
from tests.containers.test_undoing import prepared
from tests.netlab import run, until


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="jft") as name:
        yield Path(name)


@pytest.mark.parametrize("mood", ["silent", "dripping"])
def test_an_engine_has_so_much_time_for_its_whole_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mood: str
) -> None:
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.3)
    path = folder / "docker.sock"
    with FakeEngine(path, "web1", 1) as fake:
        asked = Engine("docker", str(path))
        fake.mood = mood
        with pytest.raises(NoAnswer) as failure:
            asked.inspect("web1")
        assert str(failure.value) == f"Docker at {path} has not answered within 0.3 seconds"
    with pytest.raises(NoAnswer, match=r"cannot be asked: Connection refused"):
        asked.inspect("web1")


def test_an_engine_that_hangs_or_is_gone_does_not_hide_what_another_has(folder: Path) -> None:
    docker, podman = folder / "docker.sock", folder / "podman.sock"
    asked = [Engine("docker", str(docker)), Engine("podman", str(podman))]
    with FakeEngine(podman, "web1", 1):
        with FakeEngine(docker, "web1", 1) as first:
            assert search("web1", asked)[1].kind == "docker"
            first.mood = "silent"
            assert search("web1", asked)[1].kind == "podman"
            first.mood = "ignorant"
            assert search("web1", asked)[1].kind == "podman"
        assert search("web1", asked)[1].kind == "podman"


def test_who_has_not_been_asked_is_told_when_nobody_else_has_it(folder: Path) -> None:
    docker, podman = folder / "docker.sock", folder / "podman.sock"
    asked = [Engine("docker", str(docker)), Engine("podman", str(podman))]
    with FakeEngine(podman, "web1", 1) as second:
        second.mood = "ignorant"
        with FakeEngine(docker, "web1", 1) as first:
            first.mood = "ignorant"
            with pytest.raises(NoContainer) as unknown:
                search("web1", asked)
        with pytest.raises(Failure) as failure:
            search("web1", asked)
    nobody = f"Podman at {podman} has no container web1"
    assert str(unknown.value) == f"Docker at {docker} has no container web1; {nobody}"
    assert str(failure.value) == f"Docker at {docker} cannot be asked: Connection refused; {nobody}"
    assert not isinstance(failure.value, NoContainer)


class Engines:
    """In the place of `look_up`: each engine answers when its gate is opened, and what was asked is kept."""

    def __init__(self, *names: str) -> None:
        self.gates = {name: threading.Event() for name in names}
        self.asked: list[str] = []

    def __call__(self, target: Target) -> Running | None:
        self.asked.append(target.id)
        assert self.gates[target.engine].wait(30)
        if target.id == "broken":
            raise Failure("it makes no sense")
        return Running(target, f"/proc/{target.id}/ns/net", 7, None)


def target(engine: str, number: str) -> Target:
    return Target("docker", number, number, engine)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engines]:
    made = Engines("quick", "slow")
    monkeypatch.setattr(enquiries, "look_up", made)
    yield made
    for gate in made.gates.values():
        gate.set()


def test_engines_are_asked_apart_and_a_question_that_waits_once(engines: Engines) -> None:
    rung = threading.Semaphore(0)
    asking, told = Enquiries(rung.release), []

    def ask(engine: str, number: str, about: str) -> None:
        asking.ask(target(engine, number), about, lambda answer: told.append((about, answer())))

    ask("slow", "1", "first")
    until(lambda: engines.asked == ["1"], what="a question that is under way")
    for about in ("second", "third", "second"):
        ask("slow", "2", about)
    ask("slow", "1", "again")
    engines.gates["quick"].set()
    ask("quick", "3", "other")
    assert rung.acquire(timeout=30)
    asking.tell()
    assert [(about, running.target.id) for about, running in told] == [("other", "3")]
    engines.gates["slow"].set()
    asking.finish(30)
    assert engines.asked.count("2") == 1
    assert [about for about, _ in told] == ["other", "first", "second", "third", "again"]


def test_what_is_not_answered_in_the_end_is_told_as_such(engines: Engines) -> None:
    asking, said = Enquiries(lambda: None), []

    def then(answer: Answer) -> None:
        with suppress(Failure):
            answer()
            return
        with pytest.raises(Failure) as failure:
            answer()
        said.append(str(failure.value))

    asking.ask(target("slow", "1"), "hangs", then)
    asking.finish(0.05)
    assert said == ["Docker at slow has not answered within 5 seconds"]
    engines.gates["quick"].set()
    asking.ask(target("quick", "broken"), "fails", then)
    asking.finish(30)
    assert said[1:] == ["it makes no sense"]
    engines.gates["slow"].set()
    asking.finish(0)
    asking.tell()
    assert len(said) == 2


def test_an_engine_that_drips_delays_nobody_else_and_can_be_done_without(world: World, folder: Path) -> None:
    one, two = prepared(world), world.switch.lab.namespace("two")
    before = (one.mac("eth0"), one.ip("-4", "route"))
    path = folder / "docker.sock"
    world.hosts["DOCKER_HOST"] = f"unix://{path}"
    with one.popen("sleep", "1000000") as process, FakeEngine(path, "web1", process.pid) as fake:
        try:
            world.do("attach", "web1", "br0", "--ifname", "eth0", "--replace", "--ip", "10.0.0.1/24")
            world.do("attach", f"netns:{two.name}", "br0", "--ip", "10.0.0.2/24")
            agent = world.agent_pid()
            fake.mood, asked = "dripping", fake.asked
            os.kill(agent, signal.SIGKILL)
            until(lambda: fake.asked > asked, what="a question of the next agent")
            run("ip", "netns", "delete", two.name)
            until(lambda: len(world.ports()) == 1, what="the end of the port")
            run("ip", "netns", "add", two.name)
            until(lambda: len(world.ports()) == 2, what="the port again")
            assert one.pings("10.0.0.2", wait=5)
            assert world.do("detach", "web1") == "web1: detached eth0\n"
            assert (one.mac("eth0"), one.ip("-4", "route")) == before
        finally:
            process.kill()
