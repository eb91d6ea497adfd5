"""Protections of a port: limits of what is flooded, and of who may send."""

from __future__ import annotations

from dataclasses import replace

from jackfield.model import DropReason, FdbCounters, GuardConfig, MacLimitAction, PortSecurity
from tests.scenarios.kit import (
    BROADCAST,
    GROUP,
    AddStatic,
    Counted,
    Reach,
    Scenario,
    Send,
    TableCounted,
    Wait,
    bridge,
    known,
    mac,
    patch,
    switch,
    tagged,
    trunk,
    untagged,
)

_LENGTH = len(untagged("A", "B"))
ONE_BROADCAST = GuardConfig(storm_broadcast=1, storm_burst=1)

STORMS = (
    Scenario(
        "Broadcast above the rate of its port is dropped, and let in again when the bucket has filled",
        switch(trunk("p1", guard=GuardConfig(storm_broadcast=10, storm_burst=2)), trunk("p2"), trunk("p3")),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.STORM_BROADCAST),
            Wait(0.09),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.STORM_BROADCAST),
            Wait(0.01),
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.STORM_BROADCAST),
            Wait(10),
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p1", untagged("A", BROADCAST)).reaches("p2", "p3"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.STORM_BROADCAST),
            Counted("p1", 9, 9 * _LENGTH, drops={DropReason.STORM_BROADCAST: 4}),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Without a burst of its own a rate lets in a tenth of a second's frames at once, and ten at least",
        switch(trunk("p1", guard=GuardConfig(storm_broadcast=20)), trunk("p2")),
        (
            *(Send("p1", untagged("A", BROADCAST)).reaches("p2") for _ in range(10)),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.STORM_BROADCAST),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Broadcast, multicast and unknown unicast have a limit each, and what is known has none",
        switch(
            trunk(
                "p1",
                guard=GuardConfig(
                    storm_broadcast=1, storm_multicast=1, storm_unknown_unicast=1, storm_burst=1
                ),
            ),
            trunk("p2"),
        ),
        (
            Send("p2", untagged("B", "Z")).reaches("p1"),
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p1", untagged("A", GROUP)).reaches("p2"),
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.STORM_BROADCAST),
            Send("p1", untagged("A", GROUP)).ends(DropReason.STORM_MULTICAST),
            Send("p1", untagged("A", "Z")).ends(DropReason.STORM_UNKNOWN_UNICAST),
            Send("p1", tagged(7, "A", "B")).ends(DropReason.STORM_UNKNOWN_UNICAST),
            *(Send("p1", untagged("A", "B")).reaches("p2") for _ in range(3)),
            Send("p2", untagged("B", BROADCAST)).reaches("p1"),
            Send("p2", untagged("B", BROADCAST)).reaches("p1"),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "An address that has aged is unknown again, also to a limit of unknown unicast",
        switch(trunk("p1", guard=GuardConfig(storm_unknown_unicast=1, storm_burst=1)), trunk("p2")),
        (
            Send("p2", untagged("B", "A")).reaches("p1"),
            Send("p1", untagged("A", "B")).reaches("p2"),
            Wait(300),
            Send("p1", untagged("A", "B")).reaches("p2"),
            Send("p1", untagged("A", "B")).ends(DropReason.STORM_UNKNOWN_UNICAST),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A frame that a storm limit drops is not learned from",
        switch(trunk("p1", guard=ONE_BROADCAST), trunk("p2")),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p1", untagged("C", BROADCAST)).ends(DropReason.STORM_BROADCAST),
            known(("A", 0, "p1")),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A patch port limits what comes from the bridge behind it",
        switch(
            bridge("br0", trunk("p1"), patch("to1", "to0")),
            bridge("br1", trunk("p2"), patch("to0", "to1", guard=ONE_BROADCAST)),
        ),
        (
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.STORM_BROADCAST, at="to0"),
        ),
        Reach.PROGRAM,
    ),
)

TWO_ADDRESSES = GuardConfig(mac_limit=2)
TWO_LEARNED = GuardConfig(mac_limit=2, mac_limit_action=MacLimitAction.FLOOD)
STICKY = GuardConfig(security=PortSecurity.STICKY)


def locked(*stations: str) -> GuardConfig:
    """A port locked to these stations, and to static entries of its own."""
    return GuardConfig(security=PortSecurity.LOCKED, allowed_macs=frozenset(map(mac, stations)))


