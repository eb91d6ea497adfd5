"""Bonds: which member a frame leaves by, and which frames that come in by a member are taken.

Buckets are dealt out in turn, so of two members the first has the even hashes: stations B, F and H leave by
it in VLAN 0, stations A, C and D by the second.
"""

from __future__ import annotations

from jackfield.model import ETH_P_8021Q, BondMode, DropReason, Tag
from jackfield.model.frame import Frame
from tests.scenarios.kit import (
    BROADCAST,
    GROUP,
    Negotiated,
    Reach,
    Scenario,
    Send,
    Wait,
    access,
    bond,
    bridge,
    ctag,
    frame,
    known,
    link_down,
    link_up,
    mac,
    patch,
    switch,
    tagged,
    trunk,
    untagged,
)

SLB, TCP = BondMode.BALANCE_SLB, BondMode.BALANCE_TCP
LACP_GROUP = "01:80:c2:00:00:02"

BACKUP = switch(trunk("p1"), bond("bond1", "p2", "p3"))
BALANCED = switch(trunk("p1"), bond("bond1", "p2", "p3", mode=SLB))
WITH_LACP = switch(trunk("p1"), bond("bond1", "p2", "p3", mode=TCP, lacp=True))


def arp(sender: str, operation: int, address: int, target: int, dst: str = BROADCAST) -> bytes:
    """ARP from a station: a request (1) or a reply (2), between hosts 10.0.0.address and 10.0.0.target."""
    packet = b"\x00\x01\x08\x00\x06\x04" + operation.to_bytes(2)
    packet += mac(sender) + bytes((10, 0, 0, address)) + bytes(6) + bytes((10, 0, 0, target))
    return Frame(mac(dst), mac(sender), (), b"\x08\x06" + packet).pack()


def announcement(station: str, *tags: Tag) -> bytes:
    """Gratuitous ARP: a request for the station's own address."""
    plain = arp(station, 1, 7, 7)
    return plain[:12] + b"".join(tag.pack() for tag in tags) + plain[12:]


