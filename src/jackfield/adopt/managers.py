"""Programs that configure a host's cards by themselves, at start-up or while they run: who has a card, and
what to tell it so that what was adopted stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jackfield.net.link import Link

_CLIENTS = ("dhclient", "dhcpcd", "udhcpc")

_SAME_NAME = "it must not make a Linux bridge of that name again; have it configure the switch's port only"


def managers(links: Sequence[Link], port: str, root: Path = Path("/")) -> list[str]:
    """A sentence for each program that has one of the devices, whose addresses go to `port`; `root` is where
    the programs' own records are."""
    return [
        f"{who}: {_SAME_NAME if link.name == port else advice}"
        for link in links
        for look in (_network_manager, _networkd, _ifupdown, _dhcp_clients)
        for who, advice in look(link, port, root)
    ]


def _network_manager(link: Link, port: str, root: Path) -> Iterator[tuple[str, str]]:
    """By its record of the device."""
    state = _settings(root / f"run/NetworkManager/devices/{link.ifindex}")
    if state and state.get("managed", "true").lower() in ("true", "1", "yes"):
        yield (
            f"NetworkManager manages {link.name}",
            f'`nmcli device set {link.name} managed no`, and so that it lasts "unmanaged-devices='
            f'interface-name:{link.name}" under [keyfile] in /etc/NetworkManager/conf.d/{port}.conf; '
            "or it takes the addresses back",
        )


def _networkd(link: Link, port: str, root: Path) -> Iterator[tuple[str, str]]:
    """By its record of the device."""
    state = _settings(root / f"run/systemd/netif/links/{link.ifindex}")
    if state.get("ADMIN_STATE") in ("configured", "configuring"):
        file = state.get("NETWORK_FILE", "a .network file")
        yield (
            f"systemd-networkd manages {link.name} by {file}",
            f'move its addresses, routes and DHCP to a file with "Name={port}", and leave '
            f'"LinkLocalAddressing=no" for {link.name}; or it takes the addresses back',
        )


def _ifupdown(link: Link, port: str, root: Path) -> Iterator[tuple[str, str]]:
    """By the list of what ifup(8) has brought up."""
    names = [line.partition("=")[0].strip() for line in _text(root / "run/network/ifstate").splitlines()]
    if link.name in names:
        yield (
            f"ifupdown has brought up {link.name}",
            f'in /etc/network/interfaces make it "iface {link.name} inet manual", and what it was '
            f'"iface {port} inet …"; or the next boot gives {link.name} the addresses',
        )


def _dhcp_clients(link: Link, port: str, root: Path) -> Iterator[tuple[str, str]]:
    """By the command lines of the processes in this network namespace."""
    own = _inode(root / "proc/self/ns/net")
    for folder in sorted((root / "proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        words = _text(folder / "cmdline").split("\0")
        program = words[0].rpartition("/")[2].rstrip(":")
        if program in _CLIENTS and link.name in words[1:] and _inode(folder / "ns/net") == own:
            yield (
                f"{program} (process {folder.name}) leases the address of {link.name}",
                f"`kill {folder.name}` and start it for {port}, now and at the next boot; "
                "or the lease runs out",
            )


def _settings(path: Path) -> dict[str, str]:
    """NAME=VALUE by line, nothing if there is no such file."""
    lines = (line.partition("=") for line in _text(path).splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in lines}


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
