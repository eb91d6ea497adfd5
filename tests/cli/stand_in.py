"""A daemon's control socket without the daemon: `python -m tests.cli.stand_in RUNDIR`."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from jackfield.unixctl.commands import ANY_NUMBER, CommandError, CommandTable
from jackfield.unixctl.server import UnixctlServer

ANSWERS = {
    "jackfield/status": {
        "version": "1.0", "pid": 7, "instance": "i", "ready": True, "since": "this morning",
        "kernel": "6.18", "attach": "tcx", "bridges": 1, "ports": 2,
        "objects": [
            {"kind": "Interface", "name": "p0", "state": "ok", "message": ""},
            {"kind": "Interface", "name": "bad0", "state": "error", "message": "No such device"},
        ],
    },
    "jackfield/ports": {
        "ports": [
            {
                "bridge": "br0", "name": "p0", "type": "internal", "ofport": 1, "ifindex": 5, "netns": None,
                "link": "up", "vlan": "access 10", "rx_packets": 1234, "rx_bytes": 99, "tx_packets": 0,
                "tx_bytes": 0, "drops": {"same-port": {"count": 3, "text": "Leaves where it came in."}},
            }
        ]
    },
    "jackfield/fdb": {
        "entries": [
            {"bridge": "br0", "port": "p0", "ofport": 1, "vlan": 10, "mac": "00:00:00:00:00:01", "age": 4,
             "static": False},
            {"bridge": "br0", "port": "p1", "ofport": 2, "vlan": 0, "mac": "00:00:00:00:00:02", "age": None,
             "static": True},
        ]
    },
    "jackfield/plan": {"steps": ["make br0"]},
}  # fmt: skip


def _answer(answer: object, _: Sequence[str]) -> str:
    return json.dumps(answer)


def _refuse(_: Sequence[str]) -> str:
    raise CommandError("it is not possible")


async def _sleep(_: Sequence[str]) -> str:
    await asyncio.Event().wait()
    return ""


async def _serve(rundir: Path) -> None:
    stop = asyncio.Event()

    def leave(words: Sequence[str]) -> str:
        (rundir / "said").write_text(" ".join(words))
        stop.set()
        return ""

    commands = CommandTable("stand-in 1.0\n")
    commands.add("echo", "[arg]...", 0, ANY_NUMBER, lambda words: "".join(f"<{word}>\n" for word in words))
    commands.add("nothing", "", 0, 0, lambda _: "")
    commands.add("no-newline", "", 0, 0, lambda _: "text")
    commands.add("refuse", "", 0, 0, _refuse)
    commands.add("sleep", "", 0, 0, _sleep)
    commands.add("exit", "[--cleanup]", 0, 1, leave)
    for name, answer in ANSWERS.items():
        commands.add(name, "[arg]", 0, 1, partial(_answer, answer))
    rundir.mkdir(parents=True, exist_ok=True)
    pidfile = (rundir / "ovs-vswitchd.pid").open("w")
    pidfile.write(f"{os.getpid()}\n")
    pidfile.flush()
    fcntl.lockf(pidfile, fcntl.LOCK_EX)
    server = UnixctlServer(commands)
    await server.listen(rundir / f"ovs-vswitchd.{os.getpid()}.ctl")
    print("ready", flush=True)
    await stop.wait()
    await asyncio.sleep(0)
    await server.close()
    pidfile.close()


@contextmanager
def control_socket(rundir: Path) -> Iterator[int]:
    """Run the stand-in in a process of its own, whose pid is given."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.stand_in", str(rundir)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
