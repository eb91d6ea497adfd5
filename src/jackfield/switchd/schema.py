"""The database that configures the switch: OVS's `Open_vSwitch` schema, version 8.3.1.

Its tables and columns are the interface to every OVSDB client (ovs-vswitchd.conf.db(5)), so all are here,
also those that the switch does not read.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

NAME = "Open_vSwitch"
VERSION = "8.3.1"

# A line without indent is a table: its name, `root` if its rows live without references to them, `max=N`
# rows, `index=COLUMNS` that tell its rows apart. An indented line is a column: name, type, and `immutable`
# or `ephemeral` (not kept on disk). Types:
#     string  integer  boolean      integer(LOW..HIGH)     {one,of,these}
#     @Table  a row, which lives as long as it is referred to      ~Table  a row, or nothing once it is gone
#     T  one    T?  one or none    T*  any number    T+  at least one    T*N  up to N    K:V  a map
_TABLES = """
Open_vSwitch root max=1
    datapaths                    string:@Datapath
    bridges                      @Bridge*
    manager_options              @Manager*
    ssl                          @SSL?
    other_config                 string:string
    external_ids                 string:string
    next_cfg                     integer
    cur_cfg                      integer
    statistics                   string:string ephemeral
    ovs_version                  string?
    db_version                   string?
    system_type                  string?
    system_version               string?
    datapath_types               string*
    iface_types                  string*
    dpdk_initialized             boolean
    dpdk_version                 string?

Bridge index=name
    name                         string immutable
    datapath_type                string
    datapath_version             string
    datapath_id                  string? ephemeral
    stp_enable                   boolean
    rstp_enable                  boolean
    mcast_snooping_enable        boolean
    ports                        @Port*
    mirrors                      @Mirror*
    netflow                      @NetFlow?
    sflow                        @sFlow?
    ipfix                        @IPFIX?
    controller                   @Controller*
    protocols                    {OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15}*
    fail_mode                    {standalone,secure}?
    status                       string:string ephemeral
    rstp_status                  string:string ephemeral
    other_config                 string:string
    external_ids                 string:string
    flood_vlans                  integer(0..4095)*4096
    flow_tables                  integer(0..254):@Flow_Table
    auto_attach                  @AutoAttach?

Port index=name
    name                         string immutable
    interfaces                   @Interface+
    trunks                       integer(0..4095)*4096
    cvlans                       integer(0..4095)*4096
    tag                          integer(0..4095)?
    vlan_mode                    {trunk,access,native-tagged,native-untagged,dot1q-tunnel}?
    qos                          @QoS?
    mac                          string?
    bond_mode                    {balance-tcp,balance-slb,active-backup}?
    lacp                         {active,passive,off}?
    bond_updelay                 integer
    bond_downdelay               integer
    bond_active_slave            string?
    bond_fake_iface              boolean
    fake_bridge                  boolean
    status                       string:string ephemeral
    rstp_status                  string:string ephemeral
    rstp_statistics              string:integer ephemeral
    statistics                   string:integer ephemeral
    protected                    boolean
    other_config                 string:string
    external_ids                 string:string

Interface index=name
    name                         string immutable
    type                         string
    options                      string:string
    ingress_policing_rate        integer(0..)
    ingress_policing_burst       integer(0..)
    ingress_policing_kpkts_rate  integer(0..)
    ingress_policing_kpkts_burst integer(0..)
    mac_in_use                   string? ephemeral
    mac                          string?
    ifindex                      integer(0..4294967295)? ephemeral
    external_ids                 string:string
    ofport                       integer?
    ofport_request               integer(1..65279)?
    bfd                          string:string
    bfd_status                   string:string ephemeral
    cfm_mpid                     integer?
    cfm_remote_mpids             integer* ephemeral
    cfm_flap_count               integer?
    cfm_fault                    boolean? ephemeral
    cfm_fault_status             string* ephemeral
    cfm_remote_opstate           {up,down}? ephemeral
    cfm_health                   integer(0..100)? ephemeral
    lacp_current                 boolean? ephemeral
    lldp                         string:string
    other_config                 string:string
    statistics                   string:integer ephemeral
    status                       string:string ephemeral
    admin_state                  {up,down}? ephemeral
    link_state                   {up,down}? ephemeral
    link_resets                  integer? ephemeral
    link_speed                   integer? ephemeral
    duplex                       {half,full}? ephemeral
    mtu                          integer? ephemeral
    mtu_request                  integer(1..)?
    error                        string?

Flow_Table
    name                         string?
    flow_limit                   integer(0..)?
    overflow_policy              {refuse,evict}?
    groups                       string*
    prefixes                     string*3
    external_ids                 string:string

QoS root
    type                         string
    queues                       integer(0..4294967295):@Queue
    other_config                 string:string
    external_ids                 string:string

Queue root
    dscp                         integer(0..63)?
    other_config                 string:string
    external_ids                 string:string

Mirror
    name                         string
    select_all                   boolean
    select_src_port              ~Port*
    select_dst_port              ~Port*
    select_vlan                  integer(0..4095)*4096
    output_port                  ~Port?
    output_vlan                  integer(1..4095)?
    snaplen                      integer(14..65535)?
    statistics                   string:integer ephemeral
    external_ids                 string:string

