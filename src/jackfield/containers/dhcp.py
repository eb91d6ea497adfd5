"""A DHCP client for IPv4 inside a container's namespace (RFC 2131): obtain a lease, renew it, give it back.

The host's own clients would write the host's resolv.conf, as a container's network namespace is not its file
system; so this takes an address, a default gateway and a lease time, and leaves names to the container.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from jackfield.client.errors import Failure
from jackfield.containers import dhcpcodec as codec
from jackfield.containers.inside import Inside
from jackfield.net.addresses import Address, delete_address, replace_address
from jackfield.net.link import Link
from jackfield.net.routes import Route, replace_route

T = TypeVar("T")

OBTAIN_SECONDS = 10.0
RENEW_SECONDS = 4.0
RELEASE_SECONDS = 1.0
"""How long the message that gives an address back may take to leave: nobody may know the server's MAC."""
FIRST_PAUSE = 0.5
DEFAULT_LEASE_SECONDS = 3600
_ETH_P_IP = 0x0800
_SO_TIMESTAMPING = 37
_WHEN_IT_LEAVES = 1 << 4 | 1 << 8 | 1 << 11
"""SOF_TIMESTAMPING_SOFTWARE, _TX_SCHED and _OPT_TSONLY of the kernel's net_tstamp.h."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a server gave: address "A/N", default gateway or "", how long, when to renew and to rebind, in
    seconds from `since`, which is in seconds since the epoch."""

    address: str
    gateway: str
    server: str
    seconds: int
    renew_seconds: int
    rebind_seconds: int
    since: float

    def record(self) -> dict[str, Any]:
        """The lease in values that JSON has."""
        return asdict(self)

    @classmethod
    def of(cls, reply: codec.Reply, now: float) -> Lease:
        """From a server's acknowledgement; times that are not told or make no sense are those of RFC 2131
        section 4.4.5."""
        seconds = max(reply.number(codec.LEASE_TIME) or DEFAULT_LEASE_SECONDS, 1)
        renew = reply.number(codec.RENEWAL_TIME) or seconds // 2
        rebind = reply.number(codec.REBINDING_TIME) or seconds * 7 // 8
        if not renew <= rebind <= seconds:
            renew, rebind = seconds // 2, seconds * 7 // 8
        address = f"{reply.address}/{reply.prefix}"
        return cls(address, reply.text(codec.ROUTER), reply.text(codec.SERVER), seconds, renew, rebind, now)


def obtain(inside: Inside, device: Link, host: str, *, seconds: float = OBTAIN_SECONDS) -> Lease:
    """A new lease for a device that is up. Raises Failure when no server gives one in time; KernelError."""

    def work() -> Lease:
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0) as packets:
            packets.bind((device.name, _ETH_P_IP))

            def send(message: bytes) -> None:
                packets.sendto(codec.wrap(message), (device.name, _ETH_P_IP, 0, 1, b"\xff" * 6))

            def receive() -> bytes | None:
                return codec.unwrap(packets.recv(65536))

            talk = _Talk(packets, send, receive, device.mac, time.monotonic() + seconds)
            return _obtained(talk, host)

    return _run(inside, device, work)


def renew(inside: Inside, device: Link, host: str, lease: Lease, *, rebind: bool) -> Lease | None:
    """The lease prolonged by its server, or with `rebind` by any; None when nobody answers. Raises Failure
    when it is refused."""
    client = lease.address.partition("/")[0]

    def work() -> Lease | None:
        with _bound(device, client) as datagrams:
            to = ("255.255.255.255" if rebind or not lease.server else lease.server, codec.SERVER_PORT)
            talk = _Talk(
                datagrams,
                lambda message: datagrams.sendto(message, to),
                lambda: datagrams.recv(65536),
                device.mac,
                time.monotonic() + RENEW_SECONDS,
            )
            reply = talk.ask(codec.REQUEST, host, (codec.ACK, codec.NAK), client=client)
            return None if reply is None else _accepted(reply)

    return _run(inside, device, work)


