from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from jackfield.datapath import _abi, btf, maps, needs, objects
from jackfield.datapath.errors import AbiMismatch
from jackfield.datapath.store import AttachMode, Datapath
from jackfield.datapath.tc import Filter, TrafficControl
from jackfield.net.errors import KernelError, NetworkError
from jackfield.net.netdev import Devices
from jackfield.net.netlink import Netlink
from tests.datapath.world import run

Open = Callable[..., Datapath]
MAC = b"\x02\0\0\0\0\x01"


def make_pair(devices: Devices, name: str) -> int:
    return devices.create_internal(name, f"{name}s", f"jackfield jft0 {name}", MAC, 1500, MAC).switch.ifindex


def test_this_machine_has_all_that_is_needed() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    assert needs.missing() == []


def test_the_kernel_runs_the_program_where_it_was_attached(
    open_datapath: Open, devices: Devices, mode: AttachMode
) -> None:
    datapath = open_datapath(mode)
    first, second = make_pair(devices, "jfta"), make_pair(devices, "jftb")
    datapath.attach(first)
    datapath.attach(first)
    datapath.attach(second)
    assert datapath.attached() == {first, second}
    datapath.detach(first)
    datapath.detach(first)
    assert datapath.attached() == {second}


def test_frames_are_counted_once_the_program_is_attached(
    open_datapath: Open, devices: Devices, mode: AttachMode
) -> None:
    datapath = open_datapath(mode)
    pair = devices.create_internal("jfta", "jftas", "x", MAC, 1500, MAC)
    datapath.bridges.set(1, _abi.Bridge(ageing_ns=10**12, table_size=8, port_count=1, vlan_limit=1))
    datapath.ports.set(4, _abi.Port(bridge=1, vlan_mode=_abi.VlanMode.TRUNK, iface=5, iface_count=1))
    datapath.ifaces.set(5, _abi.Iface(ifindex=pair.switch.ifindex, port=4, kind=_abi.IfaceKind.DEVICE))
    datapath.ingress.set(pair.switch.ifindex, _abi.Ingress(iface=5, port=4))
    datapath.attach(pair.switch.ifindex)
    assert datapath.counters() == {}
    devices.set_up(pair.user.ifindex, True)
    run("ip", "address", "add", "192.0.2.1/24", "dev", "jfta")
    run("ip", "neighbour", "add", "192.0.2.2", "lladdr", "02:00:00:00:00:02", "dev", "jfta")
    run("bash", "-c", "echo -n 12345 > /dev/udp/192.0.2.2/9")
    counters = datapath.counters()[5]
    assert counters.rx_packets >= 1 and counters.rx_bytes >= 47
    assert datapath.counters([5, 6]).keys() == {5, 6}
    assert datapath.drops()[5, _abi.DropReason.NO_DESTINATION] >= 1
    devices.set_up(pair.user.ifindex, False)
    datapath.set_drops_zero(5)
    datapath.set_counters_zero(5)
    assert datapath.drops() == {} and datapath.counters() == {}


def test_what_was_there_is_adopted_after_a_restart(
    open_datapath: Open, devices: Devices, mode: AttachMode
) -> None:
    first = open_datapath(mode)
    pair = make_pair(devices, "jfta")
    first.attach(pair)
    first.bridges.set(3, _abi.Bridge(ageing_ns=10**12, table_size=100, vlan_limit=1))
    first.ports.set(9, _abi.Port(bridge=3))
    assert first.fdb_control(_abi.FdbOp.ADD_STATIC, bridge=3, vlan=7, port=9, mac=MAC) == 1
    before = program_of(first, pair)
    first.close()

    second = open_datapath(mode)
    assert second.attached() == {pair}
    assert program_of(second, pair) != before
    assert second.bridges.items() == [(3, _abi.Bridge(10**12, 100, 0, 0, 1))]
    ((key, entry),) = second.fdb_entries()
    assert (key, entry.port) == (_abi.FdbKey(3, 7, MAC), 9)
    assert _abi.FdbFlag.STATIC in _abi.FdbFlag(entry.flags)


