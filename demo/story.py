"""The story: one switch, three hosts, two VLANs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from demo.stage import Failed, Stage

BRIDGE = "jft-br0"
CAPTURED_PINGS = 2
CAPTURE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Station:
    """An internal port and the host that has it."""

    host: str
    port: str
    address: str
    vlan: int


HOST = Station("host", "jft-vlan1000", "10.18.138.168", 1000)
RED = Station("red", "jft-red1000", "10.18.138.171", 1000)
BLUE = Station("blue", "jft-blue1000", "10.18.138.172", 1000)
RED_UNTAGGED = Station("red", "jft-red", "10.18.138.11", 0)
BLUE_UNTAGGED = Station("blue", "jft-blue", "10.18.138.12", 0)
STATIONS = (HOST, RED, BLUE, RED_UNTAGGED, BLUE_UNTAGGED)


def tell(stage: Stage, namespaces: dict[str, str]) -> None:
    """Plays the story to its end. Raises Failed when a command fails."""
    stage.chapter("A switch", "The daemon, with a database and a run directory of its own, and a bridge.")
    stage.run("host", "jackfield daemon --detach")
    stage.run("host", f"jackfield vsctl add-br {BRIDGE}")

    stage.chapter("A network card for the host", "An internal port, access port of VLAN 1000.")
    add(stage, HOST, namespaces)

    stage.chapter(
        "Network cards for two namespaces",
        "Made on the switch, moved into the namespace: a pair in VLAN 1000 and an untagged pair.",
    )
    for station in STATIONS[1:]:
        add(stage, station, namespaces)

    stage.chapter("The topology", "As ovs-vsctl shows it.")
    stage.run("host", "jackfield vsctl show")

    stage.chapter("Do they reach each other?", "In VLAN 1000 all three do, and the untagged pair does.")
    ping(stage, "VLAN 1000: the host reaches red", HOST, RED)
    ping(stage, "VLAN 1000: the host reaches blue", HOST, BLUE)
    ping(stage, "VLAN 1000: red reaches blue", RED, BLUE)
    ping(stage, "untagged: red reaches blue", RED_UNTAGGED, BLUE_UNTAGGED)
    stage.chapter("Are the VLANs apart?", "Blue asks for the host from its untagged port: nobody answers.")
    received = pings(stage, BLUE_UNTAGGED, HOST, count=1)
    stage.prove("the untagged side does not reach VLAN 1000", received == 0, f"{received} of 1 answered")

    learned(stage)
    both_directions(stage)
    without_daemon(stage)


def add(stage: Stage, station: Station, namespaces: dict[str, str]) -> None:
    """Puts an internal port on the switch, where its host is, with its address."""
    tag = f" tag={station.vlan}" if station.vlan else ""
    port = f"add-port {BRIDGE} {station.port}{tag}"
    stage.run("host", f"jackfield vsctl {port} -- set Interface {station.port} type=internal")
    if station.host != "host":
        stage.run("host", f"ip link set {station.port} netns {namespaces[station.host]}")
    stage.run(station.host, f"ip addr add {station.address}/25 dev {station.port}")
    stage.run(station.host, f"ip link set {station.port} up")


def pings(stage: Stage, source: Station, target: Station, count: int) -> int:
    """Pings from port to address; returns the number of answers."""
    line = f"ping -c {count} -i 0.2 -W 1 -I {source.port} {target.address}"
    text = stage.run(source.host, line, only="packets transmitted", may_fail=True)
    found = re.search(r"(\d+) received", text)
    return int(found[1]) if found else 0


def ping(stage: Stage, sentence: str, source: Station, target: Station) -> None:
    """Proves that one reaches the other."""
    received = pings(stage, source, target, count=3)
    stage.prove(sentence, received == 3, f"{received} of 3 answered")


def mac(stage: Stage, station: Station) -> str:
    """The MAC of a station's port."""
    text = stage.run(station.host, f"ip -o link show dev {station.port}", shown=False)
    found = re.search(r"link/ether (\S+)", text)
    if found is None:
        raise Failed(f"{station.port} has no MAC")
    return found[1]


def learned(stage: Stage) -> None:
    """Shows the learned table and proves that each station is in it, in its VLAN and behind its port."""
    stage.chapter("What was learned", "Each station's MAC, in its VLAN, behind its port.")
    rows = {
        tuple(line.split()[:3])
        for line in stage.run("host", f"jackfield appctl fdb/show {BRIDGE}").splitlines()
    }
    missing = []
    for station in STATIONS:
        ofport = stage.run(
            "host", f"jackfield vsctl get Interface {station.port} ofport", shown=False
        ).strip()
        if (ofport, str(station.vlan), mac(stage, station)) not in rows:
            missing.append(station.port)
    stage.prove(
        "every station was learned in its VLAN, behind its port",
        not missing,
        f"not {', '.join(missing)}" if missing else f"{len(STATIONS)} of {len(STATIONS)}",
    )


def both_directions(stage: Stage) -> None:
    """Runs tcpdump on the host's internal port and proves that requests and replies show there, untagged."""
    stage.chapter("What tcpdump sees", "Both directions, on the internal port itself, without a tag.")
    process = stage.start(
        "host", *f"tcpdump -e -q -t -n -l -c {2 * CAPTURED_PINGS} -i {HOST.port} icmp".split()
    )
    try:
        assert process.stderr is not None
        if not any("listening on" in line for line in process.stderr):
            raise Failed(f"tcpdump does not listen on {HOST.port}")
        pings(stage, RED, HOST, count=CAPTURED_PINGS)
        text = process.communicate(timeout=CAPTURE_SECONDS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        text = process.communicate()[0]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    stage.output(text)
    here, there = mac(stage, HOST), mac(stage, RED)
    lines = text.splitlines()
    requests = sum(line.startswith(f"{there} > {here}") and "echo request" in line for line in lines)
    replies = sum(line.startswith(f"{here} > {there}") and "echo reply" in line for line in lines)
    tagged = sum("vlan" in line for line in lines)
    stage.prove(
        "tcpdump -e on the internal port shows both directions",
        requests == replies == CAPTURED_PINGS and not tagged,
        f"{requests} requests, {replies} replies, {tagged} tagged",
    )


def without_daemon(stage: Stage) -> None:
    """Proves that the switch forwards while its daemon is away."""
    stage.chapter("Without the daemon", "It stops; what forwards is in the kernel. Then it comes back.")
    stage.run("host", "jackfield stop")
    ping(stage, "with the daemon stopped, the host reaches red", HOST, RED)
    stage.run("host", "jackfield daemon --detach")
    ping(stage, "with the daemon back, the host reaches red", HOST, RED)
