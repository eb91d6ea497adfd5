"""LACP of one port: IEEE 802.1AX-2014, section 6.4, as pure state; what happens comes with its time.

The receive machine is that of section 6.4.12, the periodic machine that of 6.4.13. The mux machine is that
for independent control (6.4.15): a link collects as soon as the partner has it in sync, and distributes as
soon as the partner collects, so that no frame is sent which the partner would drop.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from jackfield.model.lacp.link import (
    FAST_SECONDS,
    MISSED,
    SLOW_SECONDS,
    Link,
    Memory,
    Status,
    must_tell,
)
from jackfield.model.lacp.pdu import (
    BadPdu,
    Information,
    Lacpdu,
    State,
    decode,
    encode,
    is_marker,
    marker_response,
)
from jackfield.model.lacp.selection import select
from jackfield.model.lacp.settings import LacpSettings, LinkSettings


class Lacp:
    """The protocol on the links of one port. After any change `run` tells what to send."""

    def __init__(self, settings: LacpSettings) -> None:
        self.settings = settings
        self.links: dict[str, Link] = {}
        self.lead: str | None = None
        self.key_link: str | None = None

    # -- configuration -------------------------------------------------------------------------------

    def configure(
        self,
        settings: LacpSettings,
        links: Mapping[str, LinkSettings],
        now: float,
        memories: Mapping[str, Memory] | None = None,
    ) -> None:
        """Take new settings. Links that are new begin without a partner, or where `memories` left them."""
        self.settings = settings
        memories = memories or {}
        for name in self.links.keys() - links.keys():
            del self.links[name]
        if self.key_link not in links:
            givers = (name for name in links if name in memories and memories[name].gives_key)
            self.key_link = next(givers, None)
        self.key_link = self.key_link or next(iter(links), None)
        new = [name for name in links if name not in self.links]
        changed = [name for name, link in self.links.items() if link.settings != links[name]]
        self.links |= {name: Link(links[name]) for name in new}
        for name in changed:
            self.links[name].settings = links[name]
        for name in (*new, *changed):
            if name in new and name in memories:
                self._recall(self.links[name], memories[name], now)
            elif settings.active or self.negotiated:
                self.links[name].expire(now)
        self._update()

    def _recall(self, link: Link, memory: Memory, now: float) -> None:
        link.status, link.attached, link.partner = memory.status, memory.attached, memory.partner
        link.carrier = True
        if link.status is not Status.DEFAULTED:
            link.deadline = now + (self._timeout if link.status is Status.CURRENT else MISSED * FAST_SECONDS)
            link.known = self.actor(link)
            link.due = True

    def memory(self, name: str) -> Memory:
        """What to remember of a link."""
        link = self.links[name]
        return Memory(link.status, link.attached, link.partner, name == self.key_link)

    # -- what happens --------------------------------------------------------------------------------

    def carrier(self, name: str, up: bool, now: float) -> None:
        """A link's carrier came or went."""
        link = self.links[name]
        before, link.carrier = link.carrier, up
        if bool(before) == up:
            return
        link.counters.carrier_changes += before is not None
        link.due = up
        if link.status is Status.CURRENT or self.settings.active:
            link.expire(now)
        self._update()

    def receive(self, name: str, data: bytes, now: float) -> bytes | None:
        """A PDU of the slow protocols came in by a link; `data` begins behind the ethertype.

        The PDU to answer at once: that is a marker's. Raises BadPdu for what is none, having counted it. What
        comes while there is no carrier is not trusted.
        """
        link = self.links[name]
        link.counters.rx += 1
        if is_marker(data):
            link.counters.markers += 1
            return marker_response(data)
        try:
            pdu = decode(data)
        except BadPdu:
            link.counters.bad += 1
            raise
        if link.carrier:
            link.hear(pdu.actor, pdu.partner, self._timeout, now)
            self._update()
            link.due |= must_tell(pdu.partner, self.actor(link))
        return None

    def run(self, now: float) -> list[tuple[str, bytes]]:
        """What is due by now: timeouts are noted, and the PDUs to send, with their links, given."""
        for link in self.links.values():
            if now < link.deadline:
                continue
            if link.status is Status.CURRENT:
                link.expire(now)
                link.counters.expired += 1
            elif link.status is Status.EXPIRED:
                link.default()
                link.counters.defaulted += 1
        self._update()
        out = []
        for name, link in self.links.items():
            if not self._may_send(link):
                continue
            if now >= link.next_transmission():
                actor = self.actor(link)
                link.sent, link.due = actor, False
                link.times.append(now)
                link.counters.tx += 1
                out.append((name, encode(Lacpdu(actor, link.partner))))
        return out

    def wakeup(self) -> float:
        """When `run` has something to do next, if nothing happens before."""
        times = [link.deadline for link in self.links.values()]
        times += [link.next_transmission() for link in self.links.values() if self._may_send(link)]
        return min(times, default=math.inf)

    # -- what holds ----------------------------------------------------------------------------------

    @property
    def negotiated(self) -> bool:
        """Whether there is a partner."""
        return self.lead is not None

    @property
    def key(self) -> int | None:
        """The aggregation key that we tell; None without links."""
        if self.key_link is None:
            return None
        settings = self.links[self.key_link].settings
        return settings.key or settings.port

    def is_current(self, name: str) -> bool:
        """Interface.lacp_current: whether there is a partner on the link."""
        return self.links[name].status is not Status.DEFAULTED

    def collecting(self, name: str) -> bool:
        """Whether frames from the link are to be taken."""
        return self._collecting(self.links[name])

    def distributing(self, name: str) -> bool:
        """Whether frames may be sent by the link."""
        link = self.links[name]
        return self._collecting(link) and _partner_collects(link)

    def actor(self, link: Link) -> Information:
        """Our end of a link as we tell it."""
        settings = self.settings
        state = self._base_state(link)
        if self._collecting(link):
            state |= State.COLLECTING
            if _partner_collects(link):
                state |= State.DISTRIBUTING
        return self._information(link, state, settings)

    # -- inside --------------------------------------------------------------------------------------

    @property
    def _timeout(self) -> float:
        return MISSED * (FAST_SECONDS if self.settings.fast else SLOW_SECONDS)

    def _may_send(self, link: Link) -> bool:
        return bool(link.carrier) and (self.settings.active or link.status is not Status.DEFAULTED)

    def _collecting(self, link: Link) -> bool:
        if not link.attached:
            return False
        if link.status is Status.DEFAULTED:
            return self.settings.fallback_ab
        return link.in_sync(self._information(link, self._base_state(link), self.settings))

    def _base_state(self, link: Link) -> State:
        return State(
            State.ACTIVITY * self.settings.active
            | State.TIMEOUT * self.settings.fast
            | State.AGGREGATION * (len(self.links) > 1)
            | State.SYNCHRONIZED * link.attached
            | State.DEFAULTED * (link.status is Status.DEFAULTED)
            | State.EXPIRED * (link.status is Status.EXPIRED)
        )

    def _information(self, link: Link, state: State, settings: LacpSettings) -> Information:
        return Information(
            system_priority=settings.system_priority,
            system=settings.system,
            key=self.key or 0,
            port_priority=link.settings.priority,
            port=link.settings.port,
            state=state,
        )

    def _update(self) -> None:
        self.lead = select(self.links, self.settings, self.actor, self._collecting)
        for link in self.links.values():
            link.due |= link.sent != self.actor(link)


def _partner_collects(link: Link) -> bool:
    return link.status is Status.DEFAULTED or bool(link.partner.state & State.COLLECTING)