def program_of(datapath: Datapath, ifindex: int) -> str:
    """What the kernel says it runs on the device."""
    link = datapath.devices.get_link(ifindex)
    assert link is not None and datapath._folders is not None
    if datapath.mode is AttachMode.CLS_BPF:
        return run("tc", "filter", "show", "dev", link.name, "ingress")
    fd = datapath._library.get_pinned(datapath._folders.links / str(ifindex))
    try:
        return str(datapath._library.link_info(fd).prog_id)
    finally:
        os.close(fd)


@pytest.mark.tcx
def test_another_way_to_attach_takes_the_place_of_the_first(open_datapath: Open, devices: Devices) -> None:
    first = open_datapath(AttachMode.CLS_BPF)
    pair = make_pair(devices, "jfta")
    first.attach(pair)
    first.close()
    second = open_datapath(AttachMode.TCX)
    assert second.attached() == {pair}
    assert second.settle() == 0
    assert second.attached() == {pair}
    assert run("tc", "filter", "show", "dev", "jftas", "ingress") == ""


@pytest.mark.tcx
def test_devices_attached_in_a_hurry_get_their_links_later(open_datapath: Open, devices: Devices) -> None:
    datapath = open_datapath(AttachMode.TCX)
    ends = [make_pair(devices, f"jft{letter}") for letter in "abcd"]
    for end in ends:
        datapath.attach(end, fast=True)
        datapath.attach(end, fast=True)
    assert datapath.attached() == set(ends)
    datapath.detach(ends[1])
    devices.delete(ends[0])
    assert datapath.attached() == set(ends[2:])
    datapath.close()
    datapath = open_datapath(AttachMode.TCX)
    assert datapath.attached() == set(ends[2:])
    assert datapath.settle(limit=1) == 1
    assert datapath.attached() == set(ends[2:])
    assert datapath.settle(limit=5) == 0
    assert datapath.attached() == set(ends[2:])
    datapath.attach(ends[2], fast=True)
    datapath.close()
    datapath = open_datapath(AttachMode.TCX)
    for end, name in zip(ends[2:], ("jftcs", "jftds"), strict=True):
        assert "jackfield" not in run("tc", "filter", "show", "dev", name, "ingress")
        # Removing the qdisc would lose what is sent by the device just then.
        assert "clsact" in run("tc", "qdisc", "show", "dev", name)
        datapath.detach(end)
        assert "clsact" not in run("tc", "qdisc", "show", "dev", name)


@pytest.mark.tcx
def test_a_device_that_went_before_its_link_came_is_no_error(open_datapath: Open, devices: Devices) -> None:
    datapath = open_datapath(AttachMode.TCX)
    end = make_pair(devices, "jfta")
    datapath.attach(end, fast=True)
    devices.delete(end)
    assert datapath.settle() == 0
    assert datapath.attached() == frozenset()


def test_filters_of_others_stay(open_datapath: Open, devices: Devices) -> None:
    datapath = open_datapath(AttachMode.CLS_BPF)
    pair = make_pair(devices, "jfta")
    run("tc", "qdisc", "add", "dev", "jftas", "clsact")
    requests = Netlink()
    control = TrafficControl(requests)
    control.put_program(pair, 7, 1, "others", datapath._loaded.ingress)
    datapath.attach(pair)
    assert len(control.filters(pair)) == 2
    datapath.detach(pair)
    assert control.filters(pair) == [Filter(pair, 7, 1, "others")]
    requests.close()


def test_a_qdisc_of_the_switch_goes_with_its_last_filter(open_datapath: Open, devices: Devices) -> None:
    datapath = open_datapath(AttachMode.CLS_BPF)
    pair = make_pair(devices, "jfta")
    datapath.attach(pair)
    datapath.detach(pair)
    assert "clsact" not in run("tc", "qdisc", "show", "dev", "jftas")


