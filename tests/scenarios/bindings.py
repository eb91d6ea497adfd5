"""Ports that take frames from certain addresses only: Ethernet, IP, ARP, neighbour discovery."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from jackfield.model import DropReason, GuardConfig, PortConfig, Tag
from jackfield.model.frame import Frame
from tests.scenarios.kit import BROADCAST, Scenario, Send, ctag, mac, stag, switch, trunk, untagged

LEAST = 60


def bound(*sources: str) -> PortConfig:
    """Port p1, bound to these stations, IP addresses and networks."""
    macs = frozenset(mac(each) for each in sources if len(each) == 1)
    networks = frozenset(ip_network(each) for each in sources if len(each) > 1)
    return trunk("p1", guard=GuardConfig(bound_macs=macs, bound_networks=networks))


def _frame(src: str, ethertype: str, data: bytes, tags: tuple[Tag, ...] = ()) -> bytes:
    return Frame(mac(BROADCAST), mac(src), tags, bytes.fromhex(ethertype) + data).pack().ljust(LEAST, b"\0")


def ipv4(src: str, address: str, *tags: Tag, udp: tuple[int, int] = (9, 9), options: int = 0) -> bytes:
    """UDP from a station with an IP address, the header with so many words of options."""
    header = bytes((0x45 + options, 0, 0, 28 + 4 * options, 0, 0, 0, 0, 64, 17, 0, 0))
    header += IPv4Address(address).packed + bytes((255, 255, 255, 255)) + b"\x01" * 4 * options
    return _frame(src, "0800", header + b"".join(each.to_bytes(2) for each in udp) + bytes(4), tags)


def arp(src: str, sender: str, address: str, *tags: Tag) -> bytes:
    """A request of a station, by which `sender` has an IP address."""
    start = bytes.fromhex("0001080006040001")
    data = start + mac(sender) + IPv4Address(address).packed + bytes(6) + IPv4Address("10.0.0.9").packed
    return _frame(src, "0806", data, tags)


def ipv6(src: str, address: str, payload: bytes = bytes(8), *tags: Tag, protocol: int = 17) -> bytes:
    """A packet from a station with an IPv6 address."""
    start = bytes((0x60, 0, 0, 0)) + len(payload).to_bytes(2) + bytes((protocol, 255))
    data = start + IPv6Address(address).packed + IPv6Address("ff02::1").packed + payload
    return _frame(src, "86dd", data, tags)


def nd(kind: int, target: str | None, option: int = 0, link: str = "A", rest: int = 4) -> bytes:
    """A message of neighbour discovery, about a target, with a link-layer address option of a kind."""
    body = bytes((kind, 0, 0, 0)) + bytes(rest) + (IPv6Address(target).packed if target else b"")
    return body + (bytes((option, 1)) + mac(link) if option else b"")


def behind(extension: int, payload: bytes, protocol: int) -> tuple[int, bytes]:
    """The payload behind an extension header: the header's number, and both."""
    return extension, bytes((protocol, 0)) + bytes(6) + payload


SOLICIT, ADVERTISE, ROUTER_SOLICIT, ROUTER_ADVERTISE = 135, 136, 133, 134
ICMPV6, OPTIONS = 58, 60
MAC, IP, ARP, ND = DropReason.BOUND_MAC, DropReason.BOUND_IP, DropReason.BOUND_ARP, DropReason.BOUND_ND


def passes(frame: bytes) -> Send:
    return Send("p1", frame).reaches("p2")


def ends(frame: bytes, reason: DropReason) -> Send:
    return Send("p1", frame).ends(reason)


_HIDDEN = behind(OPTIONS, nd(ADVERTISE, "fe80::9"), ICMPV6)
_DEEP: tuple[int, bytes] = (17, bytes(8))
for _ in range(4):
    _DEEP = behind(OPTIONS, _DEEP[1], _DEEP[0])

