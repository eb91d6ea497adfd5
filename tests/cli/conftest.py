from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.bench import Tools, databases


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tools:
    """Our tools on a directory in which nothing runs."""
    return Tools(tmp_path / "ours", monkeypatch, capfd)


@pytest.fixture
def database(tools: Tools) -> Iterator[Tools]:
    """Our tools and an empty database."""
    with databases(tools.rundir):
        yield tools


@pytest.fixture
def switch(tools: Tools) -> Iterator[Tools]:
    """Our tools and a database that a switch follows."""
    with databases(tools.rundir, switch=True):
        yield tools
