from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable, Iterator

import pytest

from jackfield.net.errors import KernelError
from jackfield.net.link import Link
from jackfield.net.monitor import LinkChange, LinkMonitor, Resync
from jackfield.net.netdev import Devices, InternalPair
from jackfield.net.pair import NAMES, PairKind
from tests.datapath.world import entered, run

MAC, SWITCH_MAC = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"


def make(devices: Devices, name: str = "jfta", mtu: int = 1400) -> InternalPair:
    return devices.create_internal(name, f"{name}s", f"jackfield jft0 {name}", MAC, mtu, SWITCH_MAC)


def by_name(devices: Devices, name: str) -> Link:
    found = devices.get_link(name)
    assert found is not None
    return found


def test_an_internal_port_is_made_with_all_its_settings(devices: Devices) -> None:
    pair = make(devices)
    assert (pair.user.name, pair.user.mac, pair.user.mtu, pair.user.up) == ("jfta", MAC, 1400, False)
    assert (pair.switch.name, pair.switch.mac, pair.switch.mtu, pair.switch.up) == (
        "jftas",
        SWITCH_MAC,
        1400,
        True,
    )
    assert pair.switch.alias == "jackfield jft0 jfta"
    assert (pair.switch.peer_ifindex, pair.switch.peer_nsid) == (pair.user.ifindex, None)
    assert (pair.switch.min_mtu, pair.switch.max_mtu) == (68, 65535)
    assert pair.switch.kind == pair.user.kind and pair.switch.kind in NAMES


def test_the_switch_end_has_no_address_when_the_port_comes_up(devices: Devices) -> None:
    pair = make(devices)
    devices.set_up(pair.user.ifindex, True)
    assert by_name(devices, "jftas").carrier
    assert run("ip", "-o", "address", "show", "dev", "jftas") == ""


def test_a_name_that_is_taken_is_refused_and_nothing_is_left(devices: Devices) -> None:
    make(devices)
    with pytest.raises(KernelError) as refusal:
        devices.create_internal("jfta", "jftcs", "x", MAC, 1500, SWITCH_MAC)
    assert refusal.value.errno == errno.EEXIST
    assert str(refusal.value).startswith("creating device jfta: File exists")
    assert devices.get_link("jftcs") is None


def test_what_an_interrupted_creation_left_is_replaced(devices: Devices) -> None:
    run("ip", "link", "add", "jftas", "type", "veth", "peer", "name", "jfta")
    assert make(devices).switch.alias == "jackfield jft0 jfta"


def test_a_foreign_device_is_never_replaced(devices: Devices) -> None:
    run("ip", "link", "add", "jftas", "type", "bridge")
    with pytest.raises(KernelError):
        make(devices)
    assert by_name(devices, "jftas").kind == "bridge"


def test_all_devices_are_listed_with_their_facts(devices: Devices) -> None:
    run("ip", "link", "add", "jftbr", "type", "bridge")
    run("ip", "link", "add", "jftv", "mtu", "1300", "type", "veth", "peer", "name", "jftw")
    run("ip", "link", "set", "jftv", "master", "jftbr", "up", "promisc", "on", "alias", "a b", "group", "5")
    links = {link.name: link for link in devices.list_links()}
    port = links["jftv"]
    assert (port.kind, port.slave_kind, port.master) == ("veth", "bridge", links["jftbr"].ifindex)
    assert (port.mtu, port.up, port.promiscuous, port.alias, port.group) == (1300, True, True, "a b", 5)
    assert links["lo"].loopback
    assert devices.get_link(port.ifindex) == port
    assert [link.ifindex for link in devices.list_links()] == sorted(link.ifindex for link in links.values())


@pytest.mark.parametrize("name", ["jftnone", "", "a-name-that-is-longer-than-fifteen", 999999])
def test_no_such_device_is_none(devices: Devices, name: str | int) -> None:
    assert devices.get_link(name) is None


def test_settings_are_changed(devices: Devices) -> None:
    pair = make(devices)
    index = pair.user.ifindex
    devices.set_mtu(index, 9000)
    devices.set_mac(index, b"\x02\0\0\0\0\x77")
    devices.set_up(index, True)
    devices.set_promiscuous(index, True)
    devices.set_alias(index, "Ünicode")
    devices.set_up(pair.switch.ifindex, False)  # kernels before 6.2 want it down
    devices.rename(pair.switch.ifindex, "jftother")
    link = by_name(devices, "jfta")
    assert (link.mtu, link.mac[-1], link.up, link.promiscuous) == (9000, 0x77, True, True)
    assert link.alias == "Ünicode"
    assert devices.get_link("jftas") is None
    devices.set_promiscuous(index, False)
    devices.set_up(index, False)
    link = by_name(devices, "jfta")
    assert (link.up, link.promiscuous) == (False, False)


