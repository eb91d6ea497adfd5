"""Which members of a bond may carry frames, and which of them is the active one.

Follows ovs-vswitchd.conf.db(5), Port, "Bonding Configuration" and "Link Failure Detection". Times are in
seconds of any one clock.

A member is enabled once its link has been up for the updelay, and disabled once it has been down for the
downdelay. The updelay is skipped when no member is enabled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from jackfield.model.bonding.settings import BondSettings
from jackfield.model.config import BondMode


@dataclass(slots=True)
class Member:
    """One member. `up` is its link, `may_enable` whether LACP has nothing against it. `expires` is when
    `enabled` is going to change. What was set by hand is `held` until the link changes."""

    enabled: bool
    up: bool
    may_enable: bool = True
    expires: float = math.inf
    held: bool = False


class Members:
    """The members of one bond, in the order in which they are preferred if nothing else decides."""

    def __init__(self, settings: BondSettings) -> None:
        self.settings = settings
        self.members: dict[str, Member] = {}
        self.active: str | None = None
        self.last: str | None = None
        """The member that was active last; it is preferred when several come back."""
        self._notes: list[str] = []
        self._announce = False

    # -- configuration -------------------------------------------------------------------------------

    def configure(self, settings: BondSettings, names: Iterable[str]) -> None:
        """Take new settings, and forget members that are not among `names`. New ones come by `add`."""
        self.settings = settings
        wanted = list(names)
        for name in self.members.keys() - set(wanted):
            del self.members[name]
            self._announce = True
        self.members = {name: self.members[name] for name in wanted if name in self.members}
        if self.active not in self.members:
            self.active = None

    def add(self, name: str, *, up: bool, may_enable: bool, enabled: bool) -> None:
        """A new member, with its link as it is, enabled or not already."""
        self.members[name] = Member(enabled, up, may_enable)

    # -- what happens --------------------------------------------------------------------------------

    def link(self, name: str, *, up: bool, may_enable: bool) -> None:
        """A member's link as it is now."""
        member = self.members[name]
        if (member.up, member.may_enable) != (up, may_enable):
            member.held = False
        member.up, member.may_enable = up, may_enable

    def enable(self, name: str, enabled: bool) -> None:
        """Set by hand, without delay; it lasts until the link changes."""
        self._set(name, enabled)
        self.members[name].held = True

    def set_active(self, name: str) -> bool:
        """Set by hand; False if it is so already. Raises ValueError for a member that is not enabled."""
        if not self.members[name].enabled:
            raise ValueError("cannot make disabled member active")
        if self.active == name:
            return False
        self._activate(name)
        return True

    def run(self, now: float) -> None:
        """Bring everything up to date."""
        for name, member in self.members.items():
            self._judge(name, member, now)
        active = self.members.get(self.active) if self.active is not None else None
        if active is None or not active.enabled or self._overruled():
            self._choose(now)

    def wakeup(self) -> float:
        """When `run` has something to do next, if nothing happens before."""
        return min((member.expires for member in self.members.values()), default=math.inf)

    # -- what holds ----------------------------------------------------------------------------------

    def enabled(self) -> list[str]:
        """The members that may carry frames."""
        return [name for name, member in self.members.items() if member.enabled]

    def take_notes(self) -> list[str]:
        """What is to be told since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def take_announce(self) -> bool:
        """Whether addresses moved to another member since the last call: neighbours are to be told."""
        announce, self._announce = self._announce, False
        return announce

    # -- inside --------------------------------------------------------------------------------------

    def _judge(self, name: str, member: Member, now: float) -> None:
        up = member.up and member.may_enable
        if member.held:
            return
        if up == member.enabled:
            if member.expires != math.inf:
                member.expires = math.inf
                self._notes.append(f"member {name}: will not be {'disabled' if up else 'enabled'}")
            return
        if member.expires == math.inf:
            delay = self.settings.updelay_ms if up else self.settings.downdelay_ms
            member.expires = now + delay / 1000
            self._notes.append(f"member {name}: link state {_word(up)}")
            if delay:
                self._notes.append(
                    f"member {name}: will be {'enabled' if up else 'disabled'} if it stays {_word(up)}"
                    f" for {delay} ms"
                )
        if now >= member.expires:
            self._set(name, up)

    def _set(self, name: str, enabled: bool) -> None:
        member = self.members[name]
        member.expires = math.inf
        if member.enabled != enabled:
            member.enabled = enabled
            self._announce |= not enabled
            self._notes.append(f"member {name}: {'enabled' if enabled else 'disabled'}")

    def _overruled(self) -> bool:
        primary = self.settings.primary
        return (
            self.settings.mode is BondMode.ACTIVE_BACKUP
            and primary in self.members
            and self.members[primary].enabled
            and self.active != primary
        )

    def _choose(self, now: float) -> None:
        chosen = self._preferred()
        if chosen is not None:
            self._activate(chosen)
            return
        waiting = [
            (member.expires, name)
            for name, member in self.members.items()
            if member.expires != math.inf and member.up and member.may_enable
        ]
        if waiting:
            expires, chosen = min(waiting, key=lambda pair: pair[0])
            self._notes.append(
                f"member {chosen}: skipping remaining {max(0.0, expires - now) * 1000:.0f} ms updelay"
                " (since no member was enabled)"
            )
            self._set(chosen, True)
            self._activate(chosen)
        elif self.active is not None:
            self.active = None
            self._notes.append("all members disabled")

    def _preferred(self) -> str | None:
        """The enabled member that is to be active: the primary, the last one, the first."""
        enabled = self.enabled()
        for name in (self.settings.primary, self.last):
            if name in enabled:
                return name
        return enabled[0] if enabled else None

    def _activate(self, name: str) -> None:
        self._announce = True
        if self.active != name:
            self.active = self.last = name
            self._notes.append(f"active member is now {name}")


def _word(up: bool) -> str:
    return "up" if up else "down"
