"""Attacks by the sockets of the control plane: the database's and that of commands."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import socket
import struct
import time
from pathlib import Path

from bench.attacks.outcome import NOT_THERE, Outcome
from bench.attacks.subjects import BRIDGE, Subject
from bench.netns import run

CONNECTIONS = 10_000
GARBAGE = 1 << 20
DEPTH = 100_000
HUGE = 256 << 20
SEND_SECONDS = 20.0
CONNECT_SECONDS = 40.0
CHANGES, CHANGE_BYTES = 150, 100_000


def _sockets(subject: Subject) -> tuple[Path, Path]:
    return subject.directory / "db.sock", subject.control_socket()


def _connected(path: Path, seconds: float = SEND_SECONDS) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # A Unix socket with a time-out of Python's would be refused as soon as the listener's queue is full.
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", int(seconds), 0))
    try:
        peer.connect(str(path))
        peer.settimeout(seconds)
    except OSError:
        peer.close()
        raise
    return peer


def _pour(path: Path, piece: bytes, times: int = 1) -> int:
    """Send until all is gone or the peer has had enough; how many bytes it took."""
    taken = 0
    with contextlib.suppress(OSError), _connected(path) as peer:
        end = time.monotonic() + SEND_SECONDS
        for _ in range(times):
            peer.sendall(piece)
            taken += len(piece)
            if time.monotonic() > end:
                break
    return taken


def _state(subject: Subject, pids: dict[str, int], before: int) -> tuple[str, dict[str, int]]:
    served, alive = subject.serves(), subject.alive(pids)
    grown = subject.kilobytes() - before
    words = [
        "the daemons live" if alive else "a daemon is gone",
        "others are served" if served else "others are not served within 30 s",
        f"{max(grown, 0) / 1024:,.0f} MB more memory",
    ]
    return ", ".join(words), {"alive": int(alive), "served": int(served), "grown_kilobytes": grown}


def garbage(subject: Subject) -> Outcome:
    """A megabyte of random bytes, and JSON nested 100,000 levels deep, into each socket."""
    if not subject.has_daemon:
        return NOT_THERE
    pids, before = subject.pids(), subject.kilobytes()
    noise = random.Random(7).randbytes(GARBAGE)
    for path in _sockets(subject):
        _pour(path, noise)
        _pour(path, b'{"id":0,"method":"echo","params":' + b"[" * DEPTH)
        _pour(path, b"{}" * 1000)
    return Outcome(*_state(subject, pids, before))


def endless_message(subject: Subject) -> Outcome:
    """One message of 256 MB that does not end, into each socket."""
    if not subject.has_daemon:
        return NOT_THERE
    pids, before = subject.pids(), subject.kilobytes()
    held = []
    piece = b"x" * (1 << 20)
    taken = []
    for path in _sockets(subject):
        peer = _connected(path)
        held.append(peer)
        size = 0
        with contextlib.suppress(OSError):
            peer.sendall(b'{"id":0,"method":"echo","params":["')
            end = time.monotonic() + SEND_SECONDS
            while size < HUGE and time.monotonic() < end:
                peer.sendall(piece)
                size += len(piece)
        taken.append(size >> 20)
    text, figures = _state(subject, pids, before)
    for peer in held:
        peer.close()
    names = f"{taken[0]} MB taken by the database, {taken[1]} MB by the control socket; "
    return Outcome(names + text, {**figures, "database_took_mb": taken[0], "control_took_mb": taken[1]})


def many_connections(subject: Subject) -> Outcome:
    """As many connections to each socket as can be made in 40 s, up to 9,500, that say nothing and stay."""
    if not subject.has_daemon:
        return NOT_THERE
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    wanted = min(CONNECTIONS, (most - 1000) // 2)
    pids, before = subject.pids(), subject.kilobytes()
    with contextlib.ExitStack() as stack:
        counts = []
        for path in _sockets(subject):
            count = 0
            with contextlib.suppress(OSError):
                end = time.monotonic() + CONNECT_SECONDS
                while count < wanted and time.monotonic() < end:
                    stack.enter_context(_connected(path, 10))
                    count += 1
            counts.append(count)
        text, figures = _state(subject, pids, before)
        with contextlib.suppress(Exception):
            asked = run("ovs-appctl", "-T", "20", "version", env=subject.environment)
            figures["commands_served"] = int(bool(asked))
    commands = "answered" if figures.get("commands_served") else "not answered"
    made = f"{counts[0]:,} and {counts[1]:,} can be made; "
    return Outcome(f"{made}{text}, commands are {commands}", {**figures, "made": sum(counts)})


def slow_reader(subject: Subject) -> Outcome:
    """A client that watches the whole database and never reads, while somebody changes 15 MB in it."""
    if not subject.has_daemon:
        return NOT_THERE
    pids, before = subject.pids(), subject.kilobytes()
    with _connected(subject.directory / "db.sock") as deaf:
        request = {"Bridge": {"columns": ["external_ids"]}}
        watch = {"id": 1, "method": "monitor", "params": ["Open_vSwitch", None, request]}
        deaf.sendall(json.dumps(watch).encode())
        for number in range(CHANGES):
            value = (chr(97 + number % 26) * CHANGE_BYTES)[:CHANGE_BYTES]
            words = ("set", "Bridge", BRIDGE, f"external_ids:big={value}")
            run("ovs-vsctl", "--timeout=30", "--no-wait", *words, env=subject.environment)
        text, figures = _state(subject, pids, before)
    return Outcome(text, figures)
