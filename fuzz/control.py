"""The control socket as a peer meets it: bytes into the real server with the daemon's commands behind it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from fuzz.choices import Choices
from fuzz.sessions import MEMORY
from jackfield.datapath.store import Datapath
from jackfield.model.bonding.settings import BondSettings
from jackfield.model.config import BondMode
from jackfield.model.lacp import LacpSettings
from jackfield.switchd.bonds.port import BondPort
from jackfield.switchd.bonds.runtime import Bonds
from jackfield.switchd.commands.bond import BondCommands
from jackfield.switchd.commands.fdb import FdbCommands
from jackfield.switchd.commands.lacp import LacpCommands
from jackfield.switchd.commands.ports import PortCommands
from jackfield.switchd.commands.process import ProcessCommands
from jackfield.switchd.commands.reports import ReportCommands
from jackfield.switchd.commands.tables import TableCommands
from jackfield.switchd.coverage import Coverage
from jackfield.switchd.engine import EVENTS, Engine
from jackfield.switchd.log import Vlog
from jackfield.switchd.loops.runtime import Loops
from jackfield.switchd.protection import Protection
from jackfield.unixctl.commands import CommandTable
from jackfield.unixctl.server import UnixctlServer
from jackfield.wire.stream import JsonStream
from tests.bonds.views import SYSTEM, bond
from tests.switchd.stand_in import StandInDatapath, StandInReconciler

T = TypeVar("T")

SECONDS = 50.0
_WORDS = (
    *("br0", "p0", "bond1", "a", "b", "nope", "", "-1", "0", "1", "255", "256", "4095", "4096", "9" * 5000),
    *("02:00:00:00:00:01", "1:2:3:4:5:6", "02:00:00:00:00:0g", "ANY", "unixctl", "file", "dbg", "off"),
    *("unixctl:file:dbg", "PATTERN:file:", "PATTERN:any:%D{%s} %m", "FACILITY:daemon", "--cleanup", "\0"),
    *("\ud800", "%99999999999999999999m"),
)


class _Engine:
    """The engine of a small switch without a kernel."""

    ready, repairs, trouble = True, 0, ""

    def __init__(self) -> None:
        rows: dict[str, dict[str, Any]] = {
            "Bridge": {"b": {"name": "br0", "ports": frozenset(("p", "q"))}},
            "Port": {
                "p": {"name": "p0", "interfaces": frozenset(("i",)), "tag": 5},
                "q": {"name": "br0", "interfaces": frozenset(("j",)), "tag": None},
            },
            "Interface": {"i": {"name": "p0", "type": ""}, "j": {"name": "br0", "type": "internal"}},
        }
        self.outcome = StandInReconciler().reconcile(cast(Any, rows))
        self.coverage = Coverage(EVENTS)
        self._datapath = StandInDatapath()
        kernel = cast(Any, self._datapath)
        kernel.mode, kernel.port_state = SimpleNamespace(value="tcx"), {}

    async def read(self, function: Callable[[Datapath], T]) -> T:
        # Some ask for a method by its name in the class that the stand-in is not one of.
        if function is Datapath.fdb_entries:
            return cast(T, self._datapath.fdb_entries())
        return function(cast(Datapath, self._datapath))

    change = read

    async def plan(self) -> tuple[str, ...]:
        return ()

    check = plan


class _Bonds:
    """A switch's one bond."""

    def __init__(self) -> None:
        view = bond("a", "b", mode=BondMode.BALANCE_SLB, lacp=LacpSettings(SYSTEM))
        other = bond("a", "b")
        assert isinstance(other.settings, BondSettings)
        self.ports = {"bond1": BondPort(view, None, {}, 0.0), "bond2": BondPort(other, None, {}, 0.0)}

    def act(self, _port: BondPort) -> None:
        """There is no data plane."""


def _commands(vlog: Vlog) -> CommandTable:
    async def leave(_cleanup: bool) -> None:
        """The process goes on."""

    commands = CommandTable("1")
    engine, bonds = cast(Engine, _Engine()), cast(Bonds, _Bonds())
    loops = cast(Loops, SimpleNamespace(report=[]))
    protection = cast(Protection, SimpleNamespace(alarms=list))
    FdbCommands(engine).register(commands)
    BondCommands(bonds).register(commands)
    LacpCommands(bonds).register(commands)
    TableCommands(engine).register(commands)
    PortCommands(engine, loops).register(commands)
    ReportCommands(engine, protection, loops, version="1", instance="fuzz", since=0.0).register(commands)
    ProcessCommands(engine, vlog, leave).register(commands)
    return commands


@cache
def _names() -> tuple[str, ...]:
    listed = _commands(Vlog(io.StringIO())).listing().splitlines()[1:]
    return (*(line.split()[0] for line in listed), "nope", "")


def _requests(choices: Choices) -> bytes:
    """Some requests, mostly in order, or anything at all."""
    if choices.rarely():
        return choices.rest()
    sent = bytearray()
    while choices.left and len(sent) < 1 << 16:
        if choices.rarely():
            sent += bytes(choices.byte() for _ in range(choices.below(20)))
            continue
        request: dict[str, Any] = {
            "id": choices.json() if choices.rarely() else choices.below(4),
            "method": choices.json() if choices.rarely() else choices.pick(_names()),
            "params": choices.json()
            if choices.rarely()
            else [_word(choices) for _ in range(choices.below(5))],
        }
        sent += json.dumps(request).encode()
    return bytes(sent)


def _word(choices: Choices) -> Any:
    match choices.below(8):
        case 0:
            return "".join(chr(choices.byte()) for _ in range(choices.below(16)))
        case 1:
            head = choices.pick(("PATTERN:console:", "PATTERN:any:", "unixctl:", "vlog,"))
            return head + "".join(chr(32 + choices.below(96)) for _ in range(choices.below(16)))
        case 2:
            return choices.json()
    return choices.pick(_WORDS)


async def _talk(path: Path, sent: bytes) -> bytes:
    """What the peer hears until it is cut off, or has heard the end."""
    reader, writer = await asyncio.open_unix_connection(path, limit=1 << 24)
    try:
        writer.write(sent)
        writer.write_eof()
        return await reader.read(-1)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def _serve(directory: Path, sent: bytes, vlog: Vlog) -> None:
    server = UnixctlServer(_commands(vlog))
    await server.listen(directory / "ctl")
    try:
        heard = await asyncio.wait_for(_talk(directory / "ctl", sent), SECONDS)
        for answer in JsonStream().feed(heard):
            assert answer.keys() == {"id", "result", "error"}
            assert (answer["result"] is None) != (answer["error"] is None), answer
            assert " failed: " not in (answer["error"] or ""), answer
        other = await asyncio.wait_for(
            _talk(directory / "ctl", b'{"id":1,"method":"version","params":[]}'), SECONDS
        )
        assert [answer["result"] for answer in JsonStream().feed(other)] == ["1\n"]
    finally:
        await server.close()


def control(data: bytes) -> None:
    """Whatever a peer sends, each request has one answer, no command fails by a fault of its own, others
    are served, and the log can be written as it was told to."""
    vlog = Vlog(io.StringIO())
    sent = _requests(Choices(data))
    with tempfile.TemporaryDirectory(prefix="jft-fuzz-", dir=MEMORY) as directory:
        asyncio.run(_serve(Path(directory), sent, vlog))
    vlog.handle(logging.LogRecord("jackfield.unixctl", logging.WARNING, "", 0, "words", (), None))
    vlog.close()
