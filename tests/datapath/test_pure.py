"""Parts of the datapath room that touch no kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jackfield.datapath import naming, needs
from jackfield.datapath.vlanset import vlan_set, vlans_of
from jackfield.net import linkcodec, netlink


@given(st.frozensets(st.integers(0, 4095)))
def test_a_set_of_vlans_comes_back(vlans: frozenset[int]) -> None:
    assert vlans_of(vlan_set(vlans)) == vlans


def test_vlan_4096_is_refused() -> None:
    with pytest.raises(ValueError, match="4096 is not a VLAN id"):
        vlan_set([4096])


def test_an_instance_is_the_same_by_every_spelling_of_its_run_directory(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    name = naming.instance_name(tmp_path / "run")
    assert naming.instance_name(tmp_path / "link" / ".") == name
    assert naming.instance_name(tmp_path) != name
    assert len(name) == 8


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=15))
def test_a_switch_end_is_named_and_found_again(interface: str) -> None:
    name = naming.switch_end_name("0123abcd", interface)
    assert name.startswith("jf0123") and len(name) == 15
    assert naming.switch_end_name("0123abcd", interface, attempt=1) != name
    alias = naming.switch_end_alias("0123abcd", interface)
    assert naming.interface_of_alias(alias, "0123abcd") == interface
    assert naming.interface_of_alias(alias, "0123abce") is None


@pytest.mark.parametrize("alias", ["", "jackfield", "jackfield 0123abcd", "uplink to the world"])
def test_other_aliases_are_not_ours(alias: str) -> None:
    assert naming.interface_of_alias(alias, "0123abcd") is None


def test_made_up_addresses_are_local_unicast_and_stable() -> None:
    addresses = {naming.stable_mac("i", f"tap{number}") for number in range(100)}
    assert len(addresses) == 100
    assert all(address[0] & 3 == 2 and len(address) == 6 for address in addresses)
    assert naming.stable_mac("i", "tap7") in addresses
    assert naming.stable_mac("i", "tap7", "switch") not in addresses


@given(st.binary(max_size=200))
@example(b"\x00\x01%\x00")  # the peer's namespace, without a value
@example(b"\x04\x00\x10\x00")  # the operational state, without a value
def test_garbage_for_netlink_is_read_without_an_exception(raw: bytes) -> None:
    list(netlink.messages(raw))
    netlink.attributes(raw)
    linkcodec.read_link(bytes(16) + raw)


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=20)))
def test_attributes_come_back(wanted: dict[int, bytes]) -> None:
    assert netlink.attributes(b"".join(netlink.attribute(*item) for item in wanted.items())) == wanted


@pytest.mark.parametrize(
    ("release", "good"),
    [("6.1.0-18-amd64", True), ("6.18", True), ("7.0", True), ("5.15.1", False), ("x", False)],
)
def test_an_old_kernel_is_named(release: str, good: bool) -> None:
    assert (needs._kernel(release) == "") is good


def test_lacking_capabilities_are_named() -> None:
    assert needs._capabilities((1 << 41) - 1) == ""
    assert needs._capabilities(1 << 21).startswith("CAP_NET_ADMIN, CAP_BPF lacking")


def test_missing_programs_are_named(tmp_path: Path) -> None:
    assert "run scripts/compile" in needs._objects(tmp_path / "switch.bpf.o")
