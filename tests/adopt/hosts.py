"""What tests do to a host and what they compare of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.adopt.world import World
from tests.netlab import DEADLINE, until


@contextmanager
def deaf_gateway(world: World) -> Iterator[None]:
    """From the moment that a takeover is under way until it is decided, nobody answers ARP."""
    setting = Path("/proc/sys/net/ipv4/conf/lan/arp_ignore")

    def work() -> None:
        until(world.undecided, what="a takeover", deadline=4 * DEADLINE)
        with world.router.entered():
            setting.write_text("8")
        until(lambda: not world.undecided(), what="the end of the takeover", deadline=12 * DEADLINE)
        with world.router.entered():
            setting.write_text("0")

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


def elaborate(world: World, device: str = "eth0") -> None:
    """Gives the device of everything that there is in layer 3."""
    host = world.host
    for words in (
        "address add 10.5.0.1/16 dev eth0 label eth0:five noprefixroute",
        "address add 10.6.0.1 peer 10.6.0.2 dev eth0",
        "address add 2001:db8:7::1/64 dev eth0 valid_lft 3000 preferred_lft 2000",
        "route add 10.7.0.0/16 via 10.0.0.253 dev eth0 proto static src 10.0.0.2 mtu 1400",
        "route add default via 10.0.0.254 dev eth0 table 100",
        "route add 10.8.0.0/16 nexthop via 10.0.0.252 dev eth0 weight 2 nexthop via 10.0.0.253 dev eth0",
        "-6 route add 2001:db8:9::/48 nexthop via 2001:db8::2 dev eth0 nexthop via 2001:db8::3 dev eth0",
        "-6 route add 2001:db8:a::/48 via fe80::7 dev eth0 table 100 metric 7",
        "rule add iif eth0 table 100 priority 900",
        "rule add oif eth0 fwmark 5 table 100 priority 901",
        "-6 rule add from 2001:db8:7::/64 iif eth0 table 100 priority 902",
        "neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0",
        "neigh add 2001:db8::77 lladdr 02:00:00:00:00:77 dev eth0",
        "neigh add proxy 10.0.0.78 dev eth0",
    ):
        host.ip(*words.replace("eth0", device).split())
    with host.entered():
        for name, value in (
            ("ipv4/conf/eth0/rp_filter", "2"),
            ("ipv4/conf/eth0/forwarding", "1"),
            ("ipv4/conf/eth0/arp_announce", "2"),
            ("ipv6/conf/eth0/accept_ra", "0"),
            ("ipv6/conf/eth0/hop_limit", "33"),
        ):
            (Path("/proc/sys/net") / name.replace("eth0", device)).write_text(value)


def bridge_now(world: World) -> Any:
    """The bridge, its ports and their entries and VLANs, as `ip` and `bridge` show them."""

    def lasting(entry: dict[str, Any]) -> dict[str, Any]:
        passing = {"stats64", "hello_timer", "tcn_timer", "topology_change_timer", "gc_timer", "hold_timer"}
        passing |= {"message_age_timer", "forward_delay_timer", "topology_change", "topology_change_detected"}
        return {k: lasting(v) if isinstance(v, dict) else v for k, v in entry.items() if k not in passing}

    links = [
        lasting(each)
        for each in json.loads(world.host.ip("-j", "-d", "link", "show"))
        if each["ifname"] in ("lan0", "eth0", "jftp1")
    ]
    with world.host.entered():
        entries = json.loads(world.host.run("bridge", "-j", "fdb", "show").stdout)
        vlans = json.loads(world.host.run("bridge", "-j", "vlan", "show").stdout or "[]")
    # What was learned is learned again; a device's own filters are not the bridge's entries.
    static = [each for each in entries if each.get("state") in ("static", "permanent") and "master" in each]
    return links, sorted(static, key=str), vlans
