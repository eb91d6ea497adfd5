"""Which bridges patch ports join, VLAN by VLAN."""

from __future__ import annotations

from jackfield.model import PortConfig
from jackfield.model.loops import Joint, Segments
from tests.scenarios.kit import access, native_untagged, patch, trunk


def a_patch(config: PortConfig, peer: str) -> PortConfig:
    """The same port as one end of a patch."""
    return PortConfig(
        config.name, config.vlan_mode, config.tag, config.trunks, config.cvlans, patch_peer=peer, mtu=None
    )


def test_one_patch_joins_two_bridges_and_closes_no_loop() -> None:
    segments = Segments((("br0", patch("a", "b")), ("br1", patch("b", "a")), ("br0", trunk("p"))))
    assert segments.redundant == ()
    assert segments.are_one(("br0", 0), ("br1", 0))
    assert segments.are_one(("br0", 77), ("br1", 77))
    assert not segments.are_one(("br0", 77), ("br1", 78))
    assert not segments.are_one(("br0", 0), ("br2", 0))


def test_the_second_of_two_patches_between_the_same_bridges_closes_a_loop() -> None:
    segments = Segments(
        (
            ("br0", patch("a", "b")),
            ("br0", patch("c", "d")),
            ("br1", patch("b", "a")),
            ("br1", patch("d", "c")),
        )
    )
    assert segments.redundant == (Joint("c", "d", 0),)


def test_a_ring_of_three_bridges_is_a_loop() -> None:
    ring = [
        *(("br0", patch("a1", "b1")), ("br1", patch("b1", "a1"))),
        *(("br1", patch("b2", "c1")), ("br2", patch("c1", "b2"))),
        *(("br2", patch("c2", "a2")), ("br0", patch("a2", "c2"))),
    ]
    assert Segments(ring).redundant == (Joint("c2", "a2", 0),)


def test_a_patch_from_a_bridge_to_itself_is_a_loop() -> None:
    assert Segments((("br0", patch("a", "b")), ("br0", patch("b", "a")))).redundant == (Joint("a", "b", 0),)


def test_two_patches_for_different_vlans_are_no_loop() -> None:
    segments = Segments(
        (
            *(("br0", a_patch(access("a", 10), "b")), ("br1", a_patch(access("b", 10), "a"))),
            *(("br0", a_patch(access("c", 20), "d")), ("br1", a_patch(access("d", 20), "c"))),
        )
    )
    assert segments.redundant == ()
    assert segments.are_one(("br0", 10), ("br1", 10))
    assert not segments.are_one(("br0", 30), ("br1", 30))


def test_two_trunks_are_a_loop_in_the_vlans_that_both_carry() -> None:
    segments = Segments(
        (
            *(("br0", a_patch(trunk("a", 10, 11), "b")), ("br1", patch("b", "a"))),
            *(("br0", patch("c", "d")), ("br1", a_patch(trunk("d", 11, 12), "c"))),
        )
    )
    assert segments.redundant == (Joint("c", "d", 11),)


def test_a_vlan_that_becomes_another_one_is_followed() -> None:
    segments = Segments(
        (
            *(("br0", a_patch(access("a", 10), "b")), ("br1", a_patch(access("b", 20), "a"))),
            *(("br0", a_patch(native_untagged("c", 10), "d")), ("br1", a_patch(access("d", 20), "c"))),
        )
    )
    assert segments.redundant == (Joint("c", "d", 10),)
    assert segments.are_one(("br0", 10), ("br1", 20))


def test_half_a_patch_joins_nothing() -> None:
    segments = Segments((("br0", patch("a", "b")), ("br1", patch("b", "c"))))
    assert segments.redundant == ()
    assert not segments.are_one(("br0", 0), ("br1", 0))
