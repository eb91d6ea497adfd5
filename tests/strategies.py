"""Random switches and traffic for property tests, small enough that things meet: few VLANs, few stations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from jackfield.model import (
    ETH_P_8021AD,
    ETH_P_8021Q,
    BridgeConfig,
    PortConfig,
    PriorityTags,
    SwitchConfig,
    Tag,
    VlanMode,
)
from tests.scenarios.kit import BROADCAST, GROUP, SPANNING_TREE, frame, native_tagged, patch, trunk

VLANS = (0, 1, 10, 20, 4095)
STATIONS = "ABCDEF"
MTUS = (80, 1500, None)
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
def bridges(
    draw: st.DrawFn, number: int, max_ports: int = 5, table_sizes: Sequence[int] = (8192,)
) -> BridgeConfig:
    """A bridge whose ports are named for it."""
    count = draw(st.integers(1, max_ports))
    return BridgeConfig(
        name=f"br{number}",
        ports=tuple(draw(ports(f"p{number}.{index}")) for index in range(count)),
        mac_aging_time=draw(st.sampled_from((15, 300))),
        mac_table_size=draw(st.sampled_from(table_sizes)),
        flood_vlans=draw(st.frozensets(vlans, max_size=2)),
        forward_bpdu=draw(st.booleans()),
    )


@st.composite
def switches(
    draw: st.DrawFn, max_bridges: int = 3, max_ports: int = 5, table_sizes: Sequence[int] = (8192,)
) -> SwitchConfig:
    """A switch of some bridges, each of which may be joined to the one before by a pair of patch ports."""
    made: list[BridgeConfig] = []
    for number in range(draw(st.integers(1, max_bridges))):
        new = draw(bridges(number, max_ports, table_sizes))
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


@st.composite
def frames(draw: st.DrawFn, dei: bool = False, malformed: bool = True) -> bytes:
    """A frame between two of the stations or to a group; now and then from a group, or cut short."""
    groups = (BROADCAST, GROUP, SPANNING_TREE)
    source = draw(st.sampled_from((*STATIONS * 3, GROUP) if malformed else STATIONS))
    destination = draw(st.sampled_from((*STATIONS * 2, *groups)))
    stack = draw(st.lists(tags(dei), max_size=3))
    whole = frame(source, destination, *stack, payload=draw(st.sampled_from(PAYLOADS)))
    cut = draw(st.sampled_from((len(whole),) * 9 + tuple(range(14, 30)))) if malformed else len(whole)
    return whole[:cut]


def arrivals(config: SwitchConfig, dei: bool = False, malformed: bool = True) -> st.SearchStrategy[Arrival]:
    """A frame for any port of the switch that is not a patch port."""
    names = [port.name for bridge in config.bridges for port in bridge.ports if port.patch_peer is None]
    waits = st.sampled_from((0, 0, 0, 500_000_000, 1_000_000_000, 15_000_000_000))
    return st.builds(Arrival, st.sampled_from(names), frames(dei, malformed), waits)


@st.composite
def runs(
    draw: st.DrawFn,
    max_bridges: int = 3,
    max_ports: int = 5,
    table_sizes: Sequence[int] = (8192,),
    max_frames: int = 20,
    dei: bool = False,
    malformed: bool = True,
) -> tuple[SwitchConfig, list[Arrival]]:
    """A switch and traffic for it. The shortest frames have 14 bytes."""
    config = draw(switches(max_bridges, max_ports, table_sizes))
    return config, draw(st.lists(arrivals(config, dei, malformed), min_size=1, max_size=max_frames))
