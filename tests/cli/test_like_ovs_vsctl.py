"""Every command line does, says and ends as with Open vSwitch's own ovs-vsctl."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.bench import Said, Tools, databases, real_vsctl
from tests.cli.lines import SUBJECTS

pytestmark = pytest.mark.skipif(shutil.which("ovs-vsctl") is None, reason="needs Debian's openvswitch-common")


def test_our_tool_does_and_says_what_ovs_vsctl_does_and_says(tools: Tools, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    differences = []
    with databases(tools.rundir, theirs):
        for subject, text in SUBJECTS.items():
            for line in filter(None, (line.strip() for line in text.splitlines())):
                ours, wanted = tools.vsctl(f"--no-wait {line}"), real_vsctl(theirs, f"--no-wait {line}")
                if in_any_order(ours) != in_any_order(wanted):
                    differences.append(f"{subject}: {line}\n  ours   {ours}\n  theirs {wanted}")
    assert not differences, "\n".join(differences)


def in_any_order(said: Said) -> tuple[int, list[str], str]:
    """Rows of a table come in no particular order."""
    return said.code, sorted(said.out.splitlines()), said.err