BINDINGS = (
    Scenario(
        "A port that is bound to MAC addresses takes frames from these only, in any VLAN",
        switch(bound("A", "B"), trunk("p2")),
        (
            passes(untagged("A", BROADCAST)),
            passes(ipv4("B", "10.0.0.1", ctag(10))),
            passes(ipv6("B", "2001:db8::1")),
            ends(untagged("C", BROADCAST), MAC),
            ends(ipv4("C", "10.0.0.1", ctag(10)), MAC),
            Send("p2", untagged("C", "A")).reaches("p1"),
        ),
    ),
    Scenario(
        "A port that is bound to IPv4 addresses takes IPv4 from these only, and no IPv6",
        switch(bound("10.0.0.1", "10.1.0.0/16"), trunk("p2")),
        (
            passes(ipv4("A", "10.0.0.1")),
            passes(ipv4("B", "10.1.255.254")),
            ends(ipv4("A", "10.0.0.2"), IP),
            ends(ipv4("A", "10.2.0.1"), IP),
            ends(ipv6("A", "fe80::1"), IP),
            passes(untagged("C", BROADCAST)),
        ),
    ),
    Scenario(
        "A port that is bound to IPv6 addresses takes IPv6 from these only, and no IPv4",
        switch(bound("fe80::1", "2001:db8::/64"), trunk("p2")),
        (
            passes(ipv6("A", "fe80::1")),
            passes(ipv6("A", "2001:db8::ffff:1")),
            ends(ipv6("A", "2001:db8:0:1::1"), IP),
            ends(ipv4("A", "10.0.0.1"), IP),
        ),
    ),
    Scenario(
        "Every IPv6 address is no IPv4 address",
        switch(bound("::/0"), trunk("p2")),
        (passes(ipv6("A", "2001:db8::1")), ends(ipv4("A", "10.0.0.1"), IP)),
    ),
    Scenario(
        "A station that has no address yet may ask DHCP servers for one, and say nothing else",
        switch(bound("A", "10.0.0.1"), trunk("p2")),
        (
            passes(ipv4("A", "0.0.0.0", udp=(68, 67))),
            passes(ipv4("A", "0.0.0.0", udp=(68, 67), options=2)),
            ends(ipv4("A", "0.0.0.0", udp=(67, 68)), IP),
            ends(ipv4("A", "0.0.0.0"), IP),
        ),
    ),
    Scenario(
        "The sender in ARP is the frame's, with an IP address that the port is bound to, or none yet",
        switch(bound("A", "10.0.0.1"), trunk("p2")),
        (
            passes(arp("A", "A", "10.0.0.1")),
            passes(arp("A", "A", "0.0.0.0")),
            ends(arp("A", "B", "10.0.0.1"), ARP),
            ends(arp("A", "A", "10.0.0.254"), ARP),
            ends(_frame("A", "0806", bytes.fromhex("000108000604")), ARP),
            ends(_frame("A", "0806", bytes.fromhex("0006080006040001") + bytes(20)), ARP),
        ),
    ),
    Scenario(
        "ARP from a port that is bound to MAC addresses only may have any IP address",
        switch(bound("A"), trunk("p2")),
        (passes(arp("A", "A", "10.9.9.9")), ends(arp("A", "B", "10.9.9.9"), ARP)),
    ),
    Scenario(
        "A port that is bound looks below the tags of a frame",
        switch(bound("A", "10.0.0.1"), trunk("p2")),
        (
            passes(ipv4("A", "10.0.0.1", ctag(10))),
            passes(arp("A", "A", "10.0.0.1", ctag(10))),
            passes(ipv4("A", "10.0.0.1", stag(20), ctag(10))),
            ends(ipv4("A", "10.0.0.2", ctag(10)), IP),
            ends(ipv4("A", "10.0.0.2", stag(20), ctag(10)), IP),
            ends(arp("A", "A", "10.0.0.2", stag(20), ctag(10)), ARP),
            ends(ipv4("A", "10.0.0.1", stag(20), ctag(10), ctag(11), ctag(12)), IP),
        ),
    ),
    Scenario(
        "A neighbour advertisement is about a bound address, and gives the frame's source",
        switch(bound("A", "fe80::1"), trunk("p2")),
        (
            passes(ipv6("A", "fe80::1", nd(ADVERTISE, "fe80::1", 2), protocol=ICMPV6)),
            passes(ipv6("A", "fe80::1", nd(ADVERTISE, "fe80::1"), protocol=ICMPV6)),
            ends(ipv6("A", "fe80::1", nd(ADVERTISE, "fe80::2", 2), protocol=ICMPV6), ND),
            ends(ipv6("A", "fe80::1", nd(ADVERTISE, "fe80::1", 2, "B"), protocol=ICMPV6), ND),
        ),
    ),
    Scenario(
        "A neighbour solicitation gives the frame's source, and asks for the use of bound addresses only",
        switch(bound("A", "fe80::1"), trunk("p2")),
        (
            passes(ipv6("A", "fe80::1", nd(SOLICIT, "fe80::2", 1), protocol=ICMPV6)),
            ends(ipv6("A", "fe80::1", nd(SOLICIT, "fe80::2", 1, "B"), protocol=ICMPV6), ND),
            passes(ipv6("A", "::", nd(SOLICIT, "fe80::1"), protocol=ICMPV6)),
            ends(ipv6("A", "::", nd(SOLICIT, "fe80::2"), protocol=ICMPV6), ND),
            ends(ipv6("A", "fe80::1", nd(SOLICIT, "fe80::2") + bytes(8), protocol=ICMPV6), ND),
        ),
    ),
    Scenario(
        "Messages to and from routers give the frame's source as well",
        switch(bound("A", "fe80::1"), trunk("p2")),
        (
            passes(ipv6("A", "::", nd(ROUTER_SOLICIT, None), protocol=ICMPV6)),
            passes(ipv6("A", "fe80::1", nd(ROUTER_SOLICIT, None, 1), protocol=ICMPV6)),
            ends(ipv6("A", "fe80::1", nd(ROUTER_SOLICIT, None, 1, "B"), protocol=ICMPV6), ND),
            passes(ipv6("A", "fe80::1", nd(ROUTER_ADVERTISE, None, 1, rest=12), protocol=ICMPV6)),
            ends(ipv6("A", "fe80::1", nd(ROUTER_ADVERTISE, None, 1, "B", rest=12), protocol=ICMPV6), ND),
        ),
    ),
    Scenario(
        "Neighbour discovery cannot hide behind extension headers",
        switch(bound("A", "fe80::1"), trunk("p2")),
        (
            ends(ipv6("A", "fe80::1", _HIDDEN[1], protocol=_HIDDEN[0]), ND),
            ends(ipv6("A", "fe80::1", _DEEP[1], protocol=_DEEP[0]), IP),
        ),
    ),
)
