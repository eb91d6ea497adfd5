"""Ends of links under LACP and the wires between them, in a time of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jackfield.model.lacp import Lacp, LacpSettings, LinkSettings, decode

STEP = 0.001
MOST_STEPS = 5000


def system(number: int) -> bytes:
    """A system's address."""
    return bytes((2, 0, 0, 0, 0, number))


def end(
    number: int, *names: str, links: Mapping[str, LinkSettings] | None = None, **settings: object
) -> Lacp:
    """One end, with links of these names numbered from 1 on, or with these links."""
    wanted = LacpSettings(system(number), **settings)  # type: ignore[arg-type]
    made = Lacp(wanted)
    made.configure(wanted, links or {name: LinkSettings(place) for place, name in enumerate(names, 1)}, 0.0)
    return made


@dataclass
class World:
    """Two ends or more. `wires` join (end, link) pairs; only those in it carry anything."""

    wires: dict[tuple[int, str], tuple[int, str]]
    ends: list[Lacp]
    now: float = 0.0
    sent: list[tuple[float, int, str, bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, *ends: Lacp) -> World:
        """Two ends whose links of equal names are joined and have carrier."""
        names = [name for name in ends[0].links if all(name in other.links for other in ends)]
        world = cls({}, list(ends))
        for name in names:
            world.join((0, name), (1, name))
        return world

    def join(self, one: tuple[int, str], other: tuple[int, str]) -> None:
        """Plug a cable in."""
        self.wires[one], self.wires[other] = other, one
        for number, name in (one, other):
            self.ends[number].carrier(name, True, self.now)

    def pull(self, one: tuple[int, str]) -> None:
        """Pull a cable out."""
        other = self.wires.pop(one)
        del self.wires[other]
        for number, name in (one, other):
            self.ends[number].carrier(name, False, self.now)

    def silence(self, number: int) -> None:
        """An end says and hears nothing any more, though its carrier stays."""
        self.wires = {one: other for one, other in self.wires.items() if number not in (one[0], other[0])}

    def run(self, seconds: float) -> World:
        """Let time pass."""
        until = self.now + seconds
        for _ in range(MOST_STEPS):
            for number, lacp in enumerate(self.ends):
                for name, pdu in lacp.run(self.now):
                    self.sent.append((self.now, number, name, pdu))
                    there = self.wires.get((number, name))
                    if there is not None:
                        self.ends[there[0]].receive(there[1], pdu, self.now)
            first = min(lacp.wakeup() for lacp in self.ends)
            if first > until:
                break
            self.now = max(first, self.now + STEP)
        self.now = until
        return self

    def states(self, number: int) -> list[str]:
        """The states that an end told, in order, repeated ones once."""
        told = [str(decode(pdu).actor.state) for _, who, _, pdu in self.sent if who == number]
        return [state for at, state in enumerate(told) if at == 0 or told[at - 1] != state]
