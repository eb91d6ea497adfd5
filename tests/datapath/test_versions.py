"""From one ABI version to another: what passes over, what is replaced, and what is left."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from jackfield.datapath import _abi
from jackfield.datapath.attach import ClsBpfAttacher
from jackfield.datapath.libbpf import LinkInfo, library
from jackfield.datapath.store import AttachMode
from jackfield.datapath.tc import TrafficControl
from jackfield.net.netdev import Devices
from jackfield.net.netlink import Netlink
from tests.datapath.test_store import MAC, Open, make_pair
from tests.datapath.world import run

HERE = f"v{_abi.Limit.ABI_VERSION}"
OTHER = "v0"


def make_other(pins: Path) -> None:
    """Have what this version pinned be another's."""
    (pins / "jft0" / HERE).rename(pins / "jft0" / OTHER)


def layout_of_another(pins: Path, name: str) -> None:
    """Have a map that another version pinned be of another layout: it is made without types."""
    path = pins / "jft0" / OTHER / "maps" / name
    facts = json.loads(run("bpftool", "-j", "map", "show", "pinned", str(path)))
    path.unlink()
    words = f"type {facts['type']} key {facts['bytes_key']} value {facts['bytes_value']} name {name} flags 1"
    run("bpftool", "map", "create", str(path), *words.split(), "entries", str(facts["max_entries"]))


def link_of(version: Path, ifindex: int) -> LinkInfo:
    """What the kernel says of the link that is pinned for a device."""
    fd = library().get_pinned(version / "links" / str(ifindex))
    try:
        return library().link_info(fd)
    finally:
        os.close(fd)


def learned(open_datapath: Open) -> list[int]:
    """Start the next version: the ports of the addresses that it knows from the start."""
    return [entry.port for _, entry in open_datapath().fdb_entries()]


@pytest.fixture
def known_to_another(open_datapath: Open, pins: Path) -> None:
    """Another version has a bridge, with a name, and knows an address."""
    old = open_datapath()
    old.names.set(_abi.NameKey(_abi.NameKind.BRIDGE, 3), _abi.Name("br0"))
    old.bridges.set(3, _abi.Bridge(ageing_ns=10**12, table_size=100, vlan_limit=1))
    old.ports.set(9, _abi.Port(bridge=3))
    assert old.fdb_control(_abi.FdbOp.ADD_STATIC, bridge=3, vlan=7, port=9, mac=MAC) == 1
    old.close()
    make_other(pins)


@pytest.mark.usefixtures("known_to_another")
def test_names_and_addresses_pass_over_and_configuration_does_not(open_datapath: Open) -> None:
    new = open_datapath()
    assert [entry.port for _, entry in new.fdb_entries()] == [9]
    assert new.names.items() == [(_abi.NameKey(_abi.NameKind.BRIDGE, 3), _abi.Name("br0"))]
    assert new.bridges.items() == new.ports.items() == []
    assert new.bridge_state.get(3) is not None


@pytest.mark.usefixtures("known_to_another")
@pytest.mark.parametrize(
    ("name", "ports"), [("jf_names", []), ("jf_fdb", []), ("jf_lacp", [9])], ids=lambda value: str(value)
)
def test_maps_of_another_layout_begin_empty_with_all_that_goes_by_them(
    open_datapath: Open, pins: Path, name: str, ports: list[int]
) -> None:
    layout_of_another(pins, name)
    assert learned(open_datapath) == ports


@pytest.mark.tcx
def test_what_another_version_attached_gives_way_device_by_device(
    open_datapath: Open, devices: Devices, pins: Path
) -> None:
    old = open_datapath(AttachMode.TCX)
    pair = make_pair(devices, "jfta")
    old.attach(pair)
    old.close()
    make_other(pins)
    before = link_of(pins / "jft0" / OTHER, pair)
    new = open_datapath(AttachMode.TCX)
    assert new.attached() == frozenset()
    new.attach(pair, fast=True)
    after = link_of(pins / "jft0" / HERE, pair)
    assert after.id == before.id and after.prog_id != before.prog_id
    assert not (pins / "jft0" / OTHER / "links" / str(pair)).exists()
    new.remove_other_versions()
    assert [path.name for path in (pins / "jft0").iterdir()] == [HERE]


def test_filters_of_another_version_stay_until_they_are_replaced(
    open_datapath: Open, devices: Devices, pins: Path, mode: AttachMode
) -> None:
    kept, gone = make_pair(devices, "jfta"), make_pair(devices, "jftb")
    open_datapath(mode).close()
    make_other(pins)
    with closing(Netlink()) as netlink:
        other = ClsBpfAttacher(TrafficControl(netlink), pins / "jft0" / OTHER / "links", "jft0", version=0)
        program = library().get_pinned(pins / "jft0" / OTHER / "programs" / "ingress")
        for ifindex in (kept, gone):
            other.attach(ifindex, program)
        os.close(program)

        new = open_datapath(mode)
        assert new.attached() == frozenset()
        assert other.attached() == {kept, gone}
        new.attach(kept)
        assert new.attached() == {kept}
        new.remove_other_versions()
        assert other.attached() == frozenset()
    assert "clsact" not in run("tc", "qdisc", "show", "dev", "jftbs")
    new.detach(kept)
    assert "clsact" not in run("tc", "qdisc", "show", "dev", "jftas")


@pytest.mark.tcx
def test_a_link_stays_when_its_pin_goes_and_is_pinned_again(
    open_datapath: Open, devices: Devices, pins: Path
) -> None:
    datapath = open_datapath(AttachMode.TCX)
    pair = make_pair(devices, "jfta")
    datapath.attach(pair)
    pin = pins / "jft0" / HERE / "links" / str(pair)
    before = link_of(pins / "jft0" / HERE, pair).id
    for act in (datapath.repair_pins, lambda: datapath.attach(pair)):
        pin.unlink()
        act()
        assert link_of(pins / "jft0" / HERE, pair).id == before
    datapath.close()
    again = open_datapath(AttachMode.TCX)
    pin.unlink()
    assert again.repair_pins() == (f"pin links/{pair} again",)
    assert link_of(pins / "jft0" / HERE, pair).id == before


def test_a_qdisc_of_the_switch_goes_though_its_mark_was_removed(
    open_datapath: Open, devices: Devices, pins: Path
) -> None:
    datapath = open_datapath(AttachMode.CLS_BPF)
    pair = make_pair(devices, "jfta")
    datapath.attach(pair)
    for mark in (pins / "jft0" / HERE / "links").iterdir():
        mark.unlink()
    assert len(datapath.repair_pins()) == 1
    datapath.close()
    again = open_datapath(AttachMode.CLS_BPF)
    again.detach(pair)
    assert "clsact" not in run("tc", "qdisc", "show", "dev", "jftas")
