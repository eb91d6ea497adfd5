"""The reconciler on a real kernel, in network namespaces of its own."""

from __future__ import annotations

import errno
import itertools
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jackfield.datapath import bpffs
from jackfield.datapath._abi import IfaceFlag
from jackfield.datapath.store import Datapath
from jackfield.net.errors import KernelError
from jackfield.reconcile.apply import Report, apply
from jackfield.reconcile.desired import desired
from jackfield.reconcile.devices import plan_devices
from jackfield.reconcile.outcome import InterfaceOutcome, Outcome, State
from jackfield.reconcile.plan import plan_maps
from jackfield.reconcile.reconciler import Reconciler
from jackfield.reconcile.watch import Watch
from tests.datapath.world import entered, run
from tests.netlab import until
from tests.reconcile.world import Snapshot, bridge, patch, port, snapshot

NUMBERS = itertools.count()

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def namespaces() -> Iterator[Callable[[], str]]:
    """Makes namespaces by name; the first one is where the test runs."""
    made: list[str] = []

    def make() -> str:
        made.append(f"jft{os.getpid()}r{next(NUMBERS)}")
        run("ip", "netns", "add", made[-1])
        return made[-1]

    with entered(f"/run/netns/{make()}"):
        yield make
    for name in made:
        run("ip", "netns", "del", name)


@pytest.fixture
def root() -> Path:
    """Where the programs and maps of the test are pinned."""
    return bpffs.lasting() / f"jft{os.getpid()}r{next(NUMBERS)}"


@pytest.fixture
def datapath(namespaces: Callable[[], str], root: Path) -> Iterator[Datapath]:
    assert namespaces
    with_root = Datapath.open("jft1", root=root)
    yield with_root
    if not with_root.closed:
        with_root.destroy()
    bpffs.remove_tree(root)


@pytest.fixture
def reconciler(datapath: Datapath) -> Iterator[Reconciler]:
    made = Reconciler(datapath, datapath.instance)
    yield made
    made.close()


def links() -> dict[str, str]:
    """The devices here and their flags."""
    lines = run("ip", "-o", "link").splitlines()
    return {line.split(": ")[1].split("@")[0]: line.split("<")[1].split(">")[0] for line in lines}


def interface(outcome: Outcome, name: str) -> InterfaceOutcome:
    return next(i for i in outcome.interfaces if i.name == name)


def add_nic(name: str) -> None:
    """A device with a cable to nowhere."""
    run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-end")


def two_bridges() -> Snapshot:
    return snapshot(
        bridge("br0", port("jfteth0", ""), port("jftp", trunks={1, 2}), patch("a", "b")),
        bridge("br1", patch("b", "a"), port("jftq", tag=7), flood_vlans=frozenset({7})),
    )


def test_a_pass_gets_there_and_neither_a_second_nor_another_process_has_anything_to_do(
    datapath: Datapath, reconciler: Reconciler
) -> None:
    add_nic("jfteth0")
    outcome = reconciler.reconcile(two_bridges())
    assert outcome.steps
    assert {state.state for state in outcome.objects} == {State.OK}
    assert interface(outcome, "jfteth0").ifindex in datapath.attached()
    assert "PROMISC" in links()["jfteth0"]
    assert reconciler.reconcile(two_bridges()).steps == ()
    assert Reconciler(datapath, datapath.instance).reconcile(two_bridges()).steps == ()
    assert reconciler.plan_only(two_bridges()) == ()


def test_what_another_version_pinned_goes_when_all_of_this_one_is_in_place(
    root: Path, datapath: Datapath, reconciler: Reconciler
) -> None:
    other = root / datapath.instance / "v0" / "maps"
    other.mkdir(parents=True)
    reconciler.reconcile(two_bridges())
    assert not other.parent.exists()


def test_removing_all_leaves_the_machine_as_it_was(datapath: Datapath, reconciler: Reconciler) -> None:
    add_nic("jfteth0")
    before = links()
    reconciler.reconcile(two_bridges())
    reconciler.remove_all()
    assert links() == before
    assert datapath.attached() == frozenset()
    assert datapath.names.items() == []
    assert datapath.ports.items() == []


@pytest.mark.parametrize("cut", [1, 4, 9, 15, 22, 30])
def test_a_pass_cut_short_is_taken_up_by_another_process(datapath: Datapath, cut: int) -> None:
    add_nic("jfteth0")
    watch = Watch(datapath, datapath.instance)
    report = Report()
    wanted = desired(two_bridges())
    apply(plan_devices(wanted, watch.look()).steps[:cut], datapath, watch, report, lambda: None)
    left = cut - len(report.done)
    apply(plan_maps(wanted, watch.look()).steps[:left], datapath, watch, report, lambda: None)
    watch.close()
    reconciler = Reconciler(datapath, datapath.instance)
    outcome = reconciler.reconcile(two_bridges())
    assert {state.state for state in outcome.objects} == {State.OK}
    assert reconciler.reconcile(two_bridges()).steps == ()


