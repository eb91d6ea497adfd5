"""A laboratory of network namespaces, cables and raw sockets, made for one test and gone after it.

    with Lab() as lab:
        left, right = lab.namespace("left"), lab.namespace("right")
        lab.cable(left, "eth0", right, "eth0")
        with left.tap("eth0") as a, right.tap("eth0") as b:
            a.send(frame)
            assert b.receive() == frame

Namespaces are named `jft<process>-<lab>-<label>`, so labs never meet, those of other test processes neither.
Nothing here sleeps for a guessed time: `until` looks again and again until a condition holds or its deadline
is over.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import itertools
import os
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.patience import PATIENCE

T = TypeVar("T")

DEADLINE = 5.0 * PATIENCE  # seconds: how long anything that should happen at once may take on a busy machine
PREFIX = f"jft{os.getpid():x}-"

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
AUXDATA = struct.Struct("=IIIHHHH")  # status, length, captured, MAC and network offset, TCI, TPID
VLAN_VALID = 1 << 4
TPID_VALID = 1 << 6
OUTGOING = 4  # packet type of a frame that this host sends

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000

_libc = ctypes.CDLL(None, use_errno=True)


def eventually(condition: Callable[[], T], *, deadline: float = DEADLINE) -> T:
    """The condition's first value that is true, or its last one when there is none within the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.002)


def until(
    condition: Callable[[], T], *, deadline: float = DEADLINE, what: str | Callable[[], str] = "it"
) -> T:
    """The condition's first value that is true; fails when there is none within the deadline."""
    value = eventually(condition, deadline=deadline)
    if not value:
        raise AssertionError(f"{what() if callable(what) else what} did not happen within {deadline} s")
    return value


def run(*argv: str, check: bool = True, timeout: float = 20.0) -> subprocess.CompletedProcess[str]:
    """Runs a command; a failure shows its output."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout * PATIENCE, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Tap:
    """A raw socket on a device: sends frames as they are, receives them as they would be on a wire."""

    def __init__(self, device: str, *, outgoing: bool = False) -> None:
        self.device = device
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        if not outgoing:
            self._socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self._socket.bind((device, ETH_P_ALL))
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, frame: bytes) -> None:
        """Sends a frame; its tags are in the bytes, and the receiving device takes the outer one out."""
        self._socket.send(frame)

    def drain(self) -> list[bytes]:
        """The frames that have arrived so far."""
        frames = []
        while True:
            try:
                frames.append(self._read())
            except BlockingIOError:
                return frames

    def receive(
        self, matching: Callable[[bytes], bool] = lambda _: True, deadline: float = DEADLINE
    ) -> bytes:
        """The next frame that matches; others are passed over."""
        end = time.monotonic() + deadline
        while select.select([self], [], [], max(0.0, end - time.monotonic()))[0]:
            frame = self._read()
            if matching(frame):
                return frame
        raise AssertionError(f"no such frame on {self.device} within {deadline} s")

    def _read(self) -> bytes:
        data, ancillary, _, _ = self._socket.recvmsg(1 << 17, socket.CMSG_SPACE(AUXDATA.size))
        for level, kind, value in ancillary:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, *_, tci, tpid = AUXDATA.unpack(value)
                if status & VLAN_VALID:
                    protocol = tpid if status & TPID_VALID else 0x8100
                    return data[:12] + struct.pack(">HH", protocol, tci) + data[12:]
        return data


class Machine:
    """The inside of a virtual machine's network card: frames written and read on a tap device."""

    def __init__(self, device: str) -> None:
        self._file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self._file, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def fileno(self) -> int:
        return self._file

    def send(self, frame: bytes) -> None:
        """Sends a frame out of the machine."""
        os.write(self._file, frame)

    def receive(self, deadline: float = DEADLINE) -> bytes:
        """The next frame that reaches the machine."""
        if not select.select([self._file], [], [], deadline)[0]:
            raise AssertionError(f"no frame for the machine within {deadline} s")
        return os.read(self._file, 1 << 17)


