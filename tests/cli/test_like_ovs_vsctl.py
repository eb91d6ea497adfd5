"""Every command line does, says and ends as with Open vSwitch's own ovs-vsctl, on its server and on ours."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.cli.bench import Said, Tools, databases, real_database, real_vsctl
from tests.cli.generated import command_lines
from tests.cli.lines import SUBJECTS

pytestmark = pytest.mark.skipif(
    not (shutil.which("ovs-vsctl") and shutil.which("ovsdb-server")),
    reason="needs Debian's openvswitch-common and openvswitch-switch",
)

Vsctl = Callable[[str], Said]

# Lines that give every generated one something to work on, after what earlier ones left is taken away.
_BEGIN = (
    "add-br br0 -- add-br br1 -- add-br fake0 br0 7 -- add-port br0 p0 tag=3 other_config:a=1 -- "
    "add-port br0 p1 trunks=1,2 external_ids:a=b -- add-bond br0 bond0 b0 b1 -- set Interface p0 mac=x"
)
_END = (
    "-- --all destroy Bridge -- --all destroy QoS -- --all destroy Mirror -- --all destroy Manager -- "
    "clear Open_vSwitch . bridges manager_options external_ids other_config -- "
    "set Open_vSwitch . next_cfg=0"
)
# A number of examples in the environment asks for new ones in each run.
_EXAMPLES = os.environ.get("JACKFIELD_EXAMPLES")


@pytest.fixture
def pairs(tools: Tools, tmp_path: Path) -> Iterator[dict[str, Vsctl]]:
    """Each tool on each server, on databases of their own; the first pair is Open vSwitch's own."""
    with ExitStack() as stack:
        running: dict[str, Vsctl] = {}
        for server in ("ovsdb-server", "jackfield"):
            for tool in ("ovs-vsctl", "jackfield"):
                rundir = tmp_path / f"{tool}-on-{server}"
                stack.enter_context(real_database(rundir) if server == "ovsdb-server" else databases(rundir))
                running[rundir.name] = _runner(tools.at(rundir), tool)
        yield running


def _runner(tools: Tools, tool: str) -> Vsctl:
    def run(line: str) -> Said:
        words = f"--no-wait {line}"
        return in_any_order(real_vsctl(tools.rundir, words) if tool == "ovs-vsctl" else tools.vsctl(words))

    return run


def test_both_tools_do_and_say_the_same_on_both_servers(pairs: dict[str, Vsctl]) -> None:
    differences = []
    for subject, text in SUBJECTS.items():
        for line in filter(None, (line.strip() for line in text.splitlines())):
            said = {name: run(line) for name, run in pairs.items()}
            wanted = said["ovs-vsctl-on-ovsdb-server"]
            wrong = [f"  {name}: {what}" for name, what in said.items() if what != wanted]
            if wrong:
                differences += [f"{subject}: {line}", f"  wanted: {wanted}", *wrong]
    assert not differences, "\n".join(differences)


def in_any_order(said: Said) -> Said:
    """Rows of a table come in no particular order."""
    lines = said.out.replace("\\n", "\n").splitlines()
    return Said(said.code, "\n".join(sorted(map(_in_any_order, lines))), said.err)


def _in_any_order(line: str) -> str:
    if not line.startswith('{"data"'):
        return line
    table = json.loads(line)
    return str((sorted(map(str, table["data"])), table["headings"]))


@settings(
    max_examples=int(_EXAMPLES or 20),
    derandomize=_EXAMPLES is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(command_lines(), min_size=1, max_size=4))
def test_any_lines_do_and_say_the_same_on_both_servers(
    pairs: dict[str, Vsctl], lines: list[list[str]]
) -> None:
    for line in (_END, _BEGIN, *map(shlex.join, lines), "show -- list Port -- list Interface -- list Bridge"):
        note(line)
        said = [run(line) for run in pairs.values()]
        assert said == said[:1] * len(said)
