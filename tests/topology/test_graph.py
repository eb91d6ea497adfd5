"""Pictures: what is in them, and that names are nothing but names."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jackfield.topology.asked import network
from jackfield.topology.graph import mermaid, pictures, svg, text
from jackfield.topology.graph.drawing import Drawing
from jackfield.topology.graph.scene import Facts, Scene, scene
from jackfield.topology.graph.subnets import subnets
from jackfield.topology.network import Interface, Network, Place, Port
from jackfield.topology.reader import read
from tests.topology.house import House

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "lab.yaml"
EVIL = "<script>&\"']]>\x1b[31m`%%{init}%%\n#"


def drawn(content: str) -> Scene:
    return scene(network(read("f", content)))


def example() -> Scene:
    return drawn(EXAMPLE.read_text(encoding="utf-8"))


def evil() -> Scene:
    """A scene in which everything has a name that would like to be more."""
    port = Port(EVIL, {"tag": 5}, {EVIL: Interface(EVIL, {"type": "internal"}, Place(EVIL, EVIL))})
    facts = Facts(errors={EVIL: EVIL}, addresses={Place(EVIL, EVIL): ("10.0.0.1/24",)})
    return scene(Network(bridges={EVIL: {}}, ports={EVIL: port}), facts)


def test_l2_shows_bridges_their_ports_and_the_far_ends() -> None:
    assert text.l2(example()).splitlines() == [
        "╭─ bridge br0 ──────────────────╮",
        "│ blue0   internal  VLAN 20     ├── blue: eth0",
        "│ leg10   internal  VLAN 10     ├── router: leg10",
        "│ leg20   internal  VLAN 20     ├── router: leg20",
        "│ red0    internal  VLAN 10     ├── red: eth0",
        "│ uplink  cable     trunk 10,20 ├── this host: wall0",
        "╰───────────────────────────────╯",
    ]


def test_l3_shows_subnets_and_who_has_which_address() -> None:
    lines = text.l3(example()).splitlines()
    assert lines[0] == "╭─ 10.0.10.0/24  VLAN 10 of br0 ─╮"
    assert lines[2] == "│ 10.0.10.1                      ├── router: leg10  (forwards)"


def test_from_outside_a_host_is_its_l3_port() -> None:
    found = drawn(
        "bridges: {br0: {ports: {bond1: {members: [eth0, eth1]}, "
        "vlan1000: {type: internal, tag: 1000, addresses: [10.18.138.168/24]}}}}"
    )
    assert "eth0" in text.l2(found)
    assert "eth0" not in text.l3(found)
    assert "this host: vlan1000" in text.l3(found)


def test_bridges_that_patch_ports_join_have_their_vlans_in_common() -> None:
    found = drawn("""
bridges:
  br0: {ports: {x: {peer: y}, a: {type: internal, tag: 5, addresses: [10.0.0.1/24]}}}
  br1: {ports: {y: {peer: x}, b: {type: internal, tag: 5, addresses: [10.0.0.2/24]}}}
  br2: {ports: {c: {type: internal, tag: 5, addresses: [10.0.0.3/24]}}}
