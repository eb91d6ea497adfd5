"""Does somebody answer? Neighbours are asked by ARP and ND, which the kernel does, others by ICMP echo."""

from __future__ import annotations

import contextlib
import math
import os
import select
import socket
import struct
import time
from collections.abc import Iterable

from jackfield.adopt.announce import checksum
from jackfield.adopt.host import Host
from jackfield.net import inet
from jackfield.net.addresses import list_addresses
from jackfield.net.neighbours import (
    FAILED,
    PERMANENT,
    PROBE,
    REACHABLE,
    RTM_NEWNEIGH,
    USE,
    Neighbour,
    list_neighbours,
    read_neighbour,
    replace_neighbour,
)
from jackfield.net.netlink import SOL_NETLINK, messages, open_socket

ECHO_INTERVAL = 0.5  # seconds between echo requests
_GROUP_NEIGHBOURS = 3
_ADD_MEMBERSHIP = 1
_ECHO: dict[int, tuple[int, int]] = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}


def silent(host: Host, device: str, addresses: Iterable[str], seconds: float) -> tuple[str, ...]:
    """Which of the addresses do not answer through a device within so many seconds. Raises KernelError."""
    asked = tuple(addresses)
    link = host.link(device)
    prefixes = [
        f"{each.peer or each.address}/{each.prefix}" for each in list_addresses(host.netlink, link.ifindex)
    ]
    near = {address for address in asked if any(inet.contains(prefix, address) for prefix in prefixes)}
    deadline = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        neighbours = _Neighbours(host, link.ifindex, near)
        stack.callback(neighbours.close)
        echoes = _Echoes(device, {address for address in asked if address not in near})
        stack.callback(echoes.close)
        while (neighbours.pending or echoes.pending) and (now := time.monotonic()) < deadline:
            wake = min(deadline, echoes.ask(now))
            for ready in select.select(
                [neighbours.socket, *echoes.sockets], [], [], max(0.0, wake - time.monotonic())
            )[0]:
                (neighbours if ready is neighbours.socket else echoes).hear(ready)
        left = neighbours.pending | echoes.pending
    return tuple(address for address in asked if address in left)


class _Neighbours:
    """Have the kernel ask for addresses anew, whatever it believes, and hear what comes of it."""

    def __init__(self, host: Host, ifindex: int, addresses: set[str]) -> None:
        self._host, self._ifindex = host, ifindex
        self.pending = set(addresses)
        self.socket = open_socket()
        self.socket.setsockopt(SOL_NETLINK, _ADD_MEMBERSHIP, _GROUP_NEIGHBOURS)
        for address in addresses:
            self._ask(address)

    def close(self) -> None:
        self.socket.close()

    def hear(self, _: socket.socket) -> None:
        for kind, _flags, _sequence, body in messages(self.socket.recv(1 << 16)):
            if kind == RTM_NEWNEIGH:
                entry = read_neighbour(body)
                if entry.ifindex == self._ifindex and entry.address in self.pending:
                    if entry.state == REACHABLE:
                        self.pending.discard(entry.address)
                    elif entry.state == FAILED:
                        self._ask(entry.address)

    def _ask(self, address: str) -> None:
        known = {each.address: each for each in list_neighbours(self._host.netlink, self._ifindex)}.get(
            address
        )
        if known is None or not (known.mac or known.state == PERMANENT):
            replace_neighbour(self._host.netlink, Neighbour(self._ifindex, address, state=0, flags=USE))
        elif known.state == PERMANENT:
            self.pending.discard(address)  # such a one is never asked
        else:
            replace_neighbour(self._host.netlink, Neighbour(self._ifindex, address, known.mac, PROBE))


class _Echoes:
    """ICMP echo requests, again and again, and their replies."""

    def __init__(self, device: str, addresses: set[str]) -> None:
        self.pending = set(addresses)
        self._mark = os.urandom(16)
        self._number = 0
        self._next = 0.0
        self._by_family: dict[int, socket.socket] = {}
        for family in sorted({inet.family_of(address) for address in addresses}):
            protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
            raw = self._by_family[family] = socket.socket(family, socket.SOCK_RAW, protocol)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        return tuple(self._by_family.values())

    def close(self) -> None:
        for raw in self.sockets:
            raw.close()

    def ask(self, now: float) -> float:
        """Ask those that are due; when to ask again."""
        if not self.pending:
            return math.inf
        if now >= self._next:
            self._next, self._number = now + ECHO_INTERVAL, self._number + 1
            for address in self.pending:
                family = inet.family_of(address)
                # No route (yet) is as good as no answer.
                with contextlib.suppress(OSError):
                    request = _echo_request(family, self._number, self._mark)
                    self._by_family[family].sendto(request, (address, 0))
        return self._next

    def hear(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError):
            data, sender = raw.recvfrom(1 << 16)
            at = (data[0] & 15) * 4 if raw.family == socket.AF_INET else 0
            if data[at] == _ECHO[raw.family][1] and data[at + 8 :] == self._mark:
                self.pending.discard(inet.unpack(inet.pack(sender[0].partition("%")[0])))


def _echo_request(family: int, number: int, mark: bytes) -> bytes:
    """ICMP echo (RFC 792, RFC 4443); for IPv6 the kernel fills the checksum in."""
    body = struct.pack(">BBHHH", _ECHO[family][0], 0, 0, os.getpid() & 0xFFFF, number & 0xFFFF) + mark
    return body[:2] + checksum(body) + body[4:]