def segment(
    src: str,
    dst: str,
    ports: tuple[int, int],
    *tags: Tag,
    fragment: int = 0,
    hosts: tuple[int, int] = (1, 2),
    options: bytes = b"",
) -> bytes:
    """The start of a TCP segment over IPv4 between two hosts of a network."""
    header = bytes([0x45 + len(options) // 4]) + b"\0\0\x28\0\0" + fragment.to_bytes(2) + b"\x40\x06\0\0"
    header += b"".join(b"\x0a" + host.to_bytes(3) for host in hosts) + options
    ports_raw = ports[0].to_bytes(2) + ports[1].to_bytes(2)
    return Frame(mac(dst), mac(src), tags, b"\x08\0" + header + ports_raw + bytes(26)).pack()


def segment6(
    src: str,
    dst: str,
    ports: tuple[int, int],
    *tags: Tag,
    hosts: tuple[int, int] = (1, 2),
    before: bytes = b"",
) -> bytes:
    """The start of a TCP segment over IPv6 between two hosts of a network; `before` it stands a header that
    says what follows, such as a fragment's."""
    network = bytes.fromhex("20010db8000000010000000000")
    ends = b"".join(network + host.to_bytes(3) for host in hosts)
    header = b"\x60\0\0\0\0\x14" + (b"\x2c" if before else b"\x06") + b"\x40" + ends + before
    ports_raw = ports[0].to_bytes(2) + ports[1].to_bytes(2)
    return Frame(mac(dst), mac(src), tags, b"\x86\xdd" + header + ports_raw + bytes(26)).pack()


def lacpdu(src: str) -> bytes:
    """The start of a LACPDU."""
    return Frame(mac(LACP_GROUP), mac(src), (), b"\x88\x09\x01\x01" + bytes(108)).pack()


ACTIVE_BACKUP = (
    Scenario(
        "An active-backup bond gets one copy of a flood, by its active member",
        BACKUP,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p1", untagged("B", "C")).reaches("p2"),
        ),
    ),
    Scenario(
        "A bond is one port to the learning table, whichever member a frame came by",
        BACKUP,
        (
            Send("p2", untagged("A", BROADCAST)).reaches("p1"),
            Send("p1", untagged("B", "A")).reaches("p2"),
            known(("A", 0, "bond1"), ("B", 0, "p1")),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "What comes in by a backup member is dropped, and not learned from",
        BACKUP,
        (
            Send("p3", untagged("A", BROADCAST)).ends(DropReason.BOND_INACTIVE_MEMBER),
            Send("p3", untagged("A", "B")).ends(DropReason.BOND_INACTIVE_MEMBER),
            known(),
        ),
    ),
    Scenario(
        "When the active member loses its link, the backup sends and receives, and yields again",
        BACKUP,
        (
            link_down("bond1", "p2"),
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p3", untagged("B", "A")).reaches("p1"),
            Send("p2", untagged("C", "A")).ends(DropReason.BOND_INACTIVE_MEMBER),
            link_up("bond1", "p2"),
            Send("p1", untagged("A", "B")).reaches("p2"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A bond all of whose members are without a link carries nothing, and says so",
        BACKUP,
        (
            link_down("bond1", "p2"),
            link_down("bond1", "p3"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.BOND_NO_MEMBER),
            link_up("bond1", "p3"),
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "The first member with a link again serves, and goes on to when others follow",
        BACKUP,
        (
            link_down("bond1", "p2"),
            link_down("bond1", "p3"),
            link_up("bond1", "p3"),
            link_up("bond1", "p2"),
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p3", untagged("B", "A")).reaches("p1"),
            Send("p2", untagged("C", "A")).ends(DropReason.BOND_INACTIVE_MEMBER),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A frame never goes back to the bond that it came from, by no member",
        switch(bond("bond1", "p2", "p3"), access("p1", 10)),
        (Send("p2", untagged("A", "B")).ends(DropReason.NO_DESTINATION),),
    ),
    Scenario(
        "Each of two bonds on a bridge gets one copy",
        switch(trunk("p1"), bond("bond1", "p2", "p3"), bond("bond2", "p4", "p5", mode=SLB)),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p5"),
            Send("p4", untagged("B", "A")).reaches("p1"),
            Send("p2", untagged("C", "B")).reaches("p5"),
        ),
    ),
    Scenario(
        "A frame that crosses a patch port leaves by a bond as any other",
        switch(
            bridge("br0", trunk("p1"), patch("to1", "to0")),
            bridge("br1", bond("bond1", "p2", "p3", mode=SLB), patch("to0", "to1")),
        ),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p1", untagged("B", BROADCAST)).reaches("p2"),
            Send("p3", untagged("C", "A")).reaches("p1"),
        ),
    ),
)

BALANCE_SLB = (
    Scenario(
        "balance-slb spreads stations over the members",
        BALANCED,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p1", untagged("B", BROADCAST)).reaches("p2"),
            Send("p1", untagged("D", "X")).reaches("p3"),
            Send("p1", untagged("F", "X")).reaches("p2"),
        ),
    ),
    Scenario(
        "balance-slb may send one station by different members in different VLANs",
        BALANCED,
        (
            Send("p1", untagged("B", BROADCAST)).reaches("p2"),
            Send("p1", tagged(10, "B", BROADCAST)).reaches("p3"),
        ),
    ),
    Scenario(
        "The basis of the hash changes who leaves by which member",
        switch(trunk("p1"), bond("bond1", "p2", "p3", mode=SLB, basis=1)),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p1", untagged("B", BROADCAST)).reaches("p3"),
        ),
    ),
    Scenario(
        "The stations of a member that has lost its link leave by the others, and only they move",
        switch(trunk("p1"), bond("bond1", "p2", "p3", "p4", mode=SLB)),
        (
            Send("p1", untagged("B", BROADCAST)).reaches("p2"),  # bucket 36
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),  # bucket 121
            Send("p1", untagged("C", BROADCAST)).reaches("p4"),  # bucket 119
            link_down("bond1", "p2"),
            Send("p1", untagged("B", BROADCAST)).reaches("p3"),
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p1", untagged("C", BROADCAST)).reaches("p4"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "balance-slb takes unicast frames by every member, and group addressed ones by the active one",
        BALANCED,
        (
            Send("p2", untagged("X", "Z")).reaches("p1"),
            Send("p3", untagged("Y", "Z")).reaches("p1"),
            Send("p2", untagged("X", GROUP)).reaches("p1"),
            Send("p3", untagged("X", GROUP)).ends(DropReason.BOND_MULTICAST_INACTIVE),
            Send("p3", untagged("X", BROADCAST)).ends(DropReason.BOND_MULTICAST_INACTIVE),
        ),
    ),
    Scenario(
        "With all-members-active group addressed frames come in by every member",
        switch(trunk("p1"), bond("bond1", "p2", "p3", mode=SLB, all_members_active=True)),
        (Send("p3", untagged("X", GROUP)).reaches("p1"),),
    ),
    Scenario(
        "balance-slb takes a frame of a station that is behind another port for a reflection",
        BALANCED,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p2", untagged("A", BROADCAST)).ends(DropReason.BOND_MOVED),
            Send("p2", untagged("A", "B")).ends(DropReason.BOND_MOVED),
            known(("A", 0, "p1")),
        ),
    ),
    Scenario(
        "A station moves behind a balance-slb bond by gratuitous ARP",
        BALANCED,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p2", announcement("A")).reaches("p1"),
            known(("A", 0, "bond1")),
            Send("p3", untagged("A", "B")).reaches("p1"),
        ),
    ),
    Scenario(
        "Gratuitous ARP is known behind more tags than the switch goes by",
        BALANCED,
        (
            Send("p1", frame("A", BROADCAST, ctag(5))).reaches("p3"),
            Send("p2", frame("A", BROADCAST, ctag(5), ctag(6))).ends(DropReason.BOND_MOVED),
            Send("p2", announcement("A", ctag(5), ctag(6))).reaches("p1"),
            known(("A", 5, "bond1")),
        ),
    ),
    Scenario(
        "Gratuitous ARP that was seen on a port is not believed when a bond reflects it, for five seconds",
        BALANCED,
        (
            Send("p1", announcement("A")).reaches("p3"),
            Send("p2", announcement("A")).ends(DropReason.BOND_MOVED),
            known(("A", 0, "p1")),
            Wait(5),
            Send("p2", announcement("A")).reaches("p1"),
            known(("A", 0, "bond1")),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "What announces an address is an ARP reply to all, or a request for the sender's own address",
        BALANCED,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p2", arp("A", 1, 7, 8)).ends(DropReason.BOND_MOVED),
            Send("p2", arp("A", 1, 7, 7, dst="B")).ends(DropReason.BOND_MOVED),
            Send("p2", arp("A", 2, 7, 7, dst="B")).ends(DropReason.BOND_MOVED),
            Send("p2", arp("A", 2, 7, 8)).reaches("p1"),
        ),
    ),
    Scenario(
        "A station just announced on a port is not moved by its reflection from an active-backup bond",
        BACKUP,
        (
            Send("p1", announcement("A")).reaches("p2"),
            Send("p2", announcement("A")).reaches("p1"),
            known(("A", 0, "p1")),
            Send("p2", untagged("A", BROADCAST)).reaches("p1"),
            known(("A", 0, "bond1")),
        ),
        Reach.PROGRAM,
    ),
)

