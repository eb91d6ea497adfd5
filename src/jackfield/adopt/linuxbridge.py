"""A Linux bridge and its ports."""

from __future__ import annotations

from dataclasses import dataclass

from jackfield.adopt.host import Host


@dataclass(frozen=True, slots=True)
class LinuxBridge:
    """A Linux bridge as it was."""

    name: str
    ifindex: int


def name_now(host: Host, bridge: LinuxBridge) -> str:
    return bridge.name


def take_back(host: Host, bridge: LinuxBridge) -> None: ...


def rename_back(host: Host, bridge: LinuxBridge) -> None: ...