class Tcpdump:
    """A running tcpdump; its lines as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.lines: list[str] = []
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("listening on") or ": listening on" in line:
                break
        else:
            raise AssertionError("tcpdump did not start")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip())

    def expect(self, pattern: str, deadline: float = DEADLINE) -> str:
        """The first line that the regular expression is found in."""
        return until(
            lambda: next((line for line in list(self.lines) if re.search(pattern, line)), None),
            deadline=deadline,
            what=lambda: f"a line like {pattern!r} among\n" + "\n".join(self.lines) + "\n",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


class Namespace:
    """A network namespace, where one can do what an administrator does."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = Path("/run/netns") / name

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is inside for a while: sockets and processes made here stay here."""
        with Path("/proc/thread-self/ns/net").open("rb") as home:
            with self.path.open("rb") as there:
                _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def run(self, *argv: str, check: bool = True, timeout: float = 20.0) -> subprocess.CompletedProcess[str]:
        """Runs a command inside."""
        with self.entered():
            return run(*argv, check=check, timeout=timeout)

    def popen(self, *argv: str) -> subprocess.Popen[str]:
        """Starts a command inside, its output in pipes."""
        with self.entered():
            return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ip(self, *arguments: str) -> str:
        """`ip` inside: what it prints."""
        return self.run("ip", *arguments).stdout

    def up(self, device: str, *addresses: str, mtu: int | None = None) -> None:
        """Brings a device up, with addresses (in CIDR form) and perhaps an MTU."""
        for address in addresses:
            self.ip("address", "add", address, "dev", device)
        self.ip("link", "set", device, *(("mtu", str(mtu)) if mtu else ()), "up")

    def devices(self) -> set[str]:
        """The names of the devices inside."""
        with self.entered():
            return {name for _, name in socket.if_nameindex()}

    def read(self, device: str, attribute: str) -> str:
        """What sysfs says of a device, such as `address`, `mtu` or `statistics/rx_packets`."""
        # `ip netns exec` shows the namespace's own sysfs.
        path = f"/sys/class/net/{device}/{attribute}"
        return run("ip", "netns", "exec", self.name, "cat", path).stdout.strip()

    def mac(self, device: str) -> str:
        """A device's address."""
        found = re.search(r"link/ether (\S+)", self.ip("link", "show", device))
        assert found
        return found[1]

    def tap(self, device: str, *, outgoing: bool = False) -> Tap:
        """A raw socket on a device, which sees what arrives and, if asked, what is sent."""
        with self.entered():
            return Tap(device, outgoing=outgoing)

    def machine(self, device: str) -> Machine:
        """A virtual machine's card: a tap device that lives as long as it is open."""
        with self.entered():
            return Machine(device)

    def tcpdump(self, device: str, *expression: str) -> Tcpdump:
        """tcpdump on a device, showing link-level headers."""
        return Tcpdump(self.popen("tcpdump", "--immediate-mode", "-lnei", device, *expression))

    def ping(self, address: str, *, count: int = 1, deadline: float = DEADLINE, size: int = 56) -> None:
        """Pings until `count` answers in a row have come; fails at the deadline."""
        until(
            lambda: self.pings(address, count=count, size=size),
            deadline=deadline,
            what=f"an answer from {address} to {self.name}",
        )

    def pings(self, address: str, *, count: int = 1, wait: float = 0.3, size: int = 56) -> bool:
        """Whether that many pings are all answered, each within `wait` seconds."""
        most = str(wait * PATIENCE)
        argv = ("ping", "-n", "-q", "-c", str(count), "-i", "0.01", "-W", most, "-s", str(size))
        done = self.run(*argv, "-M", "do", address, check=False)
        return done.returncode == 0 and f" {count} received" in done.stdout

    @contextlib.contextmanager
    def pinging(self, address: str) -> Iterator[Callable[[], int]]:
        """A steady ping, a hundred a second; the function given ends it and says how many were lost."""
        process = self.popen("ping", "-n", "-q", "-i", "0.01", address)

        def lost() -> int:
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=DEADLINE)
            found = re.search(r"(\d+) packets transmitted, (\d+) received", output)
            assert found, output
            # The last one may still have been under way.
            return max(0, int(found[1]) - int(found[2]) - 1)

        try:
            yield lost
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def listen(self, address: str, port: int) -> socket.socket:
        """A TCP socket inside that waits for a connection."""
        with self.entered():
            return socket.create_server((address, port))

    def connect(self, address: str, port: int, deadline: float = DEADLINE) -> socket.socket:
        """A TCP connection made from inside."""
        with self.entered():
            return socket.create_connection((address, port), timeout=deadline)


