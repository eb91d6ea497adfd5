"""What a network file may say. This is the one definition: the reader, the published JSON schema and
the writer of `jackfield export` go by it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

FORMAT = "https://json-schema.org/draft/2020-12/schema"

DeviceName = Annotated[
    str,
    Meta(
        title="the name of a network device: at most 15 bytes without blanks, / and :",
        pattern=r"^(?!\.{1,2}$)[^\s/:\x00]{1,15}$",
    ),
]
PortName = Annotated[str, Meta(title="the name of a port: 1 to 63 bytes", pattern=r"^[^\x00-\x1f]{1,63}$")]
NamespaceName = Annotated[
    str,
    Meta(
        title="the name of a network namespace: a file name in /run/netns",
        pattern=r"^(?!\.{1,2}$)[^/\x00-\x1f]{1,255}$",
    ),
]
Vlan = Annotated[int, Meta(title="a VLAN", ge=0, le=4095)]
VlanRange = Annotated[str, Meta(title="a range of VLANs such as 10-19", pattern=r"^[0-9]{1,4}-[0-9]{1,4}$")]
Vlans = list[Vlan | VlanRange]
Mac = Annotated[
    str,
    Meta(
        title="a MAC address such as 02:00:00:00:00:01",
        pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$",
    ),
]
Mtu = Annotated[int, Meta(title="an MTU in bytes", ge=68, le=65535)]
Address = Annotated[
    str,
    Meta(
        title="an address with its prefix length such as 192.0.2.1/24 or 2001:db8::1/64",
        pattern=r"^[0-9A-Fa-f.:]+/[0-9]{1,3}$",
    ),
]
Lease = Annotated[str, Meta(title='"dhcp"', pattern="^dhcp$")]
Destination = Annotated[
    str,
    Meta(
        title='a network such as 192.0.2.0/24, or "default"',
        pattern=r"^(default|[0-9A-Fa-f.:]+/[0-9]{1,3})$",
    ),
]
Gateway = Annotated[str, Meta(title="an address such as 192.0.2.1", pattern=r"^[0-9A-Fa-f.:]+$")]
Members = Annotated[list[DeviceName], Meta(min_length=2)]
Texts = dict[str, str]


def _described(text: str) -> Any:
    return Meta(description=text)


Tag = Annotated[Vlan | None, _described("VLAN of an access port, native VLAN of a native port.")]
Trunks = Annotated[Vlans | None, _described("The VLANs of a trunk; without it, all.")]
VlanMode = Annotated[
    Literal["access", "trunk", "native-tagged", "native-untagged", "dot1q-tunnel"] | None,
    _described("How tags are treated; without it, access with a tag, else trunk."),
]


NamespaceOf = Annotated[
    NamespaceName | None, _described("The namespace that it is in; without it, that of the switch.")
]
DeviceOf = Annotated[
    DeviceName | None, _described("The device's name there; without it, the name that it has here.")
]
Addresses = Annotated[list[Address] | None, _described("All addresses that it has; without it, they stay.")]
MacOf = Annotated[Mac | None, _described("Its MAC address.")]
MtuOf = Annotated[Mtu | None, _described("Its MTU.")]
Up = Annotated[bool, _described("Whether it is up.")]


class _Form(
    Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True, omit_defaults=True
):
    """What all parts of a file have in common: words with hyphens, and no others than these."""


class Route(_Form, frozen=True):
    """A route by way of the device it stands with."""

    to: Annotated[Destination, _described('Where to: a network, or "default".')]
    via: Annotated[Gateway | None, _described("The next router; without it, the network is on the link.")] = (
        None
    )
    metric: Annotated[
        Annotated[int, Meta(ge=0, le=4294967295)] | None, _described("The lower, the sooner taken.")
    ] = None


Routes = Annotated[
    list[Route] | None,
    _described("All routes by way of it, but those the kernel makes; without it, they stay."),
]


class Port(_Form, frozen=True):
    """A port of a bridge. The one with the bridge's name is its local port."""

    type: Annotated[
        Literal["system", "internal", "patch"] | None,
        _described("A device that is there (system), one that the switch makes (internal), a patch port."),
    ] = None
    tag: Tag = None
    trunks: Trunks = None
    vlan_mode: VlanMode = None
    peer: Annotated[PortName | None, _described("The patch port at the other end.")] = None
    members: Annotated[Members | None, _described("The devices of a bond.")] = None
    cvlans: Annotated[Vlans | None, _described("The customer VLANs of a dot1q-tunnel port.")] = None
    qinq_ethtype: Annotated[
        Literal["802.1ad", "802.1q"] | None, _described("The outer tag of a dot1q-tunnel port.")
    ] = None
    priority_tags: Annotated[
        Literal["never", "if-nonzero", "always"] | None,
        _described("Whether untagged frames keep their priority in a tag."),
    ] = None
    protected: Annotated[bool | None, _described("No frames pass between protected ports.")] = None
    bond_mode: Annotated[
        Literal["active-backup", "balance-slb", "balance-tcp"] | None, _described("How a bond is used.")
    ] = None
    lacp: Annotated[Literal["off", "passive", "active"] | None, _described("LACP on a bond.")] = None
    bond_updelay: Annotated[
        Annotated[int, Meta(ge=0)] | None, _described("Milliseconds until a link counts as up.")
    ] = None
    bond_downdelay: Annotated[
        Annotated[int, Meta(ge=0)] | None, _described("Milliseconds until a link counts as down.")
    ] = None
    namespace: NamespaceOf = None
    device: DeviceOf = None
    addresses: Addresses = None
    routes: Routes = None
    mac: MacOf = None
    mtu: MtuOf = None
    up: Up = True
    ofport: Annotated[
        Annotated[int, Meta(ge=1, le=65279)] | None, _described("The OpenFlow port number to ask for.")
    ] = None
    other_config: Annotated[Texts | None, _described("Further keys of the Port's other_config.")] = None


