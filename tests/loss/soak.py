"""Random operations for a long time, under numbered traffic: what was lost, and what was leaked.

    python -m tests.loss.soak [--minutes N] [--rate FRAMES] [--seed N] [--json FILE]

In the first half the daemon is killed and stopped among the other operations; what it holds is watched in the
second half, in which it lives.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.e2e.switch import pins
from tests.loss.kills import rest_is_in_order
from tests.loss.site import Site, new_site
from tests.loss.traffic import Verdict, traffic
from tests.netlab import Namespace, until

MOST_CONTAINERS = 8
MOST_GROWTH_KB = 8192


@dataclass(frozen=True)
class Holdings:
    """What the daemon and the kernel hold for the switch."""

    descriptors: int
    resident_kb: int
    threads: int
    maps: int
    pins: int
    devices: int

    @classmethod
    def of(cls, site: Site) -> Holdings:
        process = site.switch.daemon.process
        assert process is not None
        folder = Path(f"/proc/{process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        descriptors = list((folder / "fd").iterdir())
        kinds = [str(path.readlink()) for path in descriptors]
        return cls(
            descriptors=len(descriptors),
            resident_kb=int(status["VmRSS"].split()[0]),
            threads=int(status["Threads"]),
            maps=sum(kind == "anon_inode:bpf-map" for kind in kinds),
            pins=len(pins(site.switch.daemon.rundir)),
            devices=len(site.switch.host.devices()),
        )


class Operator:
    """Somebody who does one thing after the other."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._chance = random.Random(seed)
        self._containers: dict[str, Namespace] = {}
        self._number = 0
        self.done: Counter[str] = Counter()

    def quiet_operations(self) -> list[Callable[[], None]]:
        """What does not end the daemon."""
        return [
            self.start_container,
            self.start_container,
            self.stop_container,
            self.remove_port,
            self.move_port,
            self.change_vlan,
            self.patch_bridges,
            self.bond,
            self.vanishing_client,
            self.garbage,
        ]

    def hard_operations(self) -> list[Callable[[], None]]:
        """What ends it."""
        return [self.kill, self.stop]

    def step(self, operations: list[Callable[[], None]]) -> None:
        operation = self._chance.choice(operations)
        operation()
        self.done[operation.__name__] += 1

    def start_container(self) -> None:
        if len(self._containers) >= MOST_CONTAINERS:
            self.stop_container()
        self._number += 1
        name = f"con{self._number}"
        namespace = self._site.lab.namespace(name)
        self._containers[name] = namespace
        tag = self._chance.choice((10, 20, 30))
        place = f"options:netns=/run/netns/{namespace.name}"
        self._vsctl(f"add-port br0 {name} tag={tag} -- set Interface {name} type=internal {place}")
        namespace.ip("link", "set", name, "up")

    def stop_container(self) -> None:
        """Its namespace goes first, its port after: as when a container crashes."""
        if self._containers:
            name = self._chance.choice(sorted(self._containers))
            self._site.lab.remove(self._containers.pop(name))
            self._vsctl(f"--if-exists del-port br0 {name}")

    def remove_port(self) -> None:
        if self._containers:
            name = self._chance.choice(sorted(self._containers))
            self._vsctl(f"del-port br0 {name}")
            self._site.lab.remove(self._containers.pop(name))

    def move_port(self) -> None:
        """Its device goes into another namespace, by hand, and the one it came from ends."""
        if self._containers:
            name = self._chance.choice(sorted(self._containers))
            self._number += 1
            old, new = self._containers[name], self._site.lab.namespace(f"con{self._number}")
            old.ip("link", "set", name, "netns", new.name)
            new.ip("link", "set", name, "up")
            self._containers[name] = new
            self._site.lab.remove(old)

    def change_vlan(self) -> None:
        if self._containers:
            name = self._chance.choice(sorted(self._containers))
            vlans = f"tag={self._chance.choice((10, 20, 30))}"
            if self._chance.random() < 0.5:
                vlans = f"trunks=20,30 -- clear Port {name} tag"
            self._vsctl(f"set Port {name} {vlans}")

    def patch_bridges(self) -> None:
        """A second bridge behind a patch comes and goes."""
        self._vsctl(
            "add-br br9 -- add-port br0 p0 tag=30 -- set Interface p0 type=patch options:peer=p1"
            " -- add-port br9 p1 -- set Interface p1 type=patch options:peer=p0"
        )
        self._vsctl("del-br br9 -- del-port br0 p0")

    def bond(self) -> None:
        """A bond of two cards comes, changes and goes."""
        self._vsctl("add-br br8 -- add-bond br8 bond8 eth4 eth5 bond_mode=balance-slb")
        self._vsctl("set Port bond8 bond_mode=active-backup")
        self._vsctl("del-br br8")

    def vanishing_client(self) -> None:
        """A client that monitors the database and is gone before it reads the answer."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self._site.switch.daemon.rundir / "db.sock"))
            request = {"method": "monitor", "params": ["Open_vSwitch", 1, {"Interface": [{}]}], "id": 1}
            client.sendall(json.dumps(request).encode())

    def garbage(self) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self._site.switch.daemon.rundir / "db.sock"))
            client.sendall(self._chance.randbytes(200))

    def kill(self) -> None:
        self._site.switch.daemon.kill()
        self._site.switch.daemon.start()

    def stop(self) -> None:
        self._site.switch.daemon.restart()

    def _vsctl(self, line: str) -> None:
        self._site.switch.vsctl(*line.split())

    def go_home(self) -> None:
        """Take away all that was made."""
        while self._containers:
            self.remove_port()


def soak(
    site: Site, seconds: float, rate: float, seed: int
) -> tuple[list[Verdict], Counter[str], list[Holdings]]:
    """The verdict on the traffic, how often what was done, and what was held over the second half."""
    operator = Operator(site, seed)
    held: list[Holdings] = []
    began = time.monotonic()
    with traffic(site.plans(rate)) as running:
        while time.monotonic() - began < seconds / 2:
            operator.step([*operator.quiet_operations(), *operator.hard_operations()])
        for share in (0.6, 0.8, 1.0):
            while time.monotonic() - began < seconds * share:
                operator.step(operator.quiet_operations())
            operator.go_home()
            held.append(Holdings.of(site))
        return running.stop(), operator.done, held


def prepare(site: Site) -> None:
    """Make the cards that operations use."""
    for number in (4, 5):
        site.switch.lab.cable(site.switch.host, f"eth{number}", site.lab.namespace(f"cable{number}"), "eth0")


def leaks(held: list[Holdings]) -> list[str]:
    """What is held more of at the end than when it was first looked at."""
    first, last = held[0], held[-1]
    found = [
        f"{name}: {getattr(first, name)} grew to {getattr(last, name)}"
        for name in ("descriptors", "threads", "maps", "pins", "devices")
        if getattr(last, name) > getattr(first, name)
    ]
    if last.resident_kb > first.resident_kb + MOST_GROWTH_KB:
        found.append(f"resident memory: {first.resident_kb} kB grew to {last.resident_kb} kB")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/kills soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, metavar="N")
    parser.add_argument("--rate", type=float, default=300.0, metavar="FRAMES", help="a second and flow")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    options = parser.parse_args()
    with new_site() as site:
        prepare(site)
        verdicts, done, held = soak(site, options.minutes * 60, options.rate, options.seed)
        until(lambda: not rest_is_in_order(site), what="a switch that is in order")
        strange = [line for line in site.switch.daemon.log() if "|ERR|" in line or "|EMER|" in line]
    print("operations: " + ", ".join(f"{name} {number}" for name, number in sorted(done.items())))
    for verdict in verdicts:
        print(verdict)
    for holdings in held:
        print(holdings)
    for text in (*leaks(held), *strange):
        print(f"FAULT {text}")
    if options.json:
        report = {
            "minutes": options.minutes,
            "operations": done,
            "flows": [asdict(each) for each in verdicts],
        }
        options.json.write_text(
            json.dumps(report | {"held": [asdict(each) for each in held]}, indent=2) + "\n"
        )
    return 1 if leaks(held) or strange or any(verdict.faults for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
