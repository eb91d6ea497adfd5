"""What a copy of a flooded frame costs: the slope between few and many ports, all of them veth devices."""

from __future__ import annotations

import socket
import struct
import time

from bench.counts.clock import Count, count
from bench.counts.names import JACKFIELD_VETH, LINUX_BRIDGE, OVS_VETH
from bench.counts.paths import Maker, Vsctl
from bench.netns import BenchError, call_inside, run

FEW, MANY = 2, 34
WARM_UP, SPELLS, FRAMES = 3, 12, 10
QUIET_SECONDS = 5.0  # of the guest's time: what a switch still does about its new ports would be counted too
ETHERTYPE = 0x88B5  # for local experiments: nobody takes it
FRAME = b"\xff" * 6 + bytes.fromhex("020000000001") + struct.pack(">H", ETHERTYPE) + bytes(46)


class Flood:
    """A bridge of which one port sends and the others receive."""

    def __init__(self, maker: Maker, host: str, ports: int, label: str) -> None:
        """Makes the devices: `label`0 sends, the host's ends are to be put on a bridge."""
        self.sink, self.host = maker.namespace(), host
        self.ports = [f"{label}p{number}" for number in range(ports + 1)]
        script = [
            f"link add e{number} type veth peer name {port} netns {host}"
            for number, port in enumerate(self.ports)
        ]
        script += [f"link set e{number} up" for number in range(ports + 1)]
        for line in script:
            run("ip", "-n", self.sink, *line.split())
        for port in self.ports:
            run("ip", "-n", host, "link", "set", port, "up")
        self.copies = ports

    def open(self) -> None:
        """The sender's socket."""
        self._socket = call_inside(self.sink, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        self._socket.bind(("e0", 0))

    def spell(self) -> float:
        """Instructions a frame, all of its copies included."""
        return count(self._send, FRAMES)

    def received(self) -> int:
        """Frames that have reached the last port's far end."""
        path = f"/sys/class/net/e{self.copies}/statistics/rx_packets"
        return int(run("ip", "netns", "exec", self.sink, "cat", path))

    def _send(self) -> None:
        for _ in range(FRAMES):
            self._socket.send(FRAME)
        time.sleep(0)  # what is left of the kernel's own work is done before the next system call returns


def linux_bridge(maker: Maker, ports: int, number: int) -> Flood:
    """On the kernel's own bridge."""
    flood = Flood(maker, maker.namespace(), ports, f"l{number}")
    run("ip", "-n", flood.host, "link", "add", "flood", "type", "bridge")
    run("ip", "-n", flood.host, "link", "set", "flood", "up")
    for port in flood.ports:
        run("ip", "-n", flood.host, "link", "set", port, "master", "flood")
    return flood


def switch(maker: Maker, vsctl: Vsctl, host: str, ports: int, label: str) -> Flood:
    """On a bridge driven by ovs-vsctl."""
    flood = Flood(maker, host, ports, label)
    words = ["add-br", f"{label}br"]
    for port in flood.ports:
        words += ["--", "add-port", f"{label}br", port, "tag=10"]
    vsctl(*words)
    return flood


def measure(maker: Maker, jackfield: tuple[Vsctl, str], ovs: tuple[Vsctl, str] | None) -> dict[str, Count]:
    """Instructions a copy, by switch."""
    floods: dict[str, list[Flood]] = {
        LINUX_BRIDGE: [linux_bridge(maker, ports, at) for at, ports in enumerate((FEW, MANY))],
        JACKFIELD_VETH: [switch(maker, *jackfield, ports, f"j{at}") for at, ports in enumerate((FEW, MANY))],
    }
    if ovs is not None:
        floods[OVS_VETH] = [switch(maker, *ovs, ports, f"o{at}") for at, ports in enumerate((FEW, MANY))]
    found: dict[str, list[float]] = {name: [] for name in floods}
    for pair in floods.values():
        for flood in pair:
            flood.open()
    time.sleep(QUIET_SECONDS)
    for spell in range(WARM_UP + SPELLS):
        for name, (few, many) in floods.items():
            slope = (many.spell() - few.spell()) / (many.copies - few.copies)
            if spell >= WARM_UP:
                found[name].append(slope)
    frames = (WARM_UP + SPELLS) * FRAMES
    for name, pair in floods.items():
        for flood in pair:
            if (arrived := flood.received()) < frames:
                raise BenchError(f"{name}: {frames} frames were flooded, {arrived} arrived at the last port")
    return {name: Count.of(values) for name, values in found.items()}
