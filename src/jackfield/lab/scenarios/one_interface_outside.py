"""What the outside sees of a host: one interface, its port of layer 3."""

from __future__ import annotations

from jackfield.lab.capture import Listener
from jackfield.lab.scenarios.datacentre import CABLES, HOST_A, NICS, PORT, build, configure_host_a
from jackfield.lab.scenarios.scenario import Scenario
from jackfield.lab.stage import Stage

PINGS, INTERVAL = 30, 0.1
MOST_LOST = 10  # a second, on a busy machine: far more than a failover takes, far less than doing without one


def play(stage: Stage) -> None:
    """Watch both cables of host A from their far ends while host B pings, then pull the one that is used."""
    place = build(stage)
    b, upstream = place.b, place.upstream
    stage.step("Host A", "As in the scenario before: an access port of VLAN 1000 over a bond.")
    configure_host_a(stage)
    mac = place.a.mac(PORT)
    nics = {place.a.mac(nic) for nic in NICS}
    stage.note(f"{PORT} has {mac}; the NICs have {' and '.join(sorted(nics))}.")

    stage.step("Both cables, watched from the far side", "All that host A sends, whatever it is.")
    with (
        upstream.capture(CABLES[0], sent_in=True) as first,
        upstream.capture(CABLES[1], sent_in=True) as second,
    ):
        stage.reaches("B reaches A", b, HOST_A)
    judge(stage, "", (first, second), mac, nics)
    used = CABLES[0] if len(first.lines) >= len(second.lines) else CABLES[1]
    idle = CABLES[1] if used == CABLES[0] else CABLES[0]

    stage.step("Pull the active cable", f"B pings ten times a second; in the middle {used} goes down.")
    with upstream.capture(idle, sent_in=True) as after:
        answers = b.ping_while(
            HOST_A, lambda: void(upstream.run(f"ip link set {used} down")), count=PINGS, interval=INTERVAL
        )
    stage.check(
        "the active cable is pulled, and ping goes on",
        answers >= PINGS - MOST_LOST,
        f"{answers} of {PINGS} answered",
    )
    judge(stage, "after that, still ", (after,), mac, nics)
    if not after.lines:
        stage.note("Nothing was sent on the other cable.")


def judge(stage: Stage, when: str, listeners: tuple[Listener, ...], mac: str, nics: set[str]) -> None:
    """Check the source addresses of all frames."""
    sources = {line.split()[1] for listener in listeners for line in listener.lines}
    frames = sum(len(listener.lines) for listener in listeners)
    stage.check(
        f"{when}every frame's source is the access port's MAC",
        sources == {mac},
        f"{frames} frames from {', '.join(sorted(sources)) or 'nobody'}",
    )
    shown = sources & nics
    stage.check(f"{when}the NICs' own MACs never appear", not shown, ", ".join(sorted(shown)) or "not seen")


def void(_: object) -> None:
    """Nothing."""


SCENARIO = Scenario(
    "one-interface-outside",
    "What the outside sees",
    "However many NICs, bonds and bridges a host has inside, from the outside it has one interface: the "
    "port that holds its address. Every frame on both cables bears that port's MAC, and when the active "
    "cable is pulled the host goes on from the other.",
    ("jackfield", "ovs"),
    play,
)
