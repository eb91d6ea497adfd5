"""Which links form the aggregate: all that lead to the same system with the same key as the best of them.

One aggregate is formed at a time (section 6.4.14 leaves the choice open). A link that works already is
preferred to a better one that does not, so that a second partner does not take the bond from the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jackfield.model.lacp.link import Link, Status
from jackfield.model.lacp.pdu import Information
from jackfield.model.lacp.settings import LacpSettings

Rank = tuple[int, bytes, int, int]


def select(
    links: Mapping[str, Link],
    settings: LacpSettings,
    actor: Callable[[Link], Information],
    usable: Callable[[Link], bool],
) -> str | None:
    """Attach the links that belong together and detach the others; the best of them, None without any.

    `actor` is our end of a link as we would tell it, `usable` whether frames could pass by it now.
    """

    def rank(name: str) -> Rank:
        return _rank(links[name], settings, actor)

    working = [name for name, link in links.items() if link.status is Status.CURRENT and link.attached]
    first = min(working, key=rank, default=None)
    candidates = []
    for name, link in links.items():
        link.loopback = link.status is not Status.DEFAULTED and link.partner.system == settings.system
        link.attached = False
        if link.loopback:
            continue
        if link.status is Status.DEFAULTED:
            link.attached = settings.fallback_ab
        elif any(link.partner.system) and (
            first is None or link.partner.system == links[first].partner.system
        ):
            link.attached = True
            candidates.append(name)
    ready = {name: usable(links[name]) for name in candidates}
    lead = min(candidates, key=lambda name: (not ready[name], rank(name)), default=None)
    if lead is not None:
        partner = links[lead].partner
        for link in links.values():
            same = (link.partner.system, link.partner.key) == (partner.system, partner.key)
            link.attached &= same and link.status is not Status.DEFAULTED
    return lead


def _rank(link: Link, settings: LacpSettings, actor: Callable[[Link], Information]) -> Rank:
    """What decides is how the system of the higher priority sees the link (section 6.4.14.1)."""
    partner = link.partner
    ours = (settings.system_priority, settings.system) < (partner.system_priority, partner.system)
    judged = actor(link) if ours else partner
    return judged.system_priority, judged.system, judged.port_priority, judged.port
