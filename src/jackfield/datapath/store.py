"""The datapath of one instance: its maps, programs and attachments, pinned so that they outlive the process.

    ROOT/<instance>/v<ABI>/maps/<name>, programs/<name>, links/<ifindex>

Opening adopts what is there: maps keep their content, programs are loaded afresh and put in place of the old
ones without a moment in between in which a frame finds none.

Threads: one thread owns a Datapath (attach, detach, fdb_control, destroy, `devices`); `counters`, `drops`,
`fdb_entries` and the tables may be used by any.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from jackfield.datapath import _abi
from jackfield.datapath.maps import Table
from jackfield.datapath.netdev import Devices

ROOT = Path("/sys/fs/bpf/jackfield")


class AttachMode(Enum):
    TCX = "tcx"  # links, kernel 6.6 and later
    CLS_BPF = "cls_bpf"  # a direct-action filter below a clsact qdisc


class Datapath:
    instance: str
    mode: AttachMode
    devices: Devices

    ingress: Table[int, _abi.Ingress]  # by ifindex
    ifaces: Table[int, _abi.Iface]  # by interface id
    ports: Table[int, _abi.Port]  # by port id
    port_vlans: Table[int, _abi.VlanSet]  # by port id
    bridges: Table[int, _abi.Bridge]  # by bridge id
    bridge_flood: Table[int, _abi.VlanSet]  # by bridge id
    bridge_state: Table[int, _abi.BridgeState]
    port_state: Table[int, _abi.PortState]
    flood_lists: Table[_abi.FloodKey, _abi.FloodList]
    flood_cells: Table[int, _abi.FloodCell]
    names: Table[_abi.NameKey, _abi.Name]

    @classmethod
    def open(
        cls,
        instance: str,
        *,
        root: Path = ROOT,
        record: bool = False,
        mode: AttachMode | None = None,
        objects: Path | None = None,
    ) -> Datapath:
        """Load the programs and adopt or make the maps of `instance`.

        `record`: for tests; nothing is pinned, programs record decisions instead of sending. `mode` forces a
        way to attach; by default TCX where the kernel has it. `objects`: a folder of other compiled programs.
        Raises KernelError, AbiMismatch or Unsupported.
        """

    def close(self) -> None:
        """Let go of everything; the data plane goes on forwarding."""

    def destroy(self) -> None:
        """Detach everything of the instance and unpin it, and close. Devices are not touched."""

    # Attachment.

    def attach(self, ifindex: int) -> None:
        """Have the program see what enters by this device. No error when it does already."""

    def detach(self, ifindex: int) -> None:
        """The opposite. No error when it is not attached or the device is gone."""

    def attached(self) -> frozenset[int]:
        """The devices on which the kernel runs this instance's program at present."""

    # The learning table.

    def fdb_control(
        self,
        op: _abi.FdbOp,
        *,
        bridge: int = 0,
        port: int = 0,
        vlan: int = 0,
        mac: bytes = bytes(6),
        now_ns: int | None = None,
    ) -> int:
        """Run one operation on the learning table inside the kernel; how many entries it concerned.

        `now_ns`: CLOCK_MONOTONIC; by default the present.
        """

    def fdb_entries(self) -> list[tuple[_abi.FdbKey, _abi.FdbEntry]]:
        """Every entry, aged ones that were not swept yet among them."""

    # Counters.

    def counters(self, ifaces: Iterable[int] | None = None) -> dict[int, _abi.Counters]:
        """By interface id, summed over CPUs: of these interfaces, or of all that counted something."""

    def drops(self) -> dict[tuple[int, _abi.DropReason], int]:
        """Frames that ended, by interface id and reason, summed over CPUs."""

    def set_drops_zero(self, iface: int) -> None: ...

    def set_counters_zero(self, iface: int) -> None: ...

    # Recording programs only.

    def test_run(self, frame: bytes, ifindex: int) -> None:
        """Run the program on one frame of at least 14 bytes as if it came in by `ifindex`."""

    def decisions(self) -> list[_abi.Decision]:
        """What was decided since the last call, in order."""

    def set_now(self, now_ns: int) -> None:
        """The time that the recording program believes it is."""
