"""Random switches and traffic for property tests, small enough that things meet: few VLANs, few stations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from jackfield.model import (
    ETH_P_8021AD,
    ETH_P_8021Q,
    BondConfig,
    BondMode,
    BondState,
    BridgeConfig,
    Lacp,
    PortConfig,
    PriorityTags,
    SwitchConfig,
    Tag,
    VlanMode,
)
from jackfield.model.bond import BUCKETS
from tests.scenarios.kit import (
    BROADCAST,
    GROUP,
    SPANNING_TREE,
    access,
    frame,
    native_tagged,
    native_untagged,
    patch,
    trunk,
    tunnel,
)

VLANS = (0, 1, 10, 20, 4095)
STATIONS = "ABCDEF"
MTUS = (80, 1500, None)
ARP = b"\x08\x06\0\1\x08\0\6\4"
IPV4, IPV6 = b"\x08\0\x45\0\0\x28\0\0", b"\x86\xdd\x60\0\0\0\0\x40"
STARTS = (
    ARP + b"\0\2",
    ARP + b"\0\1" + bytes(20),
    IPV4 + b"\0\0\x40\6",
    IPV4 + b"\x20\0\x40\x11",
    IPV4 + b"\0\0\x40\1",
    b"\x08\0\x47",
    IPV6 + b"\6",
    IPV6 + b"\x2c",
    b"\x88\x09\1\1",
)
"""How the types and headers of some payloads begin."""
PAYLOADS = (46, 76, 80, 81, 84, 85)

vlans = st.sampled_from(VLANS)
vlan_sets = st.none() | st.frozensets(vlans, min_size=1)
tpids = st.sampled_from((ETH_P_8021Q, ETH_P_8021AD))


@dataclass(frozen=True)
class Arrival:
    """A frame that enters by a port, so many nanoseconds after the one before."""

    port: str
    frame: bytes
    after: int


def ports(name: str) -> st.SearchStrategy[PortConfig]:
    """Any port but a patch port."""
    return st.builds(
        PortConfig,
        name=st.just(name),
        vlan_mode=st.sampled_from(VlanMode),
        tag=vlans,
        trunks=vlan_sets,
        cvlans=vlan_sets,
        qinq_ethtype=tpids,
        priority_tags=st.sampled_from(PriorityTags),
        protected=st.booleans(),
        mtu=st.sampled_from(MTUS),
    )


@st.composite
def bonds(draw: st.DrawFn, port: PortConfig, mode: BondMode | None = None) -> PortConfig:
    """A port with these settings that is a bond of a few interfaces, of this mode or any."""
    members = tuple(f"{port.name}.{letter}" for letter in "abc"[: draw(st.integers(1, 3))])
    made = st.builds(
        BondConfig,
        members=st.just(members),
        mode=st.sampled_from(BondMode) if mode is None else st.just(mode),
        basis=st.sampled_from((0, 1, 0xFFFFFFFF)),
        lacp=st.just(True) if mode is BondMode.BALANCE_TCP else st.booleans(),
        fallback_ab=st.booleans(),
        all_members_active=st.booleans(),
    )
    return replace(port, bond=draw(made))


@st.composite
def bond_states(draw: st.DrawFn, bond: BondConfig) -> BondState:
    """Any state of a bond."""
    some = st.frozensets(st.sampled_from(bond.members))
    buckets = draw(st.lists(st.sampled_from(bond.members), min_size=1, max_size=5))
    return BondState(
        enabled=draw(some),
        collecting=draw(some),
        active=draw(st.none() | st.sampled_from(bond.members)),
        buckets=tuple(buckets[at % len(buckets)] for at in range(BUCKETS)),
        down=draw(some),
        lacp=draw(st.sampled_from((Lacp.CONFIGURED, Lacp.NEGOTIATED))) if bond.lacp else Lacp.OFF,
    )


@st.composite
def bridges(
    draw: st.DrawFn,
    number: int,
    max_ports: int = 5,
    table_sizes: Sequence[int] = (8192,),
    with_bonds: bool = False,
) -> BridgeConfig:
    """A bridge whose ports are named for it."""
    made = [draw(ports(f"p{number}.{index}")) for index in range(draw(st.integers(1, max_ports)))]
    if with_bonds:
        made = [draw(st.just(port) | bonds(port)) for port in made]
    return BridgeConfig(
        name=f"br{number}",
        ports=tuple(made),
        mac_aging_time=draw(st.sampled_from((15, 300))),
        mac_table_size=draw(st.sampled_from(table_sizes)),
        flood_vlans=draw(st.frozensets(vlans, max_size=2)),
        forward_bpdu=draw(st.booleans()),
    )


@st.composite
def switches(
    draw: st.DrawFn,
    max_bridges: int = 3,
    max_ports: int = 5,
    table_sizes: Sequence[int] = (8192,),
    with_bonds: bool = False,
) -> SwitchConfig:
    """A switch of some bridges, each of which may be joined to the one before by a pair of patch ports."""
    made: list[BridgeConfig] = []
    for number in range(draw(st.integers(1, max_bridges))):
        new = draw(bridges(number, max_ports, table_sizes, with_bonds))
        joined = draw(st.booleans())
        if made and joined:
            back, forth = f"back{number}", f"forth{number}"
            made[-1] = replace(made[-1], ports=(*made[-1].ports, draw(_patches(forth, back))))
            new = replace(new, ports=(*new.ports, draw(_patches(back, forth))))
        made.append(new)
    return SwitchConfig(tuple(made), vlan_limit=draw(st.sampled_from((0, 1, 2))))


def _patches(name: str, peer: str) -> st.SearchStrategy[PortConfig]:
    return st.sampled_from(
        (
            patch(name, peer),
            trunk(name, 0, 10, patch_peer=peer, mtu=None),
            native_tagged(name, 10, patch_peer=peer, mtu=None),
        )
    )


def tags(dei: bool = False) -> st.SearchStrategy[Tag]:
    """Any tag; with a drop eligible indicator only if asked for."""
    return st.builds(
        Tag, tpid=tpids, vid=vlans, pcp=st.sampled_from((0, 5)), dei=st.booleans() if dei else st.just(False)
    )


def with_start(whole: bytes, tag_count: int, start: bytes) -> bytes:
    """A frame with another type and beginning of its payload."""
    at = 12 + 4 * tag_count
    return whole[:at] + start + whole[at + len(start) :]


@st.composite
def frames(draw: st.DrawFn, dei: bool = False, malformed: bool = True) -> bytes:
    """A frame between two of the stations or to a group; now and then from a group, or cut short."""
    groups = (BROADCAST, GROUP, SPANNING_TREE)
    source = draw(st.sampled_from((*STATIONS * 3, GROUP) if malformed else STATIONS))
    destination = draw(st.sampled_from((*STATIONS * 2, *groups)))
    stack = draw(st.lists(tags(dei), max_size=3))
    whole = frame(source, destination, *stack, payload=draw(st.sampled_from(PAYLOADS)))
    start = draw(st.sampled_from((b"",) * 3 + STARTS))
    whole = with_start(whole, len(stack), start)
    cut = (
        draw(st.sampled_from((len(whole),) * 9 + tuple(range(14, 30))))
        if malformed and not start
        else len(whole)
    )
    return whole[:cut]


def arrivals(config: SwitchConfig, dei: bool = False, malformed: bool = True) -> st.SearchStrategy[Arrival]:
    """A frame for any port of the switch that is not a patch port."""
    names = [
        name
        for bridge in config.bridges
        for port in bridge.ports
        if port.patch_peer is None
        for name in port.interfaces
    ]
    waits = st.sampled_from((0, 0, 0, 500_000_000, 1_000_000_000, 15_000_000_000))
    return st.builds(Arrival, st.sampled_from(names), frames(dei, malformed), waits)


@st.composite
def conversations(draw: st.DrawFn, bonded: BondMode | None = None) -> tuple[SwitchConfig, list[Arrival]]:
    """A bridge on which a few stations say the same again and again, staying where they are for a while. With
    a bond of a mode: by that, in a few payloads each."""
    common = (access, native_tagged, native_untagged, tunnel)
    kinds = [draw(st.sampled_from(common)) for _ in range(draw(st.integers(2, 3)))]
    known = [
        replace(kind(f"p0.{at}", 10), mtu=draw(st.sampled_from(MTUS)), protected=draw(st.integers(0, 5)) == 0)
        for at, kind in enumerate(kinds)
    ]
    if bonded is not None:
        known[0] = draw(bonds(known[0], bonded))
        known[1] = draw(st.just(known[1]) | bonds(known[1]))
    made = replace(draw(bridges(0)), ports=(*known, trunk("p0.3"), draw(ports("p0.4"))))
    config = SwitchConfig((made,), vlan_limit=draw(st.sampled_from((0, 1, 2))))

    stacks = st.sampled_from(((), (), (Tag(ETH_P_8021Q, 10, 0, False),))) | st.lists(
        tags(dei=True), max_size=2
    )
    few = []
    for _ in range(draw(st.integers(1, 2))):
        one, other = draw(st.lists(st.sampled_from(made.ports), min_size=2, max_size=2, unique=True))
        if bonded is not None and made.ports[0] not in (one, other):
            one = made.ports[0]
        near, far = draw(st.lists(st.sampled_from("ABC"), min_size=2, max_size=2, unique=True))
        size = draw(st.sampled_from(PAYLOADS))
        for port, source, destination in ((one, near, far), (other, far, near)):
            stack = draw(stacks)
            starts = st.lists(st.sampled_from((b"", *STARTS)), min_size=1, max_size=2)
            for start in draw(starts) if bonded is not None else (b"",):
                sent = with_start(frame(source, destination, *stack, payload=size), len(stack), start)
                entry = draw(st.sampled_from(port.interfaces))
                few.append(Arrival(entry, sent, draw(st.sampled_from((0, 0, 400_000_000)))))
    between = draw(st.lists(arrivals(config, dei=True), max_size=2))
    return config, [*few * 4, *between, *few * draw(st.integers(1, 3))]


@st.composite
def runs(
    draw: st.DrawFn,
    max_bridges: int = 3,
    max_ports: int = 5,
    table_sizes: Sequence[int] = (8192,),
    max_frames: int = 20,
    dei: bool = False,
    malformed: bool = True,
    with_bonds: bool = False,
) -> tuple[SwitchConfig, list[Arrival]]:
    """A switch and traffic for it. The shortest frames have 14 bytes."""
    config = draw(switches(max_bridges, max_ports, table_sizes, with_bonds))
    return config, draw(st.lists(arrivals(config, dei, malformed), min_size=1, max_size=max_frames))
