"""What is not forwarded: reserved addresses, protected ports, MTUs, malformed frames; and counters."""

from __future__ import annotations

from jackfield.model import DropReason
from tests.scenarios.kit import (
    BROADCAST,
    LINK_DISCOVERY,
    PAYLOAD,
    SPANNING_TREE,
    Counted,
    Reach,
    Scenario,
    Send,
    access,
    bridge,
    ctag,
    frame,
    known,
    patch,
    stag,
    switch,
    tagged,
    trunk,
    tunnel,
    untagged,
)

THREE_TRUNKS = switch(trunk("p1"), trunk("p2"), trunk("p3"))

ADMISSION = (
    Scenario(
        "Frames to addresses reserved for link protocols are not forwarded, nor their senders learned",
        THREE_TRUNKS,
        (
            Send("p1", untagged("A", SPANNING_TREE)).ends(DropReason.RESERVED_DESTINATION),
            Send("p1", untagged("A", LINK_DISCOVERY)).ends(DropReason.RESERVED_DESTINATION),
            Send("p1", untagged("A", "01:00:0c:cc:cc:cc")).ends(DropReason.RESERVED_DESTINATION),
            Send("p1", untagged("A", "00:e0:2b:00:00:04")).ends(DropReason.RESERVED_DESTINATION),
            known(),
        ),
    ),
    Scenario(
        "The group addresses just behind the reserved ones are ordinary",
        THREE_TRUNKS,
        (
            Send("p1", untagged("A", "01:80:c2:00:00:10")).reaches("p2", "p3"),
            Send("p1", untagged("A", "01:00:0c:cc:cc:c8")).reaches("p2", "p3"),
        ),
    ),
    Scenario(
        "With forward-bpdu, frames to reserved addresses are flooded",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), forward_bpdu=True),
        (Send("p1", untagged("A", SPANNING_TREE)).reaches("p2", "p3"), known(("A", 0, "p1"))),
    ),
    Scenario(
        "Protected ports do not talk to each other, but to all others",
        switch(trunk("p1", protected=True), trunk("p2", protected=True), trunk("p3")),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p2", untagged("B", "A")).ends(DropReason.PROTECTED),
            Send("p3", untagged("C", "A")).reaches("p1"),
            Send("p1", untagged("A", "C")).reaches("p3"),
        ),
    ),
    Scenario(
        "A broadcast among protected ports only goes nowhere",
        switch(trunk("p1", protected=True), trunk("p2", protected=True)),
        (Send("p1", untagged("A", BROADCAST)).ends(DropReason.NO_DESTINATION),),
    ),
)

MTU = (
    Scenario(
        "A frame leaves only by ports whose MTU it fits, and the others count it",
        switch(trunk("p1", mtu=9000), trunk("p2", mtu=1500), trunk("p3", mtu=9000)),
        (
            Send("p1", untagged("A", BROADCAST, payload=1500)).reaches("p2", "p3"),
            Send("p1", untagged("A", BROADCAST, payload=1501))
            .reaches("p3")
            .ends(DropReason.MTU_EXCEEDED, at="p2"),
            Send("p1", untagged("A", BROADCAST, payload=3000))
            .reaches("p3")
            .ends(DropReason.MTU_EXCEEDED, at="p2"),
        ),
    ),
    Scenario(
        "A frame too long for the only port it should leave by goes nowhere",
        switch(trunk("p1", mtu=9000), trunk("p2", mtu=1500)),
        (Send("p1", untagged("A", "B", payload=3000)).ends(DropReason.MTU_EXCEEDED, at="p2"),),
    ),
    Scenario(
        "A tag does not count against the MTU",
        switch(access("p1", 10), trunk("p2")),
        (
            Send("p1", untagged("A", "B", payload=1500)).becomes(tagged(10, "A", "B", payload=1500), "p2"),
            Send("p2", tagged(10, "B", "A", payload=1500)).becomes(untagged("B", "A", payload=1500), "p1"),
        ),
    ),
    Scenario(
        "A second tag does count against the MTU",
        switch(tunnel("p1", 100), trunk("p2")),
        (
            Send("p1", tagged(10, "A", "B", payload=1496)).becomes(
                frame("A", "B", stag(100), ctag(10), payload=1496), "p2"
            ),
            Send("p1", tagged(10, "A", "B", payload=1497)).ends(DropReason.MTU_EXCEEDED, at="p2"),
        ),
    ),
)

