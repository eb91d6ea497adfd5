"""Internal port against veth: the same traffic between two containers, attached one way and the other."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from jackfield.lab import chart
from jackfield.lab.errors import LabError
from jackfield.lab.host import Host
from jackfield.lab.measure.figures import Figures
from jackfield.lab.measure.workloads import ECHO, WORKLOADS, Ends, Sample
from jackfield.lab.scenarios.scenario import Measuring, Scenario
from jackfield.lab.stage import Stage
from jackfield.lab.switches import Switch
from jackfield.lab.switches.ovslike import OvsLike

BRIDGE = "br0"
NEAR, FAR = "10.0.0.1", "10.0.0.2"
LIMIT = "plain veth pair"
VETH, INTERNAL = "veth", "internal ports"
SHORT = {VETH: "veth", INTERNAL: "int"}
OURS = "Jackfield"
NOISE = 0.02  # the share by which two things may differ and still be called equal
COLOURS = {INTERNAL: "#1f7a8c", VETH: "#9cc5cf", LIMIT: "#c8ccd0"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two containers and how they are joined; `card` is the far one's."""

    title: str
    way: str
    near: Host
    far: Host
    card: str = "eth0"

    def ends(self) -> Ends:
        """As the measurement wants them."""
        return Ends(self.near.netns, self.far.netns, FAR)


def compare(stage: Stage, switches: Mapping[str, type[Switch]], measuring: Measuring) -> None:
    """All pairs stand side by side; in each round every one has its turn with every kind of traffic."""
    stage.step("The limit", "Two containers joined by a cable, with no switch between them.")
    pairs = [limit(stage)]
    for kind in switches.values():
        stage.step(kind.title, "Two containers for each way of attaching them.")
        pairs.extend(attach(stage, stage.new_switch(kind, kind.kind)))

    stage.step("Do they reach each other?", "Each pair, before anything is measured.")
    pairs = [pair for pair in pairs if reaches(stage, pair)]
    if not pairs or pairs[0].title != LIMIT:
        raise LabError("there is nothing to compare with: a plain veth pair does not work here")

    stage.step(
        "The same traffic for all",
        f"{measuring.rounds} rounds; in each, every pair has {measuring.seconds:g} s of each kind.",
    )
    figures = measure(stage, pairs, measuring)
    report(stage, pairs, figures, measuring)


def limit(stage: Stage) -> Pair:
    """The pair without a switch."""
    near, far = stage.host("limit-1"), stage.host("limit-2")
    stage.cable(near, "eth0", far, "eth0")
    address(near, "eth0", NEAR)
    address(far, "eth0", FAR)
    return Pair(LIMIT, LIMIT, near, far)


def attach(stage: Stage, switch: Switch) -> list[Pair]:
    """Pairs on a switch: by internal ports, where it has them, and by veth."""
    switch.start()
    pairs = []
    for way in (INTERNAL, VETH) if isinstance(switch, OvsLike) else (VETH,):
        short = SHORT[way]
        bridge = f"{BRIDGE}-{short}"
        switch.add_bridge(bridge)
        containers = [stage.host(f"{switch.kind}-{short}-{number}") for number in (1, 2)]
        for number, (container, ip) in enumerate(zip(containers, (NEAR, FAR), strict=True), 1):
            port = f"{short}{number}"
            if way == INTERNAL and isinstance(switch, OvsLike):
                switch.add_internal_port(bridge, port)
                switch.host.run(f"ip link set {port} netns {container.name}")
                address(container, port, ip)  # under its own name: some switches lose one that is renamed
            else:
                stage.cable(container, "eth0", switch.host, port)
                switch.add_ports(bridge, (port,))
                address(container, "eth0", ip)
        title = switch.title if switch.kind == "linux" else f"{switch.title}, {way}"
        card = f"{short}2" if way == INTERNAL else "eth0"
        pairs.append(Pair(title, way, containers[0], containers[1], card))
    return pairs


def reaches(stage: Stage, pair: Pair) -> bool:
    """Whether the containers of a pair reach each other; what passes the far one's card is kept."""
    with pair.far.capture(pair.card, f"icmp and host {NEAR}", expected=6):
        return stage.reaches(f"{pair.title}: one container reaches the other", pair.near, FAR)


