"""The commands about bridges, ports, bonds and interfaces (ovs-vsctl(8))."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jackfield.cli.environment import quoted_words
from jackfield.cli.vsctl.bridges import VLAN_MAX, Bridge, Port, model, needs_model
from jackfield.cli.vsctl.context import Command, Context, Needs, Syntax
from jackfield.cli.vsctl.database import set_column
from jackfield.cli.vsctl.errors import ControlError, ExitWith
from jackfield.cli.vsctl.transaction import Record
from jackfield.cli.vsctl.values import to_atoms
from jackfield.wire.notation import Atom, Uuid


def _init(_: Context) -> None:
    """The root row is made with every first transaction."""


def leading_integer(text: str) -> int:
    """The number at the start of `text` as C's atoi() reads it: 0 when there is none."""
    found = re.match(r"\s*[+-]?[0-9]+", text, re.ASCII)
    return int(found[0]) if found else 0


def _add_br(ctx: Context) -> None:
    words = ctx.command.arguments
    name = words[0]
    if not name:
        raise ControlError("bridge name must not be empty string")
    if len(words) == 2:
        raise ControlError("'add-br' command takes exactly 1 or 3 arguments")
    parent = words[1] if len(words) == 3 else None
    vlan = leading_integer(words[2]) if parent is not None else 0
    if not 0 <= vlan <= VLAN_MAX:
        raise ControlError("add-br: vlan must be between 0 and 4095")
    if ctx.has("--may-exist") and (known := model(ctx).find_bridge(name)) is not None:
        _check_same_bridge(known, parent, vlan)
        return
    model(ctx).check_free(name, f"cannot create a bridge named {name}")
    if parent is None:
        record = ctx.txn.insert("Bridge")
        ctx.txn.write(record, "name", name)
        ctx.txn.write(record, "ports", frozenset((_new_local_port(ctx, name).uuid,)))
        _change_set(ctx, ctx.root, "bridges", add=record.uuid)
    else:
        owner = _parent_bridge(ctx, parent, vlan)
        port = _new_local_port(ctx, name)
        ctx.txn.write(port, "fake_bridge", True)
        ctx.txn.write(port, "tag", vlan)
        _change_set(ctx, owner.record, "ports", add=port.uuid)
    ctx.model = None


def _check_same_bridge(known: Bridge, parent: str | None, vlan: int) -> None:
    name = known.name
    if parent is None:
        if known.parent is not None:
            raise ControlError(
                f'"--may-exist add-br {name}" but {name} is a VLAN bridge for VLAN {known.vlan}'
            )
        return
    asked = f'"--may-exist add-br {name} {parent} {vlan}" but {name}'
    if known.parent is None:
        raise ControlError(f"{asked} is not a VLAN bridge")
    if known.parent.name != parent:
        raise ControlError(f"{asked} has the wrong parent {known.parent.name}")
    if known.vlan != vlan:
        raise ControlError(f"{asked} is a VLAN bridge for the wrong VLAN {known.vlan}")


def _parent_bridge(ctx: Context, name: str, vlan: int) -> Bridge:
    parent = model(ctx).find_bridge(name)
    if parent is None:
        raise ControlError(f"parent bridge {name} does not exist")
    if parent.parent is not None:
        raise ControlError("cannot create bridge with fake bridge as parent")
    if (taken := parent.children.get(vlan)) is not None:
        raise ControlError(f"bridge {name} already has a child VLAN bridge {taken.name} on VLAN {vlan}")
    return parent


def _new_local_port(ctx: Context, name: str) -> Record:
    """The port and internal interface that every bridge, fake ones too, has of its own name."""
    interface = ctx.txn.insert("Interface")
    ctx.txn.write(interface, "name", name)
    ctx.txn.write(interface, "type", "internal")
    ctx.new_interfaces.append(interface.uuid)
    port = ctx.txn.insert("Port")
    ctx.txn.write(port, "name", name)
    ctx.txn.write(port, "interfaces", frozenset((interface.uuid,)))
    return port


def _change_set(
    ctx: Context, record: Record, column: str, *, add: Uuid | None = None, remove: Uuid | None = None
) -> None:
    old = to_atoms(ctx.read(record, column))
    new = old | {add} if add is not None else old - {remove} if remove is not None else old
    ctx.txn.write(record, column, new)


