"""Why a card cannot be taken over, or not without more care."""

from __future__ import annotations

import os
from pathlib import Path

from jackfield.adopt.host import Host, Layer3
from jackfield.client.errors import Failure
from jackfield.net.filters import ingress_filters
from jackfield.net.link import Link
from jackfield.net.routes import Route

_UPPER = ("vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec")
_ARPHRD_ETHER = 1
_MOST_ANCESTORS = 64


def check_card(host: Host, name: str) -> Link:
    """The device, if it can be a port of a bridge. Raises Failure."""
    link = host.link(name)
    if link.loopback:
        raise Failure(f"{name}: it is the loopback device, which cannot be on a bridge")
    if link.arp_type != _ARPHRD_ETHER:
        raise Failure(f"{name}: it is not an Ethernet device, and only those can be on a bridge")
    if link.kind == "bridge":
        raise Failure(f"{name}: it is a Linux bridge; `jackfield import-bridge {name}` takes it over")
    links = {each.ifindex: each for each in host.devices.list_links()}
    if link.master:
        master = links.get(link.master)
        name_of_master = master.name if master else str(link.master)
        kind = {"bridge": "the Linux bridge", "bond": "the bond", "vrf": "the VRF"}.get(link.slave_kind)
        advice = f"take it out first (`ip link set {name} nomaster`)"
        if link.slave_kind == "bond":
            advice = f"`jackfield adopt {name_of_master}` takes over the bond; or {advice}"
        raise Failure(
            f"{name}: it belongs to {kind or link.slave_kind or 'device'} {name_of_master}; {advice}"
        )
    check_upper(host, link)
    return link


def check_port(host: Host, name: str) -> None:
    """The device of a Linux bridge's port, if it can be a port of the switch. Raises Failure."""
    link = host.link(name)
    if link.arp_type != _ARPHRD_ETHER:
        raise Failure(f"{name}: it is not an Ethernet device, and only those can be on a bridge")
    check_upper(host, link)


def check_upper(host: Host, link: Link) -> None:
    """Raises Failure when other devices take what a device receives."""
    above = [
        each.name
        for each in host.devices.list_links()
        if each.kind in _UPPER and each.peer_ifindex == link.ifindex and each.peer_nsid is None
    ]
    if above:
        raise Failure(
            f"{link.name}: {', '.join(above)} sits on it and would get no frames any more; "
            "make internal ports with the VLANs instead, then remove it"
        )


def filters_passed_by(host: Host, links: list[Link]) -> list[str]:
    """A note for each device whose filters will see no frame that the switch takes."""
    return [
        f"{link.name} has tc filters for what comes in ({', '.join(kinds)}): what the switch takes does not "
        f"pass them; `tc filter show dev {link.name} ingress` lists them"
        for link in links
        if (kinds := ingress_filters(host.netlink, link.ifindex))
    ]


def session_by(state: Layer3, confirmed: bool) -> None:
    """Raises Failure when the user's own SSH session comes in by the device and nobody is to be asked."""
    if not confirmed and ssh_address() in {address.address for address in state.addresses}:
        raise Failure(
            f"{state.device}: your own SSH session comes in by it; with --confirm you are asked whether it "
            "still works, and without an answer everything is put back"
        )


def check_routes(state: Layer3) -> None:
    """Raises Failure when a route cannot be moved to another device as it is."""
    for route in state.routes:
        reason = _unmovable(route)
        if reason:
            raise Failure(f"{state.device}: its route {route} {reason}; remove the route first")


def _unmovable(route: Route) -> str:
    if route.nexthop_object:
        return f"goes by nexthop object {route.nexthop_object}, which is bound to the device"
    return "puts packets into tunnels, which cannot be kept" if route.encapsulates else ""


def ssh_address(environment: str | None = None) -> str:
    """The address of this host that the user's SSH session came in by; "" when there is none.

    `sudo` takes the variable away, so the processes above this one are asked as well.
    """
    found = os.environ.get("SSH_CONNECTION") if environment is None else environment
    words = (found or _inherited("SSH_CONNECTION")).split()
    return words[2] if len(words) == 4 else ""


def _inherited(variable: str) -> str:
    """A variable of the nearest process above this one that has it."""
    process = os.getppid()
    for _ in range(_MOST_ANCESTORS):
        if process <= 1:
            break
        try:
            environment = Path(f"/proc/{process}/environ").read_bytes()
            status = Path(f"/proc/{process}/stat").read_text(errors="replace")
        except OSError:
            break
        for pair in environment.split(b"\0"):
            name, _, value = pair.partition(b"=")
            if name == variable.encode():
                return value.decode(errors="replace")
        process = int(status.rpartition(")")[2].split()[1])
    return ""
