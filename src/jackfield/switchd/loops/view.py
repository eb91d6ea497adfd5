"""What the search for loops needs to know of an outcome: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from jackfield.datapath._abi import Damped, Upcall
from jackfield.model.loops import Joint, Loop, Place, Segments
from jackfield.model.loops.probe import Probe
from jackfield.reconcile.outcome import DisabledBy, Outcome, PortOutcome


@dataclass(frozen=True)
class View:
    """The ports of one outcome, as they are known here."""

    outcome: Outcome

    @cached_property
    def ports(self) -> dict[str, PortOutcome]:
        """Those that are there, by name, disabled ones too."""
        return {port.name: port for port in self.outcome.ports if port.id}

    @cached_property
    def carrying(self) -> frozenset[str]:
        """The names of those that carry frames."""
        return frozenset([name for name, port in self.ports.items() if port.disabled is None])

    @cached_property
    def disabled(self) -> list[PortOutcome]:
        """Those that carry none."""
        return [port for port in self.ports.values() if port.disabled is not None]

    @cached_property
    def by_id(self) -> dict[int, PortOutcome]:
        return {port.id: port for port in self.ports.values()}

    @cached_property
    def _by_iface(self) -> dict[int, str]:
        return {each.id: each.port for each in self.outcome.interfaces if each.id}

    @cached_property
    def _devices(self) -> dict[str, list[int]]:
        devices: dict[str, list[int]] = {}
        for each in self.outcome.interfaces:
            if each.id and each.switch_ifindex:
                devices.setdefault(each.port, []).append(each.switch_ifindex)
        return devices

    @cached_property
    def _segments(self) -> Segments:
        there = (port for port in self.ports.values() if port.config.patch_peer and port.disabled is None)
        ports = sorted(there, key=lambda port: port.id)
        return Segments((port.bridge, port.config) for port in ports)

    def devices(self, port: str) -> list[int]:
        """The devices by which frames leave by a port that carries any."""
        return self._devices.get(port, []) if self.carries(port) else []

    def carries(self, port: str) -> bool:
        """Whether there is such a port, and it is not disabled."""
        known = self.ports.get(port)
        return known is not None and known.disabled is None

    @property
    def patches(self) -> tuple[Joint, ...]:
        """The patches that close a loop of bridges."""
        return self._segments.redundant

    def suspects(self, before: int, after: int, vlan: int) -> list[Place]:
        """Two ports between which addresses keep moving."""
        return [Place(self.by_id[number].name, vlan) for number in (before, after) if number in self.by_id]

    def way(self, probe: Probe, upcall: Upcall) -> tuple[Place, Place] | None:
        """Where a probe left and where it came back; None when that makes no loop: two bridges that are
        joined by a cable, say."""
        out, back = self.by_id.get(probe.port), self.ports.get(self._by_iface.get(upcall.iface, ""))
        if out is None or back is None:
            return None
        if not self._segments.are_one((out.bridge, probe.vlan), (back.bridge, upcall.vlan)):
            return None
        return Place(out.name, probe.vlan), Place(back.name, upcall.vlan)

    def to_disable(self, names: tuple[str, str]) -> tuple[PortOutcome, PortOutcome] | None:
        """Of a loop's ports the one that may be disabled, the younger one if both may, and the other; None
        when neither may."""
        ports = [self.ports[name] for name in dict.fromkeys(names) if name in self.ports]
        ports.sort(key=lambda port: (port.loops.disable, port.id))
        if not ports or not ports[-1].loops.disable or any(port.disabled for port in ports):
            return None
        return ports[-1], ports[0]

    def disabled_for_loops(self) -> list[PortOutcome]:
        """The ports that are disabled because of loops."""
        return [port for port in self.disabled if port.disabled and port.disabled.by is DisabledBy.LOOP]

    def is_free_again(self, port: PortOutcome) -> bool:
        """Whether a port is disabled for something that is not asked for any more, or cannot be any more."""
        if port.disabled is None:
            return False
        if port.disabled.by is DisabledBy.BPDU_GUARD:
            return port.config.guard is None or not port.config.guard.bpdu_guard
        return not port.loops.disable or self._is_needless(port)

    def _is_needless(self, port: PortOutcome) -> bool:
        """Whether a patch port that is disabled because of a loop would close none any more."""
        if port.config.patch_peer is None:
            return False
        there = [each for each in self.ports.values() if each.disabled is None or each.name == port.name]
        there.sort(key=lambda each: (each.name == port.name, each.id))
        segments = Segments((each.bridge, each.config) for each in there)
        return all(port.name not in (joint.port, joint.peer) for joint in segments.redundant)

    def loop_text(self, loop: Loop) -> str:
        """A loop in a sentence."""
        out, back = loop.out, loop.back
        ports = [self.ports[each.port] for each in (out, back) if each.port in self.ports]
        bridges = ", ".join(dict.fromkeys(port.bridge for port in ports))
        vlan = f" in VLAN {out.vlan}" if out.vlan else ""
        if out.port == back.port:
            return f"{bridges}: loop at {out.port}{vlan}: what is sent out of it comes back in"
        between = " and ".join(loop.ports)
        return (
            f"{bridges}: loop between {between}{vlan}: what is sent out of {out.port} comes in by {back.port}"
        )

    def storm_texts(self, records: Mapping[int, Damped]) -> Iterator[str]:
        """What the programs did to ports by themselves, two of which are in a sentence."""
        pairs: dict[tuple[int, int], Damped] = {}
        for number, record in records.items():
            pair = min(number, record.other), max(number, record.other)
            if pair not in pairs or pairs[pair].count_ < record.count_:
                pairs[pair] = record
        for pair, record in sorted(pairs.items()):
            ports = [self.by_id[number] for number in pair if number in self.by_id]
            if not ports:
                continue
            vlan = f" in VLAN {record.vlan}" if record.vlan else ""
            between = " and ".join(port.name for port in ports)
            yield (
                f"{ports[0].bridge}: while no daemon looked after loops, addresses moved to and fro between"
                f" {between}{vlan} as they do in a loop: what came in there was limited {record.count_}"
                f" time{'s' * (record.count_ != 1)} for some seconds"
            )

    def patch_text(self, joint: Joint) -> str:
        """A loop of bridges in a sentence."""
        one, other = self.ports[joint.port].bridge, self.ports[joint.peer].bridge
        vlan = f" in VLAN {joint.vlan}" if joint.vlan else ""
        joined = f"{one} and {other} are joined without them" if one != other else f"both are on {one}"
        return f"{one}: loop through patch ports {joint.port} and {joint.peer}{vlan}: {joined}"
