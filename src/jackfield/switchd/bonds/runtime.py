"""The bonds and LACP ports of one switch: from what is heard of links and partners to what frames do.

All of it happens in the event loop, which never waits for the kernel's configuration, and only when something
was heard or a timer has run out. A call on the data plane's maps takes microseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from jackfield.datapath._abi import Bond, FdbEntry, FdbKey, Upcall, UpcallKind
from jackfield.datapath._abi import Lacp as StoredLacp
from jackfield.datapath.bonds import FOREVER, NEVER
from jackfield.model import lacp
from jackfield.net.errors import NetworkError
from jackfield.net.monitor import LinkChange, Resync
from jackfield.reconcile.outcome import Outcome
from jackfield.switchd.bonds.announcer import Announcer
from jackfield.switchd.bonds.lookout import Lookout
from jackfield.switchd.bonds.memory import remembered, stored
from jackfield.switchd.bonds.miimon import Miimon
from jackfield.switchd.bonds.port import BondPort, BondState
from jackfield.switchd.bonds.sender import FrameSender
from jackfield.switchd.bonds.status import columns
from jackfield.switchd.bonds.view import PortView, views
from jackfield.switchd.client import DatabaseError
from jackfield.switchd.status import Update

_log = logging.getLogger("jackfield.bond")
_lacp_log = logging.getLogger("jackfield.lacp")

ETHERNET_HEADER = 14
Write = Callable[[Iterable[Update]], Awaitable[None]]

WATCH_SECONDS, UNWATCHED_SECONDS = 1.0, 3.0
"""How often the data plane is told that links are watched, and how soon it looks after them if not."""

COMPLAIN_SECONDS = 12.0
"""At most so often it is said that somebody sends what is no LACPDU."""


class LacpTable(Protocol):
    """Where LACP's memory is kept, by interface id."""

    def get(self, key: int) -> StoredLacp | None: ...
    def set(self, key: int, value: StoredLacp) -> object: ...
    def delete(self, key: int) -> object: ...


class BondTable(Protocol):
    """The bonds of the data plane, by number."""

    def get(self, number: int) -> Bond | None: ...
    def change(
        self,
        number: int,
        *,
        enabled: int | None = None,
        collecting: int | None = None,
        active: int | None = None,
        lacp: int | None = None,
        buckets: bytes | None = None,
    ) -> None: ...
    def set_down(self, number: int, member: int, down: bool) -> None: ...
    def watch(self, number: int, until_ns: int) -> None: ...
    def loads(self, number: int) -> tuple[int, ...]: ...


class Plane(Protocol):
    """What is used of the data plane; any thread may use it."""

    @property
    def follows_carrier(self) -> bool: ...
    @property
    def bonds(self) -> BondTable: ...
    @property
    def lacp(self) -> LacpTable: ...
    def fdb_entries(self) -> list[tuple[FdbKey, FdbEntry]]: ...


