"""Addresses that a DHCP server gives: the messages, the client, and leases that are kept."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.client.errors import Failure
from jackfield.containers import dhcp
from jackfield.containers import dhcpcodec as codec
from jackfield.containers.attachment import Wish
from jackfield.containers.commands import AttachOrder, carry_out
from jackfield.containers.dhcp import Lease, obtain
from jackfield.containers.inside import Inside
from jackfield.containers.interior import interface_of
from jackfield.containers.leases import AGAIN_SECONDS, LEAST_PAUSE, pause_before
from jackfield.containers.lock import is_claimed
from jackfield.net.link import Link
from tests.containers.conftest import World
from tests.netlab import DEADLINE, Namespace, run, until

MAC = bytes.fromhex("020000000001")
SERVER = "10.0.0.1"
PROGRAM = """
import sys
from jackfield.containers.attachment import Wish
from jackfield.containers.commands import AttachOrder, carry_out
list(carry_out(AttachOrder(sys.argv[1], Wish("br0", addresses=("dhcp",), tag=5))))
"""


def answer(
    request: bytes, type_: int, address: str, seconds: int, gateway: str = "", renew: int = 0
) -> bytes:
    """A server's answer to a client's message."""
    head = bytearray(request[:236])
    head[0] = 2
    head[16:20] = socket.inet_aton(address)
    options = {
        codec.TYPE: bytes([type_]),
        codec.SERVER: socket.inet_aton(SERVER),
        codec.LEASE_TIME: struct.pack("!I", seconds),
        codec.MASK: socket.inet_aton("255.255.255.0"),
        codec.ROUTER: socket.inet_aton(gateway) if gateway else b"",
        codec.RENEWAL_TIME: struct.pack("!I", renew) if renew else b"",
    }
    body = b"".join(bytes([kind, len(value)]) + value for kind, value in options.items() if value)
    return bytes(head) + request[236:240] + body + b"\xff"


def test_a_request_reads_back_as_its_answer() -> None:
    request = codec.request(codec.DISCOVER, 0x12345678, MAC, "web1")
    reply = codec.read(answer(request, codec.OFFER, "10.0.0.77", 600, "10.0.0.254"))
    assert reply is not None
    assert (reply.type, reply.xid, reply.mac) == (codec.OFFER, 0x12345678, MAC)
    assert (reply.address, reply.prefix, reply.text(codec.ROUTER)) == ("10.0.0.77", 24, "10.0.0.254")
    assert (reply.number(codec.LEASE_TIME), reply.number(codec.RENEWAL_TIME)) == (600, None)
    assert codec.read(request) is None


@given(st.binary(max_size=600))
def test_no_bytes_upset_the_reader(data: bytes) -> None:
    codec.read(data)
    codec.unwrap(data)
    head = bytearray(codec.request(codec.REQUEST, 1, MAC, ""))
    head[0] = 2
    codec.read(bytes(head[:240]) + data)


def test_packets_carry_messages_of_servers_only() -> None:
    packet = bytearray(codec.wrap(b"hello"))
    assert codec.unwrap(bytes(packet)) is None
    packet[20:24] = struct.pack("!HH", codec.SERVER_PORT, codec.CLIENT_PORT)
    assert codec.unwrap(bytes(packet)) == b"hello"


def lease(seconds: int = 800, since: float = 0.0) -> Lease:
    return Lease("10.0.0.7/24", "", SERVER, seconds, seconds // 2, seconds * 7 // 8, since)


@pytest.mark.parametrize(
    "now, pause", [(0, 400), (399, 1), (400, 150), (699, LEAST_PAUSE), (700, 50), (800, AGAIN_SECONDS)]
)
def test_a_lease_is_renewed_at_the_times_of_the_standard(now: float, pause: float) -> None:
    assert pause_before(lease(), now) == pause


@contextmanager
def attaching_slowly(
    world: World, monkeypatch: pytest.MonkeyPatch, one: Namespace, seconds: float
) -> Iterator[tuple[threading.Event, list[str]]]:
    """An attachment under way that asks for so many seconds when the event is set; what it ended with."""
    monkeypatch.setenv("OVS_RUNDIR", str(world.switch.daemon.rundir))
    asking, answered, said = threading.Event(), threading.Event(), list[str]()

    def ask(inside: Inside, device: Link, host: str) -> Lease:
        asking.set()
        assert answered.wait(12 * DEADLINE)
        return obtain(inside, device, host, seconds=seconds)

    def work() -> None:
        try:
            wish = Wish("br0", addresses=("dhcp",), tag=5)
            said.extend(carry_out(AttachOrder(f"netns:{one.name}", wish)))
        except Failure as failure:
            said.append(str(failure))

    monkeypatch.setattr(dhcp, "obtain", ask)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert asking.wait(DEADLINE)
        yield answered, said
    finally:
        answered.set()
        thread.join()


class Server:
    """A DHCP server in a namespace, which gives the addresses that it is told to."""

    def __init__(self, namespace: Namespace, device: str) -> None:
        self.address = "10.0.0.77"
        self.gateway = "10.0.0.254"
        self.seconds = 600
        self.renew = 0
        self.refuses = False
        self.is_mute = False
        self.heard: list[int] = []
        self.released: list[tuple[str, bytes]] = []
        self._closing = threading.Event()
        with namespace.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            self._socket.bind(("", codec.SERVER_PORT))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        self._socket.settimeout(0.05)
        while not self._closing.is_set():
            try:
                request, client = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            type_ = request[request.index(b"\x35\x01", 240) + 2]
            self.heard.append(type_)
            if self.is_mute:
                continue
            if type_ == codec.RELEASE:
                self.released.append((client[0], request))
                continue
            given = codec.OFFER if type_ == codec.DISCOVER else codec.NAK if self.refuses else codec.ACK
            to = "255.255.255.255" if client[0] == "0.0.0.0" else client[0]
            reply = answer(request, given, self.address, self.seconds, self.gateway, self.renew)
            self._socket.sendto(reply, (to, codec.CLIENT_PORT))


@contextmanager
def served(world: World) -> Iterator[Server]:
    """A server behind a port in VLAN 5."""
    namespace = world.switch.lab.namespace("dhcp")
    world.switch.internal_in("br0", "jftdhcp", namespace, f"{SERVER}/24", "tag=5")
    server = Server(namespace, "jftdhcp")
    try:
        yield server
    finally:
        server.close()


def test_an_address_is_leased(world: World) -> None:
    one = world.switch.lab.namespace("one")
    with served(world) as server:
        said = world.do("attach", f"netns:{one.name}", "br0", "--ip", "dhcp", "--tag", "5")
        assert "10.0.0.77/24 (DHCP)" in said
        assert "default via 10.0.0.254 dev eth1" in one.ip("route")
        assert "valid_lft 600sec" in one.ip("address") or "valid_lft 59" in one.ip("address")
        one.ping(SERVER)
        assert server.heard == [codec.DISCOVER, codec.REQUEST]
        again = world.do("attach", f"netns:{one.name}", "br0", "--ip", "dhcp", "--tag", "5")
        assert "is attached already" in again


def test_a_lease_is_given_back_by_detach(world: World) -> None:
    one = world.switch.lab.namespace("one")
    words = ("attach", f"netns:{one.name}", "br0", "--ip", "dhcp", "--tag", "5")
    with served(world) as server:
        world.do(*words)
        mac = bytes.fromhex(one.mac("eth1").replace(":", ""))
        world.do(*words, "--mtu", "1400", "--mac", "02:00:00:00:00:77")
        world.do(*words)
        assert server.released == []
        # The server's MAC is to be found out first.
        one.ip("neigh", "flush", "all")
        assert world.do("detach", f"netns:{one.name}") == f"{one.name}: detached eth1\n"
        until(lambda: server.released, what="the lease back")
        ((client, message),) = server.released
        assert client == "10.0.0.77"
        assert message[12:16] == socket.inet_aton("10.0.0.77") and message[28:34] == mac
        assert (
            message[240:].rstrip(b"\0")
            == b"\x35\x01\x07" + b"\x3d\x07\x01" + mac + b"\x36\x04\x0a\x00\x00\x01\xff"
        )


def test_a_server_that_is_gone_does_not_keep_a_lease_from_being_detached(world: World) -> None:
    one = world.switch.lab.namespace("one")
    with served(world):
        world.do("attach", f"netns:{one.name}", "br0", "--ip", "dhcp", "--tag", "5")
    one.ip("neigh", "flush", "all")
    world.switch.vsctl("del-port", "jftdhcp")
    assert world.do("detach", f"netns:{one.name}") == f"{one.name}: detached eth1\n"
    assert one.devices() == {"lo"}


def test_a_lease_is_renewed_and_replaced_by_another(world: World) -> None:
    one = world.switch.lab.namespace("one")
    with served(world) as server:
        server.renew = 1  # of a lease that does not run out, however slow all is
        world.do("attach", f"netns:{one.name}", "br0", "--ip", "dhcp", "--tag", "5")
        until(lambda: server.heard.count(codec.REQUEST) > 1, what="a renewal", deadline=2 * DEADLINE)
        assert server.heard.count(codec.DISCOVER) == 1
        server.refuses, server.address = True, "10.0.0.88"
        until(
            lambda: server.heard.count(codec.REQUEST) > 2,
            what="a renewal that is refused",
            deadline=2 * DEADLINE,
        )
        server.refuses = False
        until(lambda: "10.0.0.88/24" in one.ip("address"), what="another address", deadline=2 * DEADLINE)
        assert "10.0.0.77" not in one.ip("address")
        until(lambda: world.attachments()[0]["leased"] == "10.0.0.88/24", what="the lease in the database")


def test_a_namespace_that_comes_back_leases_anew(world: World) -> None:
    one = world.switch.lab.namespace("one")
    with served(world) as server:
        world.do("attach", f"netns:{one.name}", "br0", "--ip", "dhcp", "--tag", "5")
        world.agent_pid()
        run("ip", "netns", "delete", one.name)
        until(lambda: world.ports() == ["jftdhcp"], what="the port to go")
        server.address = "10.0.0.99"
        run("ip", "netns", "add", one.name)
        until(lambda: "10.0.0.99/24" in one.ip("address"), what="an address")


def test_without_a_server_there_is_no_lease(world: World) -> None:
    one = world.switch.lab.namespace("one")
    world.do("attach", f"netns:{one.name}", "br0")
    with Inside(str(one.path)) as inside, pytest.raises(Failure, match="no DHCP server has given an address"):
        obtain(inside, interface_of(inside, "eth1"), "one", seconds=1.0)


def test_nobody_else_waits_while_a_server_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = (world.switch.lab.namespace(name) for name in ("one", "two", "three"))
    world.do("attach", f"netns:{three.name}", "br0")
    agent = world.agent_pid()
    before = world.configuration(), one.devices()
    with attaching_slowly(world, monkeypatch, one, 0.5) as (answered, said):
        world.do("attach", f"netns:{two.name}", "br0", "--ip", "10.0.0.2/24")
        world.do("detach", f"netns:{two.name}")
        # Nor does the agent, which leaves alone what a command works on.
        run("ip", "netns", "delete", three.name)
        until(lambda: world.states()[three.name] != "attached", what="the end of the port")
        run("ip", "netns", "add", three.name)
        until(lambda: world.states()[three.name] == "attached", what="the port again")
        assert world.states() == {one.name: "attached", three.name: "attached"}
        assert is_claimed(f"netns:{one.path}") and not is_claimed(f"netns:{two.path}")
        assert said == []
        answered.set()
        until(lambda: said, what="an end")
        assert said == [
            "no DHCP server has given an address; is there one on the bridge, in the port's VLAN?"
        ]
    assert one.devices() == before[1]
    assert [each for each in world.configuration() if three.name not in each] == [
        each for each in before[0] if three.name not in each
    ]
    assert world.agent_pid() == agent


def test_who_wants_the_same_target_waits_for_what_comes_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = world.switch.lab.namespace("one")
    again = ("attach", f"netns:{one.name}", "br0", "--ip", "dhcp", "--tag", "5")
    with served(world) as server:
        server.renew = 1  # of a lease that does not run out, however slow all is
        with attaching_slowly(world, monkeypatch, one, 2 * DEADLINE) as (answered, said):
            second = threading.Thread(target=lambda: said.append(world.do(*again)))
            second.start()
            answered.set()
            second.join()
        assert "10.0.0.77/24 (DHCP)" in said[0] and "is attached already" in said[1]
        # The agent has taken the lease over as it is.
        until(lambda: server.heard.count(codec.REQUEST) > 1, what="a renewal", deadline=2 * DEADLINE)
        assert server.heard.count(codec.DISCOVER) == 1


def test_a_lease_that_somebody_was_killed_waiting_for_is_got_by_the_agent(world: World) -> None:
    one = world.switch.lab.namespace("one")
    with served(world) as server:
        server.is_mute = True
        words = [sys.executable, "-c", PROGRAM, f"netns:{one.name}"]
        process = subprocess.Popen(words, env=world.switch.daemon.environment)
        try:
            until(lambda: codec.DISCOVER in server.heard, what="a question", deadline=6 * DEADLINE)
            world.agent_pid()
        finally:
            process.kill()
            process.wait()
        server.is_mute = False
        until(lambda: "10.0.0.77/24" in one.ip("address"), what="an address", deadline=6 * DEADLINE)
        until(lambda: world.attachments()[0]["leased"] == "10.0.0.77/24", what="the lease in the database")
