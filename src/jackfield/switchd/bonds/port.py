"""A port that is a bond, has LACP, or both, as its machines decide: no I/O, times are arguments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jackfield.model.bonding import BUCKETS, Members, Shift, halved, hand_over, rebalance, spread
from jackfield.model.config import BondMode
from jackfield.model.lacp import Lacp, Memory
from jackfield.switchd.bonds.view import MemberView, PortView

NO_MEMBER = 255
LACP_OFF, LACP_CONFIGURED, LACP_NEGOTIATED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class BondState:
    """What the data plane goes by; members by their places, as bits or numbers."""

    enabled: int = 0
    collecting: int = 0
    down: int = 0
    active: int = NO_MEMBER
    lacp: int = LACP_OFF
    buckets: bytes = bytes(BUCKETS)


@dataclass(frozen=True, slots=True)
class Actions:
    """What is to be done now: PDUs to send by the members named, and whether to announce addresses."""

    pdus: Sequence[tuple[str, bytes]] = ()
    announce: bool = False


class BondPort:
    """See the module. After whatever happens, `run` brings the decisions up to date."""

    def __init__(
        self, view: PortView, held: BondState | None, memories: Mapping[str, Memory], now: float
    ) -> None:
        """`held` is what the data plane has of a bond, `memories` what it has of LACP: the work of an earlier
        process, or of the one that made the bond."""
        self.view = view
        self.up: dict[str, bool] = {}
        self.lacp: Lacp | None = None
        self.members: Members | None = None
        self.buckets: list[str] = []
        self.loads = [0] * BUCKETS
        self.carried: set[str] = set()
        self.rebalance_at = math.inf
        self._configure(view, memories, now)
        if held is not None:
            self._adopt(held)

    # -- configuration -------------------------------------------------------------------------------

    def configure(self, view: PortView, now: float) -> None:
        """The port as it is now."""
        self._configure(view, {}, now)

    def _configure(self, view: PortView, memories: Mapping[str, Memory], now: float) -> None:
        names = [member.name for member in view.members]
        old = self.view.settings if self.members else None
        devices = {member.name: member.ifindex for member in self.view.members}
        self.view = view
        self.up = {
            # A name may stand for another device now.
            member.name: self.up.get(member.name, member.up)
            if devices.get(member.name) == member.ifindex
            else member.up
            for member in view.members
        }
        self._configure_lacp(view, memories, now)
        if view.settings is None:
            self.members = None
            return
        if self.members is None:
            self.members = Members(view.settings)
        known = set(self.members.members)
        self.members.configure(view.settings, names)
        for name in names:
            if name not in known:
                may = self._may_enable(name)
                self.members.add(name, up=self.up[name], may_enable=may, enabled=self.up[name] and may)
        if set(names) != known:
            self.buckets = spread(names) if names else []
        if old is None or old.rebalance_ms != view.settings.rebalance_ms:
            self._plan_rebalance(now)

    def _configure_lacp(self, view: PortView, memories: Mapping[str, Memory], now: float) -> None:
        if view.lacp is None:
            self.lacp = None
            return
        if self.lacp is None:
            self.lacp = Lacp(view.lacp)
        self.lacp.configure(view.lacp, {member.name: member.link for member in view.members}, now, memories)
        for name, up in self.up.items():
            self.lacp.carrier(name, up, now)

    def _adopt(self, held: BondState) -> None:
        """Go on where the data plane is."""
        if self.members is None:
            return
        places = {member.index: member.name for member in self.view.members}
        for index, name in places.items():
            self.members.members[name].enabled = bool(held.enabled >> index & 1) and self.up[name]
        active = places.get(held.active)
        if active is not None and self.members.members[active].enabled:
            self.members.active = self.members.last = active
        if places and all(index in places for index in held.buckets):
            self.buckets = [places[index] for index in held.buckets]
        self.carried = set(self.members.enabled())

    # -- what happens --------------------------------------------------------------------------------

    def link(self, name: str, up: bool, now: float) -> None:
        """A member's link came or went."""
        if name in self.up:
            self.up[name] = up
            if self.lacp is not None:
                self.lacp.carrier(name, up, now)

    def receive(self, name: str, data: bytes, now: float) -> bytes | None:
        """A PDU of the slow protocols came in: what to answer at once. Raises BadPdu."""
        return self.lacp.receive(name, data, now) if self.lacp is not None and name in self.up else None

    def run(self, now: float) -> Actions:
        """Bring every decision up to date."""
        pdus = self.lacp.run(now) if self.lacp is not None else ()
        if self.members is None:
            return Actions(pdus)
        for name, up in self.up.items():
            self.members.link(name, up=up, may_enable=self._may_enable(name))
        self.members.run(now)
        self._hand_over(self.members.enabled())
        if self.balanced and self.rebalance_at == math.inf:
            self._plan_rebalance(now)
        announce = self.members.take_announce() and self.may_announce
        return Actions(pdus, announce)

    def _hand_over(self, enabled: Sequence[str]) -> None:
        """A member that is disabled loses its buckets to the others; one that has yet to be enabled, for
        the first time, keeps them."""
        lost = self.carried - set(enabled)
        self.carried = set(enabled)
        if lost and enabled:
            self.buckets = hand_over(self.buckets, lost, enabled)
        elif lost and self.up:
            self.buckets = spread(list(self.up))

    def rebalance(self, sent: Sequence[int], now: float) -> list[Shift]:
        """Move buckets to less loaded members, given the bytes that each carried since the last time."""
        assert self.members is not None
        loads = [load + more for load, more in zip(self.loads, sent, strict=True)]
        shifts = rebalance(self.buckets, loads, self.members.enabled())
        for shift in shifts:
            self.buckets[shift.bucket] = shift.target
        self.loads = halved(loads)
        self._plan_rebalance(now)
        return shifts

    def _plan_rebalance(self, now: float) -> None:
        settings = self.view.settings
        self.rebalance_at = now + settings.rebalance_ms / 1000 if settings and self.balanced else math.inf

    # -- what holds ----------------------------------------------------------------------------------

    def wakeup(self) -> float:
        """When `run` or `rebalance` has something to do, if nothing happens before."""
        times = [self.rebalance_at if self.balanced else math.inf]
        if self.lacp is not None:
            times.append(self.lacp.wakeup())
        if self.members is not None:
            times.append(self.members.wakeup())
        return min(times)

    @property
    def lacp_status(self) -> int:
        """LACP_OFF, LACP_CONFIGURED or LACP_NEGOTIATED."""
        if self.lacp is None:
            return LACP_OFF
        return LACP_NEGOTIATED if self.lacp.negotiated else LACP_CONFIGURED

    @property
    def falling_back(self) -> bool:
        """Whether the bond is an active-backup one for want of a partner."""
        settings = self.view.settings
        return settings is not None and settings.fallback_ab and self.lacp_status == LACP_CONFIGURED

    @property
    def balanced(self) -> bool:
        """Whether load is moved between members."""
        settings = self.view.settings
        return (
            settings is not None
            and settings.rebalance_ms > 0
            and settings.mode is not BondMode.ACTIVE_BACKUP
            and not self.falling_back
        )

    @property
    def may_announce(self) -> bool:
        """Whether neighbours learn from what we announce: not where a partner knows of the bond."""
        settings = self.view.settings
        if settings is None or self.members is None or self.members.active is None:
            return False
        plain = self.lacp_status == LACP_OFF and settings.mode is not BondMode.BALANCE_TCP
        return plain or self.falling_back

    def may_enable(self, name: str) -> bool:
        """Whether nothing is against a member but, perhaps, a delay."""
        return self.up[name] and (self.lacp is None or self.lacp.collecting(name))

    def state(self) -> BondState:
        """What the data plane is to go by."""
        assert self.members is not None
        places = {member.name: member.index for member in self.view.members}
        members = self.members.members
        collecting = [name for name in members if self.up[name] and self._collecting(name)]
        down = [name for name, member in members.items() if not self.up[name] and not member.enabled]
        return BondState(
            enabled=_mask(places[name] for name in self.members.enabled()),
            collecting=_mask(places[name] for name in collecting),
            down=_mask(places[name] for name in down),
            active=NO_MEMBER if self.members.active is None else places[self.members.active],
            lacp=self.lacp_status,
            buckets=bytes(places[name] for name in self.buckets) or bytes(BUCKETS),
        )

    def member(self, name: str) -> MemberView | None:
        """The member of that name."""
        return next((member for member in self.view.members if member.name == name), None)

    def _may_enable(self, name: str) -> bool:
        return self.lacp is None or self.lacp.distributing(name)

    def _collecting(self, name: str) -> bool:
        assert self.members is not None
        return self.members.members[name].enabled if self.lacp is None else self.lacp.collecting(name)


def _mask(places: Iterable[int]) -> int:
    mask = 0
    for place in places:
        mask |= 1 << place
    return mask