def _delete_port(ctx: Context, port: Port) -> None:
    _change_set(ctx, port.bridge.record, "ports", remove=port.record.uuid)
    for interface in port.interfaces.values():
        ctx.txn.delete(interface.record)
    ctx.txn.delete(port.record)
    model(ctx).remove_port(port)


def _delete_bridge(ctx: Context, bridge: Bridge) -> None:
    for child in list(bridge.children.values()):
        _delete_bridge(ctx, child)
    for port in list(bridge.ports.values()):
        _delete_port(ctx, port)
    if bridge.parent is None:
        for collector in list(ctx.txn.records("Flow_Sample_Collector_Set")):
            if ctx.read(collector, "bridge") == bridge.record.uuid:
                ctx.txn.delete(collector)
        ctx.txn.delete(bridge.record)
        _change_set(ctx, ctx.root, "bridges", remove=bridge.record.uuid)
    model(ctx).remove_bridge(bridge)


def _needs_del_br(needs: Needs, command: Command) -> None:
    needs_model(needs, command)
    needs.add("Flow_Sample_Collector_Set", "bridge")


def _del_br(ctx: Context) -> None:
    name = ctx.command.arguments[0]
    bridge = model(ctx).find_bridge(name) if ctx.has("--if-exists") else model(ctx).bridge(name)
    if bridge is not None:
        _delete_bridge(ctx, bridge)


def _put_sorted(ctx: Context, names: Iterable[str]) -> None:
    for name in sorted(names):
        ctx.put(name)


def _list_br(ctx: Context) -> None:
    real, fake = ctx.has("--real"), ctx.has("--fake")
    both = real == fake
    bridges = model(ctx).bridges.values()
    _put_sorted(ctx, (b.name for b in bridges if both or (b.parent is None) == real))


def _br_exists(ctx: Context) -> None:
    if model(ctx).find_bridge(ctx.command.arguments[0]) is None:
        raise ExitWith(2)


def _br_to_vlan(ctx: Context) -> None:
    ctx.put(str(model(ctx).bridge(ctx.command.arguments[0]).vlan))


def _br_to_parent(ctx: Context) -> None:
    bridge = model(ctx).bridge(ctx.command.arguments[0])
    ctx.put((bridge.parent or bridge).name)


def _needs_external_ids(needs: Needs, command: Command) -> None:
    needs_model(needs, command)
    needs.add("Bridge", "external_ids")
    needs.add("Port", "external_ids")


def _external_ids(ctx: Context) -> tuple[Record, str, dict[Atom, Atom]]:
    """Where a bridge's external ids are: the row, the prefix of their keys there, and all ids of that row."""
    bridge = model(ctx).bridge(ctx.command.arguments[0])
    record, prefix = bridge.record, ""
    if bridge.parent is not None:
        record, prefix = model(ctx).ports[bridge.name].record, "fake-bridge-"
    ctx.txn.verify(record, "external_ids")
    ids = ctx.read(record, "external_ids")
    assert isinstance(ids, dict)
    return record, prefix, dict(ids)


def _br_set_external_id(ctx: Context) -> None:
    _, key, *value = ctx.command.arguments
    record, prefix, ids = _external_ids(ctx)
    ids.pop(prefix + key, None)
    if value:
        ids[prefix + key] = value[0]
    ctx.txn.write(record, "external_ids", ids)


def _br_get_external_id(ctx: Context) -> None:
    _, prefix, ids = _external_ids(ctx)
    if len(ctx.command.arguments) > 1:
        value = ids.get(prefix + ctx.command.arguments[1])
        if value is not None:
            ctx.put(str(value))
        return
    for key in sorted(map(str, ids)):
        if key.startswith(prefix):
            ctx.put(f"{key.removeprefix(prefix)}={ids[key]}")


def _list_ports(ctx: Context) -> None:
    bridge = model(ctx).bridge(ctx.command.arguments[0])
    ctx.txn.verify(bridge.record, "ports")
    _put_sorted(ctx, (name for name in bridge.ports if name != bridge.name))


def _list_ifaces(ctx: Context) -> None:
    bridge = model(ctx).bridge(ctx.command.arguments[0])
    model(ctx).verify_ports()
    names = (name for port in bridge.ports.values() for name in port.interfaces)
    _put_sorted(ctx, (name for name in names if name != bridge.name))