def test_an_mtu_that_a_device_does_not_allow_is_refused_in_the_kernels_words(devices: Devices) -> None:
    with pytest.raises(KernelError, match=r"setting MTU 40: Invalid argument.*mtu less than device minimum"):
        devices.set_mtu(make(devices).user.ifindex, 40)


def test_devices_are_removed_alone_or_together(devices: Devices) -> None:
    pairs = [make(devices, f"jft{letter}") for letter in "abcd"]
    devices.delete(pairs[0].switch.ifindex)
    devices.delete(pairs[0].switch.ifindex)
    assert devices.get_link("jfta") is None
    devices.delete_many([pairs[0].switch.ifindex, pairs[1].switch.ifindex, pairs[2].switch.ifindex])
    assert {link.name for link in devices.list_links() if link.kind in NAMES} == {"jftd", "jftds"}
    devices.delete_many([])


def test_a_port_is_followed_into_another_namespace(
    devices: Devices, make_namespace: Callable[[], str]
) -> None:
    pair, other = make(devices), make_namespace()
    run("ip", "link", "set", "jfta", "netns", other)
    switch = by_name(devices, "jftas")
    assert switch.peer_nsid is not None
    far = devices.read_far(switch.peer_nsid, switch.peer_ifindex)
    assert far is not None and (far.name, far.mac, far.mtu) == ("jfta", MAC, 1400)

    run("ip", "-n", other, "link", "set", "jfta", "name", "eth7")
    devices.set_mtu(far.ifindex, 1350, switch.peer_nsid)
    devices.set_mac(far.ifindex, b"\x02\0\0\0\0\x55", switch.peer_nsid)
    devices.set_up(far.ifindex, True, switch.peer_nsid)
    far = devices.read_far(switch.peer_nsid, switch.peer_ifindex)
    assert far is not None
    assert (far.name, far.mtu, far.mac[-1], far.up) == ("eth7", 1350, 0x55, True)
    assert by_name(devices, "jftas").carrier

    with entered(f"/run/netns/{other}"), Devices.open() as there:
        there.set_up(far.ifindex, False)
        there.rename(far.ifindex, "jftback")
    far = devices.read_far(switch.peer_nsid, switch.peer_ifindex)
    assert far is not None and far.name == "jftback"
    assert devices.read_far(switch.peer_nsid, 999999) is None
    assert devices.read_far(4711, 1) is None
    devices.delete(pair.switch.ifindex)
    assert devices.read_far(switch.peer_nsid, switch.peer_ifindex) is None


def test_a_namespace_without_a_way_in_is_an_error(devices: Devices) -> None:
    with pytest.raises(KernelError, match="finding network namespace 4711"):
        devices.set_mtu(1, 1500, nsid=4711)


def test_a_veth_tells_its_speed_and_driver(devices: Devices) -> None:
    devices.create_internal("jfta", "jftas", "x", MAC, 1500, SWITCH_MAC, kinds=(PairKind.VETH,))
    hardware = devices.hardware("jfta")
    assert (hardware.speed, hardware.duplex, hardware.driver) == (10000, "full", "veth")


def test_a_device_that_tells_nothing_is_no_error(devices: Devices) -> None:
    assert devices.hardware("jftnone").speed == 0


@pytest.fixture
def monitor(namespace: str) -> Iterator[LinkMonitor]:
    assert namespace
    opened = LinkMonitor()
    yield opened
    opened.close()


def hear(monitor: LinkMonitor, wanted: Callable[[LinkChange], bool]) -> LinkChange:
    """The first change of that kind."""
    while select.select([monitor], [], [], 10)[0]:
        for change in monitor.read():
            if isinstance(change, LinkChange) and wanted(change):
                return change
    raise AssertionError("nothing of the kind was heard")


def test_changes_are_heard(devices: Devices, monitor: LinkMonitor) -> None:
    assert monitor.read() == []
    pair = make(devices)
    assert hear(monitor, lambda change: change.name == "jfta").ifindex == pair.user.ifindex
    devices.delete(pair.switch.ifindex)
    assert hear(monitor, lambda change: change.deleted and change.name == "jftas").nsid is None


def test_changes_of_a_moved_port_are_heard(
    devices: Devices, monitor: LinkMonitor, make_namespace: Callable[[], str]
) -> None:
    make(devices)
    other = make_namespace()
    run("ip", "link", "set", "jfta", "netns", other)
    hear(monitor, lambda change: change.name == "jfta" and change.deleted)
    run("ip", "-n", other, "link", "set", "jfta", "mtu", "1300")
    nsid = by_name(devices, "jftas").peer_nsid
    assert hear(monitor, lambda change: change.name == "jfta" and change.nsid == nsid).nsid is not None


def test_lost_messages_are_told(devices: Devices, monitor: LinkMonitor) -> None:
    monitor._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    index = make(devices).user.ifindex
    for mtu in range(1000, 1040):
        devices.set_mtu(index, mtu)
    assert Resync() in monitor.read()
