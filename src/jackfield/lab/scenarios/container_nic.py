"""A container's network card: by veth, by internal port, and by one command."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from jackfield.lab.containers import Container, DockerContainer, Namespace, docker_missing, make_image
from jackfield.lab.scenarios.scenario import Scenario
from jackfield.lab.stage import Stage

BRIDGE = "br0"
OUTSIDE = "10.0.0.254"
VLAN = 100
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Guest:
    """A container and the address that it is to have."""

    container: Container
    name: str
    address: str


def play(stage: Stage) -> None:
    """Two containers on one switch, and somebody outside, beyond the host's NIC."""
    switch = stage.switch
    stage.station("outside", "eth1", OUTSIDE)
    switch.start()
    switch.add_bridge(BRIDGE)
    switch.add_ports(BRIDGE, ("eth1",))
    switch.hide("eth1")
    guests = [
        Guest(Namespace(stage, name, number), name, f"10.0.0.{number}")
        for number, name in ((11, "web1"), (12, "web2"))
    ]
    stage.note("web1 and web2 are network namespaces with a process in each and an eth0 that came with them.")

    by_veth(stage, guests)
    if switch.speaks_ovs:
        by_internal_port(stage, guests, "6.2, by hand")
    if stage.is_jackfield:
        by_one_command(stage, guests, "6.2, one command")
    if switch.speaks_ovs:
        with_docker(stage)


def by_veth(stage: Stage, guests: list[Guest]) -> None:
    """6.1."""
    stage.step("6.1: by veth", "A pair of devices for each container: one on the switch, the other inside.")
    host = stage.switch_host
    for guest in guests:
        end = f"veth-{guest.name}"
        host.run(f"ip link add {end} type veth peer name eth1 netns {guest.name}")
        host.run(f"ip link set {end} up")
        stage.switch.prepare(guest.container.host, "eth1")
        stage.switch.add_ports(BRIDGE, (end,))
        configure(guest, "eth1")
    judge(stage, guests, "6.1, veth", ("eth1", "eth1"))
    for guest in guests:
        if stage.switch.speaks_ovs:
            stage.ovs.vsctl(f"del-port {BRIDGE} veth-{guest.name}")
        host.run(f"ip link del veth-{guest.name}")


def by_internal_port(stage: Stage, guests: list[Guest], when: str) -> None:
    """6.2, by hand."""
    stage.step(
        f"{when}: by internal port",
        "The switch makes the container's card; it is moved into the container's namespace, gets its "
        "address and the default route, and the eth0 that came with the container goes down.",
    )
    host = stage.switch_host
    for guest in guests:
        port = f"{guest.name}-p"
        stage.ovs.vsctl(f"add-port {BRIDGE} {port} -- set Interface {port} type=internal")
        host.run(f"ip link set {port} netns {guest.name}")
        configure(guest, port)
        if guest.container.host.has("eth0"):
            guest.container.host.run("ip link set eth0 down")
        guest.container.host.run(f"ip route replace default via {OUTSIDE}")
    judge(stage, guests, when, tuple(f"{guest.name}-p" for guest in guests))
    enter(stage, guests, when)
    for guest in guests:
        stage.ovs.vsctl(f"del-port {BRIDGE} {guest.name}-p")


def enter(stage: Stage, guests: list[Guest], when: str) -> None:
    """The same ping from inside, by a process of the container."""
    first, second = guests
    pid = first.container.pid()
    line = f"nsenter -t {pid} -n ping -c 1 -W 1 {second.address}"
    text = stage.switch_host.run(line, only="packets transmitted", may_fail=True)
    stage.check(f"{when}: nsenter -t PID -n enters it", " 1 received" in text, f"pid {pid}")


def by_one_command(stage: Stage, guests: list[Guest], when: str) -> None:
    """With Jackfield, and through the container's life."""
    stage.step(
        f"{when} a container",
        f"`jackfield attach` does all of that, here in VLAN {VLAN}, and the port follows the container: "
        "it goes when the container stops and comes back as it was.",
    )
    host = stage.switch_host
    stage.ovs.vsctl(f"set Port eth1 tag={VLAN}")
    for guest in guests:
        host.run(
            f"jackfield attach {guest.container.target} {BRIDGE}"
            f" --ip {guest.address}/24 --gw {OUTSIDE} --tag {VLAN}"
        )
    host.run("jackfield attachments")
    stage.draw(f"{when}: the switch and its containers")
    judge(stage, guests, when, ("eth1", "eth1"))
    enter(stage, guests, when)

    first, second = guests
    before = interface(stage, first)
    stage.step(f"{first.name} stops, and starts again", "Nothing is typed on the switch.")
    ports = set(stage.ovs.vsctl(f"list-ports {BRIDGE}", shown=False).split())
    first.container.stop()
    took, gone = timed(stage, "waiting for the port to go", lambda: len(names(stage)) == len(ports) - 1)
    stage.ovs.vsctl(f"list-ports {BRIDGE}")
    stage.check(
        f"{when}: the container stops, and its port is gone",
        gone,
        f"after {took:.2f} s" if gone else "still there",
    )
    rows = stage.ovs.vsctl("--columns=name --no-headings find Interface error!=[]", shown=False).split()
    stage.check(f"{when}: no stale row is left", not rows, ", ".join(rows) or "none")

    first.container.start()
    took, back = timed(stage, "waiting for the port to come back", lambda: interface(stage, first) == before)
    after = interface(stage, first)
    stage.ovs.vsctl(f"list-ports {BRIDGE}")
    stage.check(
        f"{when}: it starts again, and its port is back",
        back,
        f"after {took:.2f} s" if back else "not back",
    )
    stage.check(
        f"{when}: with the same MAC, address and VLAN", after == before, "; ".join(after) or "nothing"
    )
    stage.reaches(f"{when}: {second.name} reaches it again", second.container.host, first.address)

    stage.step("And one command to undo it")
    for guest in guests:
        host.run(f"jackfield detach {guest.container.target}")
    left = names(stage) - {"eth1"}
    stage.check(f"{when}: after detach no port is left", not left, ", ".join(sorted(left)) or "none")
    stage.ovs.vsctl("clear Port eth1 tag")