def address(host: Host, device: str, ip: str) -> None:
    """Give a device its address."""
    host.run(f"ip addr add {ip}/24 dev {device}", shown=False)
    host.run(f"ip link set {device} up", shown=False)


def measure(stage: Stage, pairs: list[Pair], measuring: Measuring) -> Figures:
    """Interleaved rounds. A round counts when it is whole."""
    figures = Figures()
    total = measuring.rounds * len(WORKLOADS) * len(pairs)
    done = 0
    for _ in range(measuring.rounds):
        turn: dict[tuple[str, str], Sample] = {}
        for name, workload in WORKLOADS.items():
            for pair in pairs:
                stage.progress(f"{done} of {total} turns: {workload.title}, {pair.title}")
                turn[name, pair.title] = workload.measure(pair.ends(), measuring.seconds)
                done += 1
        figures.add(turn)
    stage.progress("")
    return figures


def report(stage: Stage, pairs: list[Pair], figures: Figures, measuring: Measuring) -> None:
    """The table, the chart, and what is to be said of internal ports and veth."""
    rows = [(pair.title, *(cell(figures, name, pair.title) for name in WORKLOADS)) for pair in pairs[1:]]
    rows.append(
        (LIMIT, *(f"{figures.rate(name, LIMIT).middle / w.scale:.4g}" for name, w in WORKLOADS.items()))
    )
    headings = ("", *(f"{workload.title}, {workload.unit}" for workload in WORKLOADS.values()))
    stage.grid("Medians; below each, what of a plain veth pair that is (least to most)", headings, rows)
    trips = [
        (
            pair.title,
            figures.detail(ECHO, pair.title, "median").text(".1f"),
            figures.detail(ECHO, pair.title, "p99").text(".1f"),
        )
        for pair in (*pairs[1:], pairs[0])
    ]
    stage.grid("A round trip, in microseconds", ("", "median (least to most)", "99th percentile"), trips)
    stage.chart("Share of a plain veth pair", drawing(pairs, figures, measuring))

    if measuring.rounds < 2:
        stage.note("One round does not tell which is faster: nothing is checked of that.")
        return
    by_way = {pair.way: pair.title for pair in pairs if pair.title.startswith(OURS)}
    if VETH in by_way and INTERNAL in by_way:
        for name, workload in WORKLOADS.items():
            ratio = figures.ratio(name, by_way[INTERNAL], by_way[VETH])
            stage.check(
                f"on Jackfield an internal port is at least as fast as veth: {workload.title}",
                figures.may_be_as_fast(name, by_way[INTERNAL], by_way[VETH], NOISE),
                f"{ratio.text('.2f')} of veth",
            )


def cell(figures: Figures, workload: str, peer: str) -> str:
    """A rate, and what of the limit that is."""
    rate = figures.rate(workload, peer).middle / WORKLOADS[workload].scale
    return f"{rate:.4g}\n{figures.ratio(workload, peer, LIMIT).text('.2f')}"


def drawing(pairs: list[Pair], figures: Figures, measuring: Measuring) -> str:
    """The chart: a group of bars for each kind of traffic."""
    groups = []
    for name, workload in WORKLOADS.items():
        bars = []
        for pair in (*pairs[1:], pairs[0]):
            share = figures.ratio(name, pair.title, LIMIT)
            rate = figures.rate(name, pair.title).middle / workload.scale
            text = f"{share.middle:.2f} · {rate:.3g} {workload.unit}"
            bars.append(chart.Bar(pair.title, share, text, COLOURS[pair.way]))
        groups.append(chart.Group(workload.title, tuple(bars)))
    machine = f"Linux {platform.release()}, {os.cpu_count()} cores"
    how = f"{measuring.rounds} rounds of {measuring.seconds:g} s"
    return chart.svg(groups, f"Share of a plain veth pair: medians, least to most. {machine}, {how}.")


SCENARIO = Scenario(
    "internal-port-vs-veth",
    "Internal port against veth",
    "Containers are usually attached by a veth pair, one end on the switch. An internal port is the "
    "switch's own network card, moved into the container. The same traffic runs between two containers "
    "attached either way, on every switch that this machine has, and over a plain veth pair, which is the "
    "limit.",
    ("jackfield", "linux", "ovs", "ovs-kernel"),
    compare=compare,
)