class Bonds:
    """See the module. Belongs to the event loop's thread."""

    def __init__(self, plane: Plane, write: Write) -> None:
        """`write` puts status columns into the database. Raises OSError, NetworkError."""
        self._plane = plane
        self._write_columns = write
        self._outcome = Outcome()
        self._writing: asyncio.Task[None] | None = None
        self._unwritten = False
        self._closed = False
        self._sender = FrameSender()
        self._announcer = Announcer(self._sender, plane.fdb_entries)
        self._miimon = Miimon(self._link_polled)
        self._lookout = Lookout(self._links_seen)
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.TimerHandle | None = None
        self._by_iface: dict[int, tuple[BondPort, str]] = {}
        self._by_ifindex: dict[int, tuple[BondPort, str]] = {}
        self._written: dict[str, BondState] = {}
        self._memories: dict[int, lacp.Memory] = {}
        self._bytes: dict[str, tuple[int, ...]] = {}
        self._carrier: dict[int, bool] = {}
        self._stale = True
        self._complained = -math.inf
        self._looped: dict[str, set[str]] = {}
        self.ports: dict[str, BondPort] = {}

    def close(self) -> None:
        """End; the data plane goes on with what it has been told, and looks after links itself. May be called
        twice."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if self._writing is not None:
            self._writing.cancel()
        self._miimon.close()
        self._lookout.close()
        self._announcer.close()
        self._sender.close()
        for port in self.ports.values():
            if port.view.settings is not None and not self._alone(port):
                with contextlib.suppress(NetworkError):  # it may be gone already, with all that was made
                    self._plane.bonds.watch(port.view.bond, NEVER)

    # -- what happens --------------------------------------------------------------------------------

    def outcome(self, outcome: Outcome) -> Iterable[Update]:
        """The kernel has been configured anew. The status columns that follow from it."""
        now = time.monotonic()
        self._outcome = outcome
        found = {view.name: view for view in views(outcome, {} if self._stale else self._carrier)}
        for name in self.ports.keys() - found.keys():
            self._forget(name)
        for name, view in found.items():
            port = self.ports.get(name)
            if port is not None and port.view.bond == view.bond:
                port.configure(view, now)
            else:
                self.ports[name] = self._adopt(view, now)
            if self._stale:
                for member in view.members:
                    self.ports[name].link(member.name, member.up, now)
        self._stale = False
        pairs = [(port, member) for port in self.ports.values() for member in port.view.members]
        self._by_iface = {member.iface: (port, member.name) for port, member in pairs}
        self._by_ifindex = {member.ifindex: (port, member.name) for port, member in pairs}
        for iface in self._memories.keys() - self._by_iface.keys():
            del self._memories[iface]
            self._plane.lacp.delete(iface)
        self._miimon.watch(
            {
                member.ifindex: port.view.settings.miimon_ms / 1000
                for port, member in pairs
                if port.view.settings is not None and _polled(port)
            }
        )
        self._lookout.watch(
            frozenset(member.ifindex for port, member in pairs if port.members and not self._alone(port))
            - self._miimon.watched
        )
        self._watch()
        self._run(self.ports.values(), anew=True)
        return columns(outcome, self.ports)

    def links(self, changes: Sequence[LinkChange | Resync]) -> None:
        """Devices have changed."""
        concerned = {}
        for change in changes:
            if isinstance(change, Resync):
                self._stale = True
                self._carrier.clear()
            elif change.nsid is None:
                self._note_carrier(change)
                at = self._by_ifindex.get(change.ifindex)
                if at is None or self._lookout.told(change.ifindex):
                    continue
                port, name = at
                if not _polled(port):
                    port.link(name, change.carrier and not change.deleted, time.monotonic())
                    concerned[port.view.name] = port
        self._run(concerned.values())

    def _note_carrier(self, change: LinkChange) -> None:
        """Of devices that are no members yet, too: an outcome that names one may be older than this."""
        if change.deleted:
            self._carrier.pop(change.ifindex, None)
        else:
            self._carrier[change.ifindex] = change.carrier

    def _link_polled(self, ifindex: int, up: bool) -> None:
        at = self._by_ifindex.get(ifindex)
        if at is not None:
            port, name = at
            port.link(name, up, time.monotonic())
            self._run([port])

    def _links_seen(self, links: Mapping[int, bool]) -> None:
        concerned = {}
        for ifindex, up in links.items():
            port, name = self._by_ifindex.get(ifindex, (None, ""))
            if port is not None and port.up.get(name, up) != up:
                port.link(name, up, time.monotonic())
                concerned[port.view.name] = port
        if concerned:
            self._run(concerned.values())

    def heard(self, upcalls: Sequence[Upcall]) -> None:
        """PDUs of the slow protocols came in, or links of members changed."""
        concerned = {}
        for upcall in upcalls:
            at = self._by_iface.get(upcall.iface)
            if at is None:
                continue
            port, name = at
            concerned[port.view.name] = port
            if upcall.kind == UpcallKind.CARRIER:
                if not _polled(port):
                    port.link(name, bool(upcall.length), time.monotonic())
            elif upcall.kind == UpcallKind.SLOW_PROTOCOL:
                self._receive(port, name, upcall.data[ETHERNET_HEADER : upcall.length])
        self._run(concerned.values())

    def _receive(self, port: BondPort, name: str, data: bytes) -> None:
        now = time.monotonic()
        try:
            answer = port.receive(name, data, now)
        except lacp.BadPdu as error:
            if now - self._complained >= COMPLAIN_SECONDS:
                self._complained = now
                _lacp_log.warning(
                    "%s: received an unparsable LACP PDU on %s: %s", port.view.name, name, error
                )
            return
        if answer is not None:
            self._send(port, name, answer)

    # -- by hand -------------------------------------------------------------------------------------

    def act(self, port: BondPort) -> None:
        """Carry out what was decided by hand."""
        self._run([port])

    # -- carrying out --------------------------------------------------------------------------------

    def _due(self) -> None:
        self._timer = None
        now = time.monotonic()
        for port in self.ports.values():
            if port.balanced and now >= port.rebalance_at:
                self._rebalance(port, now)
        self._run([port for port in self.ports.values() if now >= port.wakeup()])

    def _run(self, ports: Iterable[BondPort], *, anew: bool = False) -> None:
        """Carry out what the ports decide. `anew`: the data plane may have lost what it was told, and the
        caller sees to the status columns."""
        now = time.monotonic()
        changed = False
        for port in ports:
            actions = port.run(now)
            if port.members is not None:
                for note in port.members.take_notes():
                    _log.info("bond %s: %s", port.view.name, note)
                changed |= self._write(port, anew)
            changed |= self._remember(port, now)
            self._point_out_loops(port)
            for name, pdu in actions.pdus:
                self._send(port, name, pdu)
            if actions.announce:
                self._announcer.announce(port)
        self._plan()
        if changed and not anew:
            self._unwritten = True
            if self._writing is None:
                self._writing = asyncio.create_task(self._keep_columns())

    async def _keep_columns(self) -> None:
        """Write status columns until they are as they should be."""
        try:
            while self._unwritten:
                self._unwritten = False
                await self._write_columns(columns(self._outcome, self.ports))
        except DatabaseError as error:
            _log.warning("cannot write the state of bonds into the database: %s", error)
        finally:
            self._writing = None

    def _plan(self) -> None:
        """Wake up when the first of the ports wants to."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        first = min((port.wakeup() for port in self.ports.values()), default=math.inf)
        if first != math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, first - time.monotonic()), self._due)

    def _write(self, port: BondPort, anew: bool) -> bool:
        """Tell the data plane what has changed, or all that it may have lost; whether another is active."""
        view, state = port.view, port.state()
        old = self._written.get(view.name)
        if state == old and not anew:
            return False
        try:
            for member in view.members:
                bit = 1 << member.index
                if old is None or (state.down ^ old.down) & bit:
                    self._plane.bonds.set_down(view.bond, member.index, bool(state.down & bit))
            self._plane.bonds.change(
                view.bond,
                enabled=state.enabled,
                collecting=state.collecting,
                active=state.active,
                lacp=state.lacp,
                buckets=state.buckets,
            )
        except NetworkError as error:
            _log.error("bond %s: cannot tell the data plane which members to use: %s", view.name, error)
            return False
        self._written[view.name] = state
        return old is None or old.active != state.active

    def _remember(self, port: BondPort, now: float) -> bool:
        """Note what a later process needs to know; whether something has changed."""
        if port.lacp is None:
            return False
        changed = False
        for member in port.view.members:
            memory = port.lacp.memory(member.name)
            old = self._memories.get(member.iface)
            if memory != old:
                self._memories[member.iface] = memory
                self._plane.lacp.set(member.iface, stored(memory, int(now * 1e9)))
                changed |= old is None or (old.status, old.attached) != (memory.status, memory.attached)
        return changed

    def _point_out_loops(self, port: BondPort) -> None:
        """Say once of a link that its partner is this very system: it is left out while that is so."""
        links = port.lacp.links if port.lacp is not None else {}
        looped = {name for name, link in links.items() if link.loopback}
        for name in sorted(looped - self._looped.get(port.view.name, set())):
            text = "%s: the LACP partner of %s is this system itself: the link is not used (see its cable)"
            _lacp_log.warning(text, port.view.name, name)
        self._looped[port.view.name] = looped

    def _rebalance(self, port: BondPort, now: float) -> None:
        name, total = port.view.name, self._plane.bonds.loads(port.view.bond)
        before, self._bytes[name] = self._bytes[name], total
        sent = [max(0, new - old) for new, old in zip(total, before, strict=True)]
        for shift in port.rebalance(sent, now):
            _log.info(
                "bond %s: shift %dkB of load (with hash %d) from %s to %s",
                *(name, shift.load // 1024, shift.bucket, shift.source, shift.target),
            )

    def _send(self, port: BondPort, name: str, pdu: bytes) -> None:
        member = port.member(name)
        if member is None:
            return
        try:
            self._sender.send(member.ifindex, lacp.frame(member.mac, pdu))
        except OSError as error:
            _lacp_log.warning("%s: cannot send a LACP PDU by %s: %s", port.view.name, name, error.strerror)

    def _watch(self) -> None:
        """Tell the data plane of which bonds this process watches the links, and go on telling it."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        until, watched = time.monotonic_ns() + int(UNWATCHED_SECONDS * 1e9), False
        for port in self.ports.values():
            if port.view.settings is None:
                continue
            alone = self._alone(port)
            watched |= not alone
            try:
                self._plane.bonds.watch(port.view.bond, FOREVER if alone else until)
            except NetworkError as error:
                _log.error(
                    "bond %s: cannot tell the data plane that it is watched: %s", port.view.name, error
                )
        if watched:
            self._watching = asyncio.get_running_loop().call_later(WATCH_SECONDS, self._watch)

    def _alone(self, port: BondPort) -> bool:
        """Whether the data plane sees by itself to members that lose their links."""
        settings = port.view.settings
        return settings is not None and settings.follows_carrier and self._plane.follows_carrier

    # -- coming and going ----------------------------------------------------------------------------

    def _adopt(self, view: PortView, now: float) -> BondPort:
        """Go on with a port as the data plane has it."""
        held = None
        if view.bond and (bond := self._plane.bonds.get(view.bond)) is not None:
            held = BondState(
                enabled=bond.enabled,
                collecting=bond.collecting,
                down=bond.down,
                active=bond.active,
                lacp=bond.lacp,
                buckets=bytes(bond.buckets),
            )
        memories: Mapping[str, lacp.Memory] = {}
        if view.lacp is not None:
            found = {member.name: self._plane.lacp.get(member.iface) for member in view.members}
            memories = {name: remembered(value) for name, value in found.items() if value is not None}
        if view.bond:
            self._bytes[view.name] = self._plane.bonds.loads(view.bond)
        return BondPort(view, held, memories, now)

    def _forget(self, name: str) -> None:
        del self.ports[name]
        self._written.pop(name, None)
        self._bytes.pop(name, None)
        self._looped.pop(name, None)


def _polled(port: BondPort) -> bool:
    """Whether the port's links are asked for instead of heard of (bond-detect-mode miimon)."""
    return port.view.settings is not None and port.view.settings.miimon_ms > 0
