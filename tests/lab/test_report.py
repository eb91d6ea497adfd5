"""Reports, charts, and what is computed for them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jackfield.lab import chart
from jackfield.lab.host import received, short
from jackfield.lab.measure.figures import Figures, Spread
from jackfield.lab.measure.workloads import Sample
from jackfield.lab.record import (
    Capture,
    Chart,
    Check,
    Command,
    Grid,
    Note,
    Play,
    Printed,
    Record,
    Step,
    verdict,
)
from jackfield.lab.report import write
from jackfield.lab.report.layout import About
from jackfield.lab.scenarios.showing import ports_of
from tests.lab.laboratory import lab

ABOUT = About("2026-01-31", "Linux 6.1, 2 cores", "1.0")
SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'


def record(tmp_path: Path) -> Record:
    packets = tmp_path / "b-eth0-1.pcap"
    packets.write_bytes(b"packets")
    play = Play("demo", "jackfield", "Jackfield")
    play.items = [
        Step("First <step>", "About it."),
        Command("host", "echo 'a|b' & c", "a|b & c"),
        Printed("b", "tcpdump -i eth0", ""),
        Note("A remark."),
        Check("frames <arrive>", True, "3 of 3"),
        Check("none is lost", False, "1"),
        Capture("b", "eth0", packets, 3),
        Chart("Shares of it", SVG),
        Grid("Rates", ("", "Gb/s"), (("veth", "9.5\n0.97"),)),
    ]
    skipped = Play("demo", "ovs", "OVS", skipped="it is not installed")
    other = Play("demo", "linux", "Linux bridge", [Check("frames <arrive>", True, "3 of 3")])
    return Record("demo", "A demonstration", "What it shows.", [play, skipped, other])


def test_a_report_has_a_page_and_its_markdown_with_charts_and_packets(tmp_path: Path) -> None:
    directory = tmp_path / "report"
    page = write(directory, [record(tmp_path)], ABOUT)
    files = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
    capture = "captures/demo-jackfield/b-eth0-1.pcap"
    assert files == [capture, "charts/demo-shares-of-it.svg", "report.html", "report.md"]
    assert (directory / capture).read_bytes() == b"packets"

    html = page.read_text(encoding="utf-8")
    assert f'href="{capture}"' in html
    assert "First &lt;step&gt;" in html and "<step>" not in html
    assert SVG in html
    assert "2 of 3 checks hold" in html
    assert "skipped, it is not installed" in html
    assert not re.search(r"""(?:src|href)=["']https?:""", html), "a page that needs nothing else"

    text = (directory / "report.md").read_text(encoding="utf-8")
    assert "| frames <arrive> | yes | - | yes |" in text
    assert "| none is lost | **NO** | - | - |" in text
    assert "host# echo 'a|b' & c\na|b & c" in text
    assert f"[b-eth0-1.pcap]({capture})" in text
    assert "![Shares of it](charts/demo-shares-of-it.svg)" in text
    assert "| veth | 9.5<br>0.97 |" in text


def test_the_page_is_well_formed(tmp_path: Path) -> None:
    page = write(tmp_path / "report", [record(tmp_path)], ABOUT).read_text(encoding="utf-8")
    body = page[page.index("<main>") : page.index("</main>")] + "</main>"
    text = body.replace("&ndash;", "-").replace("<br>", "<br/>").replace(" download>", ' download="">')
    ElementTree.fromstring(text.replace("<details open>", '<details open="">'))


def test_a_sentence_said_twice_holds_when_it_held_both_times() -> None:
    play = Play("x", "linux", "Linux bridge", [Check("it works", True, ""), Check("it works", False, "")])
    assert verdict(play, "it works") == "NO"
    assert verdict(play, "it sleeps") == ""


def test_a_real_run_writes_its_report(tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    words = ("--switch", "jackfield", "--report", str(tmp_path), "--picture", str(picture))
    done = lab("run", "internal-port", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    (packets,) = tmp_path.glob("captures/*/*.pcap")
    assert packets.read_bytes()[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4")
    assert packets.stat().st_size > 6 * 98
    assert "ovs-vsctl" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_chart_names_every_bar() -> None:
    bars = (
        chart.Bar("ours & theirs", Spread(0.9, 1.0, 1.2), "1.00", "#000"),
        chart.Bar("limit", Spread(1, 1, 1), "1", "#eee"),
    )
    drawing = chart.svg([chart.Group("TCP", bars)], "a note")
    words = {element.text for element in ElementTree.fromstring(drawing).iter() if element.text}
    assert {"ours & theirs", "limit", "TCP", "a note"} <= words


@pytest.mark.parametrize(
    ("ratios", "may_be"),
    [
        ((1.0,), True),
        ((0.9,), True),
        ((0.9, 0.91, 0.9, 0.89), False),
        ((0.8, 1.1, 0.9, 1.15), True),
        ((1.2, 1.3), True),
    ],
)
def test_rounds_tell_whether_one_is_slower(ratios: tuple[float, ...], may_be: bool) -> None:
    figures = Figures()
    for ratio in ratios:
        figures.add({("tcp", "ours"): Sample(50 * ratio), ("tcp", "limit"): Sample(50)})
    assert figures.may_be_as_fast("tcp", "ours", "limit", 0.02) is may_be


def test_ratios_are_taken_round_by_round() -> None:
    figures = Figures()
    for ours, limit in ((9, 10), (19, 20), (30, 30)):
        figures.add({("tcp", "ours"): Sample(ours), ("tcp", "limit"): Sample(limit)})
    assert figures.ratio("tcp", "ours", "limit") == Spread(0.9, 0.95, 1.0)
    assert figures.rate("tcp", "ours").text("g") == "19 (9 to 30)"


def test_what_show_prints_is_read() -> None:
    text = """uuid
    Bridge br-bond
        datapath_type: netdev
        Port "vlan1000"
            tag: 1000
            Interface "vlan1000"
                type: internal
        Port bond1
            Interface eth1
            Interface eth0
    Bridge other
        Port other
            Interface other
                type: internal
    ovs_version: "3.1.0"
"""
    assert ports_of(text, "br-bond") == {
        "vlan1000": ("1000", frozenset({"vlan1000 internal"})),
        "bond1": ("", frozenset({"eth0 ", "eth1 "})),
    }


def test_lines_of_tcpdump_lose_what_tells_nothing() -> None:
    line = (
        "21:08:55.004198 02:00:00:00:00:0a > 02:00:00:00:00:0b, ethertype 802.1Q (0x8100), length 102: "
        "vlan 7, p 0, ethertype IPv4 (0x0800), 10.0.0.1 > 10.0.0.2: ICMP echo request, id 2, seq 1, length 64"
    )
    assert short(line) == (
        "02:00:00:00:00:0a > 02:00:00:00:00:0b, 802.1Q: vlan 7, p 0, 10.0.0.1 > 10.0.0.2: "
        "ICMP echo request, seq 1"
    )


def test_pings_are_counted() -> None:
    assert received("3 packets transmitted, 2 received, 33% packet loss, time 2ms") == 2
    assert received("ping: connect: Network is unreachable") == 0
