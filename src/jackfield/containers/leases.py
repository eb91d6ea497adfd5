"""Keeping DHCP leases: a thread for each, which waits until it is time to renew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread

from jackfield.client.errors import Failure
from jackfield.containers import dhcp
from jackfield.containers.attachment import Attachment
from jackfield.containers.dhcp import Lease
from jackfield.containers.inside import Inside
from jackfield.containers.interior import interface_of, tell
from jackfield.containers.targets import Running
from jackfield.net import inet
from jackfield.net.errors import KernelError

LEAST_PAUSE = 1.0
AGAIN_SECONDS = 10.0

Tell = Callable[[str, Lease], None]


@dataclass(slots=True)
class _Keeper:
    """One lease's thread."""

    attachment: Attachment
    running: Running
    lease: Lease | None
    tell: Tell
    stop: Event = field(default_factory=Event)

    def run(self) -> None:
        # One that is overdue, as nobody was there to renew it, is renewed at once.
        pause = 0.0 if self.lease is None else self.lease.since + self.lease.renew_seconds - time.time()
        while not self.stop.wait(max(0.0, pause)):
            with suppress(KernelError, Failure), Inside(self.running.netns) as inside:
                self._keep(inside)
            pause = AGAIN_SECONDS if self.lease is None else pause_before(self.lease, time.time())

    def _keep(self, inside: Inside) -> None:
        """Renew the lease, or get another one. Raises Failure and KernelError."""
        wish, host = self.attachment.wish, self.attachment.target.name
        device = interface_of(inside, wish.ifname)
        old = self.lease
        new = None
        if old is not None:
            age = time.time() - old.since
            if age < old.seconds:
                try:
                    new = dhcp.renew(inside, device, host, old, rebind=age >= old.rebind_seconds)
                except Failure:
                    old = self.lease = _over(old)
            if new is None and time.time() - old.since >= old.seconds:
                dhcp.withdraw(inside, device, old)
                old = self.lease = None
        if old is None:
            new = dhcp.obtain(inside, device, host)
        if new is None or self.stop.is_set():
            return
        moved = old is None or new.address != old.address
        if old is not None and moved:
            dhcp.withdraw(inside, device, old)
        dhcp.apply(inside, device, new, gateway=wants_gateway(self.attachment))
        if moved:
            tell(inside, device, [new.address])
        self.lease = new
        self.tell(self.attachment.port, new)


class Leases:
    """The leases of attachments, by port. `tell` is called from other threads when one was renewed."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._keepers: dict[str, _Keeper] = {}

    def follow(self, attachment: Attachment, running: Running) -> None:
        """Keep the attachment's lease, if it is to have one, from now on; get one if it has none yet."""
        lease = dhcp.load(attachment.lease)
        there = self._keepers.get(attachment.port)
        if not attachment.wish.dhcp or (there is not None and there.running == running):
            return
        self.drop([attachment.port])
        keeper = _Keeper(attachment, running, lease, self._tell)
        self._keepers[attachment.port] = keeper
        Thread(target=keeper.run, daemon=True, name=attachment.port).start()

    def drop(self, ports: Iterable[str]) -> None:
        """Keep these no more."""
        for port in ports:
            keeper = self._keepers.pop(port, None)
            if keeper is not None:
                keeper.stop.set()

    @property
    def ports(self) -> frozenset[str]:
        """The ports whose leases are kept."""
        return frozenset(self._keepers)


def pause_before(lease: Lease, now: float) -> float:
    """How long to wait before the next attempt, in seconds: until it is time to renew, and then half of what
    is left each time (RFC 2131 section 4.4.5); when the lease is over a fixed time."""
    age = now - lease.since
    if age >= lease.seconds:
        return AGAIN_SECONDS
    for end in (lease.renew_seconds, lease.rebind_seconds, lease.seconds):
        if age < end:
            left = end - age
            return left if end == lease.renew_seconds else max(LEAST_PAUSE, left / 2)
    return AGAIN_SECONDS


def wants_gateway(attachment: Attachment) -> bool:
    """Whether the server's gateway is to be used: unless the user has named one for IPv4."""
    return not any(inet.family_of(gateway) == inet.FAMILIES[0] for gateway in attachment.wish.gateways)


def _over(lease: Lease) -> Lease:
    """The lease as one whose time is up."""
    return Lease(lease.address, lease.gateway, lease.server, 0, 0, 0, lease.since)
