"""What Open vSwitch did with tags, recorded, held against the model: every VLAN mode, in and out."""

from __future__ import annotations

import csv

import pytest

from jackfield.model import Address, BridgeConfig, Fdb, PortConfig, State, SwitchConfig, parse, step, vlan
from tests.model.record_ovs import ANSWERS, LIMITS, PORTS, STACKS, frame, is_comparable, tags_text

BRIDGE = BridgeConfig("br0", PORTS)
BY_NAME = {port.name: port for port in PORTS}
BY_TEXT = {tags_text(tags): tags for tags in STACKS}

with ANSWERS.open(newline="") as file:
    ROWS = list(csv.DictReader(file))


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.name)
def test_tags_are_treated_as_open_vswitch_does(limit: int, port: PortConfig) -> None:
    config = SwitchConfig((BRIDGE,), limit)
    rows = [row for row in ROWS if (row["limit"], row["in"]) == (str(limit), port.name)]
    assert [row["tags"] for row in rows] == [tags_text(tags) for tags in STACKS if is_comparable(port, tags)]
    for row in rows:
        data = frame(1, BY_TEXT[row["tags"]])
        answers = {name: cell for name, cell in row.items() if name in BY_NAME}
        assert {name: cell(config, port, out_port, data) for name, out_port in BY_NAME.items()} == answers


def cell(config: SwitchConfig, port: PortConfig, out_port: PortConfig, data: bytes) -> str:
    """What the file has for a frame that comes in by one port and may leave by another."""
    stack = vlan.input_stack(port, parse(data, vlan.tag_limit(config.vlan_limit)).tags)
    fdb = Fdb().add_static(Address(vlan.vid(stack), data[:6]), out_port.name, 0)
    unicast = step(config, State({"br0": fdb}), data, port.name, 0).outputs
    flooded = [output.port for output in step(config, State(), data, port.name, 0).outputs]
    sent = "".join(tags_text(parse(output.frame, 8).tags) for output in unicast)
    return sent + "+" * (out_port.name in flooded)
