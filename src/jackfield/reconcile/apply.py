"""Doing the steps of a plan through the datapath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

from jackfield.datapath._abi import FdbOp, FloodCell
from jackfield.datapath.store import Datapath
from jackfield.net.errors import KernelError
from jackfield.net.netdev import InternalPair
from jackfield.reconcile.steps import (
    Attach,
    ChangeFdb,
    CreatePair,
    DeleteDevice,
    Detach,
    Owner,
    SetMac,
    SetMtu,
    SetPromiscuous,
    SetUp,
    Step,
    Write,
    WriteCells,
    ZeroCounters,
)
from jackfield.reconcile.watch import Watch

FEW = 4
"""More devices than this are attached the fast way: see Datapath.attach and Datapath.settle."""

_OF_BRIDGE = (FdbOp.FLUSH_BRIDGE, FdbOp.PURGE_BRIDGE)


@dataclass(slots=True)
class Report:
    """What became of a plan: the steps done, and the failures by owner. `failed` are those of required
    steps, whose later steps were left out; `faults` those of steps that one can do without."""

    done: list[Step] = field(default_factory=list)
    failed: dict[Owner, str] = field(default_factory=dict)
    faults: dict[Owner, str] = field(default_factory=dict)


def apply(
    steps: Sequence[Step], datapath: Datapath, watch: Watch, report: Report, after_step: Callable[[], None]
) -> None:
    """Do the steps in order, keep `watch` up to date, and add to `report`.

    A step that the kernel refuses ends its owner's part of the plan, not the others'. `after_step` is called
    after each one that is done.
    """
    fast = sum(isinstance(step, Attach) for step in steps) > FEW
    for removal, run in groupby(steps, key=lambda step: isinstance(step, DeleteDevice)):
        ready = [step for step in run if step.owner not in report.failed]
        if removal and len(ready) > 1:
            # Devices that are gone are no error, so the loop below only takes note of what is done here.
            with suppress(KernelError):
                datapath.devices.delete_many(step.ifindex for step in ready if isinstance(step, DeleteDevice))
        for step in ready:
            if step.owner in report.failed:
                continue
            try:
                result = _do(step, datapath, fast)
            except KernelError as error:
                where = report.failed if step.required else report.faults
                where.setdefault(step.owner, f"could not {step.describe()}: {error}")
            else:
                watch.note(step, result)
                report.done.append(step)
                after_step()


def _do(step: Step, datapath: Datapath, fast: bool) -> InternalPair | None:
    devices = datapath.devices
    match step:
        case Write(table=table, key=key, value=None):
            getattr(datapath, table.value).delete(key)
        case Write(table=table, key=key, value=value):
            getattr(datapath, table.value).set(key, value)
        case WriteCells(start=start, ports=ports):
            datapath.flood_cells.set_many((start + at, FloodCell(port)) for at, port in enumerate(ports))
        case ChangeFdb(op=op, id=number) if op in _OF_BRIDGE:
            datapath.fdb_control(op, bridge=number)
        case ChangeFdb(op=op, id=number):
            datapath.fdb_control(op, port=number)
        case ZeroCounters(owner=Owner(kind="Bridge"), id=number):
            datapath.bridge_state.delete(number)
        case ZeroCounters(owner=Owner(kind="Port"), id=number):
            datapath.set_port_counters_zero(number)
        case ZeroCounters(id=number):
            datapath.set_counters_zero(number)
            datapath.set_drops_zero(number)
            datapath.lacp.delete(number)
        case Attach(ifindex=ifindex):
            datapath.attach(ifindex, fast=fast)
        case Detach(ifindex=ifindex):
            datapath.detach(ifindex)
        case CreatePair():
            place = step.place
            return devices.create_internal(
                step.name if place is None else place.ifname,
                step.switch_end,
                step.alias,
                step.mac,
                step.mtu,
                step.switch_mac,
                None if place is None else (place.netns, step.inode),
                up=place is not None and place.up,
                kinds=step.kinds,
            )
        case DeleteDevice(ifindex=ifindex):
            devices.delete(ifindex)
        case SetUp(ifindex=ifindex):
            devices.set_up(ifindex, True)
        case SetMtu(ifindex=ifindex, mtu=mtu, nsid=nsid):
            devices.set_mtu(ifindex, mtu, nsid)
        case SetMac(ifindex=ifindex, mac=mac, nsid=nsid):
            devices.set_mac(ifindex, mac, nsid)
        case SetPromiscuous(ifindex=ifindex, on=on):
            devices.set_promiscuous(ifindex, on)
        case _:
            raise NotImplementedError(f"step {type(step).__name__}")
    return None
