"""A port's machines together: what the data plane is told."""

from __future__ import annotations

import math
from dataclasses import replace

from jackfield.model.bonding import BUCKETS, spread
from jackfield.model.config import BondMode
from jackfield.model.lacp import Information, Lacpdu, LacpSettings, State, decode, encode
from jackfield.switchd.bonds.port import (
    LACP_CONFIGURED,
    LACP_NEGOTIATED,
    LACP_OFF,
    NO_MEMBER,
    Actions,
    BondPort,
    BondState,
)
from jackfield.switchd.bonds.view import PortView
from tests.bonds.views import SYSTEM, bond

FRESH = BondState(enabled=0b11, collecting=0b11, active=0, buckets=bytes(at % 2 for at in range(BUCKETS)))
LACP = LacpSettings(SYSTEM)


def made(view: PortView, held: BondState = FRESH) -> BondPort:
    port = BondPort(view, held, {}, 0.0)
    port.run(0.0)
    return port


def answer(port: BondPort, actions: Actions, now: float) -> None:
    """What a willing partner answers."""
    for name, pdu in actions.pdus:
        told = decode(pdu).actor
        echo = Information(1, b"\2\0\0\0\0\7", 1, 1, 1, told.state | State.SYNCHRONIZED | State.COLLECTING)
        port.receive(name, encode(Lacpdu(echo, told)), now)


def test_a_new_bond_is_as_the_data_plane_made_it() -> None:
    assert made(bond("a", "b")).state() == replace(FRESH, buckets=bytes(at % 2 for at in range(BUCKETS)))


def test_a_member_without_a_link_is_out_and_its_buckets_go_to_the_other() -> None:
    port = made(bond("a", "b", mode=BondMode.BALANCE_SLB))
    port.link("a", False, 1.0)
    assert port.run(1.0).announce
    state = port.state()
    assert (state.enabled, state.down, state.active) == (0b10, 0b01, 1)
    assert set(state.buckets) == {1}


def test_a_member_under_its_downdelay_still_counts() -> None:
    port = made(bond("a", "b", downdelay_ms=100))
    port.link("a", False, 1.0)
    port.run(1.0)
    assert (port.state().enabled, port.state().down) == (0b11, 0)
    port.run(1.1)
    assert (port.state().enabled, port.state().down) == (0b10, 0b01)


def test_when_all_members_were_down_buckets_are_dealt_out_anew() -> None:
    port = made(bond("a", "b", mode=BondMode.BALANCE_SLB))
    for name in ("a", "b"):
        port.link(name, False, 1.0)
        port.run(1.0)
    assert port.state().active == NO_MEMBER
    port.link("b", True, 2.0)
    port.run(2.0)
    port.link("a", True, 3.0)
    port.run(3.0)
    assert port.buckets == spread(["a", "b"])


def test_a_later_process_goes_on_where_the_data_plane_is() -> None:
    held = BondState(enabled=0b10, collecting=0b10, down=0, active=1, buckets=bytes([1]) * BUCKETS)
    port = BondPort(bond("a", "b", updelay_ms=500), held, {}, 0.0)
    assert not port.run(0.0).announce
    assert port.state() == held
    port.run(0.5)
    assert port.state() == replace(held, enabled=0b11, collecting=0b11)


def test_members_keep_their_places_when_others_come_and_go() -> None:
    port = made(bond("a", "b"))
    port.configure(bond("", "b", "c"), 1.0)
    port.run(1.0)
    state = port.state()
    assert state.enabled == 0b110
    assert state.active == 1
    assert set(state.buckets) == {1, 2}


def test_another_device_of_the_same_name_has_a_link_of_its_own() -> None:
    port = made(bond("a", "b"))
    port.link("a", False, 1.0)
    port.run(1.0)
    view = bond("a", "b")
    other = replace(view.members[0], ifindex=999)
    port.configure(replace(view, members=(other, view.members[1])), 2.0)
    port.run(2.0)
    assert port.state().enabled == 0b11


def test_a_bond_without_members_is_no_trouble() -> None:
    port = made(bond("a", "b"))
    port.configure(bond(), 1.0)
    port.run(1.0)
    assert port.state() == BondState(active=NO_MEMBER)


def test_lacp_lets_members_in_when_the_partner_takes_what_they_send() -> None:
    port = BondPort(bond("a", "b", mode=BondMode.BALANCE_TCP, lacp=LACP), FRESH, {}, 0.0)
    actions = port.run(0.0)
    assert port.lacp_status == LACP_CONFIGURED
    assert port.state().enabled == 0
    assert not actions.announce
    answer(port, actions, 0.1)
    port.run(0.1)
    assert port.lacp_status == LACP_NEGOTIATED
    assert (port.state().enabled, port.state().collecting) == (0b11, 0b11)
    assert port.buckets == spread(["a", "b"])


def test_frames_are_taken_before_any_is_sent() -> None:
    port = BondPort(bond("a", "b", lacp=LACP), FRESH, {}, 0.0)
    for name, pdu in port.run(0.0).pdus:
        told = decode(pdu).actor
        synced = Information(1, b"\2\0\0\0\0\7", 1, 1, 1, told.state | State.SYNCHRONIZED)
        port.receive(name, encode(Lacpdu(synced, told)), 0.1)
    port.run(0.1)
    assert (port.state().enabled, port.state().collecting) == (0, 0b11)


def test_falling_back_is_as_active_backup() -> None:
    lacp = replace(LACP, fallback_ab=True)
    port = made(bond("a", "b", mode=BondMode.BALANCE_TCP, fallback_ab=True, lacp=lacp))
    for now in (3.0, 4.0):
        port.run(now)
    assert port.falling_back
    assert port.may_announce
    assert not port.balanced
    assert (port.state().enabled, port.state().lacp) == (0b11, LACP_CONFIGURED)


def test_lacp_without_a_bond_decides_nothing_about_frames() -> None:
    view = replace(bond("a", lacp=LACP), bond=0, settings=None)
    port = BondPort(view, None, {}, 0.0)
    assert port.members is None
    assert [name for name, _ in port.run(0.0).pdus] == ["a"]
    port.configure(replace(view, lacp=None), 1.0)
    assert port.lacp_status == LACP_OFF
    assert port.wakeup() == math.inf


def test_load_is_moved_every_interval_and_fades() -> None:
    port = made(bond("a", "b", mode=BondMode.BALANCE_SLB, rebalance_ms=2000))
    assert port.wakeup() == 2.0
    port.buckets = ["a"] * BUCKETS
    sent = [1_000_000 if at in (3, 4) else 0 for at in range(BUCKETS)]
    (shift,) = port.rebalance(sent, 2.0)
    assert port.buckets[shift.bucket] == "b"
    assert port.loads[3] == 500_000
    assert port.wakeup() == 4.0


def test_a_bond_that_is_told_so_is_never_rebalanced() -> None:
    assert made(bond("a", "b", mode=BondMode.BALANCE_SLB, rebalance_ms=0)).wakeup() == math.inf
    assert made(bond("a", "b")).wakeup() == math.inf
