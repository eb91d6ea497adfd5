"""How addresses are learned, age, are set by hand, and share a full table."""

from __future__ import annotations

from jackfield.model import DropReason, FdbCounters
from tests.scenarios.kit import (
    BROADCAST,
    GROUP,
    AddStatic,
    Reach,
    Scenario,
    Send,
    TableCounted,
    Wait,
    access,
    bridge,
    known,
    switch,
    tagged,
    trunk,
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
        "A static entry in a VLAN that is set to flood is of no use",
        switch(trunk("p1"), trunk("p2"), trunk("p3"), flood_vlans=frozenset({10})),
        (AddStatic("A", "p3", vlan=10), Send("p1", tagged(10, "B", "A")).reaches("p2", "p3")),
    ),
    Scenario(
        "A static entry for a group address is of no use",
        THREE_TRUNKS,
        (AddStatic(GROUP, "p3"), Send("p1", untagged("B", GROUP)).reaches("p2", "p3")),
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

# Smaller tables than a real switch lets anyone configure.
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
        Reach.PROGRAM,
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
        Reach.PROGRAM,
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
        Reach.PROGRAM,
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
        Reach.PROGRAM,
    ),
)
