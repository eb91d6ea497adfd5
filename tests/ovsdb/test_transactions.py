from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.ovsdb.database import Database
from jackfield.ovsdb.transaction import strong_targets
from tests.ovsdb.world import content, delete, insert, mutate, named, ref, run, schema, select, update, uuid


@pytest.fixture
def database() -> Database:
    return Database(schema())


def test_rows_can_refer_to_rows_of_the_same_transaction_in_any_order(database: Database) -> None:
    results = run(database, insert("Root", leaves=named("l")), insert("Leaf", "l", name="x"))
    assert [list(result) for result in results] == [["uuid"], ["uuid"]]
    ((root,), (leaf,)) = (content(database)[table].items() for table in ("Root", "Leaf"))
    assert root[1]["leaves"] == ["uuid", leaf[0]]


def test_a_row_of_another_table_is_not_oneself_though_the_uuid_is_the_same(database: Database) -> None:
    results = run(database, insert("Root", at=1, leaves=ref(1)))
    assert results[-1]["error"] == "referential integrity violation"
    results = run(database, insert("Root", at=1, leaves=ref(1)), insert("Leaf", at=1))
    assert [list(result) for result in results] == [["uuid"], ["uuid"]]
    assert len(database.tables["Leaf"].rows) == 1
    assert run(database, delete("Leaf"))[-1]["error"] == "referential integrity violation"


def test_a_failed_operation_undoes_all_and_leaves_null_for_the_rest(database: Database) -> None:
    run(database, insert("Root", name="old", leaves=named("l")), insert("Leaf", "l"))
    before = content(database)
    results = run(database, delete("Root"), insert("Root", name="new"), {"op": "abort"}, select("Root"))
    assert results[0] == {"count": 1}
    assert results[2:] == [{"error": "aborted", "details": "aborted by request"}, None]
    assert content(database) == before


@pytest.mark.parametrize(
    ("operation", "error", "details"),
    [
        (insert("Root", number=9), "constraint violation", "9 is not in the valid range -5 to 5"),
        (insert("Root", number="9"), "syntax error", "expected integer"),
        (insert("Root", number=True), "syntax error", "expected integer"),
        (insert("Root", number=1 << 70), "syntax error", "expected integer"),
        (insert("Root", ratio=1 << 2000), "syntax error", "expected real"),
        (insert("Root", ratio=True), "syntax error", "expected real"),
        (
            {"op": "wait", "table": "Root", "where": [], "until": "==", "rows": [], "timeout": 1 << 2000},
            "syntax error",
            "timeout",
        ),
        (insert("Root", nope=9), "unknown column", "No column nope in table Root."),
        (insert("Root", members=["set", [1, 2, 3, 4, 5]]), "syntax error", "0 to 4 members but 5"),
        (insert("Root", members=["set", [1, 1]]), "ovsdb error", "duplicate"),
        (insert("Root", pairs=["map", [["a", 1], ["a", 2]]]), "ovsdb error", "duplicate key"),
        (insert("Root", name="nul\0"), "constraint violation", "null bytes"),
        (insert("Nope"), "syntax error", "No table named Nope."),
        (update("Root", [], fixed="x"), "constraint violation", "immutable column fixed"),
        (mutate("Root", ["fixed", "+=", 1]), "constraint violation", "immutable column fixed"),
        (mutate("Root", ["number", "+=", 9]), "constraint violation", "not in the valid range"),
        (mutate("Root", ["maybe", "+=", (1 << 63) - 1]), "range error", "out of range"),
        (mutate("Root", ["number", "/=", 0]), "domain error", "Division by zero"),
        (mutate("Root", ["members", "insert", ["set", [4, 5, 6]]]), "constraint violation", "5 elements"),
        (mutate("Root", ["members", "*=", 0]), "constraint violation", "duplicates"),
        (mutate("Root", ["number", "insert", 1]), "syntax error", "Type mismatch"),
        (mutate("Root", ["number", "^=", 1]), "unknown mutator", "No mutator named"),
        (select("Root", ["name", "<", "x"]), "syntax error", "Type mismatch"),
        (select("Root", ["number", "like", 1]), "unknown function", "like"),
        (delete("Root", 5), "syntax error", "Parse error in condition."),
        ({"op": "assert", "lock": "l"}, "not owner", "Asserted lock l not held."),
        ({"op": "fly"}, "syntax error", 'No operation "fly"'),
        ({"op": "abort", "x": 1}, "syntax error", "'x' is present but not allowed"),
        (5, "syntax error", "Object expected"),
    ],
)
def test_a_wrong_operation_gets_its_error(
    database: Database, operation: Any, error: str, details: str
) -> None:
    run(database, insert("Root", members=["set", [1, 2]], maybe=1))
    before = content(database)
    (result,) = run(database, operation)
    assert result["error"] == error
    assert details in result["details"]
    assert content(database) == before


