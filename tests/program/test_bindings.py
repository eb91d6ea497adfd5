"""Whatever comes in by a bound port, program and model say the same of it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield.model import State, step
from tests.program.recorder import Recorder
from tests.scenarios.bindings import ADVERTISE, ICMPV6, OPTIONS, SOLICIT, arp, behind, bound, ipv4, ipv6, nd
from tests.scenarios.kit import ctag, stag, switch, trunk

CONFIG = switch(bound("A", "B", "10.0.0.0/24", "fe80::1", "2001:db8::/64"), trunk("p2"))
NOW = 1_000_000_000_000
BEHIND_TAGS = 24
LEAST = 54  # what the kernel wants of a frame that begins an IPv6 packet

_STATIONS = st.sampled_from("ABC")
_TAGS = st.sampled_from(((), (ctag(10),), (stag(20), ctag(10))))
_IPV4 = st.sampled_from(("0.0.0.0", "10.0.0.1", "10.0.1.1"))
_IPV6 = st.sampled_from(("::", "fe80::1", "fe80::2", "2001:db8::5", "::ffff:10.0.0.1"))
_PORTS = st.sampled_from(((68, 67), (67, 68)))
_DISCOVERY = st.builds(
    nd, st.integers(132, 137), st.none() | _IPV6, st.integers(0, 2), _STATIONS, rest=st.sampled_from((4, 12))
)
_PLAIN = (
    st.builds(lambda src, ip, ports, tags: ipv4(src, ip, *tags, udp=ports), _STATIONS, _IPV4, _PORTS, _TAGS)
    | st.builds(lambda src, who, ip, tags: arp(src, who, ip, *tags), _STATIONS, _STATIONS, _IPV4, _TAGS)
    | st.builds(
        lambda src, ip, body, tags: ipv6(src, ip, body, *tags, protocol=ICMPV6),
        *(_STATIONS, _IPV6, _DISCOVERY, _TAGS),
    )
)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame about addresses, with extension headers perhaps, a few bytes changed and some cut off."""
    frame = draw(_PLAIN)
    if draw(st.booleans()):
        protocol, payload = ICMPV6, nd(draw(st.sampled_from((SOLICIT, ADVERTISE))), "fe80::2", 2)
        for _ in range(draw(st.integers(1, 5))):
            protocol, payload = behind(draw(st.sampled_from((0, 43, 44, OPTIONS))), payload, protocol)
        frame = ipv6(draw(_STATIONS), draw(_IPV6), payload, protocol=protocol)
    data = bytearray(frame)
    for _ in range(draw(st.integers(0, 2))):
        data[draw(st.integers(BEHIND_TAGS, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(LEAST, len(data)) | st.just(len(data)))])


def test_program_and_model_agree_on_what_a_bound_port_takes(recorder: Recorder) -> None:
    with recorder.configured(CONFIG):

        @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(frames())
        def agree(frame: bytes) -> None:
            expected = step(CONFIG, State(), frame, "p1", NOW)
            decided = recorder.send("p1", frame, NOW)
            assert decided.drops == [(drop.port, drop.reason) for drop in expected.drops]

        agree()