def test_a_device_that_is_gone_is_no_longer_attached(
    open_datapath: Open, devices: Devices, mode: AttachMode
) -> None:
    datapath = open_datapath(mode)
    pair = make_pair(devices, "jfta")
    datapath.attach(pair)
    devices.delete(pair)
    assert datapath.attached() == frozenset()
    datapath.detach(pair)
    datapath.close()
    assert open_datapath(mode).attached() == frozenset()


def test_attaching_to_no_device_is_an_error_with_its_reason(open_datapath: Open, mode: AttachMode) -> None:
    with pytest.raises(KernelError, match=r"attaching to device 999999|adding clsact to device 999999"):
        open_datapath(mode).attach(999999)


def test_destroying_leaves_no_trace(
    open_datapath: Open, devices: Devices, mode: AttachMode, pins: Path
) -> None:
    datapath = open_datapath(mode)
    pair = make_pair(devices, "jfta")
    datapath.attach(pair)
    datapath.destroy()
    assert not pins.exists()
    assert open_datapath(mode).attached() == frozenset()
    assert "clsact" not in run("tc", "qdisc", "show", "dev", "jftas")


def test_maps_of_another_layout_are_refused(open_datapath: Open, pins: Path) -> None:
    open_datapath().close()
    stale = pins / "jft0" / f"v{_abi.Limit.ABI_VERSION}" / "maps" / "jf_ports"
    stale.unlink()
    run(
        *("bpftool", "map", "create", str(stale), "type", "array", "key", "4", "value", "4"),
        *("entries", "16", "name", "jf_ports"),
    )
    with pytest.raises(AbiMismatch, match="jf_ports is of another build"):
        open_datapath()


def test_a_recording_program_says_what_it_would_have_done(
    open_datapath: Open, devices: Devices, pins: Path
) -> None:
    datapath = open_datapath(record=True)
    ends = [make_pair(devices, "jfta"), make_pair(devices, "jftb")]
    datapath.bridges.set(1, _abi.Bridge(ageing_ns=10**12, table_size=8, port_count=2, vlan_limit=1))
    for number, ifindex in enumerate(ends, 1):
        datapath.ports.set(number, _abi.Port(bridge=1, vlan_mode=_abi.VlanMode.TRUNK, iface=number))
        datapath.ifaces.set(
            number, _abi.Iface(ifindex=ifindex, mtu=1500, port=number, kind=_abi.IfaceKind.DEVICE)
        )
        datapath.ingress.set(ifindex, _abi.Ingress(iface=number, port=number))
    datapath.flood_cells.set_many([(0, _abi.FloodCell(1)), (1, _abi.FloodCell(2))])
    datapath.flood_lists.set(_abi.FloodKey(1, _abi.Limit.ANY_VLAN), _abi.FloodList(0, 2))
    datapath.set_now(5 * 10**9)
    frame = b"\xff" * 6 + MAC + struct.pack("!H", 0x0800) + bytes(46)
    datapath.test_run(frame, ends[0])
    (decision,) = datapath.decisions()
    assert (decision.in_iface, decision.iface, decision.reason) == (1, 2, _abi.DropReason.NONE)
    assert decision.bytes_.startswith(frame[:50]) and decision.length == len(frame)
    assert datapath.decisions() == []
    ((key, entry),) = datapath.fdb_entries()
    assert (key.mac, entry.port, entry.seen_ns) == (MAC, 1, 5 * 10**9)
    assert not pins.exists()
    with pytest.raises(NetworkError, match="recording"):
        datapath.attach(ends[0])


