"""What holds for every file of the repository."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST_MODULE = 450  # lines; a module is about 400 at most
GENERATED = {Path("src/jackfield/datapath/_abi.py")}
LICENCES = {Path("LICENSE"), Path("LICENSES/GPL-2.0-only.txt")}

# Written so that the patterns do not find themselves.
UNWANTED = {
    "a path of somebody's machine": re.compile(r"/(?:wor[k]|hom[e]/[a-z]+)/|/roo[t]/"),
    "a package registry's host": re.compile(r"(?:pyp[i]|pythonhoste[d]|debia[n]|npmj[s])\.org"),
    "a note to oneself": re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b"),
}


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = (Path(name) for name in listing.decode().split("\0") if name)
    return [path for path in paths if (ROOT / path).is_file()]


def modules() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def is_table(path: Path) -> bool:
    """Whether a module is data only, which is looked up rather than read."""
    nodes = ast.walk(ast.parse(text(path)))
    return not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in nodes)


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_has(what: str) -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in tracked()
        if path not in LICENCES
        for number, line in enumerate(text(path).splitlines(), 1)
        if UNWANTED[what].search(line)
    ]
    assert not found


def test_every_module_that_is_no_test_says_what_it_is_for() -> None:
    silent = [
        str(path)
        for path in modules()
        if not path.name.startswith(("test_", "conftest"))
        and (tree := ast.parse(text(path))).body
        and ast.get_docstring(tree) is None
    ]
    assert not silent


def test_no_module_is_too_long_to_read_at_a_sitting() -> None:
    lengths = {path: len(text(path).splitlines()) for path in modules() if path not in GENERATED}
    long = [path for path, length in lengths.items() if length > LONGEST_MODULE]
    assert [str(path) for path in long if not is_table(path)] == []


def test_every_script_can_be_executed() -> None:
    scripts = [path for path in tracked() if text(path).startswith("#!")]
    assert scripts
    assert [str(path) for path in scripts if not (ROOT / path).stat().st_mode & 0o100] == []


def test_every_shell_script_stops_at_the_first_failure() -> None:
    scripts = [path for path in tracked() if re.match(r"#!.*\b(ba)?sh\b", text(path))]
    assert scripts
    assert [str(path) for path in scripts if not re.search(r"^set -eu", text(path), re.MULTILINE)] == []
