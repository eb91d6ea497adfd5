"""Network devices: list, make, change, remove. One netlink request each; nothing is cached.

The devices are those of the network namespace that the calling thread is in when `Devices` is opened.
A `Devices` belongs to one thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from jackfield.datapath.link import Link


@dataclass(frozen=True, slots=True)
class InternalPair:
    """The two ends of an internal port's device pair, as they are after it was made."""

    switch: Link
    user: Link


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a driver tells of a device. 0 and "" mean "not told"."""

    speed: int = 0  # Mb/s
    duplex: str = ""  # "full" or "half"
    driver: str = ""
    driver_version: str = ""
    firmware_version: str = ""


class Devices:
    """Every method raises KernelError when the kernel refuses."""

    @classmethod
    def open(cls) -> Devices: ...

    def close(self) -> None: ...

    def list_links(self) -> tuple[Link, ...]:
        """All devices of this namespace, by rising ifindex, from one dump."""

    def get_link(self, name_or_ifindex: str | int) -> Link | None:
        """One device, or None when there is none of that name or number."""

    def read_far(self, nsid: int, ifindex: int) -> Link | None:
        """A device of another namespace (the user's end of a pair: `peer_nsid` and `peer_ifindex` of ours).

        None when it is gone. `nsid` is this namespace's number for the other, as in `Link.peer_nsid`.
        """

    def create_internal(
        self, name: str, switch_end: str, alias: str, mac: bytes, mtu: int, switch_mac: bytes
    ) -> InternalPair:
        """Make an internal port: the user's end `name`, down, and the switch's end, up, with `alias`.

        All in one request, so that nobody sees half of it; nobody's address autoconfiguration runs on the
        switch's end. KernelError with EEXIST when one of the names is taken.
        """

    def delete(self, ifindex: int) -> None:
        """Remove a device (of a pair: both ends, wherever the other one is). No error when it is gone."""

    def set_up(self, ifindex: int, up: bool, nsid: int | None = None) -> None: ...

    def set_mtu(self, ifindex: int, mtu: int, nsid: int | None = None) -> None:
        """KernelError with EINVAL when the device does not allow it (see Link.min_mtu, max_mtu)."""

    def set_mac(self, ifindex: int, mac: bytes, nsid: int | None = None) -> None: ...

    def set_promiscuous(self, ifindex: int, on: bool) -> None: ...

    def set_alias(self, ifindex: int, alias: str) -> None: ...

    def rename(self, ifindex: int, name: str) -> None: ...

    def hardware(self, name: str) -> Hardware:
        """Speed, duplex and driver of a device of this namespace; all unknown when the driver tells nothing."""

    def __enter__(self) -> Devices: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
