"""Bridges joined by patch ports."""

from __future__ import annotations

from jackfield.model import DropReason
from tests.scenarios.kit import (
    BROADCAST,
    Scenario,
    Send,
    access,
    bridge,
    ctag,
    frame,
    known,
    native_tagged,
    native_untagged,
    patch,
    switch,
    trunk,
    untagged,
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
        "A tag that comes to light at a patch port is for the next bridge to judge, as on a cable",
        switch(
            bridge("br0", trunk("p1"), native_untagged("a", 10, patch_peer="b", mtu=None)),
            bridge("br1", access("p2", 20), access("p3", 0), patch("b", "a")),
        ),
        (Send("p1", frame("A", "B", ctag(10), ctag(20))).becomes(untagged("A", "B"), "p2"),),
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