NetFlow
    targets                      string+
    engine_type                  integer(0..255)?
    engine_id                    integer(0..255)?
    add_id_to_interface          boolean
    active_timeout               integer(-1..)
    external_ids                 string:string

sFlow
    targets                      string+
    sampling                     integer?
    polling                      integer?
    header                       integer?
    agent                        string?
    external_ids                 string:string

IPFIX
    targets                      string*
    sampling                     integer(1..4294967295)?
    obs_domain_id                integer(0..4294967295)?
    obs_point_id                 integer(0..4294967295)?
    cache_active_timeout         integer(0..4200)?
    cache_max_flows              integer(0..4294967295)?
    other_config                 string:string
    external_ids                 string:string

Flow_Sample_Collector_Set root index=id,bridge
    id                           integer(0..4294967295)
    bridge                       @Bridge
    ipfix                        @IPFIX?
    external_ids                 string:string

Controller
    type                         {primary,service}?
    target                       string
    max_backoff                  integer(1000..)?
    inactivity_probe             integer?
    connection_mode              {in-band,out-of-band}?
    local_ip                     string?
    local_netmask                string?
    local_gateway                string?
    enable_async_messages        boolean?
    controller_queue_size        integer(1..512)?
    controller_rate_limit        integer(100..)?
    controller_burst_limit       integer(25..)?
    other_config                 string:string
    external_ids                 string:string
    is_connected                 boolean ephemeral
    role                         {other,master,slave}? ephemeral
    status                       string:string ephemeral

Manager index=target
    target                       string
    max_backoff                  integer(1000..)?
    inactivity_probe             integer?
    connection_mode              {in-band,out-of-band}?
    other_config                 string:string
    external_ids                 string:string
    is_connected                 boolean ephemeral
    status                       string:string ephemeral

Datapath
    datapath_version             string
    ct_zones                     integer(0..65535):@CT_Zone
    capabilities                 string:string
    external_ids                 string:string

CT_Zone
    timeout_policy               @CT_Timeout_Policy?
    external_ids                 string:string

CT_Timeout_Policy
    timeouts                     {tcp_syn_sent,tcp_syn_recv,tcp_established,tcp_fin_wait,tcp_close_wait,
                                  tcp_last_ack,tcp_time_wait,tcp_close,tcp_syn_sent2,tcp_retransmit,
                                  tcp_unack,udp_first,udp_single,udp_multiple,icmp_first,icmp_reply}
                                 :integer(0..4294967295)
    external_ids                 string:string

SSL max=1
    private_key                  string
    certificate                  string
    ca_cert                      string
    bootstrap_ca_cert            boolean
    external_ids                 string:string

AutoAttach
    system_name                  string
    system_description           string
    mappings                     integer(0..16777215):integer(0..4095)
"""

_BASE = r"(?:\w+|[@~]\w+|\{[\w,-]+\})(?:\(-?\d*\.\.\d*\))?"
_TYPE = re.compile(rf"({_BASE})(?::({_BASE})|([?+]|\*\d*))?\Z")
_RANGE = re.compile(r"(\w+)\((-?\d*)\.\.(\d*)\)\Z")
_CONTINUED = re.compile(r"\n {20,}(?=\S)")


@cache
def open_vswitch_schema() -> dict[str, Any]:
    """The schema as JSON (RFC 7047 section 3.2); it is shared, so not to be changed."""
    tables: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for line in _CONTINUED.sub("", _TABLES).splitlines():
        words = line.split()
        if not words:
            continue
        if line.startswith(" "):
            name, kind, *flags = words
            columns[name] = {"type": _type(kind)}
            if "immutable" in flags:
                columns[name]["mutable"] = False
            if "ephemeral" in flags:
                columns[name]["ephemeral"] = True
        else:
            columns = {}
            tables[words[0]] = {"columns": columns, **_table_options(words[1:])}
    return {"name": NAME, "version": VERSION, "tables": tables}


def _table_options(words: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for word in words:
        key, _, value = word.partition("=")
        if key == "root":
            options["isRoot"] = True
        elif key == "max":
            options["maxRows"] = int(value)
        else:
            options.setdefault("indexes", []).append(value.split(","))
    return options


def _type(text: str) -> Any:
    found = _TYPE.match(text)
    assert found is not None, text
    key, value, count = found.groups()
    kind: dict[str, Any] = {"key": _base(key)}
    if value is not None:
        return kind | {"value": _base(value), "min": 0, "max": "unlimited"}
    if count is None:
        return kind
    if count == "+":
        return kind | {"max": "unlimited"}
    return kind | {"min": 0, "max": 1 if count == "?" else int(count[1:]) if count[1:] else "unlimited"}


def _base(text: str) -> dict[str, Any]:
    if text[0] == "@":
        return {"type": "uuid", "refTable": text[1:]}
    if text[0] == "~":
        return {"type": "uuid", "refTable": text[1:], "refType": "weak"}
    if text[0] == "{":
        return {"type": "string", "enum": ["set", text[1:-1].split(",")]}
    found = _RANGE.match(text)
    if found is None:
        return {"type": text}
    name, low, high = found.groups()
    bounds = {"minInteger": low, "maxInteger": high}
    return {"type": name} | {key: int(bound) for key, bound in bounds.items() if bound}
