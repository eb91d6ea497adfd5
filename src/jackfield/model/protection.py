"""What a port may be protected from, as frozen values: each protection is off unless it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

NSEC_PER_SEC = 1_000_000_000
DAMPED_RATE = 100


Network = IPv4Network | IPv6Network


class MacLimitAction(Enum):
    """What becomes of frames from new addresses on a port that has as many as it may."""

    DROP = "drop"
    FLOOD = "flood"


class PortSecurity(Enum):
    """Whether the addresses on a port may change place: `sticky` ones stay with it, and a `locked` port takes
    frames from no others than those that were named."""

    NONE = "none"
    STICKY = "sticky"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class GuardConfig:
    """The protections of one port (Port other_config).

    `storm_broadcast`, `storm_multicast` and `storm_unknown_unicast` are how many of these frames may come in
    a second, on average; None means any number. `storm_burst` is how many may come at once; None means those
    of a tenth of a second, and 10 at least. `mac_limit` is how many addresses may be learned there at one
    time. `allowed_macs` are the addresses that a locked port takes besides static ones of its own. A `damped`
    port is in a loop, and no more than DAMPED_RATE frames of a kind may come in. With
    `bpdu_guard`, a BPDU disables the port. `bound_macs` and `bound_networks` are the only sources of frames,
    MAC and IP addresses, that are let in; none means any.
    """

    storm_broadcast: int | None = None
    storm_multicast: int | None = None
    storm_unknown_unicast: int | None = None
    storm_burst: int | None = None
    mac_limit: int | None = None
    mac_limit_action: MacLimitAction = MacLimitAction.DROP
    security: PortSecurity = PortSecurity.NONE
    allowed_macs: frozenset[bytes] = frozenset()
    damped: bool = False
    bpdu_guard: bool = False
    bound_macs: frozenset[bytes] = frozenset()
    bound_networks: frozenset[Network] = frozenset()

    @property
    def judges_frames(self) -> bool:
        """Whether a frame that comes in there has to pass them. Sticky addresses concern other ports only."""
        return self != GuardConfig(security=PortSecurity.STICKY)

    @property
    def keeps_addresses(self) -> bool:
        """Whether what was learned there cannot be learned elsewhere while it is known."""
        return self.security is not PortSecurity.NONE

    @property
    def rates(self) -> tuple[Rate | None, Rate | None, Rate | None]:
        """The limits of broadcast, multicast and unknown unicast."""
        return (
            self._rate(self.storm_broadcast),
            self._rate(self.storm_multicast),
            self._rate(self.storm_unknown_unicast),
        )

    def _rate(self, per_second: int | None) -> Rate | None:
        if self.damped:
            per_second = DAMPED_RATE if per_second is None else min(per_second, DAMPED_RATE)
        if per_second is None:
            return None
        burst = max(10, per_second // 10) if self.storm_burst is None else self.storm_burst
        interval = NSEC_PER_SEC // per_second
        return Rate(interval, (burst - 1) * interval)


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket in times: nanoseconds from frame to frame at the highest rate, and how many nanoseconds
    frames may be ahead of it."""

    interval: int
    burst: int
