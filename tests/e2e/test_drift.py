"""What others do to the switch's things in the kernel is found and undone, and told."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.switch import Switch, new_switch, pins
from tests.netlab import Lab, Namespace


@dataclass(frozen=True)
class Site:
    """A switch with two containers, 10.0.0.1 and 10.0.0.2."""

    switch: Switch
    one: Namespace
    folder: Path

    def check(self) -> list[str]:
        repaired: list[str] = json.loads(self.switch.daemon.unixctl("jackfield/check"))["repaired"]
        return repaired

    def ping(self) -> None:
        self.one.ping("10.0.0.2")


@pytest.fixture
def site() -> Iterator[Site]:
    with Lab() as lab, new_switch() as switch:
        switch.vsctl("add-br", "br0")
        one, two = lab.namespace("one"), lab.namespace("two")
        switch.internal_in("br0", "tap1", one, "10.0.0.1/24")
        switch.internal_in("br0", "tap2", two, "10.0.0.2/24")
        one.ping("10.0.0.2")
        folder = next(path for path in pins(switch.daemon.rundir) if path.name == "jf_ports").parents[1]
        yield Site(switch, one, folder)


def take_away_attachments(site: Site) -> None:
    """As somebody does who knows the kernel's tools: links of TCX, filters where the kernel has none."""
    devices = {each["ifindex"]: each["ifname"] for each in json.loads(site.switch.shell("ip -json link"))}
    for link in (site.folder / "links").iterdir():
        if link.name.startswith("clsact-"):
            ifindex = int(link.name.removeprefix("clsact-"))
            site.switch.shell(f"tc filter delete dev {devices[ifindex]} ingress")
        else:
            subprocess.run(["bpftool", "link", "detach", "pinned", link], check=True)


def zero(path: Path) -> None:
    """Write zeros over every element of a pinned map."""
    show = json.loads(subprocess.check_output(["bpftool", "-j", "map", "show", "pinned", path]))
    dump = json.loads(subprocess.check_output(["bpftool", "-j", "map", "dump", "pinned", path]))
    nothing = ["0"] * show["bytes_value"]
    for element in dump:
        if any(int(byte, 16) for byte in element["value"]):
            words = ["bpftool", "map", "update", "pinned", path, "key", *element["key"], "value", *nothing]
            subprocess.run(words, check=True, capture_output=True)


def test_a_switch_that_nobody_touched_needs_no_repair(site: Site) -> None:
    assert site.check() == []
    assert site.switch.daemon.log_warnings() == []


def test_an_attachment_that_was_taken_away_is_put_back(site: Site) -> None:
    take_away_attachments(site)
    repaired = site.check()
    assert repaired and all("attach" in step for step in repaired)
    site.ping()
    assert site.check() == []
    assert [line for line in site.switch.daemon.log_warnings() if "somebody changed" in line]
    assert json.loads(site.switch.daemon.unixctl("jackfield/status"))["repairs"] == len(repaired)


@pytest.mark.parametrize("name", ["jf_ports", "jf_ifaces", "jf_bridges", "jf_flood_lists", "jf_ingress_low"])
def test_a_map_that_was_emptied_is_filled_again(site: Site, name: str) -> None:
    zero(site.folder / "maps" / name)
    assert site.check()
    site.ping()
    assert site.check() == []


def test_what_was_unpinned_is_pinned_again_and_outlives_the_daemon(site: Site) -> None:
    shutil.rmtree(site.folder)
    site.ping()
    repaired = site.check()
    assert all(any(what in step for step in repaired) for what in ("jf_fdb again", "ingress again"))
    assert any("links/" in step or "the qdisc of device" in step for step in repaired)
    site.switch.daemon.kill()
    site.ping()
    site.switch.daemon.start()
    assert site.check() == []


def test_a_device_that_was_removed_is_made_again_at_once(site: Site) -> None:
    site.switch.internal("br0", "tap3")
    site.switch.host.ip("link", "delete", "tap3")
    site.switch.vsctl("set", "Interface", "tap3", "external_ids:made=again")
    assert site.check() == []
    assert "tap3" in site.switch.host.devices()
