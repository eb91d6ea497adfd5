"""Who else configures a card, by the records that these programs keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from jackfield.adopt.managers import managers
from jackfield.net.link import Link
from jackfield.net.netdev import Devices


@pytest.fixture
def link() -> Link:
    """Some device, under the name of a card."""
    with Devices.open() as devices:
        found = devices.get_link("lo")
    assert found is not None
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "proc/self/ns/net", "")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def process(root: Path, number: int, *words: str, here: bool = True) -> None:
    write(root, f"proc/{number}/cmdline", "".join(f"{word}\0" for word in words))
    net = root / f"proc/{number}/ns/net"
    net.parent.mkdir()
    if here:
        net.hardlink_to(root / "proc/self/ns/net")
    else:
        net.touch()


def test_a_card_that_nobody_has_is_not_spoken_of(root: Path, link: Link) -> None:
    write(root, f"run/NetworkManager/devices/{link.ifindex}", "[device]\nmanaged=false\n")
    write(root, f"run/systemd/netif/links/{link.ifindex}", "ADMIN_STATE=unmanaged\n")
    write(root, "run/network/ifstate", "eth9=eth9\n")
    process(root, 7, "dhclient", "eth9")
    process(root, 8, "less", "lo")
    process(root, 9, "/sbin/dhclient", "lo", here=False)
    assert managers([link], "br0", root) == []


def test_whoever_has_the_card_is_named_with_what_to_write(root: Path, link: Link) -> None:
    write(root, f"run/NetworkManager/devices/{link.ifindex}", "[device]\nmanaged=true\n")
    file = "/etc/systemd/network/lan.network"
    record = f"ADMIN_STATE=configured\nNETWORK_FILE={file}\n"
    write(root, f"run/systemd/netif/links/{link.ifindex}", record)
    write(root, "run/network/ifstate", "lo=lo\n")
    process(root, 8, "/sbin/dhclient", "-4", "-pf", "/run/dhclient.lo.pid", "lo")
    process(root, 10, "dhcpcd:", "lo")
    notes = managers([link], "br0", root)
    assert [note.partition(":")[0] for note in notes] == [
        "NetworkManager manages lo",
        f"systemd-networkd manages lo by {file}",
        "ifupdown has brought up lo",
        "dhclient (process 8) leases the address of lo",
        "dhcpcd (process 10) leases the address of lo",
    ]
    for note, told in zip(notes, ("interface-name:lo", "Name=br0", "iface br0 inet", "kill 8"), strict=False):
        assert told in note


def test_whoever_has_a_bridge_of_the_same_name_must_not_make_it_again(root: Path, link: Link) -> None:
    write(root, "run/network/ifstate", "lo=lo\n")
    (note,) = managers([link], "lo", root)
    assert note.startswith("ifupdown has brought up lo: it must not make a Linux bridge of that name again")
