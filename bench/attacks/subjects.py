"""The switches that are attacked. Each has a namespace for itself and three ports, p1 to p3, to stations."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from bench.netns import BenchError, inside, namespaces, run
from bench.switch import JACKFIELD

HOST, STATIONS = (f"jft-{what}-{os.getpid()}" for what in ("attacked", "stations"))
BRIDGE = "jft-br0"
PORTS = ("p1", "p2", "p3")
TABLE_SIZE = 1024
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
GONE_SECONDS = 20.0


class Subject(ABC):
    """A switch under attack."""

    title: ClassVar[str]
    has_daemon: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    """Whether its learning table was told a size, TABLE_SIZE."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def environment(self) -> dict[str, str]:
        """What tells every command which daemon is meant."""
        return {**os.environ, **dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), str(self.directory))}

    def there(self, *argv: str) -> str:
        """Run a command in the switch's namespace."""
        return run(*inside(HOST, *argv), env=self.environment)

    @abstractmethod
    def start(self) -> None:
        """Have its daemons run."""

    @abstractmethod
    def stop(self) -> None:
        """End its daemons in good order."""

    @abstractmethod
    def clean(self) -> None:
        """Leave nothing behind."""

    @abstractmethod
    def build(self) -> None:
        """The bridge and its ports."""

    @abstractmethod
    def add_port(self, device: str) -> None:
        """One port more."""

    @abstractmethod
    def entries(self) -> int:
        """How many addresses it has learned and knows."""

    def protect(self, port: str, *settings: str) -> str:
        """Turn on protections of a port, where it has them; what to say of that."""
        del port, settings
        return ""

    def pids(self) -> dict[str, int]:
        """Its daemons by name."""
        return {
            path.stem: int(path.read_text(encoding="ascii")) for path in sorted(self.directory.glob("*.pid"))
        }

    def alive(self, pids: dict[str, int]) -> bool:
        """Whether all of these daemons live."""
        return all(Path(f"/proc/{pid}").exists() for pid in pids.values())

    def kilobytes(self) -> int:
        """The resident memory of all its daemons now."""
        found = 0
        for pid in self.pids().values():
            with contextlib.suppress(FileNotFoundError):
                text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
                found += sum(int(size) for size in re.findall(r"^VmRSS:\s+(\d+) kB", text, re.M))
        return found

    def kill(self) -> None:
        """Have its daemons die without warning."""
        for name, pid in self.pids().items():
            descriptor = os.pidfd_open(pid)
            os.kill(pid, signal.SIGKILL)
            select.select([descriptor], [], [], GONE_SECONDS)
            os.close(descriptor)
            (self.directory / f"{name}.pid").unlink(missing_ok=True)

    def serves(self) -> bool:
        """Whether another client of the database is served."""
        with contextlib.suppress(BenchError):
            return BRIDGE in run("ovs-vsctl", "--timeout=30", "--no-wait", "list-br", env=self.environment)
        return False

    def control_socket(self) -> Path:
        """Where commands are given."""
        return next(self.directory.glob("ovs-vswitchd.*.ctl"))


class Jackfield(Subject):
    """Ours."""

    title = "Jackfield"

    def start(self) -> None:
        self.there(JACKFIELD, "daemon", "--detach")

    def stop(self) -> None:
        self.there(JACKFIELD, "stop")

    def clean(self) -> None:
        if (self.directory / "conf.db").exists():
            with contextlib.suppress(BenchError):
                self.start()
            self.there(JACKFIELD, "stop", "--cleanup")

    def build(self) -> None:
        size = f"other_config:mac-table-size={TABLE_SIZE}"
        words = ["add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, size]
        for port in PORTS:
            words += ["--", "add-port", BRIDGE, port]
        run("ovs-vsctl", *words, env=self.environment)

    def add_port(self, device: str) -> None:
        run("ovs-vsctl", "add-port", BRIDGE, device, env=self.environment)

    def protect(self, port: str, *settings: str) -> str:
        words = (f"other_config:{setting}" for setting in settings)
        run("ovs-vsctl", "set", "Port", port, *words, env=self.environment)
        return f"with `{' '.join(settings)}`: "

    def entries(self) -> int:
        return len(run("ovs-appctl", "fdb/show", BRIDGE, env=self.environment).splitlines()) - 1


class OpenVSwitch(Jackfield):
    """Debian's Open vSwitch with its user-space datapath."""

    title = "OVS, user space"
    protect = Subject.protect

    def start(self) -> None:
        quiet = ("--no-chdir", "--detach", "--pidfile", "--log-file", "-vconsole:off", "-vsyslog:off")
        database = f"{self.directory}/conf.db"
        if not Path(database).exists():
            run("ovsdb-tool", "create", database, SCHEMA)
        self.there("ovsdb-server", *quiet, f"--remote=punix:{self.directory}/db.sock", database)
        self.there("ovs-vsctl", "--no-wait", "init")
        self.there("ovs-vswitchd", *quiet, "--disable-system", f"unix:{self.directory}/db.sock")

    def stop(self) -> None:
        for name, pid in sorted(self.pids().items(), reverse=True):
            descriptor = os.pidfd_open(pid)
            run("ovs-appctl", "-t", name, "exit", env=self.environment)
            select.select([descriptor], [], [], GONE_SECONDS)
            os.close(descriptor)

    def clean(self) -> None:
        self.kill()

    def build(self) -> None:
        super().build()
        run("ovs-vsctl", "set", "Bridge", BRIDGE, "datapath_type=netdev", env=self.environment)


class LinuxBridge(Subject):
    """The kernel's own bridge: no daemon, a table without a bound."""

    title = "Linux bridge"
    has_daemon, bounded = False, False

    def start(self) -> None:
        """There is nothing to start."""

    stop = clean = start

    def build(self) -> None:
        self.there("ip", "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0")
        self.there("ip", "link", "set", BRIDGE, "up")
        for port in PORTS:
            self.add_port(port)

    def add_port(self, device: str) -> None:
        self.there("ip", "link", "set", device, "master", BRIDGE)

    def entries(self) -> int:
        text = self.there("bridge", "fdb", "show", "br", BRIDGE, "dynamic")
        return sum(f"master {BRIDGE}" in line and "permanent" not in line for line in text.splitlines())


SUBJECTS: tuple[type[Subject], ...] = (Jackfield, OpenVSwitch, LinuxBridge)


def cable(device: str, namespace: str, other: str) -> None:
    """A cable from the switch's namespace to another, or to itself."""
    pair = ("type", "veth", "peer", "name", other, "netns", namespace)
    run("ip", "-n", HOST, "link", "add", device, *pair)
    for where, end in ((HOST, device), (namespace, other)):
        run("ip", "-n", where, "link", "set", end, "addrgenmode", "none", "up")


@contextlib.contextmanager
def standing(kind: type[Subject]) -> Iterator[Subject]:
    """A switch with three cables to stations s1 to s3."""
    with (
        tempfile.TemporaryDirectory(prefix="jft-attack-") as directory,
        namespaces(HOST, STATIONS),
    ):
        for port in PORTS:
            cable(port, STATIONS, port.replace("p", "s"))
        subject = kind(Path(directory))
        try:
            subject.start()
            subject.build()
            yield subject
        finally:
            subject.clean()
