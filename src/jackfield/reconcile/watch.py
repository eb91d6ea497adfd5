"""Keeping a view of the kernel: looked at as a whole, or kept up to date by what is heard and done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from jackfield.datapath.naming import ALIAS_WORD, interface_of_alias, origin_of_alias
from jackfield.datapath.store import Datapath
from jackfield.net import netns
from jackfield.net.link import Link
from jackfield.net.monitor import LinkChange, LinkMonitor, MountMonitor, Resync
from jackfield.net.netdev import InternalPair
from jackfield.reconcile.observed import Observed, Pair, Tables, read_tables
from jackfield.reconcile.renewed import renewed
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

    Every method may raise NetworkError; then `forget`. `heard`: whether devices had changed at the last
    look, or did meanwhile; `heard_of`: which of this namespace had, None when they cannot be told.
    """

    def __init__(self, datapath: Datapath, instance: str) -> None:
        self._datapath = datapath
        self._instance = instance
        self._mark = f"{ALIAS_WORD} {instance}"
        self._monitor = LinkMonitor()
        self._mounts = MountMonitor()
        self._tables: Tables | None = None
        self._links: dict[int, Link] = {}
        self._far: dict[tuple[int, int], Link | None] = {}
        self._attached: set[int] = set()
        self.heard = False
        self._heard_meanwhile: list[LinkChange | Resync] = []
        self.heard_of: frozenset[int] | None = None
        self._namespaces: dict[str, int] = {}
        self._paired: Mapping[int, Link] = {}
        self._pairs: dict[int, tuple[str, Pair]] = {}
        self._far_ends: dict[tuple[int, int], int] = {}
        self._far_changed: set[tuple[int, int]] = set()
        self._seen: Observed | None = None

    def close(self) -> None:
        """Listen no more."""
        self._monitor.close()
        self._mounts.close()

    def forget(self) -> None:
        """Trust nothing that was seen so far."""
        self._tables = self._seen = None

    def look(self, namespaces: Mapping[str, str] | None = None) -> Observed:
        """The kernel now: of devices, what changed since the last look is read again. `namespaces` are files
        of network namespaces to look for, by the interface that is to be made there."""
        # Hear first and read then: a change in between is read now, and heard next time.
        heard = self._heard_meanwhile + self._monitor.read()
        changed = {(change.ifindex, change.nsid) for change in heard if isinstance(change, LinkChange)}
        all_lost = self._tables is None or any(isinstance(change, Resync) for change in heard)
        self.heard_of = None if all_lost else frozenset(ifindex for ifindex, nsid in changed if nsid is None)
        if heard or all_lost:
            self._seen = None
        mounted = self._mounts.clear()
        if self._tables is None:
            self._tables = read_tables(self._datapath)
        else:
            self._tables.disabled = dict(self._datapath.disabled.items())
        if all_lost:
            self._far_changed.update(self._far)
            self._far.clear()
            self._attached = set(self._datapath.attached())
        if all_lost or len(changed) > len(self._links) // 2:
            known = self._links
            self._links = {
                link.ifindex: known[link.ifindex] if known.get(link.ifindex) == link else link
                for link in self._datapath.devices.list_links()
            }
            changed = {(ifindex, nsid) for ifindex, nsid in changed if nsid is not None}
        for ifindex, nsid in changed:
            self._read_again(ifindex, nsid)
        if self._seen is None:
            for ifindex in self._attached - self._links.keys():
                # The device is gone and took the program along, but not what was pinned for it.
                self._datapath.detach(ifindex)
            self._attached &= self._links.keys()
        self._look_for(namespaces or {}, everywhere=all_lost or mounted)
        seen = self.seen()
        self._heard_meanwhile = self._monitor.read()
        self.heard = bool(heard or self._heard_meanwhile)
        return seen

    def _look_for(self, namespaces: Mapping[str, str], *, everywhere: bool) -> None:
        """Look for namespaces: one whose interface is there is the same until mounts have changed."""
        known = {} if everywhere else self._namespaces
        there = {path: known[path] for path in namespaces.values() if path in known}
        waiting = namespaces.keys() - self.seen().pairs.keys()
        for interface, path in namespaces.items() if waiting or len(there) < len(namespaces) else ():
            if interface in waiting or path not in known:
                inode = netns.inode_of(path)
                if inode is not None:
                    there[path] = inode
                else:
                    there.pop(path, None)
        if there != self._namespaces:
            self._namespaces = there
            self._seen = None if self._seen is None else replace(self._seen, namespaces=there)

    def seen(self) -> Observed:
        """The kernel as of the last look and what was noted since."""
        assert self._tables is not None
        if self._seen is None:
            self._pair_up()
            self._seen = Observed(
                instance=self._instance,
                links=self._paired,
                pairs=dict(self._pairs.values()),
                attached=frozenset(self._attached & self._links.keys()),
                tables=self._tables,
                namespaces=self._namespaces,
            )
        return self._seen

    def note(self, step: Step, result: InternalPair | None) -> None:
        """Take account of a step that was done."""
        if isinstance(step, Write | WriteCells):
            assert self._tables is not None
            note_write(step, self._tables)
            return
        self._seen = None
        match step:
            case CreatePair():
                assert result is not None
                self._links[result.switch.ifindex] = result.switch
                nsid = result.switch.peer_nsid
                if nsid is None:
                    self._links[result.user.ifindex] = result.user
                else:
                    self._far[nsid, result.user.ifindex] = result.user
                    self._far_changed.add((nsid, result.user.ifindex))
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
            self._far_changed.add((nsid, ifindex))
            return
        link = self._datapath.devices.get_link(ifindex)
        if link is not None:
            self._links[ifindex] = link
            return
        gone = self._links.pop(ifindex, None)
        if gone is not None and gone.peer_ifindex in self._links:
            # Its other end is gone too, or says now where this one went.
            self._read_again(gone.peer_ifindex, None)

    def _pair_up(self) -> None:
        """Find the pairs again that have an end that changed, came or went."""
        before, now = self._paired, dict(self._links)
        changed = {*renewed(before, now), *(before.keys() - now.keys())}
        ends = [links[ifindex] for ifindex in changed for links in (before, now) if ifindex in links]
        changed.update(link.peer_ifindex for link in ends if link.peer_nsid is None)
        changed.update(self._far_ends[end] for end in self._far_changed if end in self._far_ends)
        for ifindex in changed:
            self._pair(ifindex, now.get(ifindex))
        self._paired = now
        self._far_changed.clear()

    def _pair(self, ifindex: int, switch: Link | None) -> None:
        """Note a pair of this instance, if that is the switch's end of one; one that is as it was when last
        seen is the same object."""
        known = self._pairs.pop(ifindex, None)
        if known is not None and known[1].nsid is not None:
            end = known[1].nsid, known[1].switch.peer_ifindex
            if self._far_ends.get(end) == ifindex:
                del self._far_ends[end]
        mine = switch is not None and switch.alias.startswith(self._mark)
        name = interface_of_alias(switch.alias, self._instance) if switch is not None and mine else None
        if switch is None or name is None:
            return
        user = self._user_end(switch)
        if known is None or known[1].switch is not switch or known[1].user is not user:
            known = name, Pair(switch, user, switch.peer_nsid, origin_of_alias(switch.alias))
        self._pairs[ifindex] = known

    def _user_end(self, switch: Link) -> Link | None:
        if switch.peer_nsid is None:
            return self._links.get(switch.peer_ifindex)
        key = (switch.peer_nsid, switch.peer_ifindex)
        self._far_ends[key] = switch.ifindex
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
