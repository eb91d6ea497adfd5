"""Keeping a view of the kernel: looked at as a whole, or kept up to date by what is heard and done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jackfield.datapath.naming import interface_of_alias, origin_of_alias
from jackfield.datapath.store import Datapath
from jackfield.net import netns
from jackfield.net.link import Link
from jackfield.net.monitor import LinkChange, LinkMonitor, Resync
from jackfield.net.netdev import InternalPair
from jackfield.reconcile.observed import Observed, Pair, Tables, read_tables
from jackfield.reconcile.steps import (
    Attach,
    CreatePair,
    DeleteDevice,
    Detach,
    SetMac,
    SetMtu,
    SetPromiscuous,
    SetUp,
    Step,
    Write,
    WriteCells,
)


class Watch:
    """The kernel as one instance sees it. Belongs to one thread.

    Every method may raise NetworkError; then `forget`. `heard`: whether devices had changed at the last look;
    `heard_of`: which of this namespace, None when they cannot be told.
    """

    def __init__(self, datapath: Datapath, instance: str) -> None:
        self._datapath = datapath
        self._instance = instance
        self._monitor = LinkMonitor()
        self._tables: Tables | None = None
        self._links: dict[int, Link] = {}
        self._far: dict[tuple[int, int], Link | None] = {}
        self._attached: set[int] = set()
        self.heard = False
        self.heard_of: frozenset[int] | None = None
        self._namespaces: dict[str, int] = {}

    def close(self) -> None:
        """Listen no more."""
        self._monitor.close()

    def forget(self) -> None:
        """Trust nothing that was seen so far."""
        self._tables = None

    def look(self, namespaces: Iterable[str] = ()) -> Observed:
        """The kernel now: of devices, what changed since the last look is read again. `namespaces` are files
        of network namespaces to look for."""
        found = ((path, netns.inode_of(path)) for path in namespaces)
        self._namespaces = {path: inode for path, inode in found if inode is not None}
        # Hear first and read then: a change in between is read now, and heard next time.
        heard = self._monitor.read()
        self.heard = bool(heard)
        changed = {(change.ifindex, change.nsid) for change in heard if isinstance(change, LinkChange)}
        all_lost = self._tables is None or any(isinstance(change, Resync) for change in heard)
        self.heard_of = None if all_lost else frozenset(ifindex for ifindex, nsid in changed if nsid is None)
        if self._tables is None:
            self._tables = read_tables(self._datapath)
        else:
            self._tables.disabled = dict(self._datapath.disabled.items())
        if all_lost:
            self._far.clear()
            self._attached = set(self._datapath.attached())
        if all_lost or len(changed) > len(self._links) // 2:
            self._links = {link.ifindex: link for link in self._datapath.devices.list_links()}
            changed = {(ifindex, nsid) for ifindex, nsid in changed if nsid is not None}
        for ifindex, nsid in changed:
            self._read_again(ifindex, nsid)
        for ifindex in self._attached - self._links.keys():
            # The device is gone and took the program along, but not what was pinned for it.
            self._datapath.detach(ifindex)
        self._attached &= self._links.keys()
        return self.seen()

    def seen(self) -> Observed:
        """The kernel as of the last look and what was noted since."""
        assert self._tables is not None
        return Observed(
            instance=self._instance,
            links=dict(self._links),
            pairs=self._pairs(),
            attached=frozenset(self._attached & self._links.keys()),
            tables=self._tables,
            namespaces=self._namespaces,
        )

    def note(self, step: Step, result: InternalPair | None) -> None:
        """Take account of a step that was done."""
        match step:
            case Write() | WriteCells():
                assert self._tables is not None
                note_write(step, self._tables)
            case CreatePair():
                assert result is not None
                self._links[result.switch.ifindex] = result.switch
                nsid = result.switch.peer_nsid
                if nsid is None:
                    self._links[result.user.ifindex] = result.user
                else:
                    self._far[nsid, result.user.ifindex] = result.user
            case DeleteDevice(ifindex=ifindex):
                link = self._links.pop(ifindex, None)
                if link is not None and link.peer_nsid is None:
                    self._links.pop(link.peer_ifindex, None)
            case SetMtu(ifindex=ifindex, nsid=nsid) | SetMac(ifindex=ifindex, nsid=nsid):
                self._read_again(ifindex, nsid)
            case SetUp(ifindex=ifindex) | SetPromiscuous(ifindex=ifindex):
                self._read_again(ifindex, None)
            case Attach(ifindex=ifindex):
                self._attached.add(ifindex)
            case Detach(ifindex=ifindex):
                self._attached.discard(ifindex)
            case _:
                pass

    def _read_again(self, ifindex: int, nsid: int | None) -> None:
        if nsid is not None:
            self._far.pop((nsid, ifindex), None)
            return
        link = self._datapath.devices.get_link(ifindex)
        if link is not None:
            self._links[ifindex] = link
            return
        gone = self._links.pop(ifindex, None)
        if gone is not None and gone.peer_ifindex in self._links:
            # Its other end is gone too, or says now where this one went.
            self._read_again(gone.peer_ifindex, None)

    def _pairs(self) -> Mapping[str, Pair]:
        pairs = {}
        for link in self._links.values():
            name = interface_of_alias(link.alias, self._instance) if link.alias else None
            if name is not None:
                origin = origin_of_alias(link.alias)
                pairs[name] = Pair(link, self._user_end(link), link.peer_nsid, origin)
        return pairs

    def _user_end(self, switch: Link) -> Link | None:
        if switch.peer_nsid is None:
            return self._links.get(switch.peer_ifindex)
        key = (switch.peer_nsid, switch.peer_ifindex)
        if key not in self._far:
            self._far[key] = self._datapath.devices.read_far(*key)
        return self._far[key]


def note_write(step: Step, tables: Tables) -> None:
    """Have `tables` say what the maps hold after the step."""
    match step:
        case Write(table=table, key=key, value=None):
            getattr(tables, table.value).pop(key, None)
        case Write(table=table, key=key, value=value):
            getattr(tables, table.value)[key] = value
        case WriteCells(start=start, ports=ports):
            tables.cells.update((start + at, port) for at, port in enumerate(ports))
        case _:
            pass
