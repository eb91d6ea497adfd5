"""What must hold of a database between transactions, checked from nothing but the rows and the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from jackfield.ovsdb.database import Database, Table, key_of
from jackfield.ovsdb.datum import Datum
from jackfield.ovsdb.schema import Column

Target = tuple[str, str]


def check(database: Database) -> None:
    """Raises AssertionError if a row breaks its schema, or if the server's own counts are wrong."""
    counts: Counter[Target] = Counter()
    for table in database.tables.values():
        _check_rows(table)
        for uuid, fields in table.rows.items():
            for column in table.schema.own_columns:
                for weak, target in _references(column, fields[column.index]):
                    assert target[1] in database.tables[target[0]].rows, (
                        table.schema.name,
                        uuid,
                        column.name,
                    )
                    if not weak and target != (table.schema.name, uuid):
                        counts[target] += 1
    for name, table in database.tables.items():
        expected = {uuid: counts[name, uuid] for uuid in table.rows if counts[name, uuid]}
        assert table.references == expected, name
        assert table.schema.is_root or set(expected) == set(table.rows), f"garbage in {name}"


def _check_rows(table: Table) -> None:
    schema = table.schema
    assert len(table.rows) <= schema.max_rows, schema.name
    for uuid, fields in table.rows.items():
        assert fields[0] == (uuid,), schema.name
        for column in schema.own_columns:
            datum = fields[column.index]
            assert column.type.parse(column.type.to_json(datum)) == datum, (schema.name, column.name, datum)
    for columns, index in zip(schema.indexes, table.indexes, strict=True):
        expected = {key_of(columns, fields): uuid for uuid, fields in table.rows.items()}
        assert len(expected) == len(table.rows), f"two rows of {schema.name} share an index"
        assert index == expected, schema.name


def _references(column: Column, datum: Datum) -> Iterator[tuple[bool, Target]]:
    bases = (column.type.key, column.type.value)
    for element in datum:
        parts = element if column.type.is_map else (element,)
        for base, part in zip(bases, parts, strict=False):
            if base is not None and base.ref_table is not None:
                yield base.weak, (base.ref_table, part)
