"""The switch program by itself: BPF_PROG_TEST_RUN (bpf(2)) repeats it on one frame and tells the time.

The kernel's own loop around the program is taken off by counting a program that does nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.counts.clock import NANOSECONDS_PER_INSTRUCTION
from bench.counts.names import UNICAST
from bench.netns import BenchError
from jackfield.datapath import _abi, bpffs
from jackfield.datapath.libbpf import library
from jackfield.datapath.store import Datapath

INSTANCE = "jft-count"
LOOPBACK = 1
BRIDGE = 1
VLAN = 7
VLANS, BRIDGES = 4094, 100
TAG_LIMIT = 1  # the default of vlan-limit
REPEAT = 200  # of one spell: too short to meet many of the kernel's timers
SPELLS = 15
REDIRECT = 7

_BPF_PROG_LOAD, _BPF_PROG_TEST_RUN, _SYS_BPF = 5, 10, 321
_SCHED_CLS = 3
_NOTHING = struct.pack("=BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0)  # r0 = 0; exit
_libc = ctypes.CDLL(None, use_errno=True)

NEAR, FAR = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def _bpf(command: int, attributes: bytes) -> tuple[int, bytes]:
    room = ctypes.create_string_buffer(attributes.ljust(160, b"\0"), 160)
    result = _libc.syscall(_SYS_BPF, command, room, 160)
    if result < 0:
        raise BenchError(f"bpf(2) command {command}: {os.strerror(ctypes.get_errno())}")
    return result, room.raw


def nothing() -> int:
    """A program that returns 0 at once."""
    instructions = ctypes.create_string_buffer(_NOTHING, len(_NOTHING))
    licence = ctypes.create_string_buffer(b"GPL")
    words = (_SCHED_CLS, len(_NOTHING) // 8, ctypes.addressof(instructions), ctypes.addressof(licence))
    return _bpf(_BPF_PROG_LOAD, struct.pack("=IIQQ", *words))[0]


def run(program: int, frame: bytes, repeat: int) -> tuple[int, int]:
    """What the program returned, and nanoseconds a run."""
    data = ctypes.create_string_buffer(frame, len(frame))
    context = ctypes.create_string_buffer(struct.pack("=36xII", LOOPBACK, LOOPBACK).ljust(192, b"\0"), 192)
    head = struct.pack("=IIIIQQIIII", program, 0, len(frame), 0, ctypes.addressof(data), 0, repeat, 0, 192, 0)
    _, after = _bpf(_BPF_PROG_TEST_RUN, head + struct.pack("=Q", ctypes.addressof(context)))
    returned, duration = struct.unpack_from("=4xI", after)[0], struct.unpack_from("=36xI", after)[0]
    return returned, duration


def instructions(
    program: int, frame: bytes, returns: int, *, repeat: int = REPEAT, spells: int = SPELLS
) -> float:
    """Instructions of one run, the kernel's loop included: the least of many spells."""
    found = []
    for _ in range(spells):
        returned, duration = run(program, frame, repeat)
        if returned != returns:
            raise BenchError(f"the program returned {returned}, not {returns}")
        found.append(duration / NANOSECONDS_PER_INSTRUCTION)
    return min(found)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The switch's maps and its program."""

    maps: Datapath
    program: int


Prepare = Callable[[Loaded], bytes]
"""Sets the switch up for a case, and returns the frame that is to be measured."""


@contextlib.contextmanager
def loaded() -> Iterator[Loaded]:
    """The programs as a switch loads them, of an instance of their own."""
    with tempfile.TemporaryDirectory(prefix="jft", dir=bpffs.lasting()) as folder:
        datapath = Datapath.open(INSTANCE, root=Path(folder))
        try:
            pinned = Path(folder, INSTANCE, f"v{_abi.Limit.ABI_VERSION}", "programs", "ingress")
            program = library().get_pinned(pinned)
            try:
                yield Loaded(datapath, program)
            finally:
                os.close(program)
        finally:
            datapath.destroy()


def switch(maps: Datapath, ports: int, table: int = 8192) -> None:
    """A bridge of access ports in one VLAN; the frames enter by port 1, and FAR is behind port 2."""
    maps.bridges.set(BRIDGE, _abi.Bridge(300 * 10**9, table, ports, 0, TAG_LIMIT))
    for port in range(1, ports + 1):
        set_port(maps, port, _abi.VlanMode.ACCESS, VLAN)
        maps.flood_cells.set(port, _abi.FloodCell(port))
    maps.flood_lists.set(_abi.FloodKey(BRIDGE, VLAN), _abi.FloodList(1, ports))
    maps.ingress.set(LOOPBACK, _abi.Ingress(1, 1))
    maps.fdb_control(_abi.FdbOp.ADD_STATIC, bridge=BRIDGE, port=2, vlan=VLAN, mac=FAR)


