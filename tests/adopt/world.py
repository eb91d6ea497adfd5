"""A host with a card, a router on its wire, a server behind that, and a stream from host to server."""

from __future__ import annotations

import json
import re
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.daemon import Daemon
from tests.netlab import DEADLINE, Lab, Namespace, settled, until

JACKFIELD = "import sys; from jackfield.cli.main import main; sys.exit(main())"
HOST, GATEWAY, SERVER = "10.0.0.1", "10.0.0.254", "192.0.2.2"
HOST6, GATEWAY6, SERVER6 = "2001:db8::1", "2001:db8::fe", "2001:db8:2::2"


def differences(before: Any, now: Any, where: str = "") -> list[str]:
    """In what two structures differ, a line each."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys(), key=str)
        return [line for k in keys for line in differences(before.get(k), now.get(k), f"{where}/{k}")]
    if isinstance(before, list | tuple) and isinstance(now, list | tuple) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [line for n, (a, b) in pairs for line in differences(a, b, f"{where}/{n}")]
    return [] if before == now else [f"{where}: {before} became {now}"]


class World:
    """The host's card is eth0; `router` and `server` are namespaces of their own.

    With `bridge`, a name and ports, the host's addresses are on a Linux bridge, or another device of `kind`.
    """

    def __init__(
        self,
        lab: Lab,
        daemon: Daemon,
        host: Namespace,
        bridge: tuple[str, ...] = ("eth0",),
        kind: str = "bridge",
    ) -> None:
        self.daemon, self.host = daemon, host
        lab.defer(self._forget_rules)
        self.router, self.server = lab.namespace("router"), lab.namespace("server")
        for each in (host, self.router, self.server):
            each.run("sh", "-c", "echo 0 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6 >/proc/self/fd/2")
            each.run("sh", "-c", "echo 0 | tee /proc/sys/net/ipv6/conf/*/accept_dad >/proc/self/fd/2")
        lab.cable(host, "eth0", self.router, "lan")
        lab.cable(self.router, "wan", self.server, "eth0")
        self.router.up("lan", f"{GATEWAY}/24", f"{GATEWAY6}/64")
        self.router.up("wan", "192.0.2.1/24", "2001:db8:2::1/64")
        for family, setting in (("ipv4", "ip_forward"), ("ipv6", "conf/all/forwarding")):
            with self.router.entered():
                Path(f"/proc/sys/net/{family}/{setting}").write_text("1")
        self.server.up("eth0", f"{SERVER}/24", f"{SERVER6}/64")
        self.server.ip("route", "add", "default", "via", "192.0.2.1")
        self.server.ip("-6", "route", "add", "default", "via", "2001:db8:2::1")
        device, *ports = bridge
        self.device = ports[0] if kind == "bridge" and ports else device
        if ports:
            host.ip("link", "add", device, "type", *kind.split())
        for port in ports:
            host.ip("link", "set", port, "down")  # a bond takes no others
            host.ip("link", "set", port, "master", device)
            host.ip("link", "set", port, "up")
        host.up(device, f"{HOST}/24", "10.0.0.2/24", f"{HOST6}/64")
        host.ip("route", "add", "default", "via", GATEWAY, "metric", "50")
        host.ip("-6", "route", "add", "default", "via", GATEWAY6)
        for each in (host, self.router, self.server):
            settled(each)
        until(lambda: "tentative" not in host.ip("address"), what="addresses that are sure")

    def _forget_rules(self) -> None:
        for family in ("-4", "-6"):
            for rule in json.loads(self.host.ip("-j", family, "rule")):
                if 0 < rule["priority"] < 32766:
                    self.host.ip(family, "rule", "delete", "priority", str(rule["priority"]))

    # -- commands ------------------------------------------------------------------------------------

    def jackfield(self, *words: str, code: int = 0, **environment: str) -> str:
        """The command on the host, with an exit code; what it printed and complained about."""
        done = self.start(*words, **environment)
        output, _ = done.communicate(timeout=12 * DEADLINE)
        assert done.returncode == code, output
        return output

    def start(self, *words: str, terminal: int | None = None, **environment: str) -> subprocess.Popen[str]:
        """The command on the host, running; on a terminal if one is given."""
        given = {key: value for key, value in self.daemon.environment.items() if key != "SSH_CONNECTION"}
        with self.host.entered():
            return subprocess.Popen(
                [sys.executable, "-c", JACKFIELD, *words],
                env=given | environment,
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=subprocess.PIPE if terminal is None else terminal,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def record(self, nic: str = "eth0") -> Path:
        """The file that tells the way back while a takeover is not decided."""
        return self.daemon.rundir / f"jackfield-adopt-{nic}.json"

    def mac_the_router_knows(self, family: int = socket.AF_INET) -> str:
        """At which MAC the router has the host's address."""
        address = HOST if family == socket.AF_INET else HOST6
        found = re.search(r"lladdr (\S+)", self.router.ip("neigh", "show", address, "dev", "lan"))
        return found[1] if found else ""

    def undecided(self) -> bool:
        """Whether a takeover is under way."""
        return any(self.daemon.rundir.glob("jackfield-adopt-*.json"))

    # -- what there is to see ------------------------------------------------------------------------

    def layer3(self, device: str) -> dict[str, Any]:
        """Addresses, routes, rules, lasting neighbours and settings of a device, as `ip` shows them, with
        DEVICE for its name."""
        host = self.host

        def show(*words: str) -> list[Any]:
            text = (
                host.ip("-j", "-d", *words)
                .replace(f'"{device}"', '"DEVICE"')
                .replace(f'"{device}:', '"DEVICE:')
            )
            return list(json.loads(text or "[]"))

        addresses = show("address", "show", "dev", device)[0]["addr_info"]
        routes = [
            route
            for family in ("-4", "-6")
            for route in show(family, "route", "show", "table", "all")
            if "DEVICE" in str(route)
            and route.get("type") not in ("local", "broadcast", "anycast", "multicast")
        ]
        rules = [rule for family in ("-4", "-6") for rule in show(family, "rule") if "DEVICE" in str(rule)]
        for address in addresses:
            address.pop("tentative", None)  # for as long as duplicates are looked for
        for entry in (*addresses, *routes):
            for passing in ("valid_life_time", "preferred_life_time", "expires"):
                if entry.get(passing, 0xFFFFFFFF) != 0xFFFFFFFF:
                    entry[passing] = "limited"
        settings = host.run("sh", "-c", f"cd /proc/sys/net && grep -s . ipv[46]/conf/{device}/*", check=False)
        return {
            "addresses": addresses,
            "routes": sorted(routes, key=str),
            "rules": rules,
            "neighbours": show("neigh", "show", "dev", device, "nud", "permanent"),
            "proxies": show("neigh", "show", "proxy", "dev", device),
            "settings": [line.replace(f"/{device}/", "/DEVICE/") for line in settings.stdout.splitlines()],
        }

    @contextmanager
    def everything_as_before(self) -> Iterator[None]:
        """In the end the host's card has what it had, the switch no trace, and no process or file is left."""
        before, names = self.layer3(self.device), self.host.devices()
        rows = self.daemon.vsctl("--columns=name", "list", "Interface")
        yield
        assert differences(before, self.layer3(self.device)) == []
        assert self.host.devices() == names
        assert self.daemon.vsctl("--columns=name", "list", "Interface") == rows
        assert not self.undecided()


