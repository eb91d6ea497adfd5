"""SECURITY.md names tests and fuzz targets that are there, and all of those."""

from __future__ import annotations

import re
from pathlib import Path

from fuzz.targets import MODULES

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parent / "SECURITY.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`([a-z0-9_]+/(?:test_[a-z0-9_]+\.py)?)`", PAGE)
    assert len(named) > 20
    assert [name for name in named if not (TESTS / name).exists()] == []


def test_every_fuzz_target_is_named_and_no_other() -> None:
    named = set(re.findall(r"`([a-z]+)`", PAGE.partition("## Fuzzing")[2]))
    assert named >= MODULES.keys()
    threats = re.findall(r"fuzz targets? ((?:`[a-z]+`(?:, )?)+)", PAGE)
    assert {name for group in threats for name in re.findall("[a-z]+", group)} <= MODULES.keys()
