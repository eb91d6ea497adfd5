"""What holds for every network file."""

from __future__ import annotations

from contextlib import suppress

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jackfield.topology import form
from jackfield.topology.asked import network as asked_network
from jackfield.topology.difference import as_lines, difference
from jackfield.topology.export import as_data, as_yaml, file_of
from jackfield.topology.graph import mermaid, pictures, svg, text
from jackfield.topology.graph.scene import scene
from jackfield.topology.present import network
from jackfield.topology.problems import BadFile
from jackfield.topology.reader import read
from tests.topology.world import IN_DATABASE, Store, files, wanted

SLOW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(files())
def test_what_is_written_is_read_again(file: form.File) -> None:
    assert as_data(read("f", as_yaml(file)).content) == as_data(file)


@SLOW
@given(files())
def test_a_network_does_not_differ_from_itself(file: form.File) -> None:
    found = wanted(file)
    assume(found is not None)
    assert found is not None
    assert difference(found, found, prune=True) == ()


@SLOW
@given(files())
def test_a_network_that_is_exported_asks_for_itself(file: form.File) -> None:
    found = wanted(file)
    assume(found is not None)
    assert found is not None
    again = asked_network(read("f", as_yaml(file_of(found))))
    assert difference(found, again) == ()


@SLOW
@given(files(), files())
def test_after_one_transaction_the_plan_is_empty_whatever_was_before(
    before: form.File, after: form.File
) -> None:
    first, second = wanted(before), wanted(after)
    assume(first is not None and second is not None)
    assert first is not None and second is not None
    store = Store()
    for target, prune in ((first, False), (second, False), (second, True)):
        present = network(store.tables(), {}, {})
        changes = difference(present, target, prune)
        assert list(as_lines(changes)) or not changes
        store.carry_out(changes, present, target)
        left = difference(network(store.tables(), {}, {}), target, prune)
        assert [change for change in left if change.kind in IN_DATABASE] == []
    found = network(store.tables(), {}, {})
    assert found.bridges.keys() == second.bridges.keys()
    assert found.ports.keys() == second.ports.keys() | second.bridges.keys()


KNOWN = [
    *("bridges", "br0", "ports", "type", "tag", "trunks", "peer", "members", "addresses", "routes"),
    *("to", "namespaces", "namespace", "links", "ends", "device", "containers", "bridge", "switch", "x"),
]
VALUES = [
    *("", "1", "5-2", "-1", "10.0.0.1/24", "10.0.0.1", "internal"),
    *("patch", "br0", "x", "~", "yes", "::1/64"),
]
SCRAPS = st.recursive(
    st.sampled_from([*KNOWN, *VALUES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN), inner, max_size=4),
    max_leaves=25,
)


@SLOW
@given(st.dictionaries(st.sampled_from(KNOWN), SCRAPS))
def test_whatever_a_file_holds_is_a_network_or_a_list_of_mistakes(content: dict[str, object]) -> None:
    try:
        network = asked_network(read("f", yaml.safe_dump(content)))
    except BadFile as error:
        assert all(problem.line > 0 and problem.column > 0 for problem in error.problems)
        assert len(str(error).splitlines()) == len(error.problems)
    else:
        assert difference(network, network, prune=True) == ()


@SLOW
@given(st.text())
def test_whatever_text_a_file_is_it_is_read_or_refused(content: str) -> None:
    with suppress(BadFile):
        asked_network(read("f", content))


@SLOW
@given(files())
def test_every_network_can_be_drawn(file: form.File) -> None:
    found = wanted(file)
    assume(found is not None)
    assert found is not None
    drawn = scene(found)
    assert text.l2(drawn).count("bridge ") >= len(found.bridges)
    assert mermaid.l2(drawn).startswith("flowchart LR\n")
    assert svg.render([("", pictures.l2(drawn)), ("", pictures.l3(drawn))]).endswith("</svg>\n")
