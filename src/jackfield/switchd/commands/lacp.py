"""The commands `lacp/*` (ovs-vswitchd(8), "LACP COMMANDS"; texts of OVS 3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jackfield.model.lacp import Information, Lacp, State
from jackfield.switchd.bonds.runtime import Bonds
from jackfield.switchd.commands.forwarding import mac_text
from jackfield.unixctl.commands import CommandError, CommandTable

_WORDS = {
    State.ACTIVITY: "activity",
    State.TIMEOUT: "timeout",
    State.AGGREGATION: "aggregation",
    State.SYNCHRONIZED: "synchronized",
    State.COLLECTING: "collecting",
    State.DISTRIBUTING: "distributing",
    State.DEFAULTED: "defaulted",
    State.EXPIRED: "expired",
}


class LacpCommands:
    """The ports with LACP of one switch."""

    def __init__(self, bonds: Bonds) -> None:
        self._bonds = bonds

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        commands.add("lacp/show", "[port]", 0, 1, self._show)
        commands.add("lacp/show-stats", "[port]", 0, 1, self._show_stats)

    def _chosen(self, args: Sequence[str]) -> list[tuple[str, Lacp]]:
        found = [
            (name, port.lacp) for name, port in sorted(self._bonds.ports.items()) if port.lacp is not None
        ]
        if not args:
            return found
        chosen = [(name, lacp) for name, lacp in found if name == args[0]]
        if not chosen:
            raise CommandError("no such lacp object")
        return chosen

    def _show(self, args: Sequence[str]) -> str:
        return "".join(lacp_show(name, lacp) for name, lacp in self._chosen(args))

    def _show_stats(self, args: Sequence[str]) -> str:
        return "".join(lacp_stats(name, lacp) for name, lacp in self._chosen(args))


def lacp_show(name: str, lacp: Lacp) -> str:
    """The text of `lacp/show` for one port."""
    settings = lacp.settings
    lines = [
        f"---- {name} ----",
        f"  status: {'active' if settings.active else 'passive'}{' negotiated' if lacp.negotiated else ''}",
        f"  sys_id: {mac_text(settings.system)}",
        f"  sys_priority: {settings.system_priority}",
        f"  aggregation key: {'none' if lacp.key is None else lacp.key}",
        f"  lacp_time: {'fast' if settings.fast else 'slow'}",
    ]
    for member, link in sorted(lacp.links.items()):
        lines += [
            "",
            f"member: {member}: {link.status.value} {'attached' if link.attached else 'detached'}",
            f"  port_id: {link.settings.port}",
            f"  port_priority: {link.settings.priority}",
            f"  may_enable: {'true' if lacp.collecting(member) else 'false'}",
            "",
            *_information("actor", lacp.actor(link)),
            "",
            *_information("partner", link.partner),
        ]
    return "\n".join(lines) + "\n"


def lacp_stats(name: str, lacp: Lacp) -> str:
    """The text of `lacp/show-stats` for one port."""
    lines = [f"---- {name} statistics ----"]
    for member, link in sorted(lacp.links.items()):
        counters = link.counters
        lines += [
            "",
            f"member: {member}:",
            f"  TX PDUs: {counters.tx}",
            f"  RX PDUs: {counters.rx}",
            f"  RX Bad PDUs: {counters.bad}",
            f"  RX Marker Request PDUs: {counters.markers}",
            f"  Link Expired: {counters.expired}",
            f"  Link Defaulted: {counters.defaulted}",
            f"  Carrier Status Changed: {counters.carrier_changes}",
        ]
    return "\n".join(lines) + "\n"


def _information(who: str, information: Information) -> Iterator[str]:
    yield f"  {who} sys_id: {mac_text(information.system)}"
    yield f"  {who} sys_priority: {information.system_priority}"
    yield f"  {who} port_id: {information.port}"
    yield f"  {who} port_priority: {information.port_priority}"
    yield f"  {who} key: {information.key}"
    yield f"  {who} state:" + "".join(f" {word}" for bit, word in _WORDS.items() if information.state & bit)
