"""Files applied to a real switch: what comes of it, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

from tests.topology.house import EMPTY, House

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "lab.yaml"
DONE = "nothing to do: everything is as standard input says\n"
TWO = """
bridges:
  br0:
    ports:
      a0: {type: internal, tag: 10, namespace: a, device: eth0, addresses: [10.0.0.1/24]}
      b0: {type: internal, tag: 10, namespace: b, device: eth0, addresses: [10.0.0.2/24]}
namespaces: {a: {}, b: {}}
"""


def test_the_example_works_and_goes_again(house: House) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert house.apply(text).endswith("done: 16 added, 0 changed, 0 removed\n")
    house.do("ip netns exec red ping -c 1 -W 2 10.0.20.2")
    house.do("ip netns exec blue ping -c 1 -W 2 2001:db8:20::1")
    assert house.plan(text) == DONE
    assert house.plan(text, "--prune") == DONE
    assert house.apply(text) == DONE
    assert house.apply(EMPTY, "--prune").endswith("done: 0 added, 0 changed, 5 removed\n")
    assert house.do("jackfield vsctl list-br; ip netns list; ip -o link | grep -c ': wall0' || true") == "0\n"


def test_an_export_describes_what_was_applied_and_asks_for_nothing_new(house: House) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    house.apply(text)
    exported = house.do("jackfield export")
    assert house.plan(exported, "--prune") == DONE
    house.apply(EMPTY, "--prune")
    house.apply(exported)
    assert house.plan(text, "--prune") == DONE
    assert house.do("jackfield export") == exported
    assert house.plan(house.do("jackfield export --json"), "--prune") == DONE


def test_settings_that_a_file_no_longer_names_have_their_default_again(house: House) -> None:
    house.apply("bridges: {br0: {mac-aging-time: 60, ports: {p0: {type: internal, tag: 5, mtu: 1400}}}}")
    plan = house.plan("bridges: {br0: {ports: {p0: {type: internal, trunks: [7]}}}}")
    assert plan == (
        "~ bridge br0\n    - mac-aging-time 60\n"
        "~ port p0\n    - tag 5\n    + trunks 7\n    - mtu 1400\n"
        "to do: 0 to add, 2 to change, 0 to remove\n"
    )
    house.apply("bridges: {br0: {ports: {p0: {type: internal, trunks: [7]}}}}")
    assert (
        house.do("jackfield vsctl get Port p0 tag trunks -- get Bridge br0 other_config") == "[]\n[7]\n{}\n"
    )


def test_what_a_file_does_not_name_stays_unless_it_is_pruned(house: House) -> None:
    house.apply("bridges: {br0: {ports: {p0: {type: internal}, p1: {type: internal}}}, br1: {}}")
    smaller = "bridges: {br0: {ports: {p0: {type: internal}}}}"
    assert house.plan(smaller) == DONE
    assert house.plan(smaller, "--prune") == (
        "- port p1 on br0\n- bridge br1\nto do: 0 to add, 0 to change, 2 to remove\n"
    )
    house.apply(smaller, "--prune")
    assert house.do("jackfield vsctl list-br; jackfield vsctl list-ports br0") == "br0\np0\n"


def test_a_namespace_that_was_there_before_is_used_and_never_removed(house: House) -> None:
    house.do("ip netns add a")
    house.apply(TWO)
    house.do("ip netns exec a ping -c 1 -W 2 10.0.0.2")
    house.apply(EMPTY, "--prune")
    assert house.do("ls /run/netns") == "a\n"


def test_addresses_and_routes_that_are_named_are_all_there_are(house: House) -> None:
    house.apply(TWO)
    house.do("ip -n a addr add 10.9.9.9/32 dev eth0; ip -n a route add 10.8.0.0/16 via 10.0.0.2")
    assert house.plan(TWO) == (
        "~ device eth0 in a\n    - address 10.9.9.9/32\nto do: 0 to add, 1 to change, 0 to remove\n"
    )
    named = TWO.replace(
        "[10.0.0.1/24]", "[10.0.0.1/24], routes: [{to: 10.7.0.0/16, via: 10.0.0.2, metric: 5}]"
    )
    house.apply(named)
    assert house.plan(named) == DONE
    routes = house.do("ip -n a route show").split("\n")
    assert "10.7.0.0/16 via 10.0.0.2 dev eth0 proto static metric 5 " in routes
    assert not any(route.startswith("10.8.") for route in routes)
    assert "10.9.9.9" not in house.do("ip -n a addr")


def test_a_port_changes_bridge_and_namespace(house: House) -> None:
    house.apply(TWO)
    moved = TWO.replace("  br0:\n", "  br0: {}\n  br1:\n").replace("namespace: b,", "namespace: c,")
    moved = moved.replace("b: {}}", "b: {}, c: {}}")
    house.apply(moved)
    assert house.plan(moved) == DONE
    house.do("ip netns exec c ping -c 1 -W 2 10.0.0.1")
    assert house.do("jackfield vsctl list-ports br1") == "a0\nb0\n"


def test_patch_ports_bonds_and_cables(house: House) -> None:
    text = """
