"""What the switch does with frames, one sentence and one small experiment each.

Ports are p1, p2, …; stations are letters; frames are untagged or tagged(VLAN), from whom to whom.
"""

from __future__ import annotations

from jackfield.model import ETH_P_8021Q, DropReason, FdbCounters
from tests.scenario_kit import (
    ALWAYS,
    BROADCAST,
    GROUP,
    IF_NONZERO,
    LINK_DISCOVERY,
    PAYLOAD,
    SPANNING_TREE,
    AddStatic,
    Counted,
    Reach,
    Scenario,
    Send,
    TableCounted,
    Wait,
    access,
    bridge,
    ctag,
    frame,
    known,
    native_tagged,
    native_untagged,
    patch,
    stag,
    switch,
    tagged,
    trunk,
    tunnel,
    untagged,
)

THREE_TRUNKS = switch(trunk("p1"), trunk("p2"), trunk("p3"))

LEARNING = (
    Scenario(
        "An unknown destination is flooded to every port but the one it came from",
        THREE_TRUNKS,
        (Send("p1", untagged("A", "B")).reaches("p2", "p3"),),
    ),
    Scenario(
        "A broadcast is flooded to every port but the one it came from",
        THREE_TRUNKS,
        (Send("p2", untagged("A", BROADCAST)).reaches("p1", "p3"),),
    ),
    Scenario(
        "A multicast is flooded to every port but the one it came from",
        THREE_TRUNKS,
        (Send("p3", untagged("A", GROUP)).reaches("p1", "p2"),),
    ),
    Scenario(
        "A frame to a learned address leaves by its port only",
        THREE_TRUNKS,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p2", untagged("B", "A")).reaches("p1"),
            Send("p1", untagged("A", "B")).reaches("p2"),
            known(("A", 0, "p1"), ("B", 0, "p2")),
        ),
    ),
    Scenario(
        "An address that shows up on another port moves there at once",
        THREE_TRUNKS,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p2", untagged("A", BROADCAST)).reaches("p1", "p3"),
            Send("p3", untagged("B", "A")).reaches("p2"),
            known(("A", 0, "p2"), ("B", 0, "p3")),
            TableCounted(FdbCounters(learned=2, moved=1)),
        ),
    ),
    Scenario(
        "A frame to an address on the port it came from goes nowhere",
        THREE_TRUNKS,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p1", untagged("B", "A")).ends(DropReason.SAME_PORT),
            known(("A", 0, "p1"), ("B", 0, "p1")),
        ),
    ),
    Scenario(
        "A frame from an address to itself goes nowhere",
        THREE_TRUNKS,
        (Send("p1", untagged("A", "A")).ends(DropReason.SAME_PORT),),
    ),
    Scenario(
        "A frame of a VLAN that no other port carries goes nowhere, but its sender is learned",
        switch(access("p1", 10), access("p2", 20)),
        (
            Send("p1", untagged("A", "B")).ends(DropReason.NO_DESTINATION),
            known(("A", 10, "p1")),
        ),
    ),
    Scenario(
        "A frame on the only port of a bridge goes nowhere",
        switch(trunk("p1")),
        (Send("p1", untagged("A", "B")).ends(DropReason.NO_DESTINATION),),
    ),
    Scenario(
        "The same address is known on different ports in different VLANs",
        THREE_TRUNKS,
        (
            Send("p1", tagged(10, "A", BROADCAST)).reaches("p2", "p3"),
            Send("p2", tagged(20, "A", BROADCAST)).reaches("p1", "p3"),
            Send("p3", tagged(10, "B", "A")).reaches("p1"),
            Send("p3", tagged(20, "B", "A")).reaches("p2"),
            known(("A", 10, "p1"), ("A", 20, "p2"), ("B", 10, "p3"), ("B", 20, "p3")),
        ),
    ),
    Scenario(
        "An address learned in one VLAN is unknown in another",
        THREE_TRUNKS,
        (
            Send("p1", tagged(10, "A", BROADCAST)).reaches("p2", "p3"),
            Send("p2", tagged(20, "B", "A")).reaches("p1", "p3"),
        ),
    ),
    Scenario(
        "A frame from a group address is dropped and not learned",
        THREE_TRUNKS,
        (
            Send("p1", untagged(GROUP, "B")).ends(DropReason.SOURCE_MULTICAST),
            Send("p1", untagged(BROADCAST, BROADCAST)).ends(DropReason.SOURCE_MULTICAST),
            known(),
        ),
    ),
    Scenario(
        "Two bridges share nothing: the same addresses live on both",
        switch(bridge("br0", trunk("p1"), trunk("p2")), bridge("br1", trunk("p3"), trunk("p4"))),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p3", untagged("A", BROADCAST)).reaches("p4"),
            Send("p2", untagged("B", "A")).reaches("p1"),
            known(("A", 0, "p1"), ("B", 0, "p2"), bridge="br0"),
            known(("A", 0, "p3"), bridge="br1"),
        ),
    ),
    Scenario(
        "In a VLAN that is set to flood, nothing is learned and everything is flooded",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), flood_vlans=frozenset({10})),
        (
            Send("p1", tagged(10, "A", BROADCAST)).reaches("p2", "p3"),
            Send("p2", tagged(10, "B", "A")).reaches("p1", "p3"),
            known(),
            Send("p1", tagged(20, "A", BROADCAST)).reaches("p2", "p3"),
            Send("p2", tagged(20, "B", "A")).reaches("p1"),
        ),
    ),
)