MAC_LIMIT = (
    Scenario(
        "A port with as many addresses as its limit takes no frame from another one",
        switch(trunk("p1", guard=TWO_ADDRESSES), trunk("p2")),
        (
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p1", untagged("B", "Z")).reaches("p2"),
            Send("p1", untagged("C", "Z")).ends(DropReason.MAC_LIMIT),
            Send("p1", untagged("A", "Z")).reaches("p2"),
            known(("A", 0, "p1"), ("B", 0, "p1")),
        ),
    ),
    Scenario(
        "With the action flood, frames from addresses above the limit pass without being learned from",
        switch(trunk("p1", guard=TWO_LEARNED), trunk("p2"), trunk("p3")),
        (
            Send("p1", untagged("A", "Z")).reaches("p2", "p3"),
            Send("p1", untagged("B", "Z")).reaches("p2", "p3"),
            Send("p1", untagged("C", "Z")).reaches("p2", "p3"),
            Send("p2", untagged("D", "C")).reaches("p1", "p3"),
            known(("A", 0, "p1"), ("B", 0, "p1"), ("D", 0, "p2")),
        ),
    ),
    Scenario(
        "An address counts once in each VLAN, and one that moves to a port counts there",
        switch(trunk("p1", guard=TWO_ADDRESSES), trunk("p2")),
        (
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p2", untagged("B", "Z")).reaches("p1"),
            Send("p1", tagged(10, "A", "Z")).reaches("p2"),
            Send("p1", untagged("B", "Z")).ends(DropReason.MAC_LIMIT),
            Send("p1", tagged(20, "A", "Z")).ends(DropReason.MAC_LIMIT),
            Send("p2", untagged("A", "Z")).reaches("p1"),
            Send("p1", untagged("B", "Z")).reaches("p2"),
            known(("A", 0, "p2"), ("A", 10, "p1"), ("B", 0, "p1")),
        ),
    ),
    Scenario(
        "Static addresses do not count against the limit",
        switch(trunk("p1", guard=GuardConfig(mac_limit=1)), trunk("p2")),
        (
            AddStatic("A", "p1"),
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p1", untagged("B", "Z")).reaches("p2"),
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p1", untagged("C", "Z")).ends(DropReason.MAC_LIMIT),
        ),
    ),
    Scenario(
        "An address that has aged gives way to a new one on a port at its limit, though nobody swept",
        switch(trunk("p1", guard=TWO_ADDRESSES), trunk("p2"), mac_aging_time=15),
        (
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Wait(10),
            Send("p1", untagged("B", "Z")).reaches("p2"),
            Wait(4),
            Send("p1", untagged("C", "Z")).ends(DropReason.MAC_LIMIT),
            Wait(1),
            Send("p1", untagged("C", "Z")).reaches("p2"),
            Send("p1", untagged("D", "Z")).ends(DropReason.MAC_LIMIT),
            known(("B", 0, "p1"), ("C", 0, "p1")),
            TableCounted(FdbCounters(learned=3, expired=1)),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "Where nothing is learned there is no limit",
        switch(trunk("p1", guard=GuardConfig(mac_limit=1)), trunk("p2"), flood_vlans=frozenset({10})),
        (
            Send("p1", tagged(10, "A", "Z")).reaches("p2"),
            Send("p1", tagged(10, "B", "Z")).reaches("p2"),
            known(),
        ),
    ),
)

PORT_SECURITY = (
    Scenario(
        "What was learned on a sticky port may not send on another",
        switch(trunk("p1", guard=STICKY), trunk("p2"), trunk("p3")),
        (
            Send("p1", untagged("A", "Z")).reaches("p2", "p3"),
            Send("p2", untagged("A", "Z")).ends(DropReason.MAC_STICKY),
            Send("p3", untagged("C", "A")).reaches("p1"),
            known(("A", 0, "p1"), ("C", 0, "p3")),
        ),
    ),
    Scenario(
        "An address may move to a sticky port, and then stays there",
        switch(trunk("p1", guard=STICKY), trunk("p2")),
        (
            Send("p2", untagged("A", "Z")).reaches("p1"),
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p2", untagged("A", "Z")).ends(DropReason.MAC_STICKY),
            known(("A", 0, "p1")),
        ),
    ),
    Scenario(
        "Between two sticky ports an address belongs to the first, in each VLAN anew",
        switch(trunk("p1", guard=STICKY), trunk("p2", guard=STICKY)),
        (
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p2", untagged("A", "Z")).ends(DropReason.MAC_STICKY),
            Send("p2", tagged(10, "A", "Z")).reaches("p1"),
            known(("A", 0, "p1"), ("A", 10, "p2")),
        ),
    ),
    Scenario(
        "An address sticks no longer than it is known",
        switch(trunk("p1", guard=STICKY), trunk("p2"), mac_aging_time=15),
        (
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Wait(14),
            Send("p2", untagged("A", "Z")).ends(DropReason.MAC_STICKY),
            Wait(1),
            Send("p2", untagged("A", "Z")).reaches("p1"),
            known(("A", 0, "p2")),
        ),
        Reach.PROGRAM,
    ),
    Scenario(
        "A locked port takes frames from the addresses allowed only, whatever the VLAN",
        switch(trunk("p1", guard=locked("A", "B")), trunk("p2")),
        (
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p1", tagged(10, "B", "Z")).reaches("p2"),
            Send("p1", untagged("C", "Z")).ends(DropReason.MAC_LOCKED),
            Send("p2", untagged("C", "A")).reaches("p1"),
            known(("A", 0, "p1"), ("B", 10, "p1"), ("C", 0, "p2")),
        ),
    ),
    Scenario(
        "A locked port takes frames from static addresses of its own, in their VLAN",
        switch(trunk("p1", guard=locked()), trunk("p2")),
        (
            AddStatic("A", "p1"),
            AddStatic("B", "p2"),
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p1", tagged(10, "A", "Z")).ends(DropReason.MAC_LOCKED),
            Send("p1", untagged("B", "Z")).ends(DropReason.MAC_LOCKED),
            Send("p1", untagged("C", "Z")).ends(DropReason.MAC_LOCKED),
            known(("A", 0, "p1"), ("B", 0, "p2")),
        ),
    ),
    Scenario(
        "What was learned on a locked port may not send on another",
        switch(trunk("p1", guard=locked("A")), trunk("p2")),
        (
            Send("p1", untagged("A", "Z")).reaches("p2"),
            Send("p2", untagged("A", "Z")).ends(DropReason.MAC_STICKY),
        ),
    ),
    Scenario(
        "A frame from an address that may not send does not count against a limit of what is flooded",
        switch(
            trunk("p1", guard=replace(locked("A"), storm_broadcast=1, storm_burst=1)),
            trunk("p2"),
        ),
        (
            Send("p1", untagged("B", BROADCAST)).ends(DropReason.MAC_LOCKED),
            Send("p1", untagged("A", BROADCAST)).reaches("p2"),
            Send("p1", untagged("A", BROADCAST)).ends(DropReason.STORM_BROADCAST),
        ),
        Reach.PROGRAM,
    ),
)