MALFORMED = (
    Scenario(
        "A frame shorter than an Ethernet header is dropped",
        THREE_TRUNKS,
        (
            Send("p1", b"").ends(DropReason.RUNT),
            Send("p1", untagged("A", "B")[:13]).ends(DropReason.RUNT),
            known(),
        ),
        Reach.MODEL,
    ),
    Scenario(
        "A bare Ethernet header is forwarded",
        THREE_TRUNKS,
        (Send("p1", untagged("A", "B")[:14]).reaches("p2", "p3"),),
        Reach.PROGRAM,
    ),
    Scenario(
        "A frame that ends inside its tag is dropped and not learned",
        THREE_TRUNKS,
        (
            *(Send("p1", tagged(10, "A", "B")[:n]).ends(DropReason.VLAN_TRUNCATED) for n in (14, 15, 16, 17)),
            known(),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A frame that ends right behind its tag is forwarded",
        switch(trunk("p1"), trunk("p2"), access("p3", 10)),
        (Send("p1", tagged(10, "A", "B")[:18]).reaches("p2").becomes(untagged("A", "B")[:14], "p3"),),
        Reach.PROGRAM,
    ),
    Scenario(
        "A second tag that is cut short is payload",
        switch(trunk("p1"), trunk("p2"), vlan_limit=2),
        (Send("p1", frame("A", "B", ctag(10), ctag(20))[:20]).reaches("p2"),),
        Reach.PROGRAM,
    ),
    Scenario(
        "A length field that lies about the frame is none of the switch's business",
        THREE_TRUNKS,
        (
            Send("p1", untagged("A", "B")[:12] + b"\x05\xdc" + bytes(46)).reaches("p2", "p3"),
            Send("p1", untagged("A", "B")[:12] + b"\x00\x01" + bytes(46)).reaches("p2", "p3"),
        ),
    ),
    Scenario(
        "A frame from the zero address is learned and forwarded like any other",
        THREE_TRUNKS,
        (
            Send("p1", untagged("00:00:00:00:00:00", "B")).reaches("p2", "p3"),
            known(("00:00:00:00:00:00", 0, "p1")),
        ),
    ),
)

COUNTERS = (
    Scenario(
        "Ports count every frame that came in and every copy that went out, in bytes with tags",
        switch(access("p1", 10), trunk("p2"), access("p3", 10)),
        (
            Send("p1", untagged("A", "B"))
            .becomes(tagged(10, "A", "B"), "p2")
            .becomes(untagged("A", "B"), "p3"),
            Send("p1", tagged(20, "A", "B")).ends(DropReason.VLAN_TAGGED_ON_ACCESS),
            Counted("p1", 2, 2 * (14 + PAYLOAD) + 4, drops={DropReason.VLAN_TAGGED_ON_ACCESS: 1}),
            Counted("p2", tx_packets=1, tx_bytes=14 + 4 + PAYLOAD),
            Counted("p3", tx_packets=1, tx_bytes=14 + PAYLOAD),
        ),
    ),
    Scenario(
        "Patch ports count what crosses them",
        switch(
            bridge("br0", access("p1", 10), patch("to1", "to0")),
            bridge("br1", access("p2", 10), patch("to0", "to1")),
        ),
        (
            Send("p1", untagged("A", "B")).reaches("p2"),
            Send("p2", untagged("B", "A")).reaches("p1"),
            Counted("p1", 1, 14 + PAYLOAD, 1, 14 + PAYLOAD),
            Counted("to1", 1, 18 + PAYLOAD, 1, 18 + PAYLOAD),
            Counted("to0", 1, 18 + PAYLOAD, 1, 18 + PAYLOAD),
            Counted("p2", 1, 14 + PAYLOAD, 1, 14 + PAYLOAD),
        ),
    ),
)