def release(inside: Inside, device: Link, lease: Lease) -> bool:
    """Tell the server that the address is not used any more (RFC 2131 section 4.4.6), to which it does not
    answer; whether that was sent in time. Raises Failure, KernelError."""
    client = lease.address.partition("/")[0]
    if not lease.server:
        return False

    def work() -> bool:
        with _bound(device, client) as datagrams:
            # A message waits in the kernel while the server's MAC is asked for; that it has left is told by
            # its timestamp.
            datagrams.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, _WHEN_IT_LEAVES)
            message = codec.release(int.from_bytes(os.urandom(4)), device.mac, client, lease.server)
            datagrams.sendto(message, (lease.server, codec.SERVER_PORT))
            poll = select.poll()
            poll.register(datagrams, 0)  # POLLERR is told anyway
            return bool(poll.poll(RELEASE_SECONDS * 1000))

    return _run(inside, device, work)


def apply(inside: Inside, device: Link, lease: Lease, *, gateway: bool) -> None:
    """Give the device what was leased; `gateway`: the default route too. Raises KernelError."""
    plain = Address.of(device.ifindex, lease.address)
    left = max(1, lease.seconds - int(time.time() - lease.since))
    timed = Address(
        plain.ifindex,
        plain.address,
        plain.prefix,
        broadcast=plain.broadcast,
        valid_seconds=left,
        preferred_seconds=left,
    )
    replace_address(inside.netlink, timed)
    if gateway and lease.gateway:
        replace_route(inside.netlink, Route.to("default", device.ifindex, lease.gateway))


def withdraw(inside: Inside, device: Link, lease: Lease) -> None:
    """Take what was leased from the device. Raises KernelError."""
    delete_address(inside.netlink, Address.of(device.ifindex, lease.address))


def load(record: Mapping[str, Any]) -> Lease | None:
    """A lease from its record; None when it is not one."""
    from msgspec import ValidationError, convert

    try:
        return convert(record, Lease)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class _Talk:
    """An exchange with servers, until a deadline in time.monotonic()."""

    sock: socket.socket
    send: Callable[[bytes], object]
    receive: Callable[[], bytes | None]
    mac: bytes
    deadline: float

    def ask(
        self,
        type_: int,
        host: str,
        answers: tuple[int, ...],
        *,
        client: str = "",
        options: Mapping[int, bytes] | None = None,
    ) -> codec.Reply | None:
        """Send a message, again and again with growing pauses, until one of the answers comes; None when the
        deadline does."""
        xid = int.from_bytes(os.urandom(4))
        message = codec.request(type_, xid, self.mac, host, client=client, options=options)
        pause = FIRST_PAUSE
        while time.monotonic() < self.deadline:
            self.send(message)
            until = min(time.monotonic() + pause, self.deadline)
            pause = min(2 * pause, 4.0)
            while (left := until - time.monotonic()) > 0 and select.select([self.sock], [], [], left)[0]:
                data = self.receive()
                reply = codec.read(data) if data is not None else None
                if reply is not None and (reply.xid, reply.mac) == (xid, self.mac) and reply.type in answers:
                    return reply
        return None


def _bound(device: Link, client: str) -> socket.socket:
    """A client's socket on a device that has the client's address. Raises OSError."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.name.encode() + b"\0")
        datagrams.bind((client, codec.CLIENT_PORT))
    except OSError:
        datagrams.close()
        raise
    return datagrams


def _obtained(talk: _Talk, host: str) -> Lease:
    while (offer := talk.ask(codec.DISCOVER, host, (codec.OFFER,))) is not None:
        wanted = {
            codec.REQUESTED: socket.inet_aton(offer.address),
            codec.SERVER: offer.options.get(codec.SERVER, b""),
        }
        reply = talk.ask(codec.REQUEST, host, (codec.ACK, codec.NAK), options=wanted)
        if reply is not None and reply.type == codec.ACK:
            return _accepted(reply)
    raise Failure("no DHCP server has given an address; is there one on the bridge, in the port's VLAN?")


def _accepted(reply: codec.Reply) -> Lease:
    if reply.type == codec.NAK:
        raise Failure("the DHCP server takes the address back")
    return Lease.of(reply, time.time())


def _run(inside: Inside, device: Link, work: Callable[[], T]) -> T:
    try:
        return inside.run(work)
    except OSError as error:
        raise Failure(f"DHCP on {device.name}: {error.strerror}") from error
