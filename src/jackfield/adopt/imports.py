"""`import-bridge`: a Linux bridge with its ports, its VLANs and what its device has of layer 3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from jackfield.adopt import linuxbridge
from jackfield.adopt.checks import check_port, check_routes, check_upper, filters_passed_by, session_by
from jackfield.adopt.decide import Outcome, Say, confirmed, guarded, verify, watched_addresses
from jackfield.adopt.equivalents import bridge_config, port_columns, vlan_columns
from jackfield.adopt.guard import finish
from jackfield.adopt.host import Host, Layer3
from jackfield.adopt.linuxbridge import LinuxBridge
from jackfield.adopt.managers import managers
from jackfield.adopt.move import add_last_routes, prepare, strip, strip_routes
from jackfield.adopt.record import Record, path_of
from jackfield.adopt.wiring import TABLES, Wiring
from jackfield.client import control
from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.net.errors import NetworkError
from jackfield.wire.notation import Atom


def import_bridge(
    name: str,
    to: str = "",
    checks: tuple[str, ...] | None = (),
    seconds: float = 30.0,
    confirm: Callable[[float], bool] | None = None,
    say: Say = lambda _: None,
) -> Outcome:
    """Take over the Linux bridge `name` as a bridge of the switch called `to`, or by the same name.

    Raises Failure; then everything is as it was, or the sentence says what is not.
    """
    if finish(path_of(name)) is not None:
        say(f"{name}: a takeover that was cut short has been put back first")
    try:
        with Host() as host, Database.open(TABLES) as database:
            wiring = Wiring(database)
            bridge = linuxbridge.read(host, name)
            state = host.layer3(name)
            _check(host, wiring, bridge, state, to or name, confirm is not None)
            links = [host.link(each) for each in (name, *(port.name for port in bridge.ports))]
            notes = [*managers(links, to or name), *filters_passed_by(host, links)]
            watched = watched_addresses(host, state, checks, notes)
            record = _record(bridge, state, to or name)
            with guarded(record, seconds * (2 if confirm else 1)):
                _move(host, wiring, bridge, record)
                devices = ", ".join(record.ports) or "no port"
                say(f"{name} is bridge {record.bridge} of the switch, with {devices}")
                verify(host, record.port, watched, seconds, say)
                confirmed(confirm, seconds)
            host.devices.delete(bridge.ifindex)
    except NetworkError as error:
        raise Failure(f"{name}: {error}") from error
    return Outcome(
        record.bridge,
        record.port,
        record.ports,
        tuple(str(address) for address in state.addresses),
        watched,
        tuple(notes),
    )


def _check(host: Host, wiring: Wiring, bridge: LinuxBridge, state: Layer3, to: str, confirms: bool) -> None:
    """Raises Failure when the bridge cannot be taken over as it is."""
    linuxbridge.check(bridge)
    check_upper(host, host.link(bridge.name))
    for port in bridge.ports:
        check_port(host, port.name)
    check_routes(state)
    if wiring.bridge(to) is not None or wiring.bridge_of(to) is not None:
        raise Failure(f"{to}: the switch has a bridge or port of that name already; --to NAME gives another")
    if to != bridge.name and host.devices.get_link(to) is not None:
        raise Failure(f"{to}: a network device of that name is there already; choose another name")
    session_by(state, confirms)


def _record(bridge: LinuxBridge, state: Layer3, to: str) -> Record:
    return Record(
        subject=bridge.name,
        nics=tuple(port.name for port in bridge.ports),
        holder=bridge.name,
        holder_ifindex=bridge.ifindex,
        state=state,
        bridge=to,
        port=to,
        ports=tuple(port.name for port in bridge.ports),
        made=("bridge",),
        linux_bridge=bridge,
    )


def _move(host: Host, wiring: Wiring, bridge: LinuxBridge, record: Record) -> None:
    """All prepared beside the old bridge first: only while the devices change sides does nothing pass."""
    state, old = record.state, bridge.name
    if record.bridge == bridge.name:
        old = bridge.temporary_name
        if linuxbridge.rename(host, bridge.ifindex, old):
            prepare(host, state, old, bridge.ifindex, bridge.name)
            add_last_routes(host, state, old, bridge.ifindex)
    settings: dict[Atom, Atom] = {"hwaddr": state.mac}
    settings.update(bridge_config(bridge.settings))
    wiring.make_bridge(record.bridge, {"other_config": settings})
    if bridge.filtering:
        wiring.set_port(record.port, vlan_columns(bridge.settings.vlans))
    if state.mtu != 1500:
        wiring.set_interface(record.port, {"mtu_request": state.mtu})
    wiring.require([record.port])
    prepare(host, replace(state, up=True), record.port, bridge.ifindex)
    linuxbridge.let_go(host, bridge)
    strip_routes(host, old)
    wiring.connect(
        record.bridge,
        {port.name: ((port.name,), port_columns(port, bridge.filtering)) for port in bridge.ports},
    )
    add_last_routes(host, state, record.port, bridge.ifindex)
    strip(host, old)
    for entry in bridge.static:
        port = bridge.port_name(entry.ifindex)
        control.call("fdb/add", record.bridge, port, str(entry.vlan), entry.mac.hex(":"))
