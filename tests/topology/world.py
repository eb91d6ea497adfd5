"""Random network files, and a database in memory for what they ask of the switch."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from jackfield.ovsdb.database import Database
from jackfield.ovsdb.schema import parse_schema
from jackfield.switchd.schema import open_vswitch_schema
from jackfield.topology import asked, form, reader
from jackfield.topology.difference import Change, Kind
from jackfield.topology.export import as_yaml
from jackfield.topology.network import Network
from jackfield.topology.present import TABLES, Tables
from jackfield.topology.transaction import operations
from jackfield.wire.replica import Replica
from tests.ovsdb.world import content, run

IN_DATABASE = (Kind.SWITCH, Kind.BRIDGE, Kind.PORT)

vlans = st.integers(0, 4095)
vlan_lists = st.none() | st.lists(
    vlans | st.tuples(vlans, vlans).map(lambda ends: f"{min(ends)}-{max(ends)}"), max_size=4
)
macs = st.none() | st.binary(min_size=5, max_size=5).map(lambda raw: (b"\x02" + raw).hex(":"))
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
words = st.dictionaries(texts.map(lambda text: "x-" + text), texts, max_size=2)
addresses = st.none() | st.lists(
    st.sampled_from(["10.0.0.", "10.1.0."]).flatmap(
        lambda net: st.integers(1, 254).map(lambda host: f"{net}{host}/24")
    )
    | st.integers(1, 0xFFFF).map(lambda host: f"2001:db8::{host:x}/64"),
    max_size=3,
    unique=True,
)
flags = st.none() | st.booleans()


@st.composite
def tags(draw: st.DrawFn) -> dict[str, Any]:
    """VLAN settings that make sense."""
    mode = draw(
        st.sampled_from([None, "trunk", "access", "native-tagged", "native-untagged", "dot1q-tunnel"])
    )
    tag = draw(st.none() | vlans) if mode != "trunk" else None
    found: dict[str, Any] = {"vlan_mode": mode, "tag": tag}
    if tag is None or mode is not None:
        found["trunks"] = draw(vlan_lists)
    if mode == "dot1q-tunnel":
        found["cvlans"] = draw(vlan_lists)
        found["qinq_ethtype"] = draw(st.none() | st.sampled_from(["802.1ad", "802.1q"]))
    return found


@st.composite
def ports(draw: st.DrawFn, name: str, bridge: str) -> form.Port:
    """A port of any kind but patch."""
    common = draw(tags()) | {
        "protected": draw(flags),
        "priority_tags": draw(st.none() | st.sampled_from(["never", "if-nonzero", "always"])),
        "mtu": draw(st.none() | st.integers(68, 65535)),
        "other_config": draw(st.none() | words) or None,
    }
    kind = "internal" if name == bridge else draw(st.sampled_from(["system", "internal", "bond"]))
    if kind == "bond":
        return form.Port(
            **common,
            members=[f"{name}-{number}" for number in range(draw(st.integers(2, 3)))],
            bond_mode=draw(st.none() | st.sampled_from(["active-backup", "balance-slb"])),
            lacp=draw(st.none() | st.sampled_from(["off", "passive", "active"])),
            bond_updelay=draw(st.none() | st.integers(0, 1000)),
        )
    common["ofport"] = draw(st.none() | st.integers(1, 65279)) if name != bridge else None
    if kind == "system":
        return form.Port(**common)
    namespace = draw(st.sampled_from([None, "red", "blue"])) if name != bridge else None
    return form.Port(
        **common,
        type="internal",
        namespace=namespace,
        device=f"in-{name}" if namespace and draw(st.booleans()) else None,
        addresses=draw(addresses),
        mac=draw(macs) if name != bridge else None,
        up=draw(st.booleans()),
    )


@st.composite
def files(draw: st.DrawFn) -> form.File:
    """A file without mistakes."""
    bridges = {}
    names = iter(draw(st.permutations([f"p{number}" for number in range(6)])))
    for bridge in draw(st.sets(st.sampled_from(["br0", "br1", "br2"]))):
        mine = [next(names) for _ in range(draw(st.integers(0, 2)))]
        if draw(st.booleans()):
            mine.append(bridge)
        bridges[bridge] = form.Bridge(
            ports={name: draw(ports(name, bridge)) for name in mine},
            mac_aging_time=draw(st.none() | st.integers(15, 3600)),
            flood_vlans=draw(vlan_lists),
            forward_bpdu=draw(flags),
            hwaddr=draw(macs),
            other_config=draw(st.none() | words) or None,
        )
    if len(bridges) == 2 and draw(st.booleans()):
        one, other = bridges.values()
        one.ports["x0"] = form.Port(type="patch", peer="x1", **draw(tags()))
        other.ports["x1"] = form.Port(peer="x0", protected=draw(flags))
    namespaces = {"red": form.Namespace(), "blue": form.Namespace(forwarding=draw(flags))}
    limit = draw(st.none() | st.integers(0, 2))
    return form.File(
        switch=form.Switch(vlan_limit=limit) if limit is not None else None,
        bridges=bridges,
        namespaces=namespaces,
    )


def wanted(file: form.File) -> Network | None:
    """What a file asks for; None where chance has given two devices one address."""
    try:
        return asked.network(reader.read("random.yaml", as_yaml(file)))
    except reader.BadFile as error:
        assert all("is the address of" in problem.sentence for problem in error.problems), error
        return None


class Store:
    """A database as the switch's, without a switch."""

    def __init__(self) -> None:
        self._schema = open_vswitch_schema()
        self._database = Database(parse_schema(self._schema))
        self.transact([{"op": "insert", "table": "Open_vSwitch", "row": {}}])

    def transact(self, asked_for: list[dict[str, Any]]) -> None:
        """A transaction, which must succeed."""
        for result in run(self._database, *asked_for):
            assert result is None or "error" not in result, result

    def tables(self) -> Tables:
        """The rows as a client sees them."""
        replica = Replica(self._schema, TABLES)
        now = content(self._database)
        replica.feed(
            {
                table: {
                    uuid: {"initial": {name: row[name] for name in columns}}
                    for uuid, row in now[table].items()
                }
                for table, columns in TABLES.items()
            }
        )
        return replica.tables

    def carry_out(self, changes: tuple[Change, ...], present: Network, target: Network) -> None:
        """The database's part of a plan."""
        mine = [change for change in changes if change.kind in IN_DATABASE]
        self.transact(operations(mine, present, target, self.tables()))
