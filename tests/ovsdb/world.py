"""A small schema with every kind of column, and shorthand for transactions on it."""

from __future__ import annotations

from typing import Any

from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.operations import Execution
from jackfield.ovsdb.schema import DatabaseSchema, parse_schema

SCHEMA_JSON: dict[str, Any] = {
    "name": "World",
    "version": "1.0.0",
    "tables": {
        "Root": {
            "isRoot": True,
            "maxRows": 3,
            "indexes": [["name"]],
            "columns": {
                "name": {"type": "string"},
                "number": {"type": {"key": {"type": "integer", "minInteger": -5, "maxInteger": 5}}},
                "maybe": {"type": {"key": "integer", "min": 0}},
                "members": {"type": {"key": "integer", "min": 0, "max": 4}},
                "pairs": {"type": {"key": "string", "value": "integer", "min": 0, "max": "unlimited"}},
                "pair": {"type": {"key": "string", "value": "integer", "min": 0}},
                "ratio": {"type": "real"},
                "leaves": {
                    "type": {"key": {"type": "uuid", "refTable": "Leaf"}, "min": 0, "max": "unlimited"}
                },
                "places": {
                    "type": {
                        "key": "integer",
                        "value": {"type": "uuid", "refTable": "Leaf"},
                        "min": 0,
                        "max": "unlimited",
                    }
                },
                "likes": {
                    "type": {
                        "key": {"type": "uuid", "refTable": "Leaf", "refType": "weak"},
                        "min": 0,
                        "max": "unlimited",
                    }
                },
                "fixed": {"type": "string", "mutable": False},
                "passing": {"type": "integer", "ephemeral": True},
            },
        },
        "Leaf": {
            "columns": {
                "name": {"type": "string"},
                "next": {"type": {"key": {"type": "uuid", "refTable": "Leaf"}, "min": 0}},
            }
        },
        "Needy": {
            "isRoot": True,
            "columns": {"needs": {"type": {"key": {"type": "uuid", "refTable": "Leaf", "refType": "weak"}}}},
        },
    },
}

Rows = dict[str, dict[str, Any]]


def schema() -> DatabaseSchema:
    """The schema."""
    return parse_schema(SCHEMA_JSON)


def named(name: str) -> list[str]:
    """A reference to a row that the same transaction inserts."""
    return ["named-uuid", name]


def uuid(number: int) -> str:
    """A UUID that is easy to read."""
    return f"00000000-0000-0000-0000-{number:012d}"


def ref(number: int) -> list[str]:
    """The notation of such a UUID."""
    return ["uuid", uuid(number)]


def insert(table: str, called: str | None = None, /, at: int | None = None, **row: Any) -> dict[str, Any]:
    """An `insert`, its row named or with a UUID of its own."""
    operation: dict[str, Any] = {"op": "insert", "table": table, "row": row}
    if called is not None:
        operation["uuid-name"] = called
    if at is not None:
        operation["uuid"] = uuid(at)
    return operation


def update(table: str, where: list[Any], **row: Any) -> dict[str, Any]:
    """An `update`."""
    return {"op": "update", "table": table, "where": where, "row": row}


def mutate(table: str, *mutations: list[Any], where: list[Any] | None = None) -> dict[str, Any]:
    """A `mutate`, of all rows unless told."""
    return {"op": "mutate", "table": table, "where": where or [], "mutations": list(mutations)}


def delete(table: str, *where: Any) -> dict[str, Any]:
    """A `delete`."""
    return {"op": "delete", "table": table, "where": list(where)}


def select(table: str, *where: Any, columns: list[str] | None = None) -> dict[str, Any]:
    """A `select`."""
    return {"op": "select", "table": table, "where": list(where)} | ({"columns": columns} if columns else {})


def run(database: Database, *operations: Any) -> list[Any]:
    """The results of a transaction."""
    results, _ = run_for_changes(database, *operations)
    return results


def run_for_changes(database: Database, *operations: Any) -> tuple[list[Any], list[Change]]:
    """The results of a transaction and what it changed."""
    return Execution(database, owns=lambda _lock: False).run(
        list(operations), lambda _changes, _comment: None
    )


def content(database: Database) -> dict[str, Rows]:
    """Every row in the notation of JSON, without `_uuid` and `_version`."""
    return {
        name: {
            row: {c.name: c.type.to_json(fields[c.index]) for c in table.schema.own_columns}
            for row, fields in table.rows.items()
        }
        for name, table in database.tables.items()
    }
