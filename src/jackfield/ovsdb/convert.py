"""A database's contents in another schema (`convert` of ovsdb-server(7))."""

from __future__ import annotations

from jackfield.ovsdb.database import Database, Table
from jackfield.ovsdb.schema import FIRST, DatabaseSchema
from jackfield.ovsdb.transaction import Transaction, blank_row


def converted(database: Database, schema: DatabaseSchema) -> Database:
    """The same rows under `schema`: tables and columns that it lacks are left out, new ones are at default.

    Raises OvsdbError if the data does not fit.
    """
    fresh = Database(schema)
    transaction = Transaction(fresh)
    for name, target in fresh.tables.items():
        source = database.tables.get(name)
        if source is not None:
            _copy(transaction, source, target)
    transaction.commit()
    return fresh


def _copy(transaction: Transaction, source: Table, target: Table) -> None:
    pairs = [
        (column, source.schema.columns[column.name])
        for column in target.schema.by_index[FIRST:]
        if column.name in source.schema.columns
    ]
    for uuid, fields in source.rows.items():
        values = {}
        for column, before in pairs:
            datum = fields[before.index]
            if column.type != before.type:
                datum = column.type.parse(before.type.to_json(datum))
            values[column.index] = datum
        transaction.put(target, uuid, blank_row(target.schema, values))
