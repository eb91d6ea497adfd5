"""Protections of a port: limits of what is flooded, and of who may send."""

from __future__ import annotations

from jackfield.model import DropReason, GuardConfig
from tests.scenarios.kit import (
    BROADCAST,
    GROUP,
    Counted,
    Reach,
    Scenario,
    Send,
    Wait,
    bridge,
    known,
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