def _port_to_br(ctx: Context) -> None:
    name = ctx.command.arguments[0]
    port = model(ctx).find_port(name)
    if port is None:
        raise ControlError(f"no port named {name}")
    ctx.put(port.bridge.name)


def _iface_to_br(ctx: Context) -> None:
    name = ctx.command.arguments[0]
    interface = model(ctx).find_interface(name)
    if interface is None:
        raise ControlError(f"no interface named {name}")
    ctx.put(interface.port.bridge.name)


def _add_port(ctx: Context) -> None:
    _, name, *settings = ctx.command.arguments
    _create_port(ctx, [name], settings, fake_interface=False)


def _add_bond(ctx: Context) -> None:
    words = ctx.command.arguments[2:]
    count = next((i for i, word in enumerate(words) if "=" in word), len(words))
    if count < 2:
        raise ControlError(f"add-bond requires at least 2 interfaces, but only {count} were specified")
    _create_port(ctx, words[:count], words[count:], fake_interface=ctx.has("--fake-iface"))


def _create_port(ctx: Context, interfaces: list[str], settings: list[str], *, fake_interface: bool) -> None:
    bridge_name, name = ctx.command.arguments[:2]
    if not name:
        raise ControlError("port name must not be empty string")
    if not all(interfaces):
        raise ControlError("interface name must not be empty string")
    if ctx.has("--may-exist") and (known := model(ctx).find_port(name)) is not None:
        _check_same_port(ctx, known, bridge_name, interfaces)
        return
    model(ctx).check_free(name, f"cannot create a port named {name}")
    for interface in interfaces:
        model(ctx).check_free(interface, f"cannot create an interface named {interface}")
    bridge = model(ctx).bridge(bridge_name)
    records = [_new_interface(ctx, interface) for interface in interfaces]
    port = ctx.txn.insert("Port")
    ctx.txn.write(port, "name", name)
    ctx.txn.write(port, "interfaces", frozenset(record.uuid for record in records))
    ctx.txn.write(port, "bond_fake_iface", fake_interface)
    if bridge.parent is not None:
        ctx.txn.write(port, "tag", bridge.vlan)
    for word in settings:
        set_column(ctx, ctx.schema.table("Port"), port, word)
    _change_set(ctx, bridge.record, "ports", add=port.uuid)
    added = model(ctx).add_port(bridge, port)
    for record in records:
        model(ctx).add_interface(added, record)


def _new_interface(ctx: Context, name: str) -> Record:
    record = ctx.txn.insert("Interface")
    ctx.txn.write(record, "name", name)
    ctx.new_interfaces.append(record.uuid)
    return record


def _check_same_port(ctx: Context, known: Port, bridge: str, interfaces: list[str]) -> None:
    asked = quoted_words(ctx.command.text)
    if known.bridge.name != bridge:
        raise ControlError(f'"{asked}" but {known.name} is actually attached to bridge {known.bridge.name}')
    have = sorted(known.interfaces)
    if sorted(interfaces) != have:
        raise ControlError(f'"{asked}" but {known.name} actually has interface(s) {", ".join(have)}')


def _del_port(ctx: Context) -> None:
    target = ctx.command.arguments[-1]
    port = _port_to_delete(ctx, target)
    if port is None:
        return
    if len(ctx.command.arguments) == 2:
        name = ctx.command.arguments[0]
        bridge = model(ctx).bridge(name)
        if port.bridge is not bridge:
            child = f" (although its child bridge {port.bridge.name} does)"
            raise ControlError(
                f"bridge {name} does not have a port {target}{child if port.bridge.parent is bridge else ''}"
            )
    _delete_port(ctx, port)


def _port_to_delete(ctx: Context, target: str) -> Port | None:
    must_exist = not ctx.has("--if-exists")
    if model(ctx).find_bridge(target) is not None:
        if must_exist:
            raise ControlError(
                f"cannot delete port {target} because it is the local port for bridge {target} "
                "(deleting this port requires deleting the entire bridge)"
            )
        return None
    port = model(ctx).find_port(target)
    if port is None and ctx.has("--with-iface"):
        interface = model(ctx).find_interface(target)
        port = interface.port if interface is not None else None
    if port is None and must_exist:
        raise ControlError(f"no port {'or interface ' if ctx.has('--with-iface') else ''}named {target}")
    return port


