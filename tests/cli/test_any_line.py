"""Whatever words a command line is made of, the tool ends with an exit code and at most a sentence."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.cli.vsctl import run
from jackfield.cli.vsctl.registry import SYNTAXES
from tests.cli.bench import databases

TABLES = ["Bridge", "br", "Port", "Interface", "Open_vSwitch", "o", "Controller", "QoS", "Flow", "nope"]
RECORDS = ["br0", "p0", ".", "nope", "@a", "0123", "00000000-0000-0000-0000-000000000000", ""]
SETTINGS = [
    "name", "name=x", "tag=5", "tag=[]", "tag=5000", "trunks=1-5", "trunks:3=4", "other_config:a=b", "a",
    "other_config={a=1}", "ports=@a", "interfaces=@a", "tag!=3", "trunks{>=}1", "other_config:a{in}b", "=",
    "_uuid", ":", '"', "\\", "qos=@a", "type=internal", "external_ids",
]  # fmt: skip
OPTIONS = [
    "--if-exists",
    "--may-exist",
    "--id=@a",
    "--columns=name,tag",
    "--all",
    "--real",
    "--with-iface",
    "--x",
]
COMMANDS = [name for name in SYNTAXES if name != "wait-until"]

commands = st.tuples(
    st.lists(st.sampled_from(OPTIONS), max_size=2),
    st.sampled_from(COMMANDS),
    st.lists(st.sampled_from(TABLES + RECORDS), max_size=2),
    st.lists(st.sampled_from(RECORDS + SETTINGS), max_size=3),
).map(lambda parts: [*parts[0], parts[1], *parts[2], *parts[3]])


@pytest.fixture(scope="module")
def rundir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("any")
    with databases(directory):
        yield directory


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(commands, min_size=1, max_size=3))
def test_any_line_ends_with_an_exit_code_and_at_most_a_sentence(rundir: Path, lines: list[list[str]]) -> None:
    joined = [word for line in lines for word in ["--", *line]]
    words = [f"--db=unix:{rundir}/db.sock", "--no-wait", "add-br", "br0", *joined]
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        code = run.main([*words, "--", "--if-exists", "del-br", "br0"])
    assert code in (0, 1, 2)
    complaints = [line for line in err.getvalue().splitlines() if "|WARN|" not in line]
    assert len(complaints) == (code == 1)
    assert all(line.startswith("ovs-vsctl: ") for line in complaints)
