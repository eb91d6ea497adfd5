"""What a bond costs a frame beside a plain port, in the switch program by itself: see `testrun`."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import product

from bench.counts import testrun
from bench.counts.names import FIRST, IN, NEXT, OUT, PortKind, bond_name
from bench.counts.testrun import BRIDGE, FAR, LOOPBACK, NEAR, REDIRECT, VLAN, Loaded
from jackfield.datapath import _abi

BOND = 1
MEMBERS = (2, 3)
ELSEWHERE = bytes.fromhex("020000000009")
SPELLS = 9

_IPV4 = b"\x08\x00" + bytes.fromhex("4500002800000000400600000a0000010a000002")
_IPV6 = b"\x86\xdd" + bytes.fromhex("6000000000140640" + "fd000001" + "00" * 12 + "fd000002" + "00" * 12)
_TCP = struct.pack(">HH", 1000, 80) + bytes(60)
_MODES = {
    PortKind.ACTIVE_BACKUP: _abi.BondMode.ACTIVE_BACKUP,
    PortKind.BALANCE_SLB: _abi.BondMode.BALANCE_SLB,
    PortKind.BALANCE_TCP: _abi.BondMode.BALANCE_TCP,
    PortKind.BALANCE_TCP_IPV6: _abi.BondMode.BALANCE_TCP,
}
_OVER_IPV6 = frozenset({PortKind.PLAIN_IPV6, PortKind.BALANCE_TCP_IPV6})


def _prepare(at: Loaded, kind: PortKind, way: str) -> bytes:
    """Two ports, the second one of the kind; returns a frame out of it, or in by it."""
    testrun.switch(at.maps, 2)
    at.maps.fdb_control(_abi.FdbOp.ADD_STATIC, bridge=BRIDGE, port=1, vlan=VLAN, mac=NEAR)
    for iface in (1, *MEMBERS):
        port, device = min(iface, 2), _abi.IfaceKind.DEVICE
        record = _abi.Iface(ifindex=LOOPBACK, mtu=1500, port=port, kind=device, mac=ELSEWHERE)
        at.maps.ifaces.set(iface, record)
    if kind in _MODES:
        _bond(at, _MODES[kind])
    at.maps.ingress.set(LOOPBACK, _abi.Ingress(1, 1) if way == OUT else _abi.Ingress(MEMBERS[0], 2))
    ends = FAR + NEAR if way == OUT else NEAR + FAR
    return ends + (_IPV6 if kind in _OVER_IPV6 else _IPV4) + _TCP


def _bond(at: Loaded, mode: _abi.BondMode) -> None:
    """Makes a bond of the second port, with LACP negotiated where the mode needs it."""
    bridge = at.maps.bridges.get(BRIDGE)
    assert bridge is not None
    at.maps.bridges.set(BRIDGE, bridge._replace(flags=bridge.flags | _abi.BridgeFlag.BONDED))
    is_lacp = mode is _abi.BondMode.BALANCE_TCP
    members = (*MEMBERS, *(0,) * (int(_abi.Limit.MAX_MEMBERS) - len(MEMBERS)))
    at.maps.bonds.delete(BOND)
    at.maps.bonds.set(BOND, _abi.Bond(mode=mode, flags=_abi.BondFlag.LACP if is_lacp else 0, members=members))
    if is_lacp:
        at.maps.bonds.change(BOND, lacp=_abi.BondLacp.NEGOTIATED, enabled=3, collecting=3)
    port = _abi.Port(
        bridge=BRIDGE,
        tag=VLAN,
        vlan_mode=_abi.VlanMode.ACCESS,
        flags=_abi.PortFlag.BOND | (_abi.PortFlag.LACP if is_lacp else 0),
        iface_count=len(MEMBERS),
        qinq_tpid=0x88A8,
        iface=BOND,
    )
    at.maps.ports.set(2, port)


def _first(at: Loaded, frame: bytes) -> float:
    """Instructions of one run about a frame of which no decision is kept, all around it included."""

    bridge = at.maps.bridges.get(BRIDGE)
    assert bridge is not None

    def one() -> float:
        at.maps.bridges.set(BRIDGE, bridge)  # ends what was kept
        return testrun.instructions(at.program, frame, REDIRECT, repeat=1, spells=1)

    return min(one() for _ in range(SPELLS))


def _counts(at: Loaded, idle: int) -> Iterator[tuple[str, float]]:
    for kind, way in product(PortKind, (OUT, IN)):
        frame = _prepare(at, kind, way)
        empty = testrun.instructions(idle, frame, 0)
        yield bond_name(kind, way, NEXT), round(testrun.instructions(at.program, frame, REDIRECT) - empty, 1)
        empty = testrun.instructions(idle, frame, 0, repeat=1)
        yield bond_name(kind, way, FIRST), round(_first(at, frame) - empty, 1)


def counts() -> dict[str, float]:
    """Instructions of the program alone for a frame, by kind of port, way, and whether it is a first one."""
    idle = testrun.nothing()
    try:
        with testrun.loaded() as at:
            return dict(_counts(at, idle))
    finally:
        os.close(idle)
