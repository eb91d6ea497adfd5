"""What a running switch tells for its picture. Pure: rows and views in, facts out."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.topology.graph.scene import Facts
from jackfield.topology.network import Place
from jackfield.topology.present import Tables
from jackfield.topology.views import View


def facts(tables: Tables, views: Mapping[str, View]) -> Facts:
    """MAC, state and error of each interface, and all addresses that devices have, leased ones too."""
    rows = tuple(tables["Interface"].values())
    addresses: dict[Place, tuple[str, ...]] = {}
    for namespace, view in views.items():
        names = {link.ifindex: link.name for link in view.links if not link.loopback}
        for address in view.addresses:
            if address.ifindex in names and not address.link_local:
                place = Place(namespace, names[address.ifindex])
                addresses[place] = (*addresses.get(place, ()), f"{address.address}/{address.prefix}")
    return Facts(
        macs={str(row["name"]): str(row["mac_in_use"]) for row in rows if row["mac_in_use"]},
        up={str(row["name"]): row["link_state"] == "up" for row in rows if row["link_state"]},
        errors={str(row["name"]): str(row["error"]) for row in rows if row["error"]},
        addresses=addresses,
    )