def _add_bond_iface(ctx: Context) -> None:
    port_name, name = ctx.command.arguments
    port = model(ctx).find_port(port_name)
    if port is None:
        raise ControlError(f"no port named {port_name}")
    if ctx.has("--may-exist") and (known := model(ctx).find_interface(name)) is not None:
        if known.port is port:
            return
        asked = quoted_words(ctx.command.text)
        raise ControlError(f'"{asked}" but {name} is actually attached to port {known.port.name}')
    model(ctx).check_free(name, f"cannot create an interface named {name}")
    record = _new_interface(ctx, name)
    ctx.txn.verify(port.record, "interfaces")
    _change_set(ctx, port.record, "interfaces", add=record.uuid)
    model(ctx).add_interface(port, record)


def _del_bond_iface(ctx: Context) -> None:
    *port_name, name = ctx.command.arguments
    interface = model(ctx).find_interface(name)
    if interface is None:
        if not ctx.has("--if-exists"):
            raise ControlError(f"no interface named {name}")
        return
    port = interface.port
    if port_name:
        named = model(ctx).find_port(port_name[0])
        if named is None:
            raise ControlError(f"no port named {port_name[0]}")
        if named is not port:
            raise ControlError(f"port {port_name[0]} does not have an interface {name}")
    if len(port.interfaces) == 1:
        raise ControlError(f"cannot delete last interface from port {port.name}")
    ctx.txn.verify(port.record, "interfaces")
    _change_set(ctx, port.record, "interfaces", remove=interface.record.uuid)
    ctx.txn.delete(interface.record)
    ctx.model = None


_MAY_EXIST, _IF_EXISTS = ("--may-exist",), ("--if-exists",)
_SETTINGS = "[COLUMN[:KEY]=VALUE]..."

COMMANDS = (
    Syntax("init", 0, 0, "", (), True, _init),
    Syntax("add-br", 1, 3, "NEW-BRIDGE [PARENT] [NEW-VLAN]", _MAY_EXIST, True, _add_br, needs_model),
    Syntax("del-br", 1, 1, "BRIDGE", _IF_EXISTS, True, _del_br, _needs_del_br),
    Syntax("list-br", 0, 0, "", ("--real", "--fake"), False, _list_br, needs_model),
    Syntax("br-exists", 1, 1, "BRIDGE", (), False, _br_exists, needs_model),
    Syntax("br-to-vlan", 1, 1, "BRIDGE", (), False, _br_to_vlan, needs_model),
    Syntax("br-to-parent", 1, 1, "BRIDGE", (), False, _br_to_parent, needs_model),
    Syntax("br-set-external-id", 2, 3, "BRIDGE KEY [VALUE]", (), True, _br_set_external_id,
           _needs_external_ids),
    Syntax("br-get-external-id", 1, 2, "BRIDGE [KEY]", (), False, _br_get_external_id, _needs_external_ids),
    Syntax("list-ports", 1, 1, "BRIDGE", (), False, _list_ports, needs_model),
    Syntax("add-port", 2, None, f"BRIDGE NEW-PORT {_SETTINGS}", _MAY_EXIST, True, _add_port, needs_model),
    Syntax("del-port", 1, 2, "[BRIDGE] PORT|IFACE", ("--if-exists", "--with-iface"), True, _del_port,
           needs_model),
    Syntax("port-to-br", 1, 1, "PORT", (), False, _port_to_br, needs_model),
    Syntax("add-bond", 4, None, f"BRIDGE BOND IFACE... {_SETTINGS}", ("--may-exist", "--fake-iface"), True,
           _add_bond, needs_model),
    Syntax("add-bond-iface", 2, 2, "BOND IFACE", _MAY_EXIST, True, _add_bond_iface, needs_model),
    Syntax("del-bond-iface", 1, 2, "[BOND] IFACE", _IF_EXISTS, True, _del_bond_iface, needs_model),
    Syntax("list-ifaces", 1, 1, "BRIDGE", (), False, _list_ifaces, needs_model),
    Syntax("iface-to-br", 1, 1, "IFACE", (), False, _iface_to_br, needs_model),
)  # fmt: skip