def test_internal_ports_in_two_namespaces_reach_each_other(
    datapath: Datapath, reconciler: Reconciler, namespaces: Callable[[], str]
) -> None:
    tables = snapshot(bridge("br0", port("jftp", tag=5), port("jftq", tag=5)))
    reconciler.reconcile(tables)
    places = {"jftp": namespaces(), "jftq": namespaces()}
    for number, (name, place) in enumerate(places.items()):
        run("ip", "link", "set", name, "netns", place)
        run("ip", "-n", place, "addr", "add", f"192.0.2.{number + 1}/24", "dev", name)
        run("ip", "-n", place, "link", "set", name, "up")
    outcome = reconciler.reconcile(tables)
    assert interface(outcome, "jftp").nsid is not None
    assert datapath.ifaces.get(interface(outcome, "jftp").id)._asdict()["flags"] == IfaceFlag.FAR
    run("ip", "netns", "exec", places["jftp"], "ping", "-c", "1", "-W", "2", "192.0.2.2")


def test_what_happens_while_all_is_looked_at_was_not_broken_by_somebody(
    datapath: Datapath,
    reconciler: Reconciler,
    namespaces: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tables = snapshot(bridge("br0", port("jftp")))
    number = interface(reconciler.reconcile(tables), "jftp").id
    until(lambda: not reconciler.check(tables).steps, what="calm")
    place, look = namespaces(), datapath.devices.list_links

    def moved_meanwhile() -> Any:
        monkeypatch.undo()
        run("ip", "link", "set", "jftp", "netns", place)
        return look()

    monkeypatch.setattr(datapath.devices, "list_links", moved_meanwhile)
    outcome = reconciler.check(tables)
    assert outcome.steps
    assert outcome.repaired == ()
    assert datapath.ifaces.get(number).flags & IfaceFlag.FAR
    datapath.ifaces.delete(number)
    assert reconciler.check(tables).repaired


def test_settings_reach_a_port_that_was_moved_and_renamed(
    reconciler: Reconciler, namespaces: Callable[[], str]
) -> None:
    def tables(**columns: Any) -> Snapshot:
        return snapshot(bridge("br0", port("jftp", interface=columns)))

    reconciler.reconcile(tables())
    place = namespaces()
    run("ip", "link", "set", "jftp", "netns", place, "name", "eth0")
    outcome = reconciler.reconcile(tables(mtu_request=9000, mac="02:00:00:00:00:77"))
    moved = interface(outcome, "jftp")
    assert (moved.mtu, moved.mac_in_use, moved.error) == (9000, "02:00:00:00:00:77", None)
    shown = run("ip", "-n", place, "link", "show", "eth0")
    assert "mtu 9000" in shown
    assert "02:00:00:00:00:77" in shown
    reconciler.reconcile(snapshot(bridge("br0")))
    assert "eth0" not in run("ip", "-n", place, "link")


def test_devices_that_come_move_and_go_are_followed(
    reconciler: Reconciler, namespaces: Callable[[], str]
) -> None:
    tables = snapshot(bridge("br0", port("jftp"), port("jfteth0", "")))
    outcome = reconciler.reconcile(tables)
    assert interface(outcome, "jfteth0").error == "could not open network device jfteth0 (No such device)"
    state = next(state for state in outcome.objects if state.name == "jfteth0" and state.kind == "Interface")
    assert state.state is State.PENDING
    add_nic("jfteth0")
    assert interface(reconciler.reconcile(tables), "jfteth0").error is None
    place = namespaces()
    run("ip", "link", "set", "jftp", "netns", place)
    moved = interface(reconciler.reconcile(tables), "jftp")
    assert moved.nsid is not None
    assert moved.error is None
    run("ip", "-n", place, "link", "set", "jftp", "address", "02:00:00:00:00:55", "mtu", "1200")
    moved = interface(reconciler.reconcile(tables), "jftp")
    assert (moved.mac_in_use, moved.mtu) == ("02:00:00:00:00:55", 1200)
    run("ip", "link", "del", "jfteth0")
    outcome = reconciler.reconcile(tables)
    assert interface(outcome, "jfteth0").ofport == -1
    assert interface(outcome, "br0").error is None
    add_nic("jfteth0")
    assert interface(reconciler.reconcile(tables), "jfteth0").error is None
    assert reconciler.reconcile(tables).steps == ()
    assert reconciler.plan_only(tables) == ()


def test_a_port_whose_namespace_died_is_made_again(
    reconciler: Reconciler, namespaces: Callable[[], str]
) -> None:
    tables = snapshot(bridge("br0", port("jftp")))
    reconciler.reconcile(tables)
    assert namespaces
    with subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; read _"], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        run("ip", "link", "set", "jftp", "netns", str(process.pid))
        process.communicate(b"\n")
    # lo and the local port's pair are left.
    until(lambda: len(links()) == 3, what="removal of the port's devices")
    outcome = reconciler.reconcile(tables)
    assert interface(outcome, "jftp").error is None
    assert "jftp" in links()


def test_a_port_follows_the_name_of_its_namespace_to_another_one(
    reconciler: Reconciler, namespaces: Callable[[], str]
) -> None:
    place = namespaces()
    path = f"/run/netns/{place}"
    tables = snapshot(bridge("br0", port("jftp", interface={"options": {"netns": path}})))
    reconciler.reconcile(tables)
    assert reconciler.reconcile(tables).steps == ()
    with Path(path).open("rb"):  # the old one lives on
        run("ip", "netns", "del", place)
        waiting = interface(reconciler.reconcile(tables), "jftp")
        assert (waiting.error, waiting.waits) == (None, False)
        run("ip", "netns", "add", place)
        assert interface(reconciler.reconcile(tables), "jftp").error is None
        assert "jftp" in run("ip", "-n", place, "link")
    assert reconciler.reconcile(tables).steps == ()


def test_one_refused_setting_spoils_nothing_else(datapath: Datapath, reconciler: Reconciler) -> None:
    add_nic("jfteth0")
    odd = port("jfteth0", "", interface={"mtu_request": 1_000_000})
    odder = port("jftq", interface={"mtu_request": 1_000_000})
    outcome = reconciler.reconcile(snapshot(bridge("br0", odd, odder, port("jftp"))))
    assert interface(outcome, "jftq").mtu == 1500
    assert "65535 at most" in (interface(outcome, "jftq").error or "")
    faulty = interface(outcome, "jfteth0")
    assert faulty.ofport > 0
    assert faulty.error is not None
    assert faulty.error.startswith("could not set the MTU of jfteth0 to 1000000: ")
    assert faulty.ifindex in datapath.attached()
    assert interface(outcome, "jftp").error is None
    assert not outcome.complete


def test_a_step_that_fails_costs_its_own_interface_only_and_is_tried_again(
    datapath: Datapath, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_nic("jfteth0")
    tables = snapshot(bridge("br0", port("jfteth0", ""), port("jftp")))
    attach = datapath.attach
    victim = socket.if_nametoindex("jfteth0")

    def failing(ifindex: int, *, fast: bool = False) -> None:
        if ifindex == victim:
            raise KernelError("attaching", errno.EPERM)
        attach(ifindex, fast=fast)

    with monkeypatch.context() as patched:
        patched.setattr(datapath, "attach", failing)
        outcome = reconciler.reconcile(tables)
    failed = interface(outcome, "jfteth0")
    assert (failed.ofport, failed.error) == (
        -1,
        "could not attach the switch to jfteth0: attaching: Operation not permitted",
    )
    assert interface(outcome, "jftp").error is None
    assert "PROMISC" not in links()["jfteth0"]
    assert not outcome.complete
    assert interface(reconciler.reconcile(tables), "jfteth0").error is None
    assert reconciler.reconcile(tables).steps == ()


def test_a_foreign_device_of_an_internal_ports_name_is_left_alone(reconciler: Reconciler) -> None:
    add_nic("jftp")
    before = links()["jftp"]
    outcome = reconciler.reconcile(snapshot(bridge("br0", port("jftp"), port("jftq"))))
    assert interface(outcome, "jftp").error == (
        "could not open network device jftp (it exists and is not the switch's)"
    )
    assert interface(outcome, "jftq").error is None
    assert links()["jftp"] == before


def test_a_device_of_a_linux_bridge_is_busy(reconciler: Reconciler) -> None:
    add_nic("jfteth0")
    run("ip", "link", "add", "jftbr", "type", "bridge")
    run("ip", "link", "set", "jfteth0", "master", "jftbr")
    outcome = reconciler.reconcile(snapshot(bridge("br0", port("jfteth0", ""))))
    error = interface(outcome, "jfteth0").error
    assert error is not None
    assert "Device or resource busy: it belongs to bridge jftbr" in error
    run("ip", "link", "set", "jfteth0", "nomaster")
    assert (
        interface(reconciler.reconcile(snapshot(bridge("br0", port("jfteth0", "")))), "jfteth0").ofport == 1
    )