AGEING = (
    Scenario(
        "An address not seen for the ageing time is forgotten",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), mac_aging_time=15),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Wait(15),
            known(),
            Send("p2", untagged("B", "A")).reaches("p1", "p3"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "An address is still known just before the ageing time",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), mac_aging_time=15),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Wait(14.9),
            Send("p2", untagged("B", "A")).reaches("p1"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "An address that keeps talking is not forgotten",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), mac_aging_time=15),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Wait(10),
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Wait(10),
            Send("p2", untagged("B", "A")).reaches("p1"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "An address that was forgotten is learned again where it shows up",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), mac_aging_time=15),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Wait(20),
            Send("p2", untagged("A", BROADCAST)).reaches("p1", "p3"),
            Send("p3", untagged("B", "A")).reaches("p2"),
            known(("A", 0, "p2"), ("B", 0, "p3")),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Talking to an address does not keep it known",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), mac_aging_time=15),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Wait(10),
            Send("p2", untagged("B", "A")).reaches("p1"),
            Wait(10),
            Send("p2", untagged("B", "A")).reaches("p1", "p3"),
        ),
        Reach.PROGRAM,
    ),
)

STATIC = (
    Scenario(
        "A static entry sends frames to its port before the address has said anything",
        THREE_TRUNKS,
        (AddStatic("A", "p3"), Send("p1", untagged("B", "A")).reaches("p3")),
    ),
    Scenario(
        "A static entry does not move when the address shows up elsewhere, and its frames are forwarded",
        THREE_TRUNKS,
        (
            AddStatic("A", "p3"),
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p2", untagged("B", "A")).reaches("p3"),
            known(("A", 0, "p3"), ("B", 0, "p2")),
        ),
    ),
    Scenario(
        "A static entry does not age",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), mac_aging_time=15),
        (AddStatic("A", "p3"), Wait(3600), Send("p1", untagged("B", "A")).reaches("p3")),
        Reach.PROGRAM,
    ),
    Scenario(
        "A static entry takes the place of a learned one",
        THREE_TRUNKS,
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            AddStatic("A", "p3"),
            Send("p2", untagged("B", "A")).reaches("p3"),
        ),
    ),
    Scenario(
        "A static entry holds in its own VLAN only",
        THREE_TRUNKS,
        (
            AddStatic("A", "p3", vlan=10),
            Send("p1", tagged(10, "B", "A")).reaches("p3"),
            Send("p1", tagged(20, "B", "A")).reaches("p2", "p3"),
        ),
    ),
)