def with_docker(stage: Stage) -> None:
    """The same with containers that Docker runs."""
    stage.step("Real containers", "Containers that Docker runs, without a network of its own.")
    if reason := docker_missing():
        stage.note(f"Left out: {reason}.")
        return
    make_image()
    guests = [
        Guest(DockerContainer(stage, name), name, f"10.0.0.{number}")
        for number, name in ((21, "web3"), (22, "web4"))
    ]
    host = stage.switch_host
    for guest in guests:
        host.run(f"ip netns attach {guest.name} {guest.container.pid()}")
    by_internal_port(stage, guests, "Docker, by hand")
    for guest in guests:
        # The name would hold the namespace when the container has ended.
        host.run(f"ip netns delete {guest.name}")
    if stage.is_jackfield:
        by_one_command(stage, guests, "Docker, one command")


def configure(guest: Guest, device: str) -> None:
    """The commands that give a container's device its address."""
    guest.container.host.run(f"ip addr add {guest.address}/24 dev {device}")
    guest.container.host.run(f"ip link set {device} up")


def judge(stage: Stage, guests: list[Guest], way: str, cards: tuple[str, ...]) -> None:
    """Check who reaches whom, and what tcpdump shows of it on one container's card; nobody relies on what was
    learned by ARP before."""
    first, second = guests
    for host in (stage.hosts["outside"], *(guest.container.host for guest in guests)):
        host.look("ip neigh flush all")
    card = first.container.host.mac(cards[0])
    with first.container.host.capture(cards[0], f"icmp and host {second.address}", expected=6) as seen:
        stage.reaches(f"{way}: one container reaches the other", first.container.host, second.address)
    peer = second.container.host.mac(cards[1])
    both = [sum(f"{a} > {b}," in line for line in seen.lines) for a, b in ((card, peer), (peer, card))]
    stage.check(
        f"{way}: tcpdump on its card shows questions and answers, from card to card",
        both == [3, 3],
        f"{both[0]} and {both[1]} frames",
    )
    stage.reaches(f"{way}: a container reaches the outside", second.container.host, OUTSIDE)
    stage.reaches(f"{way}: the outside reaches a container", stage.hosts["outside"], first.address)


def names(stage: Stage) -> set[str]:
    """The bridge's ports."""
    return set(stage.ovs.vsctl(f"list-ports {BRIDGE}", shown=False).split())


def interface(stage: Stage, guest: Guest) -> tuple[str, ...]:
    """MAC, address and VLAN of a container's eth1; nothing while it has none."""
    host = guest.container.host
    link = host.run("ip -br link show dev eth1", shown=False, may_fail=True).split()
    addresses = host.run("ip -br -4 addr show dev eth1", shown=False, may_fail=True).split()
    if len(link) < 3 or len(addresses) < 3:
        return ()
    text = stage.ovs.vsctl(
        f"--columns=name --no-headings find Interface mac_in_use='\"{link[2]}\"'", shown=False
    )
    port = text.strip().strip('"')
    if not port:
        return ()
    tag = stage.ovs.vsctl(f"get Port {port} tag", shown=False).strip()
    return (f"MAC {link[2]}", addresses[2], f"VLAN {tag}")


def timed(stage: Stage, what: str, holds: Callable[[], bool]) -> tuple[float, bool]:
    """How long it takes until something holds, and whether it does."""
    begin = time.monotonic()
    done = stage.await_that(what, holds, PATIENCE_SECONDS)
    return time.monotonic() - begin, done


SCENARIO = Scenario(
    "container-nic",
    "A container's network card",
    "A container can be put on a switch by a veth pair or by an internal port, which is moved into the "
    "container's network namespace. By hand that takes half a dozen commands a container; with Jackfield "
    "one, and the port then follows the container when it stops and starts.",
    ("jackfield", "linux", "ovs"),
    play,
)
