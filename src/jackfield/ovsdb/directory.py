"""The `_Server` database, which describes the databases that are served (ovsdb-server(5))."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jackfield.ovsdb.atoms import new_uuid
from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.errors import to_text
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.transaction import Transaction, blank_row

_SCHEMA: dict[str, Any] = {
    "name": "_Server",
    "version": "1.2.0",
    "tables": {
        "Database": {
            "isRoot": True,
            "columns": {
                "name": {"type": "string"},
                "model": {
                    "type": {"key": {"type": "string", "enum": ["set", ["standalone", "clustered", "relay"]]}}
                },
                "connected": {"type": "boolean"},
                "leader": {"type": "boolean"},
                "schema": {"type": {"key": "string", "min": 0, "max": 1}},
                "cid": {"type": {"key": "uuid", "min": 0, "max": 1}},
                "sid": {"type": {"key": "uuid", "min": 0, "max": 1}},
                "index": {"type": {"key": "integer", "min": 0, "max": 1}},
            },
        }
    },
}


class Directory:
    """Keeps `database`, the `_Server` database, in step with what is served."""

    def __init__(self) -> None:
        self.database = Database(parse_schema(_SCHEMA))

    def update(self, databases: Iterable[Database]) -> list[Change]:
        """Describe these databases and no others, a row each; returns what has changed by that."""
        table = self.database.tables["Database"]
        columns = table.schema.columns
        known = {str(fields[columns["name"].index][0]): uuid for uuid, fields in table.rows.items()}
        transaction = Transaction(self.database)
        for database in databases:
            values = {
                "name": database.name,
                "model": "standalone",
                "connected": True,
                "leader": True,
                "schema": to_text(database.schema.to_json()),
            }
            row = {columns[name].index: (value,) for name, value in values.items()}
            uuid = known.pop(database.name) if database.name in known else new_uuid()
            transaction.put(table, uuid, blank_row(table.schema, row))
        for uuid in known.values():
            transaction.delete(table, uuid)
        return transaction.commit()