FULL_TABLE = (
    Scenario(
        "When a port floods addresses into a full table, its own entries give way, others stay",
        switch(trunk("p1"), trunk("p2"), mac_table_size=4),
        (
            Send("p2", untagged("V", BROADCAST)).reaches("p1"),
            Send("p2", untagged("W", BROADCAST)).reaches("p1"),
            *(Send("p1", untagged(station, BROADCAST)).reaches("p2") for station in "ABCDEFGH"),
            Send("p1", untagged("A", "V")).reaches("p2"),
            Send("p1", untagged("A", "W")).reaches("p2"),
        ),
    ),
    Scenario(
        "When the table is full of one port's addresses, another port still gets its fair share",
        switch(trunk("p1"), trunk("p2"), mac_table_size=4),
        (
            *(Send("p1", untagged(station, BROADCAST)).reaches("p2") for station in "ABCD"),
            Send("p2", untagged("V", BROADCAST)).reaches("p1"),
            Send("p2", untagged("W", BROADCAST)).reaches("p1"),
            Send("p1", untagged("D", "V")).reaches("p2"),
            Send("p1", untagged("D", "W")).reaches("p2"),
        ),
    ),
    Scenario(
        "When every port holds just its share of a full table, a new address is not learned",
        switch(trunk("p1"), trunk("p2"), mac_table_size=2),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p2", untagged("B", BROADCAST)).reaches("p1"),
            Send("p1", untagged("C", BROADCAST)).reaches("p2"),
            known(("A", 0, "p1"), ("B", 0, "p2")),
            TableCounted(FdbCounters(learned=2, refused=1)),
        ),
    ),
    Scenario(
        "In a full table an address that is too old gives way first",
        switch(trunk("p1"), trunk("p2"), mac_table_size=2, mac_aging_time=15),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Wait(10),
            Send("p2", untagged("B", BROADCAST)).reaches("p1"),
            Wait(10),
            Send("p2", untagged("C", BROADCAST)).reaches("p1"),
            known(("B", 0, "p2"), ("C", 0, "p2")),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Static entries take no room from learned ones",
        switch(trunk("p1"), trunk("p2"), mac_table_size=2),
        (
            AddStatic("X", "p2"),
            AddStatic("Y", "p2"),
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p2", untagged("B", BROADCAST)).reaches("p1"),
            known(("X", 0, "p2"), ("Y", 0, "p2"), ("A", 0, "p1"), ("B", 0, "p2")),
        ),
    ),
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

TUNNEL = (
    Scenario(
        "A dot1q-tunnel port puts its service tag before the customer's tag",
        switch(tunnel("p1", 100), trunk("p2")),
        (Send("p1", tagged(10, "A", "B")).becomes(frame("A", "B", stag(100), ctag(10)), "p2"),),
    ),
    Scenario(
        "A dot1q-tunnel port tags untagged frames with its service tag",
        switch(tunnel("p1", 100), trunk("p2")),
        (Send("p1", untagged("A", "B")).becomes(frame("A", "B", stag(100)), "p2"),),
    ),
    Scenario(
        "A dot1q-tunnel port uses the tag protocol it is set to",
        switch(tunnel("p1", 100, qinq_ethtype=ETH_P_8021Q), trunk("p2")),
        (Send("p1", tagged(10, "A", "B")).becomes(frame("A", "B", ctag(100), ctag(10)), "p2"),),
    ),
    Scenario(
        "A dot1q-tunnel port takes the service tag off again",
        switch(trunk("p1"), tunnel("p2", 100), tunnel("p3", 200), vlan_limit=2),
        (
            Send("p1", frame("A", "B", stag(100), ctag(10))).becomes(tagged(10, "A", "B"), "p2"),
            Send("p1", frame("A", "B", stag(200))).becomes(untagged("A", "B"), "p3"),
        ),
    ),
    Scenario(
        "Customer frames pass between tunnel ports of one service VLAN unchanged",
        switch(tunnel("p1", 100), tunnel("p2", 100), tunnel("p3", 200)),
        (
            Send("p1", tagged(10, "A", "B", pcp=4)).reaches("p2"),
            Send("p2", untagged("B", "A")).reaches("p1"),
        ),
    ),
    Scenario(
        "Stations are learned in the service VLAN, whatever the customer's tags say",
        switch(tunnel("p1", 100), tunnel("p2", 100), tunnel("p3", 100)),
        (
            Send("p1", tagged(10, "A", BROADCAST)).reaches("p2", "p3"),
            Send("p2", tagged(20, "B", "A")).reaches("p1"),
            known(("A", 100, "p1"), ("B", 100, "p2")),
        ),
    ),
    Scenario(
        "A dot1q-tunnel port takes only the customer VLANs it is set to",
        switch(tunnel("p1", 100, 10, 20), trunk("p2")),
        (
            Send("p1", tagged(20, "A", "B")).becomes(frame("A", "B", stag(100), ctag(20)), "p2"),
            Send("p1", tagged(30, "A", "B")).ends(DropReason.VLAN_CUSTOMER_REFUSED),
            Send("p1", untagged("A", "B")).ends(DropReason.VLAN_CUSTOMER_REFUSED),
        ),
    ),
    Scenario(
        "A dot1q-tunnel port is sent only the customer VLANs it is set to",
        switch(trunk("p1"), tunnel("p2", 100, 10), tunnel("p3", 100, 0, 20), vlan_limit=2),
        (
            Send("p1", frame("A", "B", stag(100), ctag(10))).becomes(tagged(10, "A", "B"), "p2"),
            Send("p1", frame("A", "B", stag(100), ctag(20))).becomes(tagged(20, "A", "B"), "p3"),
            Send("p1", frame("A", "B", stag(100))).becomes(untagged("A", "B"), "p3"),
            Send("p1", frame("A", "B", stag(100), ctag(30))).ends(DropReason.NO_DESTINATION),
        ),
    ),
    Scenario(
        "A customer's two tags survive the service tag and come out whole",
        switch(tunnel("p1", 100), trunk("p2"), tunnel("p3", 100), vlan_limit=2),
        (
            Send("p1", frame("A", "B", ctag(10), ctag(20)))
            .becomes(frame("A", "B", stag(100), ctag(10), ctag(20)), "p2")
            .reaches("p3"),
        ),
    ),
    Scenario(
        "A customer's priority tag and drop eligibility survive the service tag",
        switch(tunnel("p1", 100), trunk("p2")),
        (
            Send("p1", frame("A", "B", ctag(0))).becomes(frame("A", "B", stag(100), ctag(0)), "p2"),
            Send("p1", frame("A", "B", ctag(10, 1, dei=True))).becomes(
                frame("A", "B", stag(100), ctag(10, 1, dei=True)), "p2"
            ),
        ),
    ),
    Scenario(
        "A trunk with priority tags copies the customer's priority to the service tag",
        switch(tunnel("p1", 100), trunk("p2", priority_tags=IF_NONZERO), trunk("p3")),
        (
            Send("p1", tagged(10, "A", "B", pcp=5))
            .becomes(frame("A", "B", stag(100, 5), ctag(10, 5)), "p2")
            .becomes(frame("A", "B", stag(100), ctag(10, 5)), "p3"),
        ),
    ),
)