@pytest.mark.parametrize(
    ("operations", "error", "details"),
    [
        ([insert("Root", leaves=ref(7))], "referential integrity violation", "references nonexistent row"),
        (
            [insert("Root", leaves=named("l"))],
            "referential integrity violation",
            "references nonexistent row",
        ),
        ([delete("Leaf")], "referential integrity violation", "because of 1 remaining reference(s)"),
        ([insert("Root", name="old")], "constraint violation", 'index on column "name"'),
        (
            [insert("Root", name="a"), insert("Root", name="a")],
            "constraint violation",
            'index on column "name"',
        ),
        ([insert("Root", name=str(n)) for n in range(3)], "constraint violation", "limit of 3 row(s)"),
        ([insert("Needy")], "constraint violation", 'Column "needs" of "Needy"'),
        ([insert("Needy", needs=ref(9))], "constraint violation", 'Column "needs" of "Needy"'),
    ],
)
def test_what_is_checked_at_commit_fails_behind_all_results(
    database: Database, operations: list[Any], error: str, details: str
) -> None:
    run(database, insert("Root", name="old", leaves=named("l")), insert("Leaf", "l"))
    before = content(database)
    results = run(database, *operations)
    assert len(results) == len(operations) + 1
    assert results[-1]["error"] == error
    assert details in results[-1]["details"]
    assert content(database) == before
    assert run(database, insert("Root", name="fine"))[-1].keys() == {"uuid"}


def test_an_index_value_may_move_from_row_to_row_in_one_transaction(database: Database) -> None:
    run(database, insert("Root", number=1, name="a"), insert("Root", number=2, name="b"))
    swap = [update("Root", [["number", "==", n]], name=name) for n, name in ((1, "b"), (2, "a"))]
    assert run(database, *swap) == [{"count": 1}, {"count": 1}]
    assert "error" in run(database, insert("Root", name="a"))[-1]
    run(database, delete("Root", ["name", "==", "a"]))
    assert "error" not in run(database, insert("Root", name="a"))[-1]


def test_rows_that_nobody_refers_to_go_with_all_they_alone_referred_to(database: Database) -> None:
    run(
        database,
        insert("Root", leaves=named("a")),
        insert("Leaf", "a", next=named("b")),
        insert("Leaf", "b", next=named("b")),
        insert("Leaf", "lonely"),
    )
    assert len(content(database)["Leaf"]) == 2
    run(
        database,
        mutate("Root", ["leaves", "delete", ["set", [["uuid", u] for u in content(database)["Leaf"]]]]),
    )
    assert content(database)["Leaf"] == {}


def test_each_pair_of_a_map_counts_as_a_reference(database: Database) -> None:
    both = ["map", [[1, named("l")], [2, named("l")]]]
    run(database, insert("Root", places=both), insert("Leaf", "l"))
    run(database, mutate("Root", ["places", "delete", ["set", [1]]]))
    assert len(content(database)["Leaf"]) == 1
    run(database, mutate("Root", ["places", "delete", ["set", [2]]]))
    assert content(database)["Leaf"] == {}


