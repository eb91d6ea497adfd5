"""What is wrong with a file is told all at once, each with line, column, and what to do."""

from __future__ import annotations

import pytest

from jackfield.topology.asked import network
from jackfield.topology.network import Place
from jackfield.topology.problems import BadFile
from jackfield.topology.reader import read


def told(text: str) -> list[str]:
    with pytest.raises(BadFile) as caught:
        network(read("lab.yaml", text))
    return str(caught.value).splitlines()


PORTS = "bridges:\n  br0:\n    ports:\n"
ADDRESSED = PORTS + "      p0: {type: internal, "


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: b: c", "1:5: this is not YAML: mapping values are not allowed in this context"),
        ("a: [1", "2:1: this is not YAML: did not find expected ',' or ']'"),
        ("a\x01: 3", "1:2: this is not YAML: control characters are not allowed"),
        ("[" * 100_000, "1:33: nested deeper than 32 levels"),
        ("{}\n--- \n{}", "2:1: a second document begins: one file is one document"),
        ("? [a]\n: b", "1:3: a key is a word, not a list or a mapping"),
        ("bridges: *x", "1:10: nothing before this is named &x"),
        (
            "- br0",
            "1:1: a list where the settings of the file should be a mapping, `word: value` in each line",
        ),
        ("bridge: {}", '1:1: "bridge" is not known here; did you mean "bridges"?'),
        ("bridges: {br0: {}, br0: {}}", '1:20: "br0" is here a second time; the first is in line 1'),
        ("bridges: {br0: {mac_aging_time: 60}}", 'did you mean "mac-aging-time"?'),
        ("bridges: {br0: {mac-aging-time: 3}}", "1:33: 3 is not within 15 to 3600"),
        ("bridges: {br0: {mac-aging-time: soon}}", '1:33: "soon" is not a number'),
        ("bridges: {br0: {forward-bpdu: 7}}", '1:31: "7" is neither true nor false'),
        ("bridges: {br0: {fail-mode: safe}}", '1:28: "safe" is none of secure, standalone'),
        ("bridges: {a/b: {}}", '1:11: "a/b" is not the name of a network device'),
        ("bridges: {äääääääää: {}}", "at most 15 bytes"),
        (PORTS + "      p0: {tag: 4096}", "4:17: 4096 is not within 0 to 4095"),
        (PORTS + "      p0: {trunks: 10}", '4:20: "10" where a list is wanted; write [10]'),
        (PORTS + "      p0: {trunks: [20-10]}", '4:21: "20-10" is not a range of VLANs'),
        (PORTS + "      p0: {tag: 1, trunks: [2]}", "with a tag this is an access port"),
        (PORTS + "      p0: {tag: 1, vlan-mode: trunk}", "a trunk has no tag"),
        (PORTS + "      p0: {cvlans: [1]}", "cvlans means something in vlan-mode dot1q-tunnel only"),
        (PORTS + "      p0: {addresses: [10.0.0.1/24]}", "only an internal port has addresses, p0 is system"),
        (PORTS + "      p0: {addresses: [10.0.0.1/24]}", "say `type: internal`"),
        (PORTS + "      p0: {type: internal, addresses: [10.0.0.1]}", '"10.0.0.1" is not an address'),
        (PORTS + "      p0: {type: internal, addresses: [10.0.0.1/33]}", "a number from 0 to 32"),
        *(
            (PORTS + f"      p0: {{type: internal, addresses: [{address}]}}", f"4:40: {sentence}")
            for address, sentence in (
                ("10.0.0.0/24", "10.0.0.0 is the address of the network 10.0.0.0/24 itself"),
                ("10.0.0.255/24", "10.0.0.255 is the broadcast address of 10.0.0.0/24"),
                ("224.0.0.1/24", "224.0.0.1 is a multicast address"),
                ("127.0.0.1/8", "127.0.0.1 is a loopback address"),
            )
        ),
        (ADDRESSED + "addresses: [10.0.0.1/24, 10.0.0.1/24]}", "10.0.0.1/24 is here a second time"),
        (ADDRESSED + "addresses: [10.0.0.1/24], routes: [{to: default, via: 10.1.0.1}]}", "is in no subnet"),
        (ADDRESSED + "addresses: [10.0.0.1/24], routes: [{to: default, via: 10.0.0.1}]}", "own address"),
        (PORTS + "      p0: {type: internal, mac: 03:00:00:00:00:01}", "is a group address"),
        (PORTS + "      p0: {type: internal, namespace: red}", "there is no namespace red in this file"),
        (PORTS + "      p0: {type: internal, routes: [{to: 10.0.0.1/8}]}", "the network is 10.0.0.0/8"),
        (PORTS + "      p0: {type: internal, routes: [{via: 10.0.0.1}]}", 'number 1 of routes lacks "to"'),
        (PORTS + "      p0: {type: patch}", 'patch port p0 lacks "peer"'),
        (PORTS + "      p0: {peer: p1}", "there is no patch port p1 in this file"),
        (PORTS + "      p0: {peer: p0}", "patch port p0 cannot be its own peer"),
        (PORTS + "      p0: {members: [a]}", "1 where members should be at least 2"),
        (PORTS + "      p0: {members: [a, b]}\n      a: {}", "a is on the switch already by line 4"),
        (PORTS + "      p0: {bond-mode: balance-slb}", "port p0 is no bond, so bond-mode means nothing"),
        (PORTS + "      br0: {mac: 02:00:00:00:00:01}", "say hwaddr of bridge br0"),
        (PORTS + "      abcdefghijklmnop: {}", "abcdefghijklmnop is longer than 15 bytes"),
        ("links: {c: {ends: [{device: a}]}}", "1:19: 1 where ends should be 2"),
        ("links: {c: {ends: [{device: a}, {}]}}", '1:33: this end of cable c lacks "device"'),
        ("links: {c: {ends: [{device: a}, {device: a}]}}", "both ends of cable c are a"),
        (
            "links: {c: {ends: [{device: a, addresses: [10.0.0.1/24]}, "
            "{device: b, namespace: x, addresses: [10.0.0.1/24]}]}}\nnamespaces: {x: {}}",
            "1:97: 10.0.0.1 is the address of a too, on this cable",
        ),
        ("containers: {web1: {bridge: br0}}", "there is no bridge br0 in this file"),
        ("containers: {web1: {}}", 'container web1 lacks "bridge"'),
        ("bridges: {br0: {}}\ncontainers: {w: {bridge: br0, gateways: [10.0.0.1]}}", "is in no subnet"),
        (
            "bridges: {br0: {}}\ncontainers: {w: {bridge: br0, addresses: [10.0.0.0/24]}}",
            "2:43: 10.0.0.0 is the address of the network 10.0.0.0/24 itself",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, sentence: str) -> None:
    assert any(sentence in line for line in told(text)), told(text)


