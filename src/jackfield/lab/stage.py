"""Where an experiment is played: hosts, cables, a switch; commands, remarks and checks, told as they come."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from jackfield.lab import namespaces
from jackfield.lab.errors import LabError
from jackfield.lab.host import Host
from jackfield.lab.record import Chart, Check, Grid, Item, Note, Step
from jackfield.lab.switches import Jackfield, LinuxBridge, Switch
from jackfield.lab.switches.ovslike import OvsLike

SWITCH_HOST = "host"
POLL_SECONDS = 0.1  # between two looks at what tells nobody when it changes
NETMASK = 24


class Stage:
    """One play of one scenario. Everything that it makes is taken away by `clear`."""

    def __init__(
        self, directory: Path, tell: Callable[[Item], None], progress: Callable[[str], None]
    ) -> None:
        """`directory` is made, the play's own; `tell` hears what happens, `progress` what is awaited."""
        self.tell = tell
        self.progress = progress
        self.directory = directory
        self.hosts: dict[str, Host] = {}
        self.containers = ExitStack()
        self._captures = directory / "captures"
        self._captures.mkdir(parents=True)
        self._switches: list[Switch] = []

    # -- what there is -------------------------------------------------------------------------------

    @property
    def run_name(self) -> str:
        """A name that only this run has, for things that are not in a namespace of its own."""
        return f"jflab-{self.directory.parent.name.rpartition('-')[2]}"

    def use(self, kind: type[Switch]) -> None:
        """Give the play its switch, on a host of its own."""
        self.new_switch(kind, SWITCH_HOST)

    @property
    def switch(self) -> Switch:
        """The switch that the play is about. Raises LabError when it is about none."""
        if not self._switches:
            raise LabError("no switch is on this stage")
        return self._switches[0]

    @property
    def switch_host(self) -> Host:
        """The host that has the switch."""
        return self.switch.host

    def host(self, name: str) -> Host:
        """A host with nothing but a loopback device."""
        namespaces.add(name)
        self.hosts[name] = self.guest(name, namespaces.NETNS / name)
        return self.hosts[name]

    def guest(self, name: str, netns: Path) -> Host:
        """A host in a network namespace that is not the stage's own."""
        rundir = self.directory / name
        rundir.mkdir(exist_ok=True)
        tools = Path(sys.executable).parent
        places = dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), str(rundir))
        environment = {**os.environ, **places, "PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C"}
        return Host(name, netns, environment, self.tell, self._captures)

    def remove_host(self, name: str) -> None:
        """Take a host away with all its devices."""
        del self.hosts[name]
        namespaces.delete(name)

    def new_switch(self, kind: type[Switch], name: str) -> Switch:
        """A switch on a new host of that name. It runs when `start` is called on it."""
        host = self.host(name)
        switch = kind(host, self.directory / name)
        self._switches.append(switch)
        return switch

    def cable(self, a: Host, device_a: str, b: Host, device_b: str) -> None:
        """A cable between two hosts' network cards, which are up."""
        pair = ("type", "veth", "peer", "name", device_b, "netns", b.name)
        namespaces.ip("link", "add", device_a, "netns", a.name, *pair)
        for host, device in ((a, device_a), (b, device_b)):
            namespaces.ip("-n", host.name, "link", "set", device, "up")
            for switch in self._switches:
                if switch.host in (a, b):
                    switch.prepare(host, device)

    def station(self, name: str, port: str, address: str, mac: str = "") -> Host:
        """A host with a card `eth0`, cabled to the switch host's card `port`; the address is a /24."""
        host = self.host(name)
        self.cable(host, "eth0", self.switch_host, port)
        if mac:
            namespaces.ip("-n", name, "link", "set", "eth0", "address", mac)
        namespaces.ip("-n", name, "addr", "add", f"{address}/{NETMASK}", "dev", "eth0")
        return host

    @property
    def ovs(self) -> OvsLike:
        """The switch, as one that ovs-vsctl configures. Raises LabError when it is not."""
        if not isinstance(self.switch, OvsLike):
            raise LabError(f"{self.switch.title} has no internal ports")
        return self.switch

    @property
    def is_jackfield(self) -> bool:
        """Whether the switch is Jackfield."""
        return isinstance(self.switch, Jackfield)

    @property
    def is_linux_bridge(self) -> bool:
        """Whether the switch is the kernel's bridge."""
        return isinstance(self.switch, LinuxBridge)

    # -- what is told --------------------------------------------------------------------------------

    def step(self, title: str, text: str = "") -> None:
        """Open a part of the story."""
        self.tell(Step(title, text))

    def note(self, text: str) -> None:
        """A remark."""
        self.tell(Note(text))

    def check(self, sentence: str, holds: bool, seen: str) -> None:
        """Keep whether a sentence holds, with what was seen."""
        self.tell(Check(sentence, holds, seen))

    def reaches(self, sentence: str, host: Host, target: str, *, device: str = "", count: int = 3) -> bool:
        """Check by ping(8) that a host gets answers from an address; returns whether it does."""
        answers = host.ping(target, count=count, device=device)
        self.check(sentence, answers == count, f"{answers} of {count} answered")
        return answers == count

    def does_not_reach(self, sentence: str, host: Host, target: str, *, device: str = "") -> None:
        """Check by ping(8) that a host gets no answer from an address."""
        answers = host.ping(target, count=2, device=device)
        self.check(sentence, answers == 0, f"{answers} of 2 answered")

    def chart(self, title: str, svg: str) -> None:
        """A drawing for the report."""
        self.tell(Chart(title, svg))

    def draw(self, title: str) -> None:
        """Have Jackfield draw what is there; other switches have nothing that does."""
        if self.is_jackfield:
            self.chart(title, self.switch_host.look("jackfield graph --format svg"))

    def grid(self, title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table."""
        self.tell(Grid(title, tuple(headings), tuple(tuple(row) for row in rows)))

    def await_that(self, what: str, holds: Callable[[], bool], seconds: float) -> bool:
        """Look until something holds, and for so long at most; returns whether it does."""
        end = time.monotonic() + seconds
        while not (done := holds()) and (left := end - time.monotonic()) > 0:
            self.progress(f"{what}, at most {left:.0f} s more")
            time.sleep(POLL_SECONDS)
        self.progress("")
        return done

    # -- its end -------------------------------------------------------------------------------------

    def clear(self) -> list[str]:
        """Take away all that was made; returns what could not be."""
        problems: list[str] = []

        def attempt(what: Callable[[], object]) -> None:
            try:
                what()
            except (LabError, OSError, subprocess.SubprocessError) as error:
                problems.append(str(error))

        attempt(self.containers.close)
        for switch in reversed(self._switches):
            attempt(switch.stop)
        for name in list(self.hosts):
            attempt(partial(self.remove_host, name))
        return problems