def test_weak_references_vanish_with_their_rows(database: Database) -> None:
    run(
        database,
        insert("Root", number=1, name="owner", leaves=["set", [named("a"), named("b")]]),
        insert("Root", number=2, name="friend", likes=["set", [named("a"), named("b"), ref(99)]]),
        insert("Leaf", "a", name="a"),
        insert("Leaf", "b", name="b"),
        insert("Needy", needs=named("a")),
    )
    (likes,) = run(database, select("Root", ["name", "==", "friend"], columns=["likes"]))[0]["rows"]
    assert len(likes["likes"][1]) == 2
    (b,) = run(database, select("Leaf", ["name", "==", "b"], columns=["_uuid"]))[0]["rows"]
    run(database, mutate("Root", ["leaves", "delete", b["_uuid"]]))
    (likes,) = run(database, select("Root", ["name", "==", "friend"], columns=["likes"]))[0]["rows"]
    assert likes["likes"] != b["_uuid"]
    assert "error" in run(database, update("Root", [], leaves=["set", []]))[-1]
    assert len(content(database)["Needy"]) == 1


def test_a_select_shows_what_the_transaction_did_so_far(database: Database) -> None:
    results = run(
        database,
        insert("Root", name="a", number=1),
        mutate("Root", ["number", "*=", 3], ["number", "-=", 1]),
        select("Root", columns=["number"]),
        delete("Root"),
        select("Root"),
    )
    assert results[2] == {"rows": [{"number": 2}]}
    assert results[4] == {"rows": []}


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ([], ["a", "b", "c"]),
        ([True], ["a", "b", "c"]),
        ([False], []),
        ([["name", "==", "a"]], ["a"]),
        ([["name", "!=", "a"]], ["b", "c"]),
        ([["number", ">=", 0], ["number", "<", 2]], ["b"]),
        ([["maybe", "<=", 7]], ["c"]),
        ([["maybe", "==", ["set", []]]], ["a", "b"]),
        ([["members", "includes", ["set", [1]]]], ["a", "b"]),
        ([["members", "includes", ["set", []]]], ["a", "b", "c"]),
        ([["members", "excludes", ["set", [2, 3]]]], ["a", "c"]),
        ([["members", "==", ["set", [2, 1]]]], ["b"]),
        ([["pairs", "includes", ["map", [["k", 1]]]]], ["c"]),
        ([["pairs", "excludes", ["map", [["k", 2]]]]], ["a", "b", "c"]),
        ([["_uuid", "==", ref(1)]], ["a"]),
        ([["_uuid", "==", ref(9)]], []),
        ([["_uuid", "!=", ref(1)]], ["b", "c"]),
    ],
)
def test_conditions_choose_rows(database: Database, where: list[Any], names: list[str]) -> None:
    a, b, c = (insert("Root", at=n) for n in (1, 2, 3))
    a["row"] = {"name": "a", "number": -3, "members": 1}
    b["row"] = {"name": "b", "number": 1, "members": ["set", [1, 2]]}
    c["row"] = {"name": "c", "number": 2, "maybe": 7, "pairs": ["map", [["k", 1], ["l", 2]]]}
    run(database, a, b, c)
    rows = run(database, select("Root", *where, columns=["name"]))[0]["rows"]
    assert sorted(row["name"] for row in rows) == names


def test_division_rounds_toward_zero(database: Database) -> None:
    run(database, insert("Root", ratio=1))
    run(database, update("Root", [], number=-5), mutate("Root", ["number", "/=", 2]))
    assert run(database, select("Root", columns=["number"]))[0]["rows"] == [{"number": -2}]
    run(database, update("Root", [], number=-5), mutate("Root", ["number", "%=", 3], ["ratio", "/=", 4]))
    assert run(database, select("Root", columns=["number", "ratio"]))[0]["rows"] == [
        {"number": -2, "ratio": 0.25}
    ]


def test_an_unchanged_row_keeps_its_version(database: Database) -> None:
    run(database, insert("Root", number=1))
    version = run(database, select("Root", columns=["_version"]))
    run(database, update("Root", [], name="x"), update("Root", [], name=""))
    assert run(database, select("Root", columns=["_version"])) == version
    run(database, update("Root", [], name="x"))
    assert run(database, select("Root", columns=["_version"])) != version


