"""How access, trunk and native ports treat tags, and what becomes of priorities."""

from __future__ import annotations

from jackfield.model import DropReason
from tests.scenarios.kit import (
    ALWAYS,
    BROADCAST,
    IF_NONZERO,
    Scenario,
    Send,
    access,
    ctag,
    frame,
    known,
    native_tagged,
    native_untagged,
    stag,
    switch,
    tagged,
    trunk,
    untagged,
)

ACCESS = (
    Scenario(
        "Access ports of one VLAN talk to each other and to nobody else",
        switch(access("p1", 10), access("p2", 10), access("p3", 20)),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p2", untagged("B", "A")).reaches("p1"),
            Send("p3", untagged("C", "A")).ends(DropReason.NO_DESTINATION),
            known(("A", 10, "p1"), ("B", 10, "p2"), ("C", 20, "p3")),
        ),
    ),
    Scenario(
        "A frame from an access port leaves a trunk with the port's VLAN",
        switch(access("p1", 10), trunk("p2")),
        (Send("p1", untagged("A", "B")).becomes(tagged(10, "A", "B"), "p2"),),
    ),
    Scenario(
        "A frame of the VLAN from a trunk leaves an access port without tag",
        switch(trunk("p1"), access("p2", 10), access("p3", 20)),
        (Send("p1", tagged(10, "A", "B")).becomes(untagged("A", "B"), "p2"),),
    ),
    Scenario(
        "A tagged frame on an access port is dropped and not learned, even with the port's own VLAN",
        switch(access("p1", 10), trunk("p2")),
        (
            Send("p1", tagged(20, "A", "B")).ends(DropReason.VLAN_TAGGED_ON_ACCESS),
            Send("p1", tagged(10, "A", "B")).ends(DropReason.VLAN_TAGGED_ON_ACCESS),
            known(),
        ),
    ),
    Scenario(
        "A priority-tagged frame on an access port belongs to its VLAN and keeps its priority",
        switch(access("p1", 10), trunk("p2"), access("p3", 10)),
        (
            Send("p1", tagged(0, "A", "B", pcp=5))
            .becomes(tagged(10, "A", "B", pcp=5), "p2")
            .becomes(untagged("A", "B"), "p3"),
        ),
    ),
    Scenario(
        "The priority of an 802.1ad priority tag keeps its tag protocol",
        switch(access("p1", 10), trunk("p2")),
        (Send("p1", frame("A", "B", stag(0, 3))).becomes(frame("A", "B", stag(10, 3)), "p2"),),
    ),
    Scenario(
        "A tag counts as a tag in either protocol",
        switch(access("p1", 10), access("p2", 10), trunk("p3")),
        (
            Send("p1", frame("A", "B", stag(20))).ends(DropReason.VLAN_TAGGED_ON_ACCESS),
            Send("p3", frame("C", "B", stag(10))).becomes(untagged("C", "B"), "p1", "p2"),
        ),
    ),
    Scenario(
        "An access port of VLAN 0 belongs with the untagged frames of trunks",
        switch(access("p1", 0), trunk("p2"), trunk("p3", 10)),
        (
            Send("p1", untagged("A", "B")).reaches("p2"),
            Send("p2", untagged("B", "A")).reaches("p1"),
        ),
    ),
    Scenario(
        "A tagged frame to a station learned on an access port loses its tag, one of another VLAN is flooded",
        switch(access("p1", 10), trunk("p2"), trunk("p3")),
        (
            Send("p1", untagged("A", BROADCAST)).becomes(tagged(10, "A", BROADCAST), "p2", "p3"),
            Send("p2", tagged(10, "B", "A")).becomes(untagged("B", "A"), "p1"),
            Send("p2", tagged(11, "B", "A")).reaches("p3"),
        ),
    ),
)