def test_the_kernels_reason_for_refusing_a_program_is_in_the_error(
    tmp_path: Path, pins: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = (objects.OBJECTS / objects.SWITCH).read_bytes()
    program = btf.section(good, b"tc")
    leave_at_once = bytes([0x95]) + bytes(7)
    (tmp_path / objects.SWITCH).write_bytes(good.replace(program, leave_at_once + program[8:]))
    verdict = r"program jf_ingress_frame: unreachable insn 1"
    with caplog.at_level("DEBUG"), pytest.raises(KernelError, match=verdict) as refusal:
        Datapath.open("jft0", root=pins, objects_folder=tmp_path)
    assert str(refusal.value).startswith("loading switch.bpf.o: ")
    assert any(record.name == "jackfield.datapath.libbpf" for record in caplog.records)


@pytest.mark.parametrize("content", [None, b"garbage"])
def test_programs_that_cannot_be_read_are_named(tmp_path: Path, pins: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / objects.SWITCH).write_bytes(content)
    with pytest.raises(KernelError, match=r"reading .*switch\.bpf\.o: "):
        Datapath.open("jft0", root=pins, objects_folder=tmp_path)
    assert not pins.exists()


def test_tables_give_what_was_set(open_datapath: Open) -> None:
    datapath = open_datapath(record=True)
    cells = [(number, _abi.FloodCell(number % 4000 + 1)) for number in range(10_000)]
    datapath.flood_cells.set_many(cells)
    assert datapath.flood_cells.items() == cells
    nothing = _abi.FloodCell()
    assert datapath.flood_cells.slice(9_998, 4) == [cells[-2][1], cells[-1][1], nothing, nothing]
    assert datapath.flood_cells.slice(0, 1) == [_abi.FloodCell(1)]
    assert datapath.flood_cells.slice(datapath.flood_cells.max_entries - 1, 5) == [_abi.FloodCell()]
    datapath.flood_cells.delete(0)
    assert datapath.flood_cells.get(0) is None
    names = {_abi.NameKey(_abi.NameKind.PORT, number): _abi.Name(f"p{number}") for number in range(1, 3000)}
    datapath.names.set_many(names.items())
    assert dict(datapath.names.items()) == names
    datapath.names.delete(_abi.NameKey(_abi.NameKind.PORT, 1))
    datapath.names.delete(_abi.NameKey(_abi.NameKind.PORT, 1))
    assert datapath.names.get(_abi.NameKey(_abi.NameKind.PORT, 1)) is None


def test_a_number_beyond_a_map_is_an_error_with_its_name(open_datapath: Open) -> None:
    with pytest.raises(KernelError, match="writing map jf_ports"):
        open_datapath(record=True).ports.set(4096, _abi.Port())


def test_a_full_map_says_so(open_datapath: Open) -> None:
    datapath = open_datapath(record=True)
    first = int(_abi.Limit.LOW_IFINDEX)
    for number in range(first, first + _abi.Limit.MAX_IFACES):
        datapath.ingress.set(number, _abi.Ingress(1, 1))
    with pytest.raises(KernelError, match=r"jf_ingress_high.*it is full"):
        datapath.ingress.set(10**6, _abi.Ingress(1, 1))


def test_devices_with_low_and_high_numbers_are_kept_alike(open_datapath: Open) -> None:
    table = open_datapath(record=True).ingress
    numbers = (1, int(_abi.Limit.LOW_IFINDEX) - 1, int(_abi.Limit.LOW_IFINDEX), 10**6)
    for number in numbers:
        table.set(number, _abi.Ingress(2, 3))
    assert sorted(table.items()) == [(number, _abi.Ingress(2, 3)) for number in numbers]
    for number in numbers:
        assert table.get(number) == _abi.Ingress(2, 3)
        table.delete(number)
        assert table.get(number) is None
    assert table.items() == []


def test_a_table_of_another_layout_is_refused(open_datapath: Open) -> None:
    datapath = open_datapath(record=True)
    raw = datapath._loaded.maps["jf_ports"]
    with pytest.raises(AbiMismatch, match="Python and the compiled programs differ"):
        maps.Table(raw, maps.number(4), maps.struct(_abi.Iface))