VLAN_LIMIT = (
    Scenario(
        "With two tags understood, a double-tagged frame is not flooded to an access port",
        switch(trunk("p1"), access("p2", 10), trunk("p3"), vlan_limit=2),
        (Send("p1", frame("A", "B", ctag(10), ctag(20))).reaches("p3"),),
    ),
    Scenario(
        "With two tags understood, a double-tagged frame to a station on an access port loses both",
        switch(trunk("p1"), access("p2", 10), vlan_limit=2),
        (
            Send("p2", untagged("B", "A")).becomes(tagged(10, "B", "A"), "p1"),
            Send("p1", frame("A", "B", ctag(10), ctag(20))).becomes(untagged("A", "B"), "p2"),
        ),
    ),
    Scenario(
        "A limit of 0 means two tags, and so does any higher one",
        switch(trunk("p1"), access("p2", 10), trunk("p3"), vlan_limit=0),
        (Send("p1", frame("A", "B", ctag(10), ctag(20), ctag(30))).reaches("p3"),),
    ),
    Scenario(
        "With two tags understood, a native-untagged port takes off the outer one only",
        switch(trunk("p1"), native_untagged("p2", 10), vlan_limit=2),
        (
            Send("p1", frame("A", "B", stag(10), ctag(20, 3, dei=True))).becomes(
                frame("A", "B", ctag(20, 3, dei=True)), "p2"
            ),
        ),
    ),
    Scenario(
        "With two tags understood, an access port's frames lose what is behind their priority tag",
        switch(access("p1", 10), trunk("p2"), vlan_limit=2),
        (Send("p1", frame("A", "B", ctag(0), ctag(20))).becomes(tagged(10, "A", "B"), "p2"),),
    ),
    Scenario(
        "With two tags understood, an inner priority tag without priority is left out",
        switch(trunk("p1"), trunk("p2"), trunk("p3", priority_tags=ALWAYS), vlan_limit=2),
        (Send("p1", frame("A", "B", ctag(10), ctag(0))).becomes(tagged(10, "A", "B"), "p2").reaches("p3"),),
    ),
)

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
            Send("p1", untagged("A", BROADCAST, payload=9000))
            .reaches("p3")
            .ends(DropReason.MTU_EXCEEDED, at="p2"),
        ),
    ),
    Scenario(
        "A frame too long for the only port it should leave by goes nowhere",
        switch(trunk("p1", mtu=9000), trunk("p2", mtu=1500)),
        (Send("p1", untagged("A", "B", payload=4000)).ends(DropReason.MTU_EXCEEDED, at="p2"),),
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

PATCHES = (
    Scenario(
        "Patch ports join two bridges into one",
        switch(
            bridge("br0", trunk("p1"), trunk("p2"), patch("to1", "to0")),
            bridge("br1", trunk("p3"), trunk("p4"), patch("to0", "to1")),
        ),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3", "p4"),
            Send("p3", untagged("C", "A")).reaches("p1"),
            Send("p1", untagged("A", "C")).reaches("p3"),
            known(("A", 0, "p1"), ("C", 0, "to1"), bridge="br0"),
            known(("A", 0, "to0"), ("C", 0, "p3"), bridge="br1"),
        ),
    ),
    Scenario(
        "A patch port applies its VLAN rules on both bridges",
        switch(
            bridge("br0", access("p1", 10), access("p2", 20), patch("to1", "to0")),
            bridge("br1", access("p3", 10), access("p4", 20), patch("to0", "to1")),
        ),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p3"),
            Send("p2", untagged("B", BROADCAST)).reaches("p4"),
        ),
    ),
    Scenario(
        "A frame crosses a chain of three bridges",
        switch(
            bridge("br0", access("p1", 10), patch("a1", "b0")),
            bridge("br1", access("p2", 10), patch("b0", "a1"), patch("b2", "c1")),
            bridge("br2", access("p3", 10), patch("c1", "b2")),
        ),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p3", untagged("C", "A")).reaches("p1"),
        ),
    ),
    Scenario(
        "A patch port without a peer swallows what is sent to it, other copies go on",
        switch(trunk("p1"), trunk("p2"), patch("lost", "nowhere")),
        (Send("p1", untagged("A", BROADCAST)).reaches("p2").ends(DropReason.PATCH_NO_PEER),),
    ),
    Scenario(
        "A patch port whose peer points elsewhere has no peer",
        switch(
            bridge("br0", trunk("p1"), patch("a", "b")),
            bridge("br1", trunk("p2"), patch("b", "c")),
        ),
        (Send("p1", untagged("A", BROADCAST)).ends(DropReason.PATCH_NO_PEER),),
    ),
    Scenario(
        "A frame that the second bridge does not want ends there, at its patch port",
        switch(
            bridge("br0", access("p1", 10), patch("to1", "to0")),
            bridge("br1", trunk("p2"), trunk("to0", 20, patch_peer="to1", mtu=None)),
        ),
        (Send("p1", untagged("A", BROADCAST)).ends(DropReason.VLAN_NOT_TRUNKED, at="to0"),),
    ),
    Scenario(
        "In a loop of patch ports a frame does not circle for ever",
        switch(
            bridge("br0", access("p1", 10), access("a", 10, patch_peer="b", mtu=None)),
            bridge(
                "br1",
                native_tagged("b", 20, patch_peer="a", mtu=None),
                access("out", 20, patch_peer="back", mtu=None),
                native_tagged("back", 20, patch_peer="out", mtu=None),
            ),
        ),
        (
            Send("p1", untagged("A", "B"))
            .ends(DropReason.VLAN_TAGGED_ON_ACCESS, at="out")
            .ends(DropReason.VLAN_TAGGED_ON_ACCESS, at="a", times=5)
            .ends(DropReason.TOO_MANY_HOPS, at="back", times=2),
        ),
    ),
    Scenario(
        "A frame passes eight bridges and not a ninth",
        switch(
            bridge("n1", trunk("p1"), patch("r1", "l2")),
            *(bridge(f"n{n}", patch(f"l{n}", f"r{n - 1}"), patch(f"r{n}", f"l{n + 1}")) for n in range(2, 8)),
            bridge("n8", trunk("p8"), patch("l8", "r7"), patch("r8", "l9")),
            bridge("n9", trunk("p9"), patch("l9", "r8")),
        ),
        (Send("p1", untagged("A", "B")).reaches("p8").ends(DropReason.TOO_MANY_HOPS, at="l8"),),
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

SCENARIOS = (
    *LEARNING,
    *AGEING,
    *STATIC,
    *FULL_TABLE,
    *ACCESS,
    *TRUNK,
    *NATIVE,
    *PRIORITY_TAGS,
    *TUNNEL,
    *VLAN_LIMIT,
    *ADMISSION,
    *MTU,
    *PATCHES,
    *MALFORMED,
    *COUNTERS,
)