bridges:
  br0:
    ports:
      to1: {peer: to0}
      out: {tag: 7}
      bond0: {members: [m0, m1], bond-mode: active-backup}
  br1:
    ports:
      to0: {type: patch, peer: to1}
      in: {type: internal, tag: 7, addresses: [10.0.0.1/24]}
namespaces: {far: {}}
links:
  one: {ends: [{device: out}, {namespace: far, device: eth0, addresses: [10.0.0.2/24], mtu: 1400}]}
  m0: {ends: [{device: m0}, {namespace: far, device: m0}]}
  m1: {ends: [{device: m1}, {namespace: far, device: m1}]}
"""
    house.apply(text)
    house.do("ping -c 1 -W 2 10.0.0.2")
    assert house.plan(text, "--prune") == DONE
    assert house.do("ip -n far -o link show eth0 | grep -o 'mtu [0-9]*'") == "mtu 1400\n"
    more = text.replace("[m0, m1]", "[m0, m1, m2]") + (
        "  m2: {ends: [{device: m2}, {namespace: far, device: m2}]}\n"
    )
    house.apply(more)
    assert house.plan(more, "--prune") == DONE
    assert sorted(house.do("jackfield vsctl list-ifaces br0").split()) == ["m0", "m1", "m2", "out", "to1"]
    assert house.plan(house.do("jackfield export"), "--prune") == DONE


def test_a_cable_whose_end_moves_is_made_anew(house: House) -> None:
    text = "namespaces: {a: {}, b: {}}\nlinks: {c: {ends: [{device: x}, {namespace: a, device: y}]}}\n"
    house.apply(text)
    moved = text.replace("namespace: a", "namespace: b")
    house.apply(moved)
    assert house.plan(moved) == DONE
    assert house.do("ip -n a -o link | grep -c ': y' || true") == "0\n"


def test_a_port_moved_by_hand_is_seen_where_it_is(house: House) -> None:
    house.do("jackfield vsctl add-br br0 -- add-port br0 p0 -- set Interface p0 type=internal")
    house.do("ip netns add a; ip link set p0 netns a; ip -n a addr add 10.0.0.1/24 dev p0")
    found = json.loads(house.do("jackfield export --json"))
    port = found["bridges"]["br0"]["ports"]["p0"]
    assert (port["namespace"], port["addresses"], port["up"]) == ("a", ["10.0.0.1/24"], False)
    assert house.plan(house.do("jackfield export")) == DONE


def test_a_container_is_attached_and_detached(house: House) -> None:
    house.do("ip netns add a; ip netns add b")
    text = """