""")
    assert [(subnet.segment, len(subnet.legs)) for subnet in subnets(found)] == [
        ("VLAN 5 of br0", 2),
        ("VLAN 5 of br2", 1),
    ]


@pytest.mark.parametrize("view", [pictures.l2, pictures.l3])
def test_cards_of_a_column_do_not_overlap_and_all_are_in_the_picture(view: type) -> None:
    drawing: Drawing = view(example())  # type: ignore[assignment]
    for column in range(3):
        cards = sorted((p for p in drawing.cards if p.card.column == column), key=lambda p: p.y)
        for upper, lower in pairwise(cards):
            assert upper.y + upper.height < lower.y
    for placed in drawing.cards:
        assert 0 < placed.x < placed.x + placed.width < drawing.width
        assert 0 < placed.y < placed.y + placed.height < drawing.height


@pytest.mark.parametrize("view", [pictures.l2, pictures.l3])
def test_every_wire_of_the_example_is_drawn(view: type) -> None:
    drawing: Drawing = view(example())  # type: ignore[assignment]
    assert len(drawing.wires) == (5 if view is pictures.l2 else 6)


def test_names_are_text_in_svg() -> None:
    made = svg.render([("", pictures.l2(evil())), ("", pictures.l3(evil()))])
    root = ElementTree.fromstring(made)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        *("svg", "style", "rect", "g", "path", "circle", "text", "title"),
    }


def test_both_views_are_one_picture_in_mermaid() -> None:
    drawn = mermaid.both(evil(), ("L2: ports", "L3: addresses"))
    assert drawn.count("flowchart") == 1
    assert drawn.count("  subgraph ") == len(re.findall(r"^ *end$", drawn, re.MULTILINE))
    ids = re.findall(r"^ +(?:subgraph )?([a-zL]\d+)[\[(]", drawn, re.MULTILINE)
    assert len(ids) == len(set(ids)) > 2


def test_names_are_labels_in_mermaid() -> None:
    for line in (mermaid.l2(evil()) + mermaid.l3(evil())).splitlines():
        for label in re.findall(r'"(.*?)"', line):
            assert re.fullmatch(r"(?:[A-Za-z0-9 .,:/_()-]|#\d+;)*", label)
        assert re.fullmatch(r"[a-zA-Z0-9\[\]{}()|<>= -]*", re.sub(r'"[^"]*"', "", line))


def test_names_do_nothing_to_a_terminal() -> None:
    assert "\x1b" not in text.l2(evil()) + text.l3(evil())


def test_wide_characters_keep_the_boxes_straight() -> None:
    lines = text.l2(
        drawn("bridges: {br0: {ports: {網路: {type: internal}, a: {type: internal}}}}")
    ).splitlines()
    assert lines[1] == "│ a     internal  all VLANs ├── this host: a"
    assert lines[2] == "│ 網路  internal  all VLANs ├── this host: 網路"


def test_an_empty_network_is_an_empty_picture() -> None:
    nothing = scene(Network())
    assert text.l2(nothing) == text.l3(nothing) == ""
    assert svg.render([("", pictures.l2(nothing))]).startswith("<svg")


def test_the_published_picture_is_that_of_the_example() -> None:
    parts = [("L2: bridges, ports, VLANs", pictures.l2(example()))]
    parts.append(("L3: who has which address where", pictures.l3(example())))
    assert (DOCS / "graph.svg").read_text(encoding="utf-8") == svg.render(parts)


def test_a_live_switch_is_drawn_with_what_it_tells(house: House) -> None:
    house.do("jackfield vsctl add-br br0 -- add-port br0 p0 tag=7 -- set Interface p0 type=internal")
    house.do("jackfield vsctl add-port br0 none0 2>&1")
    house.do("ip addr add 10.0.0.1/24 dev p0; ip link set p0 up")
    house.do("ip link add jft0 type veth peer name jft1; ip addr add 192.0.2.1/24 dev jft0")
    said = " ".join(house.do("jackfield graph").split())
    assert "│ p0 internal" in said
    assert "├── ! could not open network device none0 (No such device)" in said
    assert "│ 10.0.0.1 ├── this host: p0" in said
    assert "│ 192.0.2.1 ├── this host: jft0" in said
    data = json.loads(house.do("jackfield graph --format json"))
    assert [port["name"] for port in data["bridges"][0]["ports"]] == ["br0", "none0", "p0"]
    assert {subnet["network"] for subnet in data["subnets"]} == {"10.0.0.0/24", "192.0.2.0/24"}
    house.do("jackfield graph --format svg -o /dev/null; jackfield graph --format mermaid --view l2")
    bad = house.jackfield("graph --format svg -o /nowhere/x.svg")
    assert (bad.code, bad.err) == (1, "jackfield: /nowhere/x.svg: No such file or directory\n")


def test_a_file_without_mistakes_is_drawn_and_others_are_refused(house: House) -> None:
    assert "bridge br0" in house.do(f"jackfield graph {EXAMPLE}")
    said = house.run("jackfield", "graph", "-", text="bridges: 3")
    assert (said.code, said.out) == (1, "")
