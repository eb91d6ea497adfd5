"""What every switch of an experiment can do, so that all of them are taken through the same steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from jackfield.lab.host import Host


@dataclass(frozen=True, slots=True)
class Learned:
    """An entry of the table of learned addresses: a MAC behind a port, in a VLAN (0: untagged)."""

    port: str
    vlan: int
    mac: str


class Switch(ABC):
    """A switch on a host. `directory` is its own for files. Methods show the commands that they run."""

    kind: ClassVar[str]
    title: ClassVar[str]
    speaks_ovs: ClassVar[bool] = True  # ovs-vsctl configures it, and it has internal ports

    def __init__(self, host: Host, directory: Path) -> None:
        self.host = host
        self.directory = directory

    @classmethod
    @abstractmethod
    def missing(cls) -> str:
        """Why it cannot run on this machine, as a sentence; "" if it can."""

    @abstractmethod
    def start(self) -> None:
        """Have it run, without a bridge."""

    @abstractmethod
    def stop(self) -> None:
        """End it and take away what it made. It may not run."""

    @abstractmethod
    def kill(self) -> None:
        """Have it die without warning. A switch that is no process is removed instead."""

    @abstractmethod
    def add_bridge(self, bridge: str) -> None:
        """A bridge without ports."""

    @abstractmethod
    def add_ports(self, bridge: str, devices: Sequence[str]) -> None:
        """Devices of the host as untagged ports."""

    @abstractmethod
    def add_virtual_port(self, bridge: str, name: str, mac: str = "") -> str:
        """A device that is the host's own port on the bridge; returns its name, which is `name` if the switch
        lets one choose. It has that MAC if one is given.
        """

    @abstractmethod
    def set_ageing(self, bridge: str, seconds: int) -> None:
        """After how long an address that was not seen is forgotten."""

    @abstractmethod
    def learned(self, bridge: str, *, shown: bool = True) -> list[Learned]:
        """The table of learned addresses, without the switch's own."""

    def prepare(self, host: Host, device: str) -> None:  # noqa: B027  (most need nothing)
        """Make a device at the end of a cable fit for this switch. Not part of the story."""

    def hide(self, device: str) -> None:  # noqa: B027
        """Keep the host's own network stack from what comes in by a port, where the switch does not do so."""

    def show(self, device: str) -> None:  # noqa: B027
        """Undo `hide`."""
