"""Which bridges are one segment, VLAN by VLAN, because patch ports join them; and which patches close a loop.

Pure. A frame of a VLAN that leaves by a patch port enters the bridge behind the peer, perhaps in another
VLAN. So the segments are the components of a graph whose nodes are (bridge, VLAN), and a patch between two
nodes that are joined already closes a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jackfield.model.config import ETH_P_8021Q, VLAN_MAX, PortConfig
from jackfield.model.frame import Tag
from jackfield.model.vlan import includes, input_stack, output_tags, refuses, vid

Node = tuple[str, int]
_Home = tuple[str, PortConfig]


@dataclass(frozen=True, slots=True)
class Joint:
    """A pair of patch ports, and a VLAN of the first one's bridge in which it closes a loop."""

    port: str
    peer: str
    vlan: int


class Segments:
    """The segments of a switch."""

    def __init__(self, ports: Iterable[_Home]) -> None:
        """`ports` are those that carry frames, each with its bridge: of two patches that close a loop, the
        later one in this order is told of."""
        pairs = list(_pairs({port.name: (bridge, port) for bridge, port in ports}))
        self._kinds = _Kinds([port for pair in pairs for _, port in pair])
        self._up: dict[Node, Node] = {}
        redundant: dict[tuple[str, str], int] = {}
        for (bridge, port), (other, peer) in pairs:
            for vlan, behind in _ways(self._kinds, port, peer):
                if not self._join((bridge, vlan), (other, behind)):
                    redundant.setdefault((port.name, peer.name), vlan)
        self.redundant = tuple(Joint(port, peer, vlan) for (port, peer), vlan in redundant.items())

    def are_one(self, one: Node, other: Node) -> bool:
        """Whether what is flooded in a VLAN of one bridge reaches that VLAN of another."""
        if one[1] != other[1] and self._kinds.first(one[1]) == self._kinds.first(other[1]):
            return False  # of a kind, but two VLANs all the same
        return self._top(self._alike(one)) == self._top(self._alike(other))

    def _alike(self, node: Node) -> Node:
        bridge, vlan = node
        return bridge, self._kinds.first(vlan)

    def _top(self, node: Node) -> Node:
        while (above := self._up.get(node, node)) != node:
            node = above
        return node

    def _join(self, one: Node, other: Node) -> bool:
        """Make two nodes one component; False when they are that already."""
        top, other_top = self._top(one), self._top(other)
        self._up[other_top] = top
        return top != other_top


class _Kinds:
    """VLANs sorted by what ports do with them: those of a kind are dealt with alike by all the ports, so that
    a few stand for 4096."""

    def __init__(self, ports: Iterable[PortConfig]) -> None:
        marks = {frozenset((0,))}
        for port in ports:
            marks.add(frozenset((port.tag,)))
            marks.update(vlans for vlans in (port.trunks, port.cvlans) if vlans is not None)
        self._kind: dict[int, int] = {}
        for at, vlans in enumerate(marks):
            for vlan in vlans:
                self._kind[vlan] = self._kind.get(vlan, 0) | 1 << at
        self._first: dict[int, int] = {}
        plain = next((vlan for vlan in range(VLAN_MAX + 1) if vlan not in self._kind), 0)
        for vlan in sorted({plain, *self._kind}):
            if vlan <= VLAN_MAX:
                self._first.setdefault(self._kind.get(vlan, 0), vlan)

    def first(self, vlan: int) -> int:
        """The VLAN that stands for this one's kind."""
        return self._first[self._kind.get(vlan, 0)]

    def __iter__(self) -> Iterator[int]:
        return iter(self._first.values())


def _pairs(homes: dict[str, _Home]) -> Iterator[tuple[_Home, _Home]]:
    """The patches that are whole, the port that comes first in front."""
    done = set()
    for name, (bridge, port) in homes.items():
        peer = homes.get(port.patch_peer or "")
        if peer is None or name in done or peer[1].patch_peer != name or peer[1].name == name:
            continue
        done.add(peer[1].name)
        yield (bridge, port), peer


def _ways(kinds: _Kinds, port: PortConfig, peer: PortConfig) -> Iterator[tuple[int, int]]:
    """The kinds of VLANs that pass a patch, each with the one that it becomes."""
    for vlan in kinds:
        stack = (Tag(ETH_P_8021Q, vlan),) if vlan else ()
        if not includes(port, stack):
            continue
        tags = output_tags(port, stack, ())
        if refuses(peer, tags) is None:
            yield vlan, kinds.first(vid(input_stack(peer, tags)))
