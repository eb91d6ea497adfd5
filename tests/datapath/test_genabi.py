from __future__ import annotations

import re
from pathlib import Path

import pytest

from jackfield.datapath import _abi, btf, genabi, objects

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "bpf" / "abi.h"
OBJECT = objects.OBJECTS / objects.SWITCH


def test_the_committed_file_is_that_of_the_compiled_object() -> None:
    assert genabi.main(["--check"]) == 0


def test_a_difference_is_found_and_not_repaired_by_a_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "_abi.py"
    output.write_text("stale")
    assert genabi.main(["--check", "--output", str(output)]) == 1
    assert output.read_text() == "stale"
    assert "run scripts/compile" in capsys.readouterr().err


def test_what_is_not_an_object_file_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    garbage = tmp_path / "x.o"
    garbage.write_bytes(b"garbage")
    assert genabi.main(["--object", str(garbage)]) == 1
    assert capsys.readouterr().err == "genabi: not a 64-bit ELF file\n"


def test_reasons_that_the_object_does_not_have_are_refused() -> None:
    types = btf.parse(btf.section(OBJECT.read_bytes()), prefix="jf_")
    with pytest.raises(ValueError, match="drop reasons"):
        genabi.generate(types, 'X(OTHER, "other", "text")')


@pytest.mark.parametrize("kind", ["struct", "enum"])
def test_everything_in_the_header_is_there_in_python(kind: str) -> None:
    names = re.findall(rf"^{kind} jf_(\w+) {{", HEADER.read_text(), re.MULTILINE)
    assert names
    assert [name for name in names if not hasattr(_abi, genabi.camel(name))] == []


def test_every_drop_reason_has_a_text() -> None:
    without = {_abi.DropReason.NONE, _abi.DropReason.REASON_COUNT}
    assert set(_abi.DROP_TEXTS) == set(_abi.DropReason) - without


@pytest.mark.parametrize(
    "value",
    [
        _abi.Iface(ifindex=7, mtu=1500, port=3, kind=_abi.IfaceKind.DEVICE, mac=b"\2\0\0\0\0\1"),
        _abi.VlanSet(tuple(range(64))),
        _abi.Name("Müller\udcff"),
        _abi.FdbKey(bridge=1, vlan=4095, mac=b"\xff" * 6),
    ],
)
def test_a_struct_comes_back_as_it_was_packed(value: _abi.Iface) -> None:
    assert type(value).unpack(value.pack()) == value
    assert len(value.pack()) == value.size()


def test_a_name_that_does_not_fit_is_not_cut() -> None:
    assert _abi.Name.unpack(_abi.Name("n" * 63).pack()).name == "n" * 63
    with pytest.raises(ValueError, match="longer than 63 bytes"):
        _abi.Name("n" * 64).pack()