def test_all_mistakes_are_told_in_one_go_in_the_order_of_the_file() -> None:
    lines = told(
        PORTS + "      p0: {tag: x}\n      p1: {tags: 3}\n      p2: {addresses: []}\n      p3: {tag: 5000}\n"
    )
    assert lines == [
        'lab.yaml:4:17: "x" is not a VLAN',
        'lab.yaml:5:12: "tags" is not known here; did you mean "tag"?',
        "lab.yaml:6:23: only an internal port has addresses, p2 is system; say `type: internal`",
        "lab.yaml:7:17: 5000 is not within 0 to 4095",
    ]


def test_no_mistake_is_told_that_is_but_a_consequence_of_another() -> None:
    text = PORTS + "      p0: {type: internl, namespace: red, addresses: [10.0.0.1/24]}\n"
    (line,) = told(text + "namespaces: {red: {}}\n")
    assert "did you mean" in line
    (line,) = told(text.replace("internl", "internal") + "namespaces: red\n")
    assert '"red" where namespaces, by name, should be a mapping' in line


def test_an_address_that_two_on_one_vlan_have_is_refused() -> None:
    text = """
bridges:
  br0:
    ports:
      a: {type: internal, tag: 10, namespace: x, addresses: [10.0.0.1/24]}
      b: {type: internal, tag: 10, namespace: y, addresses: [10.0.0.1/24]}
      c: {type: internal, tag: 20, namespace: y, addresses: [10.0.0.2/24]}
namespaces: {x: {}, y: {}}
"""
    (line,) = told(text)
    assert line == "lab.yaml:6:62: 10.0.0.1 is the address of a in x too, on this bridge and VLAN"


def test_a_router_is_reached_by_a_subnet_a_route_on_the_link_or_the_link_itself() -> None:
    routes = "[{to: 10.9.0.0/16}, {to: default, via: 10.9.0.1}, {to: 'default', via: 'fe80::1'}]"
    port = network(read("f", f"{ADDRESSED}addresses: [10.0.0.1/24], routes: {routes}}}\n"))
    assert len(port.devices[Place("", "p0")].routes or ()) == 3


def test_words_are_what_they_look_like_whatever_yaml_makes_of_them() -> None:
    text = PORTS + "      on: {type: internal, mac: 12:34:56:11:22:33, up: no}\n      0x10: {tag: 010}\n"
    found = network(read("f", text))
    assert found.ports["on"].interfaces["on"].settings["mac"] == "12:34:56:11:22:33"
    assert found.ports["0x10"].settings == {"tag": 10}


def test_an_alias_stands_for_what_was_before() -> None:
    text = "bridges:\n  br0: {ports: {p0: &p {tag: 5}, p1: *p}}\n"
    assert network(read("f", text)).ports["p1"].settings == {"tag": 5}


def test_aliases_of_aliases_do_not_explode() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    text = "a0: &a0 [x]\n" + levels + "bridges: {br0: {flood-vlans: *a11}}\n"
    assert told(text)


def test_json_is_read_too() -> None:
    assert network(read("f", '{"bridges": {"br0": {"ports": {"p0": {"tag": 7}}}}}')).ports["p0"]


def test_nothing_is_an_empty_network() -> None:
    assert network(read("f", "")) == network(read("f", "{}")) == network(read("f", "bridges:\n"))
