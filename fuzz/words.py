"""What people write: command lines and values of `vsctl`, network files; and what a server answers them."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.choices import Choices
from fuzz.sessions import MEMORY
from jackfield.cli.vsctl import run
from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.registry import SYNTAXES
from jackfield.cli.vsctl.schema import Column, Schema
from jackfield.cli.vsctl.symbols import Symbols
from jackfield.cli.vsctl.values import parse_value, value_text
from jackfield.switchd.schema import open_vswitch_schema
from jackfield.topology.asked import network as asked_network
from jackfield.topology.difference import difference
from jackfield.topology.problems import BadFile
from jackfield.topology.reader import read
from jackfield.wire.blocking import Connection, ConnectionFailed, RpcError
from tests.cli.bench import databases

_COLUMNS = (
    *(("Port", "tag"), ("Port", "trunks"), ("Port", "vlan_mode"), ("Port", "other_config")),
    *(("Port", "fake_bridge"), ("Interface", "ofport_request"), ("Interface", "options")),
    *(("Bridge", "ports"), ("Bridge", "flow_tables"), ("Mirror", "select_vlan"), ("QoS", "queues")),
    *(("Interface", "name"), ("Interface", "mac"), ("sFlow", "sampling"), ("Open_vSwitch", "next_cfg")),
)


@cache
def _schema() -> Schema:
    return Schema(open_vswitch_schema())


def _column(choices: Choices) -> Column:
    table, column = choices.pick(_COLUMNS)
    return _schema().table(table).columns[column]


def values(data: bytes) -> None:
    """A value is refused in a sentence, or read, and what is printed of it reads as the same value."""
    choices = Choices(data)
    kind = _column(choices).type
    text = choices.rest().decode(errors="surrogateescape")
    try:
        value = parse_value(kind, text, Symbols())
    except ControlError as error:
        assert str(error)
        return
    assert parse_value(kind, value_text(kind, value), Symbols()) == value


_WORDS = (
    *("br0", "br1", "p0", "p1", "bond0", ".", "nope", "@a", "@b", "", "Bridge", "br", "Port", "Interface"),
    *("Open_vSwitch", "o", "QoS", "Queue", "Mirror", "Controller", "name", "name=x", "tag=5", "tag=[]"),
    *("trunks=1-5", "trunks:3=4", "other_config:a=b", "other_config={a=1}", "ports=@a", "interfaces=@a"),
    *(
        "tag!=3",
        "trunks{>=}1",
        "other_config:a{in}b",
        "=",
        "_uuid",
        ":",
        '"',
        "\\",
        "qos=@a",
        "type=internal",
    ),
    *("external_ids", "tag", "trunks", "5", "-5", "[]", "{}", "[1,2", "a=1", "queues:0=@b", "tcp:1.2.3.4:5"),
)
_OPTIONS = (
    *("--if-exists", "--may-exist", "--id=@a", "--id=@b", "--columns=name,tag", "--all", "--real", "--fake"),
    *("--with-iface", "--x", "--fake-iface", "--inactivity-probe=5", "--oneline", "--dry-run", "-fjson"),
    *("-djson", "-fcsv", "-fhtml", "-flist", "--bare", "--no-headings", "--pretty", "--max-column-width=3"),
)
# Those that wait for something, or reach beyond the database.
_COMMANDS = tuple(name for name in SYNTAXES if name not in ("wait-until", "attach", "detach"))


def _word(choices: Choices) -> str:
    if choices.below(6):
        return choices.pick(_WORDS)
    return bytes(choices.byte() or 1 for _ in range(choices.below(12))).decode(errors="surrogateescape")


def lines(data: bytes) -> None:
    """Whatever words a command line has, the tool ends with an exit code and at most a sentence."""
    choices = Choices(data)
    words = ["--no-wait", "--no-syslog", "add-br", "br0", "--", "add-port", "br0", "p0"]
    for _ in range(1 + choices.below(3)):
        words += ["--", *(choices.pick(_OPTIONS) for _ in range(choices.below(3)))]
        words += [choices.pick(_COMMANDS), *(_word(choices) for _ in range(choices.below(6)))]
    errors = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="jft-fuzz-", dir=MEMORY) as directory:
        os.environ["OVS_LOGDIR"] = directory
        database = f"--db=unix:{directory}/db.sock"
        with (
            databases(Path(directory)),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(errors),
        ):
            code = run.main([database, *words])
    assert code in (0, 1, 2)
    complaints = [line for line in errors.getvalue().split("\n")[:-1] if "|WARN|" not in line]
    assert len(complaints) == (code == 1), complaints
    assert all(line.startswith("ovs-vsctl: ") for line in complaints), complaints


_KEYS = (
    *("bridges", "ports", "type", "tag", "trunks", "peer", "members", "addresses", "routes", "to", "gateway"),
    *("namespaces", "namespace", "links", "ends", "device", "containers", "bridge", "switch", "other-config"),
    *("vlan-mode", "mtu", "mac", "up", "name", "x", "br0", "p0", "p1", "web"),
)
_SCALARS = (
    *(
        "",
        "1",
        "5-2",
        "1-5",
        "-1",
        "10.0.0.1/24",
        "10.0.0.1",
        "internal",
        "patch",
        "br0",
        "p0",
        "p1",
        "x",
        "~",
    ),
    *(
        "yes",
        "no",
        "::1/64",
        "access",
        "dhcp",
        "default",
        "02:00:00:00:00:01",
        "9" * 30,
        "[1, 2]",
        "*a",
        "&a 1",
    ),
)


def _yaml(choices: Choices, depth: int = 0) -> str:
    """A mapping or list in YAML's flow style."""
    kind = choices.below(4) if choices.left and depth < 8 else 3
    if kind in (0, 1):
        items = (f"{choices.pick(_KEYS)}: {_yaml(choices, depth + 1)}" for _ in range(1 + choices.below(4)))
        return "{" + ", ".join(items) + "}"
    if kind == 2:
        return "[" + ", ".join(_yaml(choices, depth + 1) for _ in range(choices.below(4))) + "]"
    return choices.pick(_SCALARS)


def topology(data: bytes) -> None:
    """A network file is a network, or a list of mistakes each with its place."""
    choices = Choices(data)
    if choices.below(2):
        text = "\n".join(f"{choices.pick(_KEYS)}: {_yaml(choices)}" for _ in range(1 + choices.below(4)))
    else:
        text = choices.rest().decode(errors="replace")
    try:
        network = asked_network(read("f", text))
    except BadFile as error:
        assert error.problems
        assert all(problem.line > 0 and problem.column > 0 for problem in error.problems)
        assert len(str(error).splitlines()) == len(error.problems), str(error)
    else:
        assert difference(network, network, prune=True) == ()


def replies(data: bytes) -> None:
    """Whatever a server answers, a client has a result, an error of its, or hears that it talks nonsense."""
    choices = Choices(data)
    ask: Callable[[Connection], Any] = choices.pick(
        (lambda peer: peer.call("x", []), lambda peer: peer.notice(), lambda peer: peer.pending_notices())
    )
    ours, theirs = socket.socketpair()
    with theirs, Connection(ours) as client:
        theirs.sendall(choices.rest())
        theirs.shutdown(socket.SHUT_WR)
        for _ in range(3):
            try:
                ask(client)
            except RpcError as error:
                assert str(error) or error.error == ""
            except ConnectionFailed as error:
                assert error.strerror
