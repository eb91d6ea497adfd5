"""Addresses, routes, neighbours and rules: what is read can be put back exactly as it was."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jackfield.net import inet
from jackfield.net.addresses import (
    Address,
    add_address,
    delete_address,
    in_order_to_add,
    list_addresses,
    replace_address,
)
from jackfield.net.errors import KernelError
from jackfield.net.neighbours import (
    PERMANENT,
    Neighbour,
    delete_neighbour,
    list_forwarding,
    list_neighbours,
    replace_neighbour,
)
from jackfield.net.netlink import Netlink
from jackfield.net.netns import open_socket_at
from jackfield.net.routes import (
    BY_KERNEL,
    TABLE_LOCAL,
    Route,
    add_route,
    append_route,
    delete_route,
    list_routes,
    replace_route,
)
from jackfield.net.rules import Rule, add_rule, delete_rule, list_rules
from tests.datapath.world import run


@pytest.fixture
def netlink(namespace: str) -> Iterator[Netlink]:
    assert namespace
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "jfta", "type", "veth", "peer", "name", "jftb")
    for name in ("jfta", "jftb"):
        Path(f"/proc/sys/net/ipv6/conf/{name}/accept_dad").write_text("0")
        run("ip", "link", "set", name, "up")
    opened = Netlink()
    yield opened
    opened.close()


def number(device: str) -> int:
    return socket.if_nametoindex(device)


def shown(*words: str) -> Any:
    """What `ip` shows, without what passes with time."""
    found = json.loads(run("ip", "-j", "-d", *words) or "[]")
    for entry in found:
        for info in (entry, *entry.get("addr_info", [])):
            for passing in ("valid_life_time", "preferred_life_time", "expires"):
                if info.get(passing, 0xFFFFFFFF) != 0xFFFFFFFF:
                    info[passing] = "limited"
    return found


ADDRESSES = [
    ["10.0.0.1/24", "brd", "+"],
    ["10.0.0.2/24", "brd", "10.0.0.77", "label", "jfta:x"],
    ["10.1.0.1", "peer", "10.1.0.2/31", "scope", "link"],
    ["10.2.0.1/24", "metric", "77", "noprefixroute"],
    ["10.3.0.1/24", "valid_lft", "1000", "preferred_lft", "500"],
    ["2001:db8::1/64", "nodad"],
    ["2001:db8:1::1/64", "nodad", "noprefixroute", "valid_lft", "1000", "preferred_lft", "0"],
    ["2001:db8:2::1", "peer", "2001:db8:2::2/127", "nodad", "metric", "5"],
]


def test_addresses_come_back_as_they_were(netlink: Netlink) -> None:
    for words in ADDRESSES:
        run("ip", "address", "add", *words, "dev", "jfta")
    before = shown("address", "show", "dev", "jfta")
    addresses = list_addresses(netlink, number("jfta"))
    assert len(addresses) == len(ADDRESSES) + 1  # and the link-local one
    for address in reversed(addresses):
        delete_address(netlink, address)
        delete_address(netlink, address)
    assert list_addresses(netlink, number("jfta")) == ()
    for address in in_order_to_add(addresses):
        add_address(netlink, address)
    after = shown("address", "show", "dev", "jfta")
    for entry in (*before, *after):
        # A link-local address is now one that somebody asked for, and its duplicates are looked for.
        entry["addr_info"] = [info for info in entry["addr_info"] if not info["local"].startswith("fe80")]
    assert after == before


def test_an_address_that_is_there_is_refused_or_changed(netlink: Netlink) -> None:
    address = Address.of(number("jfta"), "10.0.0.1/24")
    assert (address.broadcast, str(address)) == ("10.0.0.255", "10.0.0.1/24")
    add_address(netlink, address)
    with pytest.raises(KernelError, match=r"adding address 10\.0\.0\.1/24: File exists"):
        add_address(netlink, address)
    replace_address(netlink, address)
    assert [str(each) for each in list_addresses(netlink)].count("10.0.0.1/24") == 1


ROUTES = [
    ["-4", "default", "via", "10.0.0.254", "dev", "jfta"],
    [
        "-4",
        "default",
        "via",
        "10.0.0.253",
        "dev",
        "jfta",
        "metric",
        "100",
        "proto",
        "dhcp",
        "src",
        "10.0.0.1",
    ],
    ["-4", "10.9.0.0/16", "via", "192.0.2.1", "dev", "jfta", "onlink", "table", "100"],
    ["-4", "10.10.0.0/16", "dev", "jfta", "scope", "link", "table", "70000", "proto", "static"],
    [
        "-4",
        "10.11.0.0/16",
        "dev",
        "jfta",
        "tos",
        "0x10",
        "mtu",
        "lock",
        "1400",
        "advmss",
        "1200",
        "realm",
        "3/4",
    ],
    ["-4", "10.12.0.0/16", "via", "inet6", "fe80::1", "dev", "jfta"],
    [
        *("-4", "10.13.0.0/16", "nexthop", "via", "10.0.0.254", "dev", "jfta", "weight", "3"),
        *("nexthop", "dev", "jftb", "weight", "200"),
    ],
    ["-4", "multicast", "239.0.0.0/8", "dev", "jfta"],
    ["-6", "2001:db8:9::/48", "via", "2001:db8::2", "dev", "jfta", "metric", "7", "pref", "high"],
    ["-6", "2001:db8:a::/48", "dev", "jfta", "expires", "1000", "mtu", "1300"],
    ["-6", "default", "via", "fe80::1", "dev", "jfta", "proto", "ra", "pref", "low"],
    ["-6", "2001:db8:b::/48", "from", "2001:db8::/64", "via", "fe80::1", "dev", "jfta"],
    [
        *("-6", "2001:db8:c::/48", "nexthop", "via", "fe80::1", "dev", "jfta", "weight", "2"),
        *("nexthop", "via", "fe80::2", "dev", "jftb"),
    ],
]


def test_routes_come_back_as_they_were(netlink: Netlink) -> None:
    run("ip", "address", "add", "10.0.0.1/24", "dev", "jfta")
    run("ip", "address", "add", "2001:db8::1/64", "nodad", "dev", "jfta")
    for family, *words in ROUTES:
        run("ip", family, "route", "add", *words)
    show = (["-4", "route", "show", "table", "all"], ["-6", "route", "show", "table", "all"])
    before = [shown(*words) for words in show]
    routes = [
        route
        for route in list_routes(netlink, number("jfta"))
        if route.protocol != BY_KERNEL and route.table != TABLE_LOCAL
    ]
    assert len(routes) == len(ROUTES)
    for route in routes:
        delete_route(netlink, route)
        delete_route(netlink, route)
    assert not [
        route
        for route in list_routes(netlink, number("jfta"))
        if route.protocol != BY_KERNEL and route.table != TABLE_LOCAL
    ]
    for route in routes:
        add_route(netlink, route)
    assert [shown(*words) for words in show] == before


def test_routes_are_listed_by_table_and_replaced(netlink: Netlink) -> None:
    index = number("jfta")
    add_address(netlink, Address.of(index, "10.0.0.1/24"))
    route = Route.to("default", index, "10.0.0.2")
    add_route(netlink, route)
    with pytest.raises(KernelError, match=r"adding route default via 10\.0\.0\.2: File exists"):
        add_route(netlink, route)
    replace_route(netlink, Route.to("default", index, "10.0.0.3"))
    append_route(netlink, Route.to("default", index, "10.0.0.4"))
    defaults = [each for each in list_routes(netlink, table=254) if each.is_default]
    assert [each.gateways for each in defaults] == [("10.0.0.3",), ("10.0.0.4",)]
    assert list_routes(netlink, table=4711) == ()
    assert all(each.table == 255 for each in list_routes(netlink, index, table=255))


def test_a_nexthop_object_is_told(netlink: Netlink) -> None:
    run("ip", "nexthop", "add", "id", "7", "dev", "jfta")
    run("ip", "route", "add", "10.20.0.0/16", "nhid", "7")
    (found,) = [route for route in list_routes(netlink) if route.destination == "10.20.0.0/16"]
    assert (found.nexthop_object, found.encapsulates) == (7, False)


def test_neighbours_come_back_as_they_were(netlink: Netlink) -> None:
    mac = bytes.fromhex("020000000001")
    index = number("jfta")
    for address in ("10.0.0.9", "2001:db8::9"):
        replace_neighbour(netlink, Neighbour(index, address, mac))
    run("ip", "neigh", "add", "proxy", "10.0.0.10", "dev", "jfta")
    before = shown("neigh", "show", "dev", "jfta", "nud", "permanent")
    neighbours = [each for each in list_neighbours(netlink, index) if each.state == PERMANENT]
    assert {(each.address, each.mac, each.state) for each in neighbours} == {
        ("10.0.0.9", mac, PERMANENT),
        ("2001:db8::9", mac, PERMANENT),
    }
    (proxy,) = list_neighbours(netlink, index, proxies=True)
    for each in (*neighbours, proxy):
        delete_neighbour(netlink, each)
        delete_neighbour(netlink, each)
    assert not [each for each in list_neighbours(netlink, index) if each.address.endswith("9")]
    assert list_neighbours(netlink, index, proxies=True) == ()
    for each in (*neighbours, proxy):
        replace_neighbour(netlink, each)
    assert shown("neigh", "show", "dev", "jfta", "nud", "permanent") == before
    assert list_neighbours(netlink, index, proxies=True) == (proxy,)


def test_entries_of_a_bridge_are_listed(netlink: Netlink) -> None:
    run("ip", "link", "add", "jftbr", "type", "bridge")
    run("ip", "link", "set", "jfta", "master", "jftbr")
    # A kernel whose bridges know VLANs adds the address for the default one as well.
    run("bridge", "fdb", "add", "02:00:00:00:00:07", "dev", "jfta", "master", "static")
    entries = [each for each in list_forwarding(netlink, number("jfta")) if each.mac[-1] == 7]
    assert {(each.vlan, each.bridge) for each in entries} - {(1, number("jftbr"))} == {(0, number("jftbr"))}


RULES = [
    ["-4", "iif", "jfta", "table", "100", "priority", "1000"],
    ["-4", "from", "10.0.0.0/8", "to", "10.1.0.0/16", "oif", "jfta", "fwmark", "7/0xff", "table", "70000"],
    ["-4", "not", "iif", "jfta", "ipproto", "tcp", "dport", "80-90", "unreachable"],
    ["-4", "iif", "jfta", "uidrange", "1-5", "suppress_prefixlength", "0", "table", "main"],
    ["-6", "from", "2001:db8::/32", "iif", "jfta", "table", "100"],
]


def test_rules_come_back_as_they_were(netlink: Netlink) -> None:
    for family, *words in RULES:
        run("ip", family, "rule", "add", *words)
    before = [run("ip", family, "rule") for family in ("-4", "-6")]
    rules = list_rules(netlink, "jfta")
    assert len(rules) == len(RULES)
    for rule in rules:
        delete_rule(netlink, rule)
        delete_rule(netlink, rule)
        add_rule(netlink, rule.renamed("jfta", "jftb"))
    assert list_rules(netlink, "jfta") == ()
    for rule in list_rules(netlink, "jftb"):
        delete_rule(netlink, rule)
        add_rule(netlink, rule.renamed("jftb", "jfta"))
    assert [run("ip", family, "rule") for family in ("-4", "-6")] == before


def test_a_rule_is_made(netlink: Netlink) -> None:
    rule = Rule.of(500, 100, iif="jfta", oif="jftb")
    add_rule(netlink, rule)
    assert "500:\tfrom all iif jfta oif jftb lookup 100" in run("ip", "rule")
    (found,) = list_rules(netlink, "jftb")
    assert (found.priority, found.table, found.devices) == (500, 100, ("jfta", "jftb"))
    assert str(found) == "500 (jfta, jftb)"


def test_another_namespace_is_worked_in_from_here(
    netlink: Netlink, make_namespace: Callable[[], str]
) -> None:
    other = make_namespace()
    there = Netlink(open_socket_at(Path("/run/netns") / other))
    add_address(there, Address.of(1, "192.0.2.1/32"))
    there.close()
    assert "192.0.2.1" in run("ip", "-n", other, "address")
    assert "192.0.2.1" not in run("ip", "address")
    with pytest.raises(KernelError, match="opening network namespace /run/netns/jftnone: No such file"):
        open_socket_at(Path("/run/netns/jftnone"))
    assert netlink


@pytest.mark.parametrize("wrong", ["", "10.0.0", "10.0.0.1/33", "10.0.0.1/x", "::1/129", "10.0.0.1/", "ä"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        inet.split(wrong)


def test_prefixes_are_normal_and_contain() -> None:
    assert inet.network("10.1.2.3/8") == "10.0.0.0/8"
    assert inet.network("2001:DB8:0::1/32") == "2001:db8::/32"
    assert inet.contains("10.0.0.0/8", "10.1.2.3") and not inet.contains("10.0.0.0/8", "11.0.0.1")
    assert not inet.contains("::/0", "10.0.0.1")