bridges: {br0: {}}
containers:
  netns:a: {bridge: br0, tag: 10, addresses: [10.0.0.1/24]}
  netns:b: {bridge: br0, tag: 10, addresses: [10.0.0.2/24], device: eth7}
"""
    house.apply(text)
    house.do("ip netns exec a ping -c 1 -W 2 10.0.0.2")
    assert house.plan(text, "--prune") == DONE
    assert house.plan(house.do("jackfield export"), "--prune") == DONE
    house.apply(text.replace("10.0.0.2/24", "10.0.0.3/24"))
    house.do("ip netns exec a ping -c 1 -W 2 10.0.0.3")
    house.apply("bridges: {br0: {}}", "--prune")
    assert house.do("jackfield vsctl list-ports br0") == ""


def test_what_fails_is_told_and_the_next_run_goes_on(house: House) -> None:
    house.do("ip link add taken type veth peer name jfttaken")
    text = TWO + "links: {c: {ends: [{device: taken}, {namespace: a, device: y}]}}\n"
    said = house.run("jackfield", "apply", "-", text=text)
    assert said.code == 1
    assert "done: 2 added" in said.out
    assert "link c: making the cable from taken to y: File exists" in said.err
    assert "not begun: bridge br0, port a0, port b0, device eth0 in a" in said.err
    house.do("ip link delete taken")
    house.apply(text)
    assert house.plan(text) == DONE


def test_a_cable_that_a_killed_run_has_not_marked_is_taken(house: House) -> None:
    text = "namespaces: {a: {}}\nlinks: {c: {ends: [{device: x}, {namespace: a, device: y}]}}\n"
    house.do("ip netns add a; ip link add x type veth peer name y netns a")
    house.apply(text)
    assert house.plan(text) == DONE
    house.apply("namespaces: {a: {}}", "--prune")
    assert house.do("ip -n a -o link | grep -c ': y' || true") == "0\n"


def test_a_plan_is_coloured_on_a_terminal_only(house: House) -> None:
    text = "bridges: {br0: {}}"
    assert "\x1b[" not in house.plan(text)
    shown = house.do("script -qec 'echo \"bridges: {br0: {}}\" | jackfield plan -' /dev/null")
    assert "\x1b[32m" in shown


def test_a_device_that_is_not_there_is_told(house: House) -> None:
    said = house.run("jackfield", "apply", "-", text="bridges: {br0: {ports: {nic0: {}}}}")
    assert said.code == 1
    assert "nic0: could not open network device nic0 (No such device)" in said.err


def test_a_dry_run_changes_nothing_and_json_says_the_plan(house: House) -> None:
    said = house.jackfield("apply - --dry-run --json", text="bridges: {br0: {ports: {p0: {tag: 5}}}}")
    assert json.loads(said.out)["changes"][1] == {
        "action": "add",
        "kind": "port",
        "name": "p0",
        "details": [
            {"setting": "bridge", "from": None, "to": "br0"},
            {"setting": "tag", "from": None, "to": 5},
        ],
    }
    assert house.do("jackfield vsctl list-br") == ""


def test_a_bad_file_changes_nothing(house: House) -> None:
    said = house.run("jackfield", "apply", "-", text="bridges: {br0: {}, br1: {tags: 1}}")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith('jackfield: standard input:1:26: "tags" is not known here')
    missing = house.jackfield("apply /nowhere.yaml")
    assert (missing.code, missing.err) == (1, "jackfield: /nowhere.yaml: No such file or directory\n")
    binary = house.run("sh", "-c", "printf 'a: \\377' | jackfield apply -")
    assert (binary.code, binary.err) == (1, "jackfield: standard input:1: not UTF-8 text\n")
    assert house.do("jackfield vsctl list-br") == ""


def test_plan_without_a_file_is_about_the_kernel(house: House) -> None:
    assert house.do("jackfield plan") == ""
    assert house.jackfield("plan --prune").code == 2