def set_port(maps: Datapath, port: int, mode: _abi.VlanMode, tag: int, bridge: int = BRIDGE) -> None:
    """A port of a bridge with the interface of the same number, of which the far end is elsewhere."""
    record = _abi.Port(bridge=bridge, tag=tag, vlan_mode=mode, iface_count=1, qinq_tpid=0x88A8, iface=port)
    maps.ports.set(port, record)
    kind, far = _abi.IfaceKind.DEVICE, _abi.IfaceFlag.FAR
    maps.ifaces.set(port, _abi.Iface(ifindex=LOOPBACK, mtu=1500, port=port, kind=kind, flags=far, mac=FAR))


def untagged(source: bytes = NEAR) -> bytes:
    """A small frame to FAR."""
    return FAR + source + b"\x08\x00" + bytes(46)


def tagged() -> bytes:
    """The same in a VLAN."""
    frame = untagged()
    return frame[:12] + struct.pack(">HH", 0x8100, VLAN) + frame[12:]


def _two(at: Loaded) -> bytes:
    switch(at.maps, 2)
    return untagged()


def _thousand(at: Loaded) -> bytes:
    switch(at.maps, 1000)
    return untagged()


def _trunk(at: Loaded) -> bytes:
    switch(at.maps, 2)
    for port in (1, 2):
        set_port(at.maps, port, _abi.VlanMode.TRUNK, 0)
    return tagged()


def addresses(count: int) -> Prepare:
    def prepare(at: Loaded) -> bytes:
        switch(at.maps, 2, table=_abi.Limit.MAX_FDB_ENTRIES)
        for number in range(count):
            run(at.program, untagged(b"\x06" + number.to_bytes(5, "big")), 1)
        state = at.maps.bridge_state.get(BRIDGE)
        if state is None or state.entries < count:
            raise BenchError(f"{state.entries if state else 0} of {count} addresses were learned")
        return untagged()

    return prepare


def _vlans(at: Loaded) -> bytes:
    """FAR is known in every VLAN, and each has its ports."""
    switch(at.maps, 2)
    for vlan in range(1, VLANS + 1):
        at.maps.flood_lists.set(_abi.FloodKey(BRIDGE, vlan), _abi.FloodList(1, 2))
        at.maps.fdb_control(_abi.FdbOp.ADD_STATIC, bridge=BRIDGE, port=2, vlan=vlan, mac=FAR)
    return untagged()


def _bridges(at: Loaded) -> bytes:
    """Each has two ports, and FAR behind the second."""
    switch(at.maps, 2)
    for bridge in range(BRIDGE + 1, BRIDGES + 1):
        ports = (2 * bridge - 1, 2 * bridge)
        at.maps.bridges.set(bridge, _abi.Bridge(300 * 10**9, 8192, len(ports), 0, TAG_LIMIT))
        for port in ports:
            set_port(at.maps, port, _abi.VlanMode.ACCESS, VLAN, bridge)
            at.maps.flood_cells.set(port, _abi.FloodCell(port))
        at.maps.flood_lists.set(_abi.FloodKey(bridge, VLAN), _abi.FloodList(ports[0], len(ports)))
        at.maps.fdb_control(_abi.FdbOp.ADD_STATIC, bridge=bridge, port=ports[1], vlan=VLAN, mac=FAR)
    return untagged()


CASES: dict[str, Prepare] = {
    UNICAST: _two,
    f"{UNICAST}, tagged": _trunk,
    f"{UNICAST}, 1000 ports": _thousand,
}
SCALE: dict[str, Prepare] = {
    f"{UNICAST}, {VLANS} VLANs": _vlans,
    f"{UNICAST}, {BRIDGES} bridges": _bridges,
    **{f"{UNICAST}, {count} learned addresses": addresses(count) for count in (8_000, 1_000_000)},
}


def counts(cases: dict[str, Prepare]) -> dict[str, float]:
    """Instructions of the program alone for one frame, by case."""
    idle = nothing()
    empty = instructions(idle, untagged(), 0)
    os.close(idle)
    found = {}
    with loaded() as at:
        for name, prepare in cases.items():
            frame = prepare(at)
            found[name] = round(instructions(at.program, frame, REDIRECT) - empty, 1)
    return found