class Bridge(_Form, frozen=True):
    """A bridge and its ports."""

    mac_aging_time: Annotated[
        Annotated[int, Meta(ge=15, le=3600)] | None,
        _described("Seconds until a learned address is forgotten."),
    ] = None
    mac_table_size: Annotated[
        Annotated[int, Meta(ge=10, le=1000000)] | None, _described("How many addresses it learns.")
    ] = None
    flood_vlans: Annotated[Vlans | None, _described("VLANs in which nothing is learned.")] = None
    forward_bpdu: Annotated[bool | None, _described("Whether link-local multicast is forwarded.")] = None
    hwaddr: Annotated[Mac | None, _described("The MAC address of its local port.")] = None
    fail_mode: Annotated[
        Literal["standalone", "secure"] | None, _described("What it does without a controller.")
    ] = None
    other_config: Annotated[Texts | None, _described("Further keys of the Bridge's other_config.")] = None
    ports: Annotated[dict[PortName, Port], _described("Its ports, by name.")] = {}


class Namespace(_Form, frozen=True):
    """A network namespace, which is made if it is not there."""

    forwarding: Annotated[
        bool | None, _described("Whether it forwards IPv4 and IPv6 from device to device, as a router.")
    ] = None


class Link(_Form, frozen=True):
    """A cable: a pair of veth devices, each in a namespace or at the switch."""

    ends: Annotated[list[End], Meta(min_length=2, max_length=2, description="Its two ends.")]


class End(_Form, frozen=True):
    """One end of a cable. Its device has to be named."""

    namespace: NamespaceOf = None
    device: DeviceOf = None
    addresses: Addresses = None
    routes: Routes = None
    mac: MacOf = None
    mtu: MtuOf = None
    up: Up = True


class ContainerRoute(_Form, frozen=True):
    """A route in a container."""

    to: Annotated[Destination, _described("Where to: a network.")]
    via: Annotated[Gateway, _described("The next router.")]


class Container(_Form, frozen=True):
    """A container's port: what `jackfield attach` takes."""

    bridge: Annotated[DeviceName, _described("The bridge that it is attached to.")]
    tag: Annotated[Vlan | None, _described("Its VLAN.")] = None
    trunks: Annotated[Vlans | None, _described("The VLANs that it carries with tags.")] = None
    device: Annotated[DeviceName, _described("The name of its device in the container.")] = "eth1"
    addresses: Annotated[list[Address | Lease], _described('Its addresses, or "dhcp".')] = []
    gateways: Annotated[list[Gateway], _described("Its default routers, one of IPv4 and one of IPv6.")] = []
    routes: Annotated[list[ContainerRoute], _described("Further routes.")] = []
    mac: Annotated[Mac | None, _described("Its MAC address; without it, one made of its names.")] = None
    mtu: Annotated[Mtu | None, _described("Its MTU.")] = None
    replace: Annotated[bool, _described("Take the place of a device of that name, until it is detached.")] = (
        False
    )
    veth: Annotated[bool, _described("Use a veth pair in place of an internal port.")] = False
    port: Annotated[DeviceName | None, _described("The name of its port on the bridge.")] = None


class Switch(_Form, frozen=True):
    """Settings of the switch as a whole."""

    vlan_limit: Annotated[
        Annotated[int, Meta(ge=0, le=2)] | None,
        _described("How many VLAN tags are understood, 0 for the most."),
    ] = None
    other_config: Annotated[Texts | None, _described("Further keys of Open_vSwitch's other_config.")] = None


class File(_Form, frozen=True):
    """A network: bridges with their ports, namespaces, containers and cables."""

    switch: Annotated[Switch | None, _described("Settings of the switch as a whole.")] = None
    bridges: Annotated[dict[DeviceName, Bridge], _described("The bridges, by name.")] = {}
    namespaces: Annotated[dict[NamespaceName, Namespace], _described("The namespaces, by name.")] = {}
    links: Annotated[dict[DeviceName, Link], _described("The cables, by any name.")] = {}
    containers: Annotated[
        dict[str, Container | list[Container]],
        _described("Attached containers, by name, as attach knows them."),
    ] = {}


def json_schema() -> dict[str, Any]:
    """The JSON schema of a network file."""
    from msgspec.json import schema

    made = schema(File)
    return {"$schema": FORMAT, "title": "A Jackfield network file", **made}