TRUNK = (
    Scenario(
        "A trunk for all VLANs carries every VLAN from 0 to 4095",
        switch(trunk("p1"), trunk("p2")),
        (
            Send("p1", untagged("A", "B")).reaches("p2"),
            Send("p1", tagged(1, "A", "B")).reaches("p2"),
            Send("p1", tagged(4094, "A", "B")).reaches("p2"),
            Send("p1", tagged(4095, "A", "B")).reaches("p2"),
        ),
    ),
    Scenario(
        "A trunk carries only its VLANs, inwards and outwards",
        switch(trunk("p1", 10, 20), trunk("p2", 20, 30), trunk("p3")),
        (
            Send("p1", tagged(10, "A", BROADCAST)).reaches("p3"),
            Send("p1", tagged(20, "A", BROADCAST)).reaches("p2", "p3"),
            Send("p1", tagged(30, "A", BROADCAST)).ends(DropReason.VLAN_NOT_TRUNKED),
            Send("p3", tagged(30, "C", BROADCAST)).reaches("p2"),
        ),
    ),
    Scenario(
        "A trunk with a list of VLANs takes untagged frames only if VLAN 0 is in the list",
        switch(trunk("p1", 10), trunk("p2", 0, 10), trunk("p3")),
        (
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.VLAN_NOT_TRUNKED),
            Send("p2", untagged("B", BROADCAST)).reaches("p3"),
            Send("p3", untagged("C", BROADCAST)).reaches("p2"),
        ),
    ),
    Scenario(
        "A frame that passes between trunks is not changed: priority, drop eligibility and protocol stay",
        switch(trunk("p1"), trunk("p2")),
        (
            Send("p1", frame("A", "B", ctag(10, 7, dei=True))).reaches("p2"),
            Send("p1", frame("A", "B", stag(10, 1, dei=True))).reaches("p2"),
        ),
    ),
    Scenario(
        "Tags deeper than the limit are payload and pass unchanged",
        switch(trunk("p1"), trunk("p2"), access("p3", 10)),
        (
            Send("p1", frame("A", "B", ctag(10), ctag(20), ctag(30)))
            .reaches("p2")
            .becomes(frame("A", "B", ctag(20), ctag(30)), "p3"),
        ),
    ),
    Scenario(
        "A priority tag without priority is removed between trunks",
        switch(trunk("p1"), trunk("p2")),
        (Send("p1", tagged(0, "A", "B")).becomes(untagged("A", "B"), "p2"),),
    ),
    Scenario(
        "A priority tag with a priority passes between trunks",
        switch(trunk("p1"), trunk("p2")),
        (Send("p1", tagged(0, "A", "B", pcp=3)).reaches("p2"),),
    ),
    Scenario(
        "A priority-tagged and an untagged station are in the same VLAN",
        switch(trunk("p1"), trunk("p2"), trunk("p3")),
        (
            Send("p1", tagged(0, "A", BROADCAST, pcp=3)).reaches("p2", "p3"),
            Send("p2", untagged("B", "A")).reaches("p1"),
        ),
    ),
)