class Stream:
    """A TCP connection between host and server on which both ends send numbers all the time.

    A number that is lost, doubled or out of order, or an end of the connection, is remembered as a fault.
    """

    INTERVAL = 0.005  # seconds between two numbers

    def __init__(self, world: World, family: int = socket.AF_INET) -> None:
        address = SERVER if family == socket.AF_INET else SERVER6
        with world.server.entered():
            listener = socket.create_server((address, 0), family=family)
        with listener, world.host.entered():
            near = socket.create_connection(listener.getsockname()[:2], timeout=DEADLINE)
            far, _ = listener.accept()
        self._ends = (near, far)
        self.received = [0, 0]
        self.fault = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        waiting = selectors.DefaultSelector()
        for number, end in enumerate(self._ends):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            waiting.register(end, selectors.EVENT_READ, number)
        sent, rest = [0, 0], [b"", b""]
        try:
            while not self._stop.is_set():
                for number, end in enumerate(self._ends):
                    try:
                        end.send(struct.pack(">Q", sent[number]))
                        sent[number] += 1
                    except BlockingIOError:
                        pass
                until_then = time.monotonic() + self.INTERVAL
                while (left := until_then - time.monotonic()) > 0:
                    for key, _ in waiting.select(left):
                        number = key.data
                        data = rest[number] + self._ends[number].recv(1 << 16)
                        if not data:
                            raise OSError("the connection was closed")
                        whole = len(data) // 8 * 8
                        for (value,) in struct.iter_unpack(">Q", data[:whole]):
                            if value != self.received[number]:
                                raise OSError(f"{value} came instead of {self.received[number]}")
                            self.received[number] += 1
                        rest[number] = data[whole:]
        except OSError as error:
            self.fault = str(error)
        finally:
            waiting.close()

    def goes_on(self) -> None:
        """Waits until ten more numbers have come in both directions; fails when there was a fault."""
        goal = [count + 10 for count in self.received]
        until(
            lambda: self.fault or all(have >= want for have, want in zip(self.received, goal, strict=True)),
            deadline=20,
            what="a number through the stream",
        )
        assert not self.fault

    def __enter__(self) -> Stream:
        self.goes_on()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(DEADLINE)
        for end in self._ends:
            end.close()


def kill(process: subprocess.Popen[str]) -> None:
    """End a command without a chance to put things in order."""
    process.send_signal(signal.SIGKILL)
    process.communicate()