BALANCE_TCP = (
    Scenario(
        "Without LACP balance-tcp carries nothing",
        switch(trunk("p1"), bond("bond1", "p2", "p3", mode=TCP)),
        (
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.BOND_NO_LACP),
            Send("p2", untagged("B", BROADCAST)).ends(DropReason.BOND_NO_LACP),
        ),
    ),
    Scenario(
        "A bond with LACP carries nothing before it is negotiated, and then by all members that are in",
        WITH_LACP,
        (
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.BOND_NO_LACP),
            Send("p3", untagged("B", "A")).ends(DropReason.BOND_NO_LACP),
            Negotiated("bond1", ("p3",)),
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p3", untagged("B", "A")).reaches("p1"),
            Send("p2", untagged("B", "A")).ends(DropReason.BOND_INACTIVE_MEMBER),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "With lacp-fallback-ab a bond is active-backup until LACP is negotiated",
        switch(trunk("p1"), bond("bond1", "p2", "p3", mode=TCP, lacp=True, fallback_ab=True)),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p3", untagged("B", "A")).ends(DropReason.BOND_INACTIVE_MEMBER),
            Negotiated("bond1", ("p2", "p3")),
            Send("p3", untagged("B", "A")).reaches("p1"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "While LACP is negotiated no member is used that the partner has not let in",
        WITH_LACP,
        (
            Negotiated("bond1", ("p2",)),
            link_down("bond1", "p2"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.BOND_NO_MEMBER),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "balance-tcp spreads conversations, and keeps each in one piece",
        WITH_LACP,
        (
            Negotiated("bond1", ("p2", "p3")),
            Send("p1", segment("A", "B", (1000, 80))).reaches("p2"),
            Send("p1", segment("A", "B", (1000, 80))).reaches("p2"),
            Send("p1", segment("A", "B", (1001, 80))).reaches("p3"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "The fragments of a packet leave by one member, whichever ports the first one has",
        WITH_LACP,
        (
            Negotiated("bond1", ("p2", "p3")),
            Send("p1", segment("A", "B", (1000, 80), fragment=0x2000)).reaches("p3"),
            Send("p1", segment("A", "B", (1001, 80), fragment=0x2000)).reaches("p3"),
            Send("p1", segment("A", "B", (7, 7), fragment=0x0010)).reaches("p3"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "The same goes for IPv6",
        WITH_LACP,
        (
            Negotiated("bond1", ("p2", "p3")),
            Send("p1", segment6("A", "B", (1000, 80))).reaches("p2"),
            Send("p1", segment6("A", "B", (1001, 80))).reaches("p3"),
            Send("p1", segment6("A", "B", (1000, 80), before=b"\x06\0\0\1\0\0\0\7")).reaches("p2"),
            Send("p1", segment6("A", "B", (1001, 80), before=b"\x06\0\0\1\0\0\0\7")).reaches("p2"),
        ),
        Reach.PROGRAM,
    ),
)

SLOW_PROTOCOLS = (
    Scenario(
        "A LACPDU that comes to a bond with LACP is the control plane's, and goes nowhere else",
        switch(bridge("br0", trunk("p1"), bond("bond1", "p2", "p3", mode=TCP, lacp=True), forward_bpdu=True)),
        (Send("p2", lacpdu("A")), Send("p3", lacpdu("B")), known()),
    ),
    Scenario(
        "A LACPDU that comes to any other port is treated as its reserved address says",
        WITH_LACP,
        (Send("p1", lacpdu("A")).ends(DropReason.RESERVED_DESTINATION),),
    ),
    Scenario(
        "A tagged frame is no LACPDU",
        WITH_LACP,
        (Send("p2", frame("A", LACP_GROUP, Tag(ETH_P_8021Q, 5))).ends(DropReason.RESERVED_DESTINATION),),
    ),
)

BONDS = (*ACTIVE_BACKUP, *BALANCE_SLB, *BALANCE_TCP, *SLOW_PROTOCOLS)
