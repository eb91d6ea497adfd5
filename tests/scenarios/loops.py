"""Ports that are disabled, and the frames by which loops are found."""

from __future__ import annotations

from jackfield.model import DropReason, GuardConfig
from tests.scenarios.kit import (
    BROADCAST,
    Disabled,
    Reach,
    Scenario,
    Send,
    Storm,
    Wait,
    Watched,
    access,
    bridge,
    known,
    patch,
    switch,
    tagged,
    trunk,
    untagged,
)

OWN_PROBE, OTHERS_PROBE = "03:6a:66:12:34:56", "03:6a:66:65:43:21"

DISABLED = (
    Scenario(
        "What comes in by a disabled port is dropped, until the port is enabled again",
        switch(trunk("p1"), trunk("p2")),
        (
            Disabled("p1"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.PORT_DISABLED),
            known(),
            Disabled("p1", False),
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            known(("A", 0, "p1")),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Nothing leaves by a disabled port, and what is behind it is looked for everywhere else",
        switch(trunk("p1"), trunk("p2"), trunk("p3")),
        (
            Send("p2", untagged("B", BROADCAST)).reaches("p1", "p3"),
            Disabled("p2"),
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p1", untagged("A", "B")).reaches("p3"),
            Disabled("p2", False),
            Send("p1", untagged("A", "B")).reaches("p2"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A frame that has only disabled ports to go to has no destination",
        switch(trunk("p1"), trunk("p2")),
        (
            Disabled("p2"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.NO_DESTINATION),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A frame ends at a patch port that is disabled on the far side",
        switch(
            bridge("br0", trunk("p1"), patch("p2", "p3")),
            bridge("br1", patch("p3", "p2"), trunk("p4")),
        ),
        (
            Disabled("p3"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.PORT_DISABLED, at="p3"),
        ),
        Reach.PROGRAM,
    ),
)

GUARDED = GuardConfig(bpdu_guard=True)
BPDU = bytes.fromhex("0180c2000000 02000000ee01 0026 424203 0000000000").ljust(60, b"\0")

PVST_BPDU = bytes.fromhex("01000ccccccd 02000000ee01 0032 aaaa0300000c010b 0000000000").ljust(64, b"\0")


def in_vlan(vlan: int, data: bytes) -> bytes:
    """The same frame with a tag."""
    return data[:12] + b"\x81\x00" + vlan.to_bytes(2) + data[12:]


BPDU_GUARD = (
    Scenario(
        "A BPDU disables a port with bpdu-guard until it is enabled again",
        switch(trunk("p1", guard=GUARDED), trunk("p2")),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p1", BPDU).ends(DropReason.BPDU_GUARD),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.PORT_DISABLED),
            Send("p2", untagged("B", BROADCAST)).ends(DropReason.NO_DESTINATION),
            Disabled("p1", False),
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A BPDU of a provider bridge disables a port, too, with forward-bpdu and where its VLAN is refused",
        switch(trunk("p1", 10, guard=GUARDED), trunk("p2"), forward_bpdu=True),
        (
            Send("p1", BPDU[:5] + b"\x08" + BPDU[6:]).ends(DropReason.BPDU_GUARD),
            Send("p1", tagged(10, "A", BROADCAST)).ends(DropReason.PORT_DISABLED),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A BPDU of PVST+ disables a port with bpdu-guard",
        switch(trunk("p1", guard=GUARDED), trunk("p2", guard=GUARDED), trunk("p3")),
        (
            Send("p1", PVST_BPDU).ends(DropReason.BPDU_GUARD),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.PORT_DISABLED),
            Send("p2", in_vlan(10, PVST_BPDU)).ends(DropReason.BPDU_GUARD),
            Send("p2", untagged("B", BROADCAST)).ends(DropReason.PORT_DISABLED),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Other protocols to the address of PVST+, and it where there is no bpdu-guard, disable nothing",
        switch(trunk("p1", guard=GUARDED), trunk("p2")),
        (
            Send("p2", PVST_BPDU).ends(DropReason.RESERVED_DESTINATION),
            Send("p1", PVST_BPDU[:21] + b"\x0c" + PVST_BPDU[22:]).ends(DropReason.RESERVED_DESTINATION),
            Send("p1", untagged("A", "01:00:0c:cc:cc:cd")).ends(DropReason.RESERVED_DESTINATION),
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
        ),
    ),
    Scenario(
        "What is no BPDU, or comes in where there is no bpdu-guard, disables nothing",
        switch(trunk("p1", guard=GUARDED), trunk("p2")),
        (
            Send("p2", BPDU).ends(DropReason.RESERVED_DESTINATION),
            Send("p1", untagged("A", "01:80:c2:00:00:00")).ends(DropReason.RESERVED_DESTINATION),
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
        ),
    ),
)

PROBES = (
    Scenario(
        "A probe of the switch's own goes no further, and nothing is learned from it",
        switch(trunk("p1"), trunk("p2"), probe=OWN_PROBE),
        (
            Send("p1", untagged("A", OWN_PROBE)),
            Send("p1", tagged(10, "A", OWN_PROBE)),
            known(),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A probe of the switch's own is taken out of the stream with forward-bpdu, too",
        switch(trunk("p1"), trunk("p2"), probe=OWN_PROBE, forward_bpdu=True),
        (Send("p1", untagged("A", OWN_PROBE)),),
        Reach.PROGRAM,
    ),
    Scenario(
        "A probe of another switch is flooded as any group address is",
        switch(trunk("p1"), trunk("p2"), probe=OWN_PROBE),
        (Send("p1", untagged("A", OTHERS_PROBE)).reaches("p2"),),
        Reach.PROGRAM,
    ),
    Scenario(
        "A switch that has no probes floods what is sent to their address",
        switch(trunk("p1"), trunk("p2")),
        (Send("p1", untagged("A", OWN_PROBE)).reaches("p2"),),
        Reach.PROGRAM,
    ),
    Scenario(
        "A probe in a VLAN that its port does not carry is refused like any frame",
        switch(access("p1", 10), trunk("p2"), probe=OWN_PROBE),
        (Send("p1", tagged(20, "A", OWN_PROBE)).ends(DropReason.VLAN_TAGGED_ON_ACCESS),),
        Reach.PROGRAM,
    ),
)

TO_AND_FRO = untagged("Z", BROADCAST)
STORM = Storm(("p1", "p2"), TO_AND_FRO, 530)
LIMIT = 10
"""What a damped port takes at once."""


def _limited(reason: DropReason, destination: str) -> tuple[Send, ...]:
    """The first frames pass, the next one does not; nothing is to be known of the destination."""
    one = untagged("A", destination)
    return (Send("p1", one).reaches("p2", "p3"),) * LIMIT + (Send("p1", one).ends(reason),)


DAMPING = (
    Scenario(
        "Ports between which addresses move too fast are damped for 5 seconds when nobody looks after loops",
        switch(trunk("p1"), trunk("p2"), trunk("p3")),
        (
            Send("p3", untagged("C", BROADCAST)).reaches("p1", "p2"),
            STORM,
            Send("p1", TO_AND_FRO).ends(DropReason.STORM_BROADCAST),
            Send("p2", TO_AND_FRO).ends(DropReason.STORM_BROADCAST),
            *_limited(DropReason.STORM_MULTICAST, "01:00:5e:00:00:fb"),
            *_limited(DropReason.STORM_UNKNOWN_UNICAST, "X"),
            Send("p1", untagged("A", "C")).reaches("p3"),
            *(Send("p3", untagged("C", BROADCAST)).reaches("p1", "p2"),) * 20,
            Wait(4.9),
            *_limited(DropReason.STORM_BROADCAST, BROADCAST),
            Wait(0.1),
            Send("p1", TO_AND_FRO).reaches("p2", "p3"),
            *(Send("p2", TO_AND_FRO).reaches("p1", "p3"),) * 20,
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Ports are damped again if addresses go on to move too fast",
        switch(trunk("p1"), trunk("p2"), trunk("p3")),
        (
            STORM,
            Send("p1", TO_AND_FRO).ends(DropReason.STORM_BROADCAST),
            Wait(5),
            Send("p1", TO_AND_FRO).reaches("p2", "p3"),
            STORM,
            Send("p1", TO_AND_FRO).ends(DropReason.STORM_BROADCAST),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "While the control plane says that it looks after loops, it alone has ports damped",
        switch(trunk("p1"), trunk("p2"), trunk("p3")),
        (
            Watched(3),
            STORM,
            Send("p1", TO_AND_FRO).reaches("p2", "p3"),
            Wait(2.9),
            STORM,
            Send("p1", TO_AND_FRO).reaches("p2", "p3"),
            Wait(0.1),
            STORM,
            Send("p1", TO_AND_FRO).ends(DropReason.STORM_BROADCAST),
            Watched(3),
            Send("p1", TO_AND_FRO).ends(DropReason.STORM_BROADCAST),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A station that moves to and fro 500 times a second is not taken for a loop",
        switch(trunk("p1"), trunk("p2"), trunk("p3")),
        (
            *(Storm(("p1", "p2"), TO_AND_FRO, 500), Wait(1)) * 3,
            Send("p1", TO_AND_FRO).reaches("p2", "p3"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Stations that all move to another port at once are not taken for a loop",
        switch(trunk("p1"), trunk("p2"), trunk("p3")),
        (
            *(
                Storm(("p1", "p2"), untagged(f"02:00:00:01:{n >> 8:02x}:{n & 255:02x}", BROADCAST), 1)
                for n in range(600)
            ),
            *(Send("p1", TO_AND_FRO).reaches("p2", "p3"),) * 20,
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Moves in one VLAN are not added to those in another",
        switch(trunk("p1"), trunk("p2"), trunk("p3")),
        (
            Storm(("p1", "p2"), tagged(10, "Z", BROADCAST), 400),
            Storm(("p1", "p2"), tagged(20, "Z", BROADCAST), 400),
            *(Send("p1", TO_AND_FRO).reaches("p2", "p3"),) * 20,
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A damped port may flood no more than others do, though its own storm control be more generous",
        switch(
            trunk("p1", guard=GuardConfig(storm_broadcast=1000, storm_burst=1000)), trunk("p2"), trunk("p3")
        ),
        (
            STORM,
            Wait(1),
            *(Send("p1", TO_AND_FRO).reaches("p2", "p3"),) * LIMIT,
            Send("p1", TO_AND_FRO).ends(DropReason.STORM_BROADCAST),
            Wait(4),
            *(Send("p1", TO_AND_FRO).reaches("p2", "p3"),) * 20,
        ),
        Reach.PROGRAM,
    ),
)
