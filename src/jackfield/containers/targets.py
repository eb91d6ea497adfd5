"""What can be attached: containers of an engine, named network namespaces, processes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jackfield.client.errors import Failure
from jackfield.containers.engine import Container, Engine, NoContainer, engines
from jackfield.containers.search import search
from jackfield.net import netns

NAMED = Path("/run/netns")
ENGINES = ("docker", "podman")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that has a network namespace, whether it runs or not.

    `kind` is "docker", "podman", "netns" or "pid"; `id` is a container's id, a namespace's path, a process
    id. `name` is for people; `engine` is the path of the engine's socket; `started` tells processes apart
    that had the same id (proc_pid_stat(5), field 22).
    """

    kind: str
    id: str
    name: str
    engine: str = ""
    started: str = ""

    @property
    def key(self) -> str:
        """What tells targets apart."""
        return f"{self.kind}:{self.id}"

    @property
    def lasts(self) -> bool:
        """Whether it may come back after it has gone: a process does not."""
        return self.kind != "pid"


@dataclass(frozen=True, slots=True)
class Running:
    """A target that runs: the file that stands for its network namespace, the namespace's inode number, and
    the process that holds it, None for a namespace with a name."""

    target: Target
    netns: str
    inode: int
    pid: int | None


def find(words: str, environment: Mapping[str, str] = os.environ) -> Running:
    """The target that a user names: "NAME" or an id of a container, "docker:NAME", "podman:NAME",
    "netns:NAME", "netns:/PATH" or "pid:N". `environment` says where the engines are. Raises Failure when it
    is not there, does not run, or has the host's network."""
    kind, colon, rest = words.partition(":")
    if colon and kind == "pid":
        running = _process(rest)
    elif colon and kind == "netns":
        running = _namespace(rest)
    else:
        running = _container(*_meant(words), environment)
    if running.inode == netns.inode_of(netns.OWN):
        raise Failure(f"{words} uses this host's own network, where a port needs no attaching")
    return running


def look_up(target: Target) -> Running | None:
    """A target that was found before, None when it does not run now. Raises NoContainer when it is gone for
    good, Failure when its engine cannot be asked."""
    if target.kind == "netns":
        inode = netns.inode_of(target.id)
        return None if inode is None else Running(target, target.id, inode, None)
    if target.kind == "pid":
        pid = int(target.id)
        return _running(target, pid) if started_at(pid) == target.started else None
    container = Engine(target.kind, target.engine).inspect(target.id)
    # It may have been given another name.
    now = replace(target, name=container.name)
    return None if container.pid is None else _running(now, container.pid)


def renamed(words: str, known: Sequence[Target], environment: Mapping[str, str]) -> Target | None:
    """Which of the targets that are known is a container that has this name by now, None when none is."""
    name, kinds = _meant(words)
    if not any(target.kind in kinds for target in known):
        return None
    try:
        container, engine = search(name, _engines_of(kinds, environment))
    except Failure:
        return None
    return next((each for each in known if (each.kind, each.id) == (engine.kind, container.id)), None)


def remembered(words: str, known: Sequence[Target]) -> Target:
    """Which of the targets that are known is meant, whether it runs or not. Raises Failure when none is, or
    more than one."""
    meant = {target.key: target for target in known if _is_meant(words, target)}
    # A whole name before the beginning of an id.
    names = (words, words.partition(":")[2])
    named = [each for each in meant.values() if each.name in names] or list(meant.values())
    if len(named) > 1:
        whole = " or ".join(f"{target.kind}:{target.name}" for target in named)
        if len({target.kind for target in named}) < len(named):
            whole = " or ".join(target.id[:12] for target in named)
        raise Failure(f"{words} may be more than one that is attached: say {whole}")
    if not named:
        raise Failure(f"nothing is attached of {words}; `jackfield attachments` lists what is")
    return named[0]


def _is_meant(words: str, target: Target) -> bool:
    kind, colon, rest = words.partition(":")
    if colon and kind in ("netns", "pid"):
        path = _path_of(rest) if kind == "netns" else rest
        return target.kind == kind and (path == target.id or rest == target.name)
    if colon and kind in ENGINES:
        return target.kind == kind and _is_meant(rest, target)
    is_beginning = len(words) >= 4 and target.id.startswith(words)
    return target.kind in ENGINES and (words == target.name or is_beginning)


def started_at(pid: int) -> str | None:
    """When a process was started, in the kernel's words; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def _meant(words: str) -> tuple[str, Sequence[str]]:
    """A container's name or id, and the kinds of engines it may be of."""
    kind, colon, rest = words.partition(":")
    return (rest, (kind,)) if colon and kind in ENGINES else (words, ENGINES)


def _engines_of(kinds: Sequence[str], environment: Mapping[str, str]) -> Sequence[Engine]:
    return [each for each in engines(environment) if each.kind in kinds]


def _container(name: str, kinds: Sequence[str], environment: Mapping[str, str]) -> Running:
    if not name:
        raise Failure("a container is known by its name or id; `docker ps` lists them")
    container, engine = _found(name, _engines_of(kinds, environment), kinds)
    if container.pid is None:
        what = f"container {container.name} is not running ({container.state})"
        raise Failure(f"{what}; `{engine.kind} start {container.name}` starts it")
    running = _running(Target(engine.kind, container.id, container.name, engine.path), container.pid)
    if running is None:
        raise Failure(f"container {container.name} ended just now")
    return running


def _found(name: str, asked: Sequence[Engine], kinds: Sequence[str]) -> tuple[Container, Engine]:
    if not asked:
        names = " nor ".join(kind.capitalize() for kind in kinds)
        word = "neither " if len(kinds) > 1 else "no "
        others = "network namespaces are named netns:NAME, processes pid:N"
        raise Failure(f"there is no container {name}: {word}{names} runs here ({others})")
    try:
        return search(name, asked)
    except NoContainer as error:
        raise Failure(f"there is no container {name}: {error}") from None


def _running(target: Target, pid: int) -> Running | None:
    path = f"/proc/{pid}/ns/net"
    inode = netns.inode_of(path)
    return None if inode is None else Running(target, path, inode, pid)


def _namespace(name: str) -> Running:
    path = _path_of(name)
    inode = netns.inode_of(path)
    if inode is None:
        listed = "; `ip netns list` lists those with names" if name and "/" not in name else ""
        raise Failure(f"there is no network namespace {path}{listed}")
    return Running(Target("netns", path, name), path, inode, None)


def _path_of(name: str) -> str:
    return name if name.startswith("/") else str(NAMED / name)


def _process(number: str) -> Running:
    if not (number.isascii() and number.isdecimal()):
        raise Failure(f'"{number}" is not the number of a process')
    started = started_at(int(number))
    running = _running(Target("pid", number, number, started=started or ""), int(number))
    if started is None:
        raise Failure(f"there is no process {number}")
    if running is None:
        raise Failure(f"the network namespace of process {number} cannot be seen from here")
    return running


def pidfd_of(running: Running) -> int | None:
    """A descriptor that becomes readable when the target's process ends; None for a target without one.
    Raises ProcessLookupError when it has ended."""
    return None if running.pid is None else os.pidfd_open(running.pid)