def settled(namespace: Namespace) -> None:
    """Waits until every device that has a carrier also sends: the kernel sees to that a little later."""

    def all_send() -> bool:
        lines = namespace.ip("-o", "link", "show", "up").splitlines()
        ready = [line for line in lines if "LOWER_UP" in line and "LOOPBACK" not in line]
        return all(" state UP " in line for line in ready)

    until(all_send, what=f"carrier in {namespace.name}")


def transfer(
    source: Namespace, sink: Namespace, address: str, size: int, deadline: float = 20.0 * PATIENCE
) -> None:
    """Sends so many bytes by TCP from one namespace to an address of the other; what arrives is what left."""
    block = os.urandom(1 << 20)
    sent, received = hashlib.sha256(), hashlib.sha256()
    with sink.listen(address, 0) as server:
        server.settimeout(deadline)
        with source.connect(address, server.getsockname()[1]) as out:
            out.settimeout(deadline)
            incoming, _ = server.accept()
            with incoming:
                incoming.settimeout(deadline)

                def send() -> None:
                    left = size
                    while left:
                        part = block[:left]
                        out.sendall(part)
                        sent.update(part)
                        left -= len(part)
                    out.shutdown(socket.SHUT_WR)

                sender = threading.Thread(target=send)
                sender.start()
                try:
                    while data := incoming.recv(1 << 20):
                        received.update(data)
                finally:
                    sender.join(deadline)
    assert received.digest() == sent.digest()


class Lab:
    """Namespaces and the cables between them; all gone when it closes."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self._prefix = f"{PREFIX}{next(self._numbers)}-"
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def namespace(self, label: str) -> Namespace:
        """A new namespace, loopback up, without IPv6, so that nothing speaks that was not told to."""
        name = self._prefix + label
        run("ip", "netns", "add", name)
        self._stack.callback(_delete_namespace, name)
        namespace = Namespace(name)
        with namespace.entered():
            for group in ("all", "default"):
                Path(f"/proc/sys/net/ipv6/conf/{group}/disable_ipv6").write_text("1")
            run("ip", "link", "set", "lo", "up")
        return namespace

    def remove(self, namespace: Namespace) -> None:
        """Deletes a namespace now, and what is in it."""
        _delete_namespace(namespace.name)

    def cable(self, a: Namespace, a_name: str, b: Namespace, b_name: str, mtu: int = 1500) -> None:
        """A cable (veth pair) between two namespaces, both ends up."""
        a.ip(
            *("link", "add", a_name, "mtu", str(mtu), "type", "veth"),
            *("peer", "name", b_name, "mtu", str(mtu), "netns", b.name),
        )
        self._stack.callback(_delete_device, a, a_name)
        self._stack.callback(_delete_device, b, b_name)
        a.ip("link", "set", a_name, "up")
        b.ip("link", "set", b_name, "up")
        settled(a)
        settled(b)

    def defer(self, action: Callable[[], object]) -> None:
        """Does something when the lab closes, before what was made earlier goes away."""
        self._stack.callback(action)


def leftovers(prefix: str = PREFIX) -> Sequence[str]:
    """Namespaces and devices of this test process that are still there."""
    names = [path.name for path in Path("/run/netns").glob(prefix + "*")]
    return sorted(names + [name for _, name in socket.if_nameindex() if name.startswith(prefix)])


def _enter(fd: int) -> None:
    if _libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _delete_device(namespace: Namespace, device: str) -> None:
    # A namespace's devices go away some time after it: too late for a test that uses their names again.
    if namespace.path.exists() and device in namespace.devices():
        namespace.run("ip", "link", "delete", device, check=False)


def _delete_namespace(name: str) -> None:
    if (Path("/run/netns") / name).exists():
        run("ip", "netns", "delete", name)