NUMBERS = st.integers(0, 5)


def refs(numbers: Iterable[int]) -> list[Any]:
    """The notation of a set of references."""
    return ["set", [ref(number) for number in numbers]]


def root(number: int, leaves: frozenset[int], likes: frozenset[int], places: list[int]) -> dict[str, Any]:
    """An insert of a root that refers to leaves in every way."""
    pairs = ["map", [[place, ref(leaf)] for place, leaf in enumerate(places)]]
    return insert("Root", at=number, name=str(number), leaves=refs(leaves), likes=refs(likes), places=pairs)


def pairs(column: str, items: dict[str, int]) -> dict[str, Any]:
    """An update of a map of all roots."""
    return update("Root", [], **{column: ["map", [list(item) for item in items.items()]]})


LEAF, ROOT = st.integers(0, 5), st.integers(10, 15)
LEAVES = st.frozensets(LEAF, max_size=3)
OPERATIONS = st.lists(
    st.one_of(
        st.builds(lambda n: insert("Leaf", at=n), LEAF),
        st.builds(lambda n, to: insert("Leaf", at=n, next=ref(to)), LEAF, LEAF),
        st.builds(root, ROOT, LEAVES, LEAVES, st.lists(LEAF, max_size=3)),
        st.builds(
            lambda how, column, leaves: mutate("Root", [column, how, refs(leaves)]),
            st.sampled_from(["insert", "delete"]),
            st.sampled_from(["leaves", "likes"]),
            LEAVES,
        ),
        st.builds(lambda places: mutate("Root", ["places", "delete", ["set", list(places)]]), LEAVES),
        st.builds(pairs, st.just("pairs"), st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))),
        st.builds(
            pairs, st.just("pair"), st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), max_size=1)
        ),
        st.builds(lambda n: delete("Leaf", ["_uuid", "==", ref(n)]), LEAF),
        st.builds(lambda n: delete("Root", ["_uuid", "==", ref(n)]), ROOT),
        st.builds(lambda n, to: update("Leaf", [["_uuid", "==", ref(n)]], next=ref(to)), LEAF, LEAF),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=300)
@given(st.lists(OPERATIONS, max_size=8))
def test_after_any_history_references_and_indexes_are_what_the_rows_say(history: list[list[Any]]) -> None:
    database = Database(schema())
    for operations in history:
        before = content(database)
        results = run(database, *operations)
        if any(result is not None and "error" in result for result in results):
            assert content(database) == before
        check_integrity(database)


def check_integrity(database: Database) -> None:
    """Hold the database against a naive account of its rows."""
    counts: dict[tuple[str, str], int] = {}
    for source, table in database.tables.items():
        for row, fields in table.rows.items():
            for column in table.schema.strong:
                for target in strong_targets(column, fields[column.index]):
                    if target != (source, row):
                        counts[target] = counts.get(target, 0) + 1
            for column in table.schema.weak:
                assert all(target in database.tables["Leaf"].rows for target in fields[column.index])
    for name, table in database.tables.items():
        assert table.references == {row: n for (where, row), n in counts.items() if where == name}
        assert all(table.schema.is_root or (name, row) in counts for row in table.rows)
        for columns, index in zip(table.schema.indexes, table.indexes, strict=True):
            assert index == {tuple(f[c.index] for c in columns): row for row, f in table.rows.items()}
            assert len(index) == len(table.rows)
    assert all(row in database.tables[name].rows for name, row in counts)
    assert len(database.tables["Root"].rows) <= 3


def test_a_uuid_of_ones_own_must_be_new(database: Database) -> None:
    run(database, insert("Root", at=1))
    assert uuid(1) in content(database)["Root"]
    assert run(database, insert("Root", at=1))[0]["error"] == "duplicate uuid"
    assert run(database, delete("Root"), insert("Root", at=1))[1]["error"] == "duplicate uuid"
    assert "error" not in run(database, insert("Root", at=2), delete("Root"), insert("Root", at=2))[-1]
