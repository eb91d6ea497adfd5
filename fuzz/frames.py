"""Frames into the compiled program, run by the kernel (BPF_PROG_TEST_RUN); the model is the judge."""

from __future__ import annotations

from collections import Counter
from functools import cache

from fuzz.choices import Choices
from jackfield.datapath.store import Datapath
from jackfield.model import State, SwitchConfig, step
from jackfield.model.fdb import NSEC_PER_SEC
from tests.program.devices import Devices
from tests.program.recorder import VLAN_TYPES, Recorder, is_cut_in_inner_tag, seen
from tests.scenarios import SCENARIOS
from tests.scenarios.kit import Reach, Send

START = 1_000_000 * NSEC_PER_SEC
WAITS = (0, 0, 0, 1, 15, 301)
BYTES = (*b"\x81\x00\x88\xa8\x08\x06\x86\xdd\x45\xff\x01\x80\xc2\x02\x11", 0)
SHORTEST, LONGEST = 14, 1600
ETHERNET, HEADERS = 14, {b"\x08\x00": 20, b"\x86\xdd": 40}


@cache
def _recorder() -> Recorder:
    return Recorder(Datapath.open("jfttest", record=True), Devices())


@cache
def _switches() -> tuple[tuple[SwitchConfig, tuple[Send, ...]], ...]:
    """The scenarios' switches, each with the frames that are sent in them."""
    found: dict[SwitchConfig, list[Send]] = {}
    for scenario in SCENARIOS:
        sends = [action for action in scenario.steps if isinstance(action, Send)]
        if scenario.reach >= Reach.PROGRAM and sends and not _has_bonds(scenario.config):
            found.setdefault(scenario.config, []).extend(sends)
    return tuple((config, tuple(sends)) for config, sends in found.items())


def _has_bonds(config: SwitchConfig) -> bool:
    return any(port.bond is not None for bridge in config.bridges for port in bridge.ports)


def _frame(choices: Choices, template: bytes) -> bytes:
    """A frame like the template, but for some bytes and its length."""
    frame = bytearray(template)
    for _ in range(choices.below(6)):
        place = choices.below(min(len(frame), 64))
        match choices.below(4):
            case 0:
                frame[place] = choices.byte()
            case 1:
                frame[place] = choices.pick(BYTES)
            case 2:
                # Another tag, right behind the addresses.
                frame[12:12] = choices.pick(VLAN_TYPES) + bytes((choices.byte(), choices.byte()))
            case _:
                frame = frame[: SHORTEST + choices.below(64)]
    if choices.rarely():
        frame += bytes(choices.below(256) * 6)
    return bytes(frame[:LONGEST]).ljust(SHORTEST, b"\0")


def cannot_be_run(frame: bytes) -> bool:
    """Whether the kernel refuses to run a program on it for a test: IP without its whole header."""
    return len(frame) < ETHERNET + HEADERS.get(frame[12:14], 0)


def frames(data: bytes) -> None:
    """Any frames in any order: what leaves, by which ports, and why the rest is dropped, is the model's."""
    choices = Choices(data)
    switches = _switches()
    config, sends = switches[choices.byte() % len(switches)]
    recorder, state, now = _recorder(), State(), START
    ports = sorted({send.port for send in sends})
    with recorder.configured(config):
        while choices.left:
            send = choices.pick(sends)
            port = choices.pick(ports) if choices.rarely() else send.port
            frame = _frame(choices, send.frame)
            now += choices.pick(WAITS) * NSEC_PER_SEC
            if is_cut_in_inner_tag(frame) or cannot_be_run(frame):
                continue
            expected = step(config, state, frame, port, now)
            decided = recorder.send(port, frame, now)
            assert decided.outputs == {output.port: seen(output.frame) for output in expected.outputs}, frame
            assert Counter(decided.drops) == Counter((drop.port, drop.reason) for drop in expected.drops), (
                frame
            )
            state = expected.state
