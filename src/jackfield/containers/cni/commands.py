"""The operations of the CNI specification, section 2, for a container's port on a bridge of the switch.

An attachment, (container id, interface name), is one port, whose name is made from both: so it is found again
whatever else is lost. What belongs to which network is in the external ids of its Interface row.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from jackfield.client import control
from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.client.operations import Columns
from jackfield.containers import ports
from jackfield.containers.announce import announce
from jackfield.containers.cni import expectations
from jackfield.containers.cni.config import NetConf
from jackfield.containers.cni.errors import CniError, Code
from jackfield.containers.cni.invocation import Invocation
from jackfield.containers.cni.ipam import Ipam
from jackfield.containers.cni.result import Interface, Ip, Result, Route
from jackfield.containers.inside import Inside
from jackfield.containers.ports import PortInterface
from jackfield.net import routes as kernel
from jackfield.net.errors import KernelError
from jackfield.net.inet import family_of
from jackfield.net.link import Link
from jackfield.net.netlink import u32

NETWORK_KEY, CONTAINER_KEY, DEVICE_KEY = "cni-network", "container_id", "container_iface"
OWN_NAMESPACE = "/proc/self/ns/net"
RTA_METRICS, RTAX_MTU, RTAX_ADVMSS = 8, 2, 8


def port_name(container_id: str, ifname: str) -> str:
    """The name of an attachment's port, 15 characters."""
    return f"cni{hashlib.blake2b(f'{container_id} {ifname}'.encode(), digest_size=6).hexdigest()}"


def add(call: Invocation, config: NetConf, ipam: Ipam) -> Result:
    """Put a container on its bridge, with addresses; raises CniError and then leaves nothing behind."""
    name = port_name(call.container_id, call.ifname)
    with _namespace(call) as inside, _database(config) as database:
        if inside.device(call.ifname) is not None:
            raise CniError(
                Code.INVALID_ENVIRONMENT,
                f"CNI_IFNAME: the container has a network device {call.ifname} already",
            )
        try:
            ports.make_port(
                database, config.bridge, name, port=config.vlans.columns(), interface=_columns(call, config)
            )
        except Failure as failure:
            raise CniError(Code.REFUSED, str(failure)) from failure
        try:
            return _set_up(call, config, ipam, inside)
        except BaseException as reason:
            _undo(lambda: ports.remove_ports(database, (name,)), reason)
            _undo(ipam.undo, reason)
            raise


def delete(call: Invocation, config: NetConf, ipam: Ipam) -> None:
    """Take a container off its bridge, and give its addresses back; raises CniError when one of the two
    could not be done, but tries both. What is gone already is no error."""
    with _Problems() as problems:
        problems.collect(ipam.pass_on)
        problems.collect(lambda: _remove(config, [port_name(call.container_id, call.ifname)]))


def check(call: Invocation, config: NetConf, ipam: Ipam) -> None:
    """Raise CniError unless the attachment is as its result said."""
    if config.previous is None:
        raise CniError(Code.INVALID_CONFIGURATION, "prevResult: CHECK needs the result of ADD")
    with _database(config) as database:
        expectations.check_port(database, port_name(call.container_id, call.ifname), config)
    with _namespace(call) as inside:
        expectations.check_inside(inside, call, config.previous)
    ipam.pass_on()


def collect_garbage(config: NetConf, ipam: Ipam) -> None:
    """Remove the network's ports that are not among the attachments to keep; raises CniError, but only after
    everything else has been removed."""
    kept = config.valid_attachments or frozenset()

    def sweep() -> None:
        with _database(config) as database:
            found = ports.interfaces_with(database, {NETWORK_KEY: config.name})
            stale = [port.name for port in found if _attachment(port) not in kept]
            ports.remove_ports(database, stale)

    with _Problems() as problems:
        problems.collect(sweep)
        problems.collect(ipam.pass_on)


def status(config: NetConf, ipam: Ipam) -> None:
    """Raise CniError unless ADD can be served."""
    try:
        with _database(config) as database:
            if config.bridge:
                ports.find_bridge(database, config.bridge)
        ready = bool(config.socket) or control.ask("jackfield/status").get("ready")
    except (CniError, Failure) as problem:
        raise CniError(Code.NOT_AVAILABLE, str(problem)) from problem
    if not ready:
        raise CniError(Code.NOT_AVAILABLE, "the switch is not ready yet; `jackfield status` says why")
    ipam.pass_on()


