"""A bridge learns (IEEE 802.1D): who is where is read off the frames, and forgotten again."""

from __future__ import annotations

from jackfield.lab.scenarios.scenario import Scenario
from jackfield.lab.stage import Stage

BRIDGE = "br0"
A, B, C, D = (f"02:00:00:00:00:0{digit}" for digit in "abcd")
NOBODY = "02:00:00:00:00:99"
AGEING_SECONDS = 15  # the least that Open vSwitch takes
PATIENCE_SECONDS = 10.0


def play(stage: Stage) -> None:
    """Four stations, a to d, on ports 1 to 4."""
    switch = stage.switch
    a = stage.station("a", "port1", "10.0.0.1", A)
    b = stage.station("b", "port2", "10.0.0.2", B)
    c = stage.station("c", "port3", "10.0.0.3", C)
    d = stage.station("d", "port4", "10.0.0.4", D)
    switch.start()
    switch.add_bridge(BRIDGE)
    switch.add_ports(BRIDGE, ("port1", "port2", "port3", "port4"))
    switch.set_ageing(BRIDGE, AGEING_SECONDS)

    stage.step("Somebody speaks", "d, on port 4, says something once, and from now on nothing.")
    d.ping("10.0.0.1", count=1)
    stage.check("an address that sent a frame is learned, on its port", *seen(stage, D, "port4"))

    stage.step(
        "The first frame goes everywhere, the next one only where it must",
        "a asks for b by broadcast; the answer and the pings are for one station each. c listens.",
    )
    with c.capture("eth0") as heard:
        a.ping("10.0.0.2")
    broadcasts = [line for line in heard.lines if "ff:ff:ff:ff:ff:ff" in line]
    pings = [line for line in heard.lines if "ICMP" in line]
    stage.check("a broadcast reaches every other port", len(broadcasts) > 0, f"c heard {len(broadcasts)}")
    stage.check(
        "a frame to a known address leaves by its port only", not pings, f"c heard {len(pings)} pings"
    )

    stage.step("Unknown destinations", f"a sends to {NOBODY}, which no one has. b and c listen.")
    a.run(f"ip neigh replace 10.0.0.99 lladdr {NOBODY} dev eth0")
    with b.capture("eth0", "icmp") as at_b, c.capture("eth0", "icmp") as at_c:
        a.ping("10.0.0.99", count=2)
    floods = (len(at_b.lines), len(at_c.lines))
    stage.check(
        "a frame to an unknown address leaves by every other port",
        floods == (2, 2),
        f"b heard {floods[0]}, c heard {floods[1]} of 2",
    )

    stage.step(
        "Back where it came from", "a sends frames to its own address: the switch knows them on port 1."
    )
    a.run(f"ip neigh replace 10.0.0.98 lladdr {A} dev eth0")
    with (
        a.capture("eth0", "icmp", sent_in=True) as at_a,
        b.capture("eth0", "icmp") as at_b,
        c.capture("eth0", "icmp") as at_c,
    ):
        a.ping("10.0.0.98", count=2)
    total = len(at_a.lines) + len(at_b.lines) + len(at_c.lines)
    stage.check("a frame to an address on its own port goes nowhere", total == 0, f"{total} heard")

    stage.step("Moving", "a is unplugged, and c takes its address: the next frame tells the switch.")
    stage.check("before it moves, it is on its first port", *seen(stage, A, "port1"))
    a.run("ip link set eth0 down")
    c.run(f"ip link set eth0 address {A}")
    c.ping("10.0.0.2", count=1)
    stage.check("an address that shows up on another port moves there", *seen(stage, A, "port3"))

    stage.step("Forgetting", f"d has been silent. After {AGEING_SECONDS} s without a frame its entry goes.")

    def gone() -> bool:
        return not any(entry.mac == D for entry in switch.learned(BRIDGE, shown=False))

    forgotten = stage.await_that("waiting for d's entry to age", gone, AGEING_SECONDS + PATIENCE_SECONDS)
    switch.learned(BRIDGE)
    stage.check(
        "an address that is silent for the ageing time is forgotten",
        forgotten,
        "gone" if forgotten else "still there",
    )


def seen(stage: Stage, mac: str, port: str) -> tuple[bool, str]:
    """Whether the switch knows the address on that port, and where it knows it."""
    ports = [entry.port for entry in stage.switch.learned(BRIDGE) if entry.mac == mac]
    return ports == [port], f"on {', '.join(ports) or 'no port'}"


SCENARIO = Scenario(
    "learning",
    "A bridge learns",
    "A frame's source address tells the switch behind which port that address is. Frames to it then leave "
    "by that port and no other; what is not known goes to every port. An address that shows up elsewhere "
    "moves, one that is silent for the ageing time is forgotten, and no frame leaves by the port that it "
    "came in on.",
    ("jackfield", "linux", "ovs"),
    play,
)
