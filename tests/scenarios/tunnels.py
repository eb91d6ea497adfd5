"""Tags behind tags: dot1q-tunnel ports and the number of tags understood."""

from __future__ import annotations

from jackfield.model import ETH_P_8021Q, DropReason
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
    native_untagged,
    stag,
    switch,
    tagged,
    trunk,
    tunnel,
    untagged,
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
        "With two tags understood, a priority tag without priority goes and takes the tag behind it along",
        switch(trunk("p1"), trunk("p2"), trunk("p3", priority_tags=ALWAYS), vlan_limit=2),
        (Send("p1", frame("A", "B", ctag(0), ctag(20))).becomes(untagged("A", "B"), "p2").reaches("p3"),),
    ),
    Scenario(
        "With two tags understood, an inner priority tag without priority is left out",
        switch(trunk("p1"), trunk("p2"), trunk("p3", priority_tags=ALWAYS), vlan_limit=2),
        (Send("p1", frame("A", "B", ctag(10), ctag(0))).becomes(tagged(10, "A", "B"), "p2").reaches("p3"),),
    ),
)
