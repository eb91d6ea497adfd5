"""The datapath of one instance: its maps, programs and attachments, pinned so that they outlive the process.

    /sys/fs/bpf/jackfield/<instance>/v<ABI>/maps/<name>, programs/<name>, links/<ifindex>

Opening adopts what is there: maps keep their content, programs are loaded afresh and put in place of the old
ones without a moment in between in which a frame finds none.

Threads: one thread owns a Datapath (attach, detach, destroy, close, `devices`); the tables, `counters`,
`drops`, `fdb_control`, `fdb_entries` and what concerns bonds may be used by any, `upcalls` by one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import time
from collections.abc import Container, Iterable
from pathlib import Path
from threading import Lock

from jackfield.datapath import _abi, bpffs, carrier, maps, objects, pins
from jackfield.datapath.attach import Attacher, AttachMode, ClsBpfAttacher, LinkAttacher
from jackfield.datapath.bonds import BondTable, add_loads
from jackfield.datapath.guards import GuardTable
from jackfield.datapath.libbpf import TCX_INGRESS, Library, library
from jackfield.datapath.maps import K, PerCpuTable, S, SplitTable, Table
from jackfield.datapath.ringbuf import RingBuffer
from jackfield.datapath.tc import TrafficControl
from jackfield.net.errors import KernelError, NetworkError
from jackfield.net.netdev import Devices
from jackfield.net.netlink import Netlink
from jackfield.net.pair import PairKind

__all__ = ["AttachMode", "Datapath"]

NO_SUCH_DEVICE = 0x7FFFFFFF


class Datapath:
    """See the module. Get one with `open`. Methods raise KernelError when the kernel refuses."""

    def __init__(
        self,
        loader: Library,
        loaded: objects.Loaded,
        instance: str,
        folders: bpffs.Folders | None,
        mode: AttachMode | None,
    ) -> None:
        """For `open`."""
        self.instance = instance
        self.closed = False
        self.devices = Devices.open()
        self._library = loader
        self._loaded = loaded
        self._folders = folders
        self._netlink = Netlink()
        self._ending = Lock()
        self._make_tables(loaded.maps)
        self.upcalls = RingBuffer(loaded.maps["jf_upcalls"], _abi.Upcall.unpack)
        self._carrier_links: dict[Path, int] = {}
        self.mode = mode or (AttachMode.TCX if has_tcx(loader, loaded.ingress) else AttachMode.CLS_BPF)
        self._attachers: dict[AttachMode, Attacher] = {}
        self._otherwise: set[int] = set()  # attached in the other mode
        if folders is not None:
            self._put_programs(folders)

    @classmethod
    def open(
        cls,
        instance: str,
        *,
        root: Path | None = None,
        record: bool = False,
        mode: AttachMode | None = None,
        objects_folder: Path = objects.OBJECTS,
    ) -> Datapath:
        """Load the programs and adopt or make the maps of `instance`.

        `record`: for tests; nothing is pinned, programs record decisions instead of sending. `mode` forces a
        way to attach; by default TCX where the kernel has it. `objects_folder`: where compiled programs are.
        Raises KernelError, AbiMismatch or Unsupported.
        """
        loader = library()
        folders = None
        if not record:
            root = root or bpffs.lasting() / bpffs.FOLDER
            folders = bpffs.Folders.of(root, instance, _abi.Limit.ABI_VERSION)
            folders.make()
        try:
            loaded = objects.load(loader, objects_folder / objects.SWITCH, folders)
        except NetworkError:
            if folders is not None:
                folders.remove_if_empty()
            raise
        try:
            made = cls(loader, loaded, instance, folders, mode)
        except BaseException:
            loaded.close()
            raise
        if folders is not None:
            made._carrier_links = carrier.attach(loader, objects_folder / carrier.OBJECT, folders)
        return made

    def close(self) -> None:
        """Let go of everything; the data plane goes on forwarding."""
        self.closed = True
        for attacher in self._attachers.values():
            attacher.close()
        for link in self._carrier_links.values():
            os.close(link)
        self.devices.close()
        self._netlink.close()
        self.upcalls.close()
        self._loaded.close()

    def destroy(self) -> None:
        """Detach everything of the instance and unpin it, and close. Devices are not touched."""
        if self._folders is not None:
            for attacher in self._attachers.values():
                for ifindex in attacher.attached():
                    attacher.detach(ifindex)
            self.remove_other_versions()
            bpffs.remove_tree(self._folders.instance)
            with contextlib.suppress(OSError):
                # Other instances live there too.
                self._folders.instance.parent.rmdir()
        self.close()

    @property
    def follows_carrier(self) -> bool:
        """Whether the kernel itself takes members of bonds out of use that have no link."""
        return bool(self._carrier_links)

    # Attachment.

    def attach(self, ifindex: int, *, fast: bool = False) -> None:
        """Have the program see what enters by this device. No error when it does already.

        A TCX link takes the kernel 12 ms and more, during which no device can be changed: an RCU grace period
        under RTNL. `fast`, for many at once, is a filter instead, at 0.1 ms, which costs each frame 2% more
        until `settle` puts a link in its place.
        """
        if self._folders is None:
            raise NetworkError("a recording program cannot be attached to a device")
        own, program = self._attachers[self.mode], self._loaded.ingress
        others = [folder / "links" for folder in self._folders.others()]
        if isinstance(own, LinkAttacher) and any(own.take_over(ifindex, program, links) for links in others):
            fast = False
        if fast and self.mode is AttachMode.TCX and not own.has(ifindex):
            self._other().attach(ifindex, program)
            self._otherwise.add(ifindex)
        else:
            own.attach(ifindex, program)
            self._release_otherwise(ifindex)
        for links in others:
            # A program of another version would see the frames first.
            (links / str(ifindex)).unlink(missing_ok=True)

    def detach(self, ifindex: int) -> None:
        """The opposite. No error when it is not attached or the device is gone."""
        if self._folders is None:
            return
        for attacher in self._attachers.values():
            attacher.detach(ifindex)
        self._otherwise.discard(ifindex)

    def attached(self) -> frozenset[int]:
        """The devices on which the kernel runs this instance's program at present."""
        if self._folders is None:
            return frozenset()
        present = self._attachers[self.mode].attached()
        return present | self._other().attached() if self._otherwise else present

    def settle(self, limit: int = 1) -> int:
        """Attach in the way of `mode` up to `limit` devices that are attached in the other way: by `fast`, or
        by an earlier process. The program sees every frame meanwhile, and once. How many are left.
        """
        for ifindex in sorted(self._otherwise)[:limit]:
            try:
                self._attachers[self.mode].attach(ifindex, self._loaded.ingress)
            except KernelError as error:
                if error.errno != errno.ENODEV:
                    raise
            self._release_otherwise(ifindex)
        return len(self._otherwise)

    def repair_pins(self) -> tuple[str, ...]:
        """Pin again what somebody unpinned; says what that was."""
        if self._folders is None:
            return ()
        wanted = pins.pins(self._loaded, self._folders) | self._carrier_links
        self._folders.make()
        done = pins.repair(self._library, wanted)
        return (*done, *(text for attacher in self._attachers.values() for text in attacher.repair()))

    def remove_other_versions(self) -> None:
        """Take away what another ABI version left of this instance: for when all of this one is in place."""
        for folder in self._folders.others() if self._folders else ():
            for attacher in self._attachers.values():
                if isinstance(attacher, ClsBpfAttacher):
                    attacher.succeed(folder / "links", self.attached())
            bpffs.remove_tree(folder)

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

        `now_ns`: CLOCK_MONOTONIC; by default the present. KernelError with the errno that the operation gave.
        """
        now = time.monotonic_ns() if now_ns is None else now_ns
        request = _abi.FdbRequest(now_ns=now, op=op, bridge=bridge, port=port, vlan=vlan, mac=mac)
        what = f"changing the learning table ({op.name})"
        return _abi.FdbRequest.unpack(self._run(what, self._loaded.fdb_control, request.pack())).affected

    def fdb_entries(self) -> list[tuple[_abi.FdbKey, _abi.FdbEntry]]:
        """Every entry, aged ones that were not swept yet among them."""
        return self._fdb.items()

    # Counters.

    def counters(self, ifaces: Iterable[int] | None = None) -> dict[int, _abi.Counters]:
        """By interface id, summed over CPUs: of these interfaces, or of all that counted something."""
        if ifaces is None:
            return dict(self._counters.items())
        return {iface: self._counters.get(iface) or _abi.Counters() for iface in ifaces}

    def drops(self, ifaces: Container[int] | None = None) -> dict[tuple[int, _abi.DropReason], int]:
        """Frames that ended, by interface id and reason, summed over CPUs: of these interfaces, or of all."""
        found = self._drops.items(lambda key: ifaces is None or key.iface in ifaces)
        return {(key.iface, _abi.DropReason(key.reason)): count for key, count in found}

    def set_drops_zero(self, iface: int) -> None:
        """Forget the drops of an interface id, before it is used for another interface."""
        for key, _ in self._drops.items(lambda key: key.iface == iface):
            self._drops.clear(key)

    def set_counters_zero(self, iface: int) -> None:
        """Forget the counters of an interface id, before it is used for another interface."""
        self._counters.clear(iface)

    def set_port_counters_zero(self, port: int) -> None:
        """Forget what a port id counted of addresses, before it is used for another port. How many there are
        in the table stays true."""
        state = self.port_state.get(port)
        if state is not None:
            self.port_state.set(port, _abi.PortState(entries=state.entries))

    # Recording programs only.

    def test_run(self, frame: bytes, ifindex: int) -> None:
        """Run the program on one frame of at least 14 bytes as if it came in by device `ifindex`.

        The device must exist: the kernel gives the program a frame of that device.
        """
        # struct __sk_buff up to ifindex; the kernel takes the rest for zeros.
        self._library.run(self._loaded.ingress, struct.pack("=36xII", ifindex, ifindex), frame)

    def decisions(self) -> list[_abi.Decision]:
        """What was decided since the last call, in order; at most JF_RECORD_SIZE of them."""
        recorder = self._recorder.get(0) or _abi.Recorder()
        self._recorder.set(0, recorder._replace(count_=0))
        count = min(recorder.count_, self._record.max_entries)
        return self._record.slice(0, count) if count else []

    def kept_decisions_followed(self) -> int:
        """For how many frames, since the program was loaded, it took an earlier decision (bpf/flow.h)."""
        return (self._recorder.get(0) or _abi.Recorder()).kept

    def forget_storms(self) -> None:
        """Begin anew with what programs do about loops while nobody looks after them."""
        for port, _ in self.damped.items():
            self.damped.delete(port)
        for move, _ in self._storms.items():
            self._storms.delete(move)
        self.watch.set(0, _abi.Watch())

    def set_now(self, now_ns: int) -> None:
        """The time that the recording program believes it is."""
        self._recorder.set(0, (self._recorder.get(0) or _abi.Recorder())._replace(now_ns=now_ns))

    def _make_tables(self, raw: dict[str, maps.RawMap]) -> None:
        number, struct_of = maps.number(4), maps.struct
        flood_key, fdb_key = struct_of(_abi.FloodKey), struct_of(_abi.FdbKey)
        self._configured = Table(raw["jf_configured"], number, maps.number(8))

        def configuration(name: str, key: maps.Codec[K], kind: type[S]) -> Table[K, S]:
            return Table(raw[name], key, struct_of(kind), changed=self._end_kept_decisions)

        self.ingress = SplitTable(
            configuration("jf_ingress_low", number, _abi.Ingress),
            configuration("jf_ingress_high", number, _abi.Ingress),
        )
        self.ifaces = configuration("jf_ifaces", number, _abi.Iface)
        self.ports = configuration("jf_ports", number, _abi.Port)
        self.port_vlans = configuration("jf_port_vlans", number, _abi.VlanSet)
        self.guards = GuardTable(
            configuration("jf_guards", number, _abi.Guard),
            Table(raw["jf_guard_state"], number, struct_of(_abi.GuardState)),
        )
        self.bridges = configuration("jf_bridges", number, _abi.Bridge)
        self.bridge_flood = configuration("jf_bridge_flood", number, _abi.VlanSet)
        self.flood_lists = configuration("jf_flood_lists", flood_key, _abi.FloodList)
        self.flood_cells = configuration("jf_flood_cells", number, _abi.FloodCell)
        self.bridge_state = Table(raw["jf_bridge_state"], number, struct_of(_abi.BridgeState))
        self.port_state = Table(raw["jf_port_state"], number, struct_of(_abi.PortState))
        self.names = Table(raw["jf_names"], struct_of(_abi.NameKey), struct_of(_abi.Name))
        self._fdb = Table(raw["jf_fdb"], fdb_key, struct_of(_abi.FdbEntry))
        self.disabled = Table(raw["jf_disabled"], number, struct_of(_abi.Disabled))
        self.damped = Table(raw["jf_damped"], number, struct_of(_abi.Damped))
        self._storms = Table(raw["jf_storms"], struct_of(_abi.MoveKey), struct_of(_abi.StormMoves))
        self.watch = Table(raw["jf_watch"], number, struct_of(_abi.Watch))
        self.switch = Table(raw["jf_switch"], number, struct_of(_abi.Switch))
        self.lacp = Table(raw["jf_lacp"], number, struct_of(_abi.Lacp))
        self.bonds = BondTable(
            Table(raw["jf_bonds"], number, struct_of(_abi.Bond)),
            PerCpuTable(raw["jf_bond_loads"], number, struct_of(_abi.BondLoad), add_loads),
            self._control_bond,
        )
        self._record = Table(raw["jf_record"], number, struct_of(_abi.Decision))
        self._recorder = Table(raw["jf_recorder"], number, struct_of(_abi.Recorder))
        self._counters = PerCpuTable(raw["jf_counters"], number, struct_of(_abi.Counters), add_counters)
        self._drops = PerCpuTable(raw["jf_drops"], struct_of(_abi.DropKey), maps.number(8), sum)

    def _end_kept_decisions(self) -> None:
        """After a change of configuration: see bpf/flow.h. The time is one that was never written before."""
        with self._ending:
            self._configured.set(0, time.monotonic_ns())

    def _control_bond(self, request: _abi.BondRequest) -> None:
        self._run(f"changing bond {request.bond}", self._loaded.bond_control, request.pack())

    def _run(self, what: str, program: int, request: bytes) -> bytes:
        """The request as the program left it. Raises KernelError with the errno that the program gave."""
        value, answer = self._library.run(program, request)
        code = value - (1 << 32) if value >> 31 else value
        if code:
            raise KernelError(what, abs(code))
        return answer

    def _put_programs(self, folders: bpffs.Folders) -> None:
        self._library.pin(self._loaded.ingress, folders.programs / "ingress")
        self._library.pin(self._loaded.fdb_control, folders.programs / "fdb_control")
        self._library.pin(self._loaded.bond_control, folders.programs / "bond_control")
        self._attachers[AttachMode.TCX] = LinkAttacher(self._library, folders.links, self._is_netkit)
        self._attachers[AttachMode.CLS_BPF] = ClsBpfAttacher(
            TrafficControl(self._netlink), folders.links, self.instance, _abi.Limit.ABI_VERSION
        )
        for attacher in self._attachers.values():
            attacher.update(self._loaded.ingress)
        self._otherwise.update(self._other().attached())

    def _is_netkit(self, ifindex: int) -> bool:
        link = self.devices.get_link(ifindex)
        return link is not None and link.kind == PairKind.NETKIT.value

    def _release_otherwise(self, ifindex: int) -> None:
        if ifindex in self._otherwise:
            self._other().release(ifindex)
            self._otherwise.discard(ifindex)

    def _other(self) -> Attacher:
        return self._attachers[AttachMode.CLS_BPF if self.mode is AttachMode.TCX else AttachMode.TCX]


def add_counters(parts: Iterable[_abi.Counters]) -> _abi.Counters:
    """The sum, field by field."""
    return _abi.Counters(*map(sum, zip(*parts, strict=True)))


def has_tcx(loader: Library, program: int) -> bool:
    """Whether the kernel knows TCX links: one that does says that this device is not there."""
    result = loader.tell("bpf_link_create", program, NO_SUCH_DEVICE, TCX_INGRESS, None)
    return result == -errno.ENODEV
