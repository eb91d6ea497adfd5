"""A real switch in a namespace of its own, and what tests ask of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jackfield.datapath.naming import instance_name
from jackfield.model import Address, FdbCounters
from tests.daemon import Daemon
from tests.netlab import Lab, Namespace, settled, until
from tests.patience import PATIENCE


@dataclass(frozen=True)
class PortReport:
    """A port's counters and drops by reason, from the switch's point of view."""

    rx_packets: int
    rx_bytes: int
    tx_packets: int
    tx_bytes: int
    drops: Mapping[str, int]


class Switch:
    """A daemon and its namespace, the "host" of a test."""

    def __init__(self, lab: Lab, daemon: Daemon, host: Namespace) -> None:
        self.lab = lab
        self.daemon = daemon
        self.host = host

    # -- commands ------------------------------------------------------------------------------------

    def vsctl(self, *words: str) -> str:
        """The real ovs-vsctl, which must succeed."""
        return self.daemon.vsctl(*words)

    def try_vsctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The real ovs-vsctl, whatever comes of it."""
        return self.daemon.run("ovs-vsctl", f"--timeout={10 * PATIENCE:.0f}", *words)

    def appctl(self, *words: str) -> str:
        """The real ovs-appctl, which must succeed."""
        return self.daemon.appctl(*words)

    def shell(self, script: str) -> str:
        """A script as an administrator of the host would run it; it must succeed. What it prints."""
        done = self.daemon.run("sh", "-euc", script)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def get(self, table: str, record: str, column: str) -> str:
        """One value, without quotes."""
        return self.vsctl("get", table, record, column).strip().strip('"')

    def wait_for(self, table: str, record: str, column: str, pattern: str) -> str:
        """Waits until a column looks like the regular expression, from its beginning to its end."""
        value = ""

        def looks() -> bool:
            nonlocal value
            value = self.get(table, record, column)
            return re.fullmatch(pattern, value) is not None

        until(looks, what=lambda: f"{table} {record} {column} like {pattern!r} (it is {value!r})")
        return value

    # -- configuration -------------------------------------------------------------------------------

    def internal(self, bridge: str, name: str, *settings: str) -> None:
        """Adds an internal port, with settings of its Interface."""
        self.vsctl("add-port", bridge, name, "--", "set", "Interface", name, "type=internal", *settings)

    def internal_in(
        self, bridge: str, name: str, namespace: Namespace, address: str, *port_settings: str
    ) -> None:
        """Adds an internal port, moves it into a namespace and brings it up with an address."""
        self.vsctl("add-port", bridge, name, *port_settings, "--", "set", "Interface", name, "type=internal")
        if namespace is not self.host:
            self.move(name, namespace)
        self.up(name, address, namespace=namespace)

    def move(self, device: str, namespace: Namespace) -> None:
        """Moves a device from the host into a namespace."""
        self.host.ip("link", "set", device, "netns", namespace.name)

    @contextmanager
    def container(self) -> Iterator[int]:
        """A process in a network namespace without a name; both end together. Its process id."""
        process = self.host.popen("unshare", "--net", "sleep", "infinity")
        try:
            host = f"net:[{self.host.path.stat().st_ino}]"
            link = Path(f"/proc/{process.pid}/ns/net")
            until(lambda: str(link.readlink()) != host, what="a namespace of the container's own")
            yield process.pid
        finally:
            process.kill()
            process.communicate()

    def up(self, device: str, *addresses: str, namespace: Namespace | None = None) -> None:
        """Brings an internal port up, wherever it is; what the switch sends to it arrives from now on."""
        (namespace or self.host).up(device, *addresses)
        settled(self.host)

    # -- what it tells -------------------------------------------------------------------------------

    def ports(self) -> dict[str, PortReport]:
        """All ports' counters."""
        rows: list[dict[str, Any]] = json.loads(self.daemon.unixctl("jackfield/ports"))["ports"]
        return {
            row["name"]: PortReport(
                row["rx_packets"],
                row["rx_bytes"],
                row["tx_packets"],
                row["tx_bytes"],
                {reason: drop["count"] for reason, drop in row["drops"].items() if drop["count"]},
            )
            for row in rows
        }

    def drops(self, port: str) -> Mapping[str, int]:
        """A port's drops by reason."""
        return self.ports()[port].drops

    def fdb(self, bridge: str) -> dict[Address, int | str]:
        """What `fdb/show` prints: the number of the port, or LOCAL, of each (VLAN, address)."""
        return dict(_fdb_lines(self.daemon.unixctl("fdb/show", bridge)))

    def table_counters(self, bridge: str) -> FdbCounters:
        """What `fdb/stats-show` prints."""
        text = self.daemon.unixctl("fdb/stats-show", bridge)

        def number(label: str) -> int:
            found = re.search(rf"{label}[^:\n]*: *(\d+)", text)
            assert found, text
            return int(found[1])

        return FdbCounters(
            learned=number("Total number of learned MAC entries"),
            moved=number("Total number of port moved MAC entries"),
            expired=number("Total number of expired MAC entries"),
            evicted=number("Total number of evicted MAC entries"),
        )

    def promiscuous(self, device: str) -> bool:
        """Whether a device of the host takes every frame."""
        return "promiscuity 0" not in self.host.ip("-d", "link", "show", device)


def _fdb_lines(text: str) -> Iterator[tuple[Address, int | str]]:
    lines = text.splitlines()
    assert lines[0].split() == ["port", "VLAN", "MAC", "Age"]
    for line in lines[1:]:
        port, vlan, mac, _age = line.split()
        yield Address(int(vlan), bytes.fromhex(mac.replace(":", ""))), int(port) if port.isdigit() else port


def pins(rundir: Path) -> list[Path]:
    """What a daemon with this run directory has on the bpf file system."""
    return sorted(_folder(rundir).rglob("*"))


def _folder(rundir: Path) -> Path:
    return Path("/sys/fs/bpf/jackfield") / instance_name(rundir)


@contextmanager
def new_switch() -> Iterator[Switch]:
    """A running switch with an empty database, in a laboratory of its own; nothing is left of it."""
    with Lab() as lab, TemporaryDirectory(prefix="jft") as root:
        host = lab.namespace("host")
        daemon = Daemon(Path(root), host.name)
        try:
            with daemon:
                yield Switch(lab, daemon, host)
            assert not pins(daemon.rundir)
            assert not [name for name in host.devices() if name.startswith("jf")]
        finally:
            shutil.rmtree(_folder(daemon.rundir), ignore_errors=True)