NATIVE = (
    Scenario(
        "Untagged frames on a native port belong to its native VLAN",
        switch(native_untagged("p1", 10), native_tagged("p2", 20), access("p3", 10), access("p4", 20)),
        (
            Send("p1", untagged("A", BROADCAST))
            .becomes(tagged(10, "A", BROADCAST), "p2")
            .becomes(untagged("A", BROADCAST), "p3"),
            Send("p2", untagged("B", BROADCAST))
            .becomes(tagged(20, "B", BROADCAST), "p1")
            .becomes(untagged("B", BROADCAST), "p4"),
        ),
    ),
    Scenario(
        "The native VLAN leaves a native-untagged port untagged and a native-tagged port tagged",
        switch(trunk("p1"), native_untagged("p2", 10), native_tagged("p3", 10)),
        (
            Send("p1", tagged(10, "A", "B"))
            .becomes(untagged("A", "B"), "p2")
            .becomes(tagged(10, "A", "B"), "p3"),
        ),
    ),
    Scenario(
        "Frames tagged with the native VLAN are taken on both kinds of native port",
        switch(native_untagged("p1", 10), native_tagged("p2", 10), access("p3", 10)),
        (
            Send("p1", tagged(10, "A", BROADCAST)).reaches("p2").becomes(untagged("A", BROADCAST), "p3"),
            Send("p2", tagged(10, "B", BROADCAST)).becomes(untagged("B", BROADCAST), "p1", "p3"),
        ),
    ),
    Scenario(
        "A native port carries its native VLAN even when it is not among its trunks",
        switch(native_untagged("p1", 10, 20), native_tagged("p2", 10, 20), trunk("p3")),
        (
            Send("p1", untagged("A", BROADCAST)).becomes(tagged(10, "A", BROADCAST), "p2", "p3"),
            Send("p1", tagged(20, "A", BROADCAST)).reaches("p2", "p3"),
            Send("p1", tagged(30, "A", BROADCAST)).ends(DropReason.VLAN_NOT_TRUNKED),
            Send("p3", tagged(30, "C", BROADCAST)).ends(DropReason.NO_DESTINATION),
        ),
    ),
    Scenario(
        "A native port does not carry VLAN 0 beside its native VLAN",
        switch(native_untagged("p1", 10), native_tagged("p2", 10, 0, 20), trunk("p3"), trunk("p4")),
        (Send("p3", untagged("A", BROADCAST)).reaches("p4"),),
    ),
    Scenario(
        "A priority tag on a native port gives way to the native VLAN and leaves its priority",
        switch(native_untagged("p1", 10), trunk("p2"), native_untagged("p3", 10)),
        (
            Send("p1", tagged(0, "A", "B", pcp=6))
            .becomes(tagged(10, "A", "B", pcp=6), "p2")
            .becomes(untagged("A", "B"), "p3"),
        ),
    ),
)

PRIORITY_TAGS = (
    Scenario(
        "A port with priority tags if-nonzero sends the priority of a frame without VLAN",
        switch(trunk("p1"), access("p2", 10, priority_tags=IF_NONZERO), access("p3", 10)),
        (
            Send("p1", tagged(10, "A", "B", pcp=5))
            .becomes(tagged(0, "A", "B", pcp=5), "p2")
            .becomes(untagged("A", "B"), "p3"),
            Send("p1", tagged(10, "A", "B", pcp=0)).becomes(untagged("A", "B"), "p2", "p3"),
        ),
    ),
    Scenario(
        "A port with priority tags always keeps a priority tag without priority",
        switch(trunk("p1"), trunk("p2", priority_tags=ALWAYS), trunk("p3", priority_tags=IF_NONZERO)),
        (Send("p1", tagged(0, "A", "B")).reaches("p2").becomes(untagged("A", "B"), "p3"),),
    ),
    Scenario(
        "A port with priority tags always gives a tag to frames of an access port of VLAN 0",
        switch(access("p1", 0), trunk("p2", priority_tags=ALWAYS), trunk("p3")),
        (
            Send("p1", untagged("A", "B"))
            .becomes(tagged(0, "A", "B"), "p2")
            .becomes(untagged("A", "B"), "p3"),
        ),
    ),
    Scenario(
        "A frame without a tag leaves a trunk with priority tags as it came",
        switch(trunk("p1"), trunk("p2", priority_tags=ALWAYS), trunk("p3", priority_tags=IF_NONZERO)),
        (Send("p1", untagged("A", "B")).reaches("p2", "p3"),),
    ),
    Scenario(
        "An access port with priority tags always sends no tag without priority",
        switch(trunk("p1"), access("p2", 10, priority_tags=ALWAYS)),
        (Send("p1", tagged(10, "A", "B")).becomes(untagged("A", "B"), "p2"),),
    ),
    Scenario(
        "A native-untagged port with priority tags sends the priority of its native VLAN",
        switch(trunk("p1"), native_untagged("p2", 10, priority_tags=IF_NONZERO)),
        (
            Send("p1", tagged(10, "A", "B", pcp=2)).becomes(tagged(0, "A", "B", pcp=2), "p2"),
            Send("p1", tagged(20, "A", "B", pcp=2)).reaches("p2"),
        ),
    ),
)
