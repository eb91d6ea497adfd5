"""Host A: a VLAN-tagged access port over a bond of two NICs."""

from __future__ import annotations

from jackfield.lab.capture import Listener
from jackfield.lab.scenarios.datacentre import (
    BOND,
    BRIDGE,
    GATEWAY_MAC,
    HOST_A,
    HOST_B,
    NICS,
    PORT,
    VIRTUAL_MAC,
    VLAN,
    build,
    configure_host_a,
)
from jackfield.lab.scenarios.scenario import Scenario
from jackfield.lab.scenarios.showing import ports_of
from jackfield.lab.stage import Stage

PINGS = 3


def play(stage: Stage) -> None:
    """Configure host A, ping it from host B, and look at what comes and goes."""
    place = build(stage)
    a, b = place.a, place.b

    stage.step(
        "Host A", f"Two NICs in {BOND}; {PORT} is an access port of VLAN {VLAN}, and the host's address."
    )
    configure_host_a(stage)

    stage.step("What is there", "As ovs-vsctl shows it.")
    found = ports_of(stage.ovs.vsctl("show"), BRIDGE)
    wanted = {
        BRIDGE: ("", frozenset({f"{BRIDGE} internal"})),
        PORT: (str(VLAN), frozenset({f"{PORT} internal"})),
        BOND: ("", frozenset(f"{nic} " for nic in NICS)),
    }
    stage.check(
        "show prints the bridge's three ports", found == wanted, ", ".join(sorted(found)) or "nothing"
    )

    stage.draw("Host A: its switch, and what is on it")

    stage.step("Host B pings host A", f"From another subnet. tcpdump listens on {PORT}.")
    b.ping(HOST_A, count=1)  # whoever has to be asked for by ARP is known after this one
    with a.capture(PORT, "icmp", expected=2 * PINGS) as seen:
        stage.reaches("B reaches A", b, HOST_A, count=PINGS)
    mac = a.mac(PORT)
    requests = count(seen, f"{GATEWAY_MAC} > {mac}", f"{HOST_B} > {HOST_A}: ICMP echo request")
    replies = count(seen, f"{mac} > {VIRTUAL_MAC}", f"{HOST_A} > {HOST_B}: ICMP echo reply")
    stage.check(
        "requests come from the gateway's own MAC",
        requests == PINGS,
        f"{requests} of {PINGS} from {GATEWAY_MAC}",
    )
    stage.check("replies go to its virtual MAC", replies == PINGS, f"{replies} of {PINGS} to {VIRTUAL_MAC}")
    tagged = count(seen, "vlan")
    stage.check(f"frames on {PORT} carry no tag", tagged == 0, f"{tagged} tagged of {len(seen.lines)}")

    stage.step("On the cables", f"The same pings, seen on the NICs: there they carry the tag of VLAN {VLAN}.")
    what = f"icmp or (vlan {VLAN} and icmp)"
    with a.capture(NICS[0], what) as first, a.capture(NICS[1], what) as second:
        b.ping(HOST_A, count=PINGS)
    frames = len(first.lines) + len(second.lines)
    tagged = count(first, f"vlan {VLAN},") + count(second, f"vlan {VLAN},")
    stage.check(
        f"frames on the NICs carry the tag {VLAN}",
        tagged == frames == 2 * PINGS,
        f"{tagged} tagged of {frames}, {len(first.lines)} on {NICS[0]}, {len(second.lines)} on {NICS[1]}",
    )


def count(listener: Listener, *texts: str) -> int:
    """How many lines have all of these texts."""
    return sum(all(text in line for text in texts) for line in listener.lines)


SCENARIO = Scenario(
    "bonded-access-port",
    "Host A: a VLAN-tagged access port over a bond",
    "A host with two NICs in a bond and its address on an internal port in VLAN 1000. A host in another "
    "subnet pings it, through a gateway that sends from its own MAC but answers ARP with a virtual one. "
    "Requests and replies therefore bear different MACs, and the tag is on the cables only.",
    ("jackfield", "ovs"),
    play,
)
