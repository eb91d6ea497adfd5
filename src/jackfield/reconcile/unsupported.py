"""What OVS can do and this switch cannot: every such wish in the database becomes a warning."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.rows import Row, elements, integer, pairs, text, true
from jackfield.reconcile.settings import DEVICE_KINDS

_BRIDGE_REFERENCES = {
    "controller": "OpenFlow controllers are not supported; the bridge stays a learning switch",
    "mirrors": "mirrors are not supported; nothing is mirrored",
    "netflow": "NetFlow is not supported; nothing is exported",
    "sflow": "sFlow is not supported; nothing is sampled",
    "ipfix": "IPFIX is not supported; nothing is exported",
    "flow_tables": "flow table settings are not supported and have no effect",
    "auto_attach": "auto-attach is not supported and has no effect",
}
_BRIDGE_SWITCHES = {
    "stp_enable": "spanning tree is not supported; see other_config:loop-action",
    "rstp_enable": "rapid spanning tree is not supported; see other_config:loop-action",
    "mcast_snooping_enable": "multicast snooping is not supported; multicast is flooded",
}


def bridge_warnings(row: Row) -> Iterator[Warning]:
    """What a Bridge row asks for in vain."""
    name = text(row, "name")
    for column, sentence in _BRIDGE_REFERENCES.items():
        if row.get(column):
            yield Warning("Bridge", name, sentence)
    for column, sentence in _BRIDGE_SWITCHES.items():
        if row.get(column) is True:
            yield Warning("Bridge", name, sentence)
    if text(row, "fail_mode") == "secure":
        yield Warning("Bridge", name, "fail_mode secure is not supported; the bridge forwards as standalone")
    if text(row, "datapath_type") == "netdev":
        yield Warning("Bridge", name, "datapath_type netdev is not supported; the bridge is made as system")


def port_warnings(row: Row) -> Iterator[Warning]:
    """What a Port row asks for in vain."""
    name = text(row, "name")
    if row.get("qos"):
        yield Warning("Port", name, "QoS is not supported and has no effect")
    listed = bool(elements(row, "trunks") or elements(row, "cvlans"))
    if listed and integer(row, "tag") is not None and not text(row, "vlan_mode"):
        yield Warning("Port", name, "ignoring trunks and cvlans: the tag makes it an access port")
    ethertype = pairs(row, "other_config").get("qinq-ethtype", "802.1ad")
    if ethertype not in ("802.1ad", "802.1q"):
        yield Warning(
            "Port", name, f'qinq-ethtype "{ethertype}" is neither 802.1ad nor 802.1q; taking 802.1ad'
        )


def interface_warnings(row: Row) -> Iterator[Warning]:
    """What an Interface row asks for in vain."""
    name = text(row, "name")
    kind = pairs(row, "other_config").get("device-kind")
    if kind is not None and kind not in DEVICE_KINDS:
        known = ", ".join(sorted(DEVICE_KINDS))
        yield Warning("Interface", name, f'other_config:device-kind "{kind}" is none of {known}; ignoring it')
    if integer(row, "ingress_policing_rate") or integer(row, "ingress_policing_kpkts_rate"):
        yield Warning("Interface", name, "ingress policing is not supported; nothing is limited")
    if true(pairs(row, "bfd"), "enable"):
        yield Warning("Interface", name, "BFD is not supported; no session is run")
    if integer(row, "cfm_mpid") is not None:
        yield Warning("Interface", name, "CFM is not supported; no session is run")
    if true(pairs(row, "lldp"), "enable"):
        yield Warning("Interface", name, "LLDP is not supported; nothing is sent")
