"""What a database asks for."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield.model.config import ETH_P_8021AD, ETH_P_8021Q, PortConfig, PriorityTags, VlanMode
from jackfield.net.pair import Kinds, PairKind
from jackfield.reconcile.desired import desired
from jackfield.reconcile.settings import made_up_mac
from jackfield.reconcile.wanted import Kind, WantedBridge, WantedInterface, WantedPort
from tests.reconcile.world import bridge, patch, port, snapshot, uuid_of

ALL = frozenset(range(4096))


def bridge_of(*ports: dict[str, Any], **columns: Any) -> WantedBridge:
    return desired(snapshot(bridge("br0", *ports, **columns))).bridges[0]


def port_of(**columns: Any) -> WantedPort:
    return next(p for p in bridge_of(port("p", **columns)).ports if p.name == "p")


def interface_of(*ports: dict[str, Any]) -> dict[str, WantedInterface]:
    return {i.name: i for p in bridge_of(*ports).ports for i in p.interfaces}


def config(**fields: Any) -> PortConfig:
    return PortConfig("p", mtu=None, **fields)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, config()),
        ({"trunks": {1, 2}}, config(trunks=frozenset({1, 2}))),
        ({"tag": 7}, config(vlan_mode=VlanMode.ACCESS, tag=7)),
        ({"tag": 7, "trunks": {1}}, config(vlan_mode=VlanMode.ACCESS, tag=7)),
        ({"vlan_mode": "access"}, config(vlan_mode=VlanMode.ACCESS)),
        ({"vlan_mode": "trunk", "tag": 7}, config()),
        (
            {"vlan_mode": "native-tagged", "tag": 7, "trunks": {0, 3}},
            config(vlan_mode=VlanMode.NATIVE_TAGGED, tag=7, trunks=frozenset({3, 7})),
        ),
        (
            {"vlan_mode": "native-untagged", "tag": 7},
            config(vlan_mode=VlanMode.NATIVE_UNTAGGED, tag=7, trunks=ALL - {0}),
        ),
        ({"vlan_mode": "native-untagged"}, config(vlan_mode=VlanMode.NATIVE_UNTAGGED)),
        (
            {
                "vlan_mode": "dot1q-tunnel",
                "tag": 7,
                "cvlans": {5},
                "other_config": {"qinq-ethtype": "802.1q"},
            },
            config(vlan_mode=VlanMode.DOT1Q_TUNNEL, tag=7, cvlans=frozenset({5}), qinq_ethtype=ETH_P_8021Q),
        ),
        (
            {"vlan_mode": "dot1q-tunnel", "tag": 7},
            config(vlan_mode=VlanMode.DOT1Q_TUNNEL, tag=7, qinq_ethtype=ETH_P_8021AD),
        ),
        ({"other_config": {"priority-tags": "true"}}, config(priority_tags=PriorityTags.IF_NONZERO)),
        ({"other_config": {"priority-tags": "always"}}, config(priority_tags=PriorityTags.ALWAYS)),
        ({"other_config": {"priority-tags": "maybe"}}, config()),
        ({"protected": True}, config(protected=True)),
    ],
)
def test_vlan_columns_mean_what_ovs_takes_them_to_mean(columns: dict[str, Any], expected: PortConfig) -> None:
    assert port_of(**columns).config == expected


@pytest.mark.parametrize(
    ("options", "ageing", "size"),
    [
        ({}, 300, 8192),
        ({"mac-aging-time": "0", "mac-table-size": "0"}, 300, 8192),
        ({"mac-aging-time": "1", "mac-table-size": "1"}, 15, 10),
        ({"mac-aging-time": "99999", "mac-table-size": "9999999"}, 3600, 1_000_000),
        ({"mac-aging-time": "-1", "mac-table-size": "-1"}, 3600, 1_000_000),
        ({"mac-aging-time": "soon", "mac-table-size": "0x10"}, 300, 8192),
    ],
)
def test_table_settings_are_clamped(options: dict[str, str], ageing: int, size: int) -> None:
    wanted = bridge_of(other_config=options).config
    assert (wanted.mac_aging_time, wanted.mac_table_size) == (ageing, size)


@pytest.mark.parametrize(("limit", "expected"), [("", 1), ("1", 1), ("2", 2), ("7", 2), ("0", 2), ("-3", 2)])
def test_vlan_limit_is_one_unless_told_and_two_at_most(limit: str, expected: int) -> None:
    options = {"vlan-limit": limit} if limit else {}
    assert desired(snapshot(**options)).vlan_limit == expected


def test_a_bridge_has_a_local_port_even_without_a_row() -> None:
    wanted = desired(snapshot(bridge("br0", local=False))).bridges[0]
    assert [(i.name, i.kind, i.ofport, i.uuid) for p in wanted.ports for i in p.interfaces] == [
        ("br0", Kind.INTERNAL, 65534, None)
    ]


def test_the_interface_of_the_bridges_name_is_internal_whatever_its_type() -> None:
    wanted = desired(snapshot(bridge("br0", port("br0", ""), local=False))).bridges[0]
    assert wanted.ports[0].interfaces[0].kind is Kind.INTERNAL
    assert wanted.ports[0].interfaces[0].ofport == 65534


def test_numbers_requested_go_first_and_the_rest_take_the_lowest_free() -> None:
    found = interface_of(
        port("a"),
        port("b", interface={"ofport_request": 1}),
        port("c", interface={"ofport": 1}),
        port("d", interface={"ofport": 9}),
        port("e", interface={"ofport": -1}),
    )
    assert {name: i.ofport for name, i in found.items()} == {
        "br0": 65534,
        "a": 2,
        "b": 1,
        "c": 3,
        "d": 9,
        "e": 4,
    }


def test_of_two_that_request_a_number_the_one_that_has_it_keeps_it() -> None:
    found = interface_of(
        port("a", interface={"ofport_request": 5}), port("b", interface={"ofport_request": 5, "ofport": 5})
    )
    assert (found["a"].ofport, found["b"].ofport) == (1, 5)


def test_a_number_given_out_is_remembered_before_the_database_knows_it() -> None:
    wanted = desired(snapshot(bridge("br0", port("a"), port("b"))), {uuid_of("interface b"): 1})
    assert {i.name: i.ofport for i in wanted.interfaces} == {"br0": 65534, "a": 2, "b": 1}


@pytest.mark.parametrize("number", [0, -5, 65280, 65534, 70000])
def test_a_request_out_of_range_is_no_request(number: int) -> None:
    assert interface_of(port("a", interface={"ofport_request": number}))["a"].ofport == 1


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (
            port("g", "gre"),
            'could not open network device g (type "gre" is none of system, internal and patch)',
        ),
        (port("a" * 16), f"could not create network device {'a' * 16} (the name is longer than 15 bytes)"),
        (port("a b"), "could not create network device a b (no network device can have that name)"),
        (port("../x"), "could not create network device ../x (no network device can have that name)"),
        (patch("p", None), "p: patch type requires valid 'peer' argument"),
        (patch("p", "p"), "p: patch peer must not be self"),
    ],
)
def test_an_interface_that_cannot_be_had_says_why(made: dict[str, Any], error: str) -> None:
    wanted = interface_of(made)[made["name"]]
    assert (wanted.error, wanted.ofport) == (error, -1)


def test_a_bridge_whose_name_is_too_long_takes_its_ports_with_it() -> None:
    wanted = desired(snapshot(bridge("b" * 16, port("p")))).bridges[0]
    assert wanted.error == f"could not create bridge {'b' * 16} (the name is longer than 15 bytes)"
    assert {i.error for p in wanted.ports for i in p.interfaces} == {wanted.error}


def test_a_port_named_like_another_bridge_yields_to_it() -> None:
    wanted = desired(snapshot(bridge("br0", port("br1")), bridge("br1", local=False)))
    errors = {(p.bridge, i.name): i.error for p in wanted.ports.values() for i in p.interfaces}
    assert errors == {
        ("br0", "br0"): None,
        ("br0", "br1"): "could not add network device br1 to bridge br0 (a bridge has that name)",
        ("br1", "br1"): None,
    }


def test_a_port_on_two_bridges_serves_the_first() -> None:
    tables = snapshot(bridge("br0", port("p")), bridge("br1"))
    shared = tables["Bridge"][uuid_of("bridge br1")]
    shared["ports"] |= {uuid_of("port p")}
    wanted = desired(tables)
    assert [p.bridge for p in wanted.ports.values() if p.name == "p"] == ["br0"]
    assert [w.text for w in wanted.warnings] == [
        "is on bridge br0 and on bridge br1; used on bridge br0 only"
    ]


def test_patch_ports_that_point_at_each_other_are_joined() -> None:
    wanted = desired(snapshot(bridge("br0", patch("a", "b")), bridge("br1", patch("b", "a"))))
    found = {p.name: p for b in wanted.bridges for p in b.ports}
    assert (found["a"].config.patch_peer, found["b"].config.patch_peer) == ("b", "a")
    assert found["a"].interfaces[0].fault is None


@pytest.mark.parametrize("other", [port("b"), patch("b", "c"), port("c")])
def test_a_patch_port_without_a_peer_that_points_back_has_a_number_and_a_fault(other: dict[str, Any]) -> None:
    found = interface_of(patch("a", "b"), other)["a"]
    assert (found.ofport, found.peer, found.error) == (1, None, None)
    assert found.fault == "No usable peer 'b' exists in 'system' datapath."


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("0000000000000042", 0x42),
        ("0x42", 0x42),
        ("42", None),
        ("0x", None),
        ("0000000000000000", None),
        ("zz00000000000042", None),
    ],
)
def test_a_datapath_id_is_sixteen_digits_or_has_a_prefix(asked: str, number: int | None) -> None:
    assert bridge_of(other_config={"datapath-id": asked}).datapath_id == number


@pytest.mark.parametrize("asked", ["01:00:00:00:00:01", "00:00:00:00:00:00", "hello"])
def test_an_impossible_hwaddr_is_left_aside_with_a_warning(asked: str) -> None:
    wanted = desired(snapshot(bridge("br0", other_config={"hwaddr": asked})))
    assert wanted.bridges[0].hwaddr is None
    assert wanted.warnings[0].text.startswith("other_config:hwaddr: ")


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        (None, ()),
        ("veth", (PairKind.VETH,)),
        ("netkit", (PairKind.NETKIT,)),
        ("prefer-netkit", (PairKind.NETKIT, PairKind.VETH)),
    ],
)
def test_an_internal_port_may_say_what_it_is_to_be_made_of(asked: str | None, kinds: Kinds) -> None:
    options = {} if asked is None else {"device-kind": asked}
    assert interface_of(port("p", interface={"other_config": options}))["p"].device_kinds == kinds


def test_what_no_internal_port_can_be_made_of_is_left_aside_with_a_warning() -> None:
    asked = port("p", interface={"other_config": {"device-kind": "tap"}})
    wanted = desired(snapshot(bridge("br0", asked)))
    assert [i.device_kinds for i in wanted.interfaces] == [(), ()]
    (warning,) = wanted.warnings
    assert (
        warning.text == 'other_config:device-kind "tap" is none of netkit, prefer-netkit, veth; ignoring it'
    )


def test_the_made_up_mac_is_local_and_unicast_and_from_the_uuid() -> None:
    assert made_up_mac("03020100-0504-4000-8000-000000000000") == bytes.fromhex("020102030040")


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({"stp_enable": True}, "spanning tree"),
        ({"mcast_snooping_enable": True}, "multicast snooping"),
        ({"mirrors": frozenset({"x"})}, "mirrors"),
        ({"controller": frozenset({"x"})}, "controllers"),
        ({"fail_mode": "secure"}, "secure"),
        ({"datapath_type": "netdev"}, "netdev"),
        ({"netflow": "x"}, "NetFlow"),
    ],
)
def test_a_bridge_option_without_support_is_a_warning(columns: dict[str, Any], word: str) -> None:
    (warning,) = desired(snapshot(bridge("br0", **columns))).warnings
    assert (warning.table, warning.name) == ("Bridge", "br0")
    assert word in warning.text


def test_an_unknown_datapath_type_is_an_error_of_the_bridge() -> None:
    assert bridge_of(datapath_type="dummy").error == (
        'could not create bridge br0 (datapath_type "dummy" is not supported)'
    )


def test_an_empty_database_wants_nothing() -> None:
    assert desired({}).bridges == ()
