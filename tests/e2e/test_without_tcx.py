"""The whole switch as on kernels before 6.6, which have no TCX links: clsact and cls_bpf."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import daemon
from tests.e2e.switch import Switch, new_switch, pins
from tests.netlab import transfer
from tests.scenarios.kit import BROADCAST, tagged, untagged

OLD_KERNEL = "from jackfield.datapath import store; store.has_tcx = lambda *_: False; "


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> Iterator[Switch]:
    monkeypatch.setattr(daemon, "PROGRAM", OLD_KERNEL + daemon.PROGRAM)
    with new_switch() as switch:
        yield switch


def test_a_switch_without_tcx_forwards_restarts_without_loss_and_leaves_nothing(old: Switch) -> None:
    one, two = old.lab.namespace("one"), old.lab.namespace("two")
    neighbour = old.lab.namespace("neighbour")
    old.lab.cable(old.host, "eth1", neighbour, "eth0")
    neighbour.up("eth0", "10.0.0.3/24")
    old.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1", "vlan_mode=native-untagged", "tag=10")
    old.internal_in("br0", "tap1", one, "10.0.0.1/24", "tag=10")
    old.internal_in("br0", "tap2", two, "10.0.0.2/24", "tag=10")
    assert '"attach": "cls_bpf"' in old.daemon.unixctl("jackfield/status")
    one.ping("10.0.0.2")
    transfer(one, neighbour, "10.0.0.3", 5_000_000)
    transfer(two, one, "10.0.0.1", 5_000_000)
    known = old.fdb("br0")
    with one.pinging("10.0.0.2") as near, one.pinging("10.0.0.3") as far:
        old.daemon.restart()
        assert (near(), far()) == (0, 0)
    assert old.fdb("br0") == known
    with one.pinging("10.0.0.3") as far:
        old.daemon.kill()
        assert one.pings("10.0.0.2", count=3)
        assert far() == 0
    old.daemon.start()
    assert old.daemon.log_warnings() == []
    with neighbour.tap("eth0") as card, two.tap("tap2") as station:
        card.send(tagged(10, "A", BROADCAST, pcp=3))
        assert station.receive(lambda frame: frame == untagged("A", BROADCAST))
    old.daemon.stop(cleanup=True)
    assert pins(old.daemon.rundir) == []
    assert not old.promiscuous("eth1")
    assert "bpf" not in old.host.run("tc", "filter", "show", "dev", "eth1", "ingress").stdout
    old.host.up("eth1", "10.0.0.9/24")
    neighbour.ping("10.0.0.9")