def _set_up(call: Invocation, config: NetConf, ipam: Ipam, inside: Inside) -> Result:
    try:
        device = inside.device(call.ifname)
        if device is None:
            raise CniError(Code.UNKNOWN_CONTAINER, f"the network namespace {call.netns} has vanished")
        # A DHCP client among the IPAM plugins sends by the device.
        inside.set_up(device)
        given = ipam.add()
        for ip in given.ips:
            inside.add_address(device, ip.address)
        for route in given.routes:
            inside.add_route(kernel_route(given, route, device))
    except KernelError as error:
        raise CniError(Code.REFUSED, f"container {call.container_id}: {error}") from error
    with suppress(OSError, KernelError):
        # Neighbours that are not told find out by themselves, later.
        inside.run(lambda: announce(call.ifname, device.mac, [ip.address for ip in given.ips]))
    interface = Interface(call.ifname, device.mac.hex(":"), device.mtu, call.netns)
    ips = tuple(Ip(ip.address, ip.gateway, 0) for ip in given.ips)
    result = Result((interface,), ips, given.routes, given.dns or config.dns)
    return result if config.previous is None else result.after(config.previous)


def kernel_route(result: Result, route: Route, device: Link) -> kernel.Route:
    """A result's route as one of the kernel's; without a gateway of its own it takes that of its family."""
    family = family_of(route.destination)
    gateway = route.gateway or result.gateway(family)
    made = kernel.Route.to(route.destination, device.ifindex, gateway, metric=route.priority or 0)
    metrics = b"".join(
        u32(kind, value) for kind, value in ((RTAX_MTU, route.mtu), (RTAX_ADVMSS, route.advmss)) if value
    )
    return replace(
        made,
        table=route.table or made.table,
        scope=made.scope if route.scope is None else route.scope,
        others=((RTA_METRICS, metrics),) if metrics else (),
    )


def _columns(call: Invocation, config: NetConf) -> Columns:
    ids = {
        CONTAINER_KEY: call.container_id,
        DEVICE_KEY: call.ifname,
        NETWORK_KEY: config.name,
        "cni-netns": call.netns,
        "iface-id": config.ovn_port or f"{call.container_id}-{call.ifname}",
    }
    pod = call.arguments.get("K8S_POD_NAME")
    if pod:
        ids["k8s-pod"] = f"{call.arguments.get('K8S_POD_NAMESPACE', '')}/{pod}"
    if config.mac:
        ids["attached-mac"] = config.mac
    columns: dict[str, Any] = {
        "type": "internal",
        "options": {
            "netns": call.netns,
            "ifname": call.ifname,
            "netns-id": str(Path(call.netns).stat().st_ino),
        },
        "external_ids": ids,
    }
    optional = {"mac": config.mac or None, "mtu_request": config.mtu, "ofport_request": config.ofport}
    return columns | {key: value for key, value in optional.items() if value is not None}


def _attachment(port: PortInterface) -> tuple[str, str]:
    return port.external_ids.get(CONTAINER_KEY, ""), port.external_ids.get(DEVICE_KEY, "")


def _remove(config: NetConf, names: list[str]) -> None:
    with _database(config) as database:
        try:
            ports.remove_ports(database, names)
        except Failure as failure:
            raise CniError(Code.TRY_AGAIN, str(failure)) from failure


def _database(config: NetConf) -> Database:
    try:
        return Database.open(path=config.socket)
    except Failure as failure:
        raise CniError(Code.TRY_AGAIN, str(failure)) from failure


def _namespace(call: Invocation) -> Inside:
    try:
        there, own = Path(call.netns).stat(), Path(OWN_NAMESPACE).stat()
        if (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino):
            raise CniError(Code.INVALID_ENVIRONMENT, f"CNI_NETNS: {call.netns} is the host's own namespace")
        return Inside(call.netns)
    except FileNotFoundError as error:
        message = f"CNI_NETNS: there is no network namespace {call.netns}"
        raise CniError(Code.UNKNOWN_CONTAINER, message) from error
    except (OSError, KernelError) as error:
        raise CniError(Code.INVALID_ENVIRONMENT, f"CNI_NETNS: {error}") from error


def _undo(work: Callable[[], None], reason: BaseException) -> None:
    """Part of putting back what a failed ADD has done: the failure, which is told, matters more than this."""
    try:
        work()
    except (CniError, Failure) as problem:
        if str(problem) == str(reason):
            return  # the same again
        print(f"jackfield-cni: while undoing: {problem}", file=sys.stderr)


class _Problems:
    """Does every part of a job; raises at the end what has failed."""

    def __init__(self) -> None:
        self._found: list[CniError] = []

    def __enter__(self) -> _Problems:
        return self

    def collect(self, work: Callable[[], None]) -> None:
        try:
            work()
        except CniError as problem:
            self._found.append(problem)
        except Failure as failure:
            self._found.append(CniError(Code.TRY_AGAIN, str(failure)))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._found:
            first, *others = self._found
            message = "; ".join(str(problem) for problem in self._found)
            raise CniError(first.code, message, first.details) if others else first
