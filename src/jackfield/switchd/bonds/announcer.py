"""Tells the neighbours of a bond which addresses are behind it now, after traffic moved to another member."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from jackfield.datapath._abi import FdbEntry, FdbKey
from jackfield.model.bonding import announcement
from jackfield.model.bonding.hashing import slb_hash
from jackfield.model.config import BondMode
from jackfield.net.errors import NetworkError
from jackfield.switchd.bonds.port import BondPort
from jackfield.switchd.bonds.sender import FrameSender

_log = logging.getLogger("jackfield.bond")

Entries = Callable[[], list[tuple[FdbKey, FdbEntry]]]


class Announcer:
    """Reads the learning table and sends in a thread of its own, as there may be many addresses."""

    def __init__(self, sender: FrameSender, entries: Entries) -> None:
        self._sender = sender
        self._entries = entries
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="announcer")
        self._waiting: set[str] = set()

    def close(self) -> None:
        """End, without what was not sent yet."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def announce(self, port: BondPort) -> None:
        """Announce what is behind other ports; once, if it is asked for again before it was begun."""
        name = port.view.name
        if name in self._waiting:
            return
        self._waiting.add(name)
        asyncio.get_running_loop().run_in_executor(self._thread, partial(self._work, port))

    def _work(self, port: BondPort) -> None:
        view = port.view
        self._waiting.discard(view.name)
        if port.members is None or view.settings is None:
            return
        devices = {member.name: member.ifindex for member in view.members}
        active, buckets = port.members.active, list(port.buckets)
        by_source = view.settings.mode is BondMode.BALANCE_SLB and not port.falling_back
        try:
            entries = self._entries()
        except NetworkError as error:
            _log.warning("bond %s: cannot read which addresses to announce: %s", view.name, error)
            return
        sent = 0
        for key, entry in entries:
            if key.bridge != view.bridge or entry.port == view.port:
                continue
            frame = announcement(view.config, key.vlan, key.mac)
            member = active
            if by_source:
                member = buckets[slb_hash(key.mac, key.vlan, view.settings.basis) & 0xFF]
            if frame is not None and member in devices:
                sent += self._sender.send(devices[member], frame)
        _log.debug("bond %s: announced %d addresses", view.name, sent)
