"""The operations of a transaction (RFC 7047 section 5.2) and the running of a whole `transact` request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jackfield.ovsdb.atoms import is_uuid, new_uuid
from jackfield.ovsdb.condition import Clause, Condition, matches_all, parse_condition, row_wanted
from jackfield.ovsdb.database import Change, Database, Fields, Table, key_of
from jackfield.ovsdb.datum import Datum
from jackfield.ovsdb.errors import OvsdbError, syntax_error
from jackfield.ovsdb.members import Members, is_array, is_boolean, is_id, is_integer, is_object, is_string
from jackfield.ovsdb.mutation import parse_mutation
from jackfield.ovsdb.schema import Column, TableSchema
from jackfield.ovsdb.transaction import Transaction, blank_row

Write = Callable[[list[Change], str | None], None]
"""Puts the changes of a transaction and its comment on stable storage; raises OvsdbError if it cannot."""


class Parked(Exception):
    """A `wait` is not satisfied yet; the request may be tried again for `timeout_ms` (None: for ever)."""

    def __init__(self, timeout_ms: int | None) -> None:
        super().__init__("waiting")
        self.timeout_ms = timeout_ms


class Execution:
    """One run of a request's operations; the results are as the reply's `result` holds them.

    `owns` says whether the session holds a lock; `waited_ms` is how long the request has been parked so far;
    `read_only` is for a session that must change nothing.
    """

    def __init__(
        self,
        database: Database,
        owns: Callable[[str], bool],
        waited_ms: int = 0,
        *,
        read_only: bool = False,
    ) -> None:
        self.transaction = Transaction(database)
        self.comments: list[str] = []
        self._database = database
        self._owns = owns
        self._read_only = read_only
        self._waited = waited_ms
        self._named: dict[str, str] = {}
        self._inserted: set[str] = set()

    def run(self, operations: list[Any], write: Write) -> tuple[list[Any], list[Change]]:
        """Execute and commit. Returns the results and what changed (nothing if an operation failed).

        Raises Parked if a `wait` has to wait; nothing is changed then.
        """
        results: list[Any] = []
        try:
            for number, operation in enumerate(operations, 1):
                name = f"ovsdb operation {number} of {len(operations)}"
                results.append(self._operation(operation, name))
        except OvsdbError as error:
            self.transaction.abort()
            results.append(error.to_json())
            results += [None] * (len(operations) - len(results))
            return results, []
        except BaseException:
            self.transaction.abort()
            raise
        comment = "\n".join(self.comments) or None
        try:
            return results, self.transaction.commit(lambda changes: write(changes, comment))
        except OvsdbError as error:
            return [*results, error.to_json()], []

    def _operation(self, json: Any, name: str) -> dict[str, Any]:
        members = Members(json, name)
        op = members.need("op", is_id)
        execute = _OPERATIONS.get(op)
        if execute is None:
            members.refuse(f'No operation "{op}"')
        if self._read_only and op not in _READING:
            raise OvsdbError(
                "not allowed", f"{op} operation not allowed when database server is in read only mode"
            )
        if self._database.read_only and op not in _READING:
            raise OvsdbError(
                "not allowed",
                f"{op} operation not allowed on table in reserved database {self._database.name}",
            )
        return execute(self, members, json)

    def _table(self, members: Members) -> Table:
        name = members.need("table", is_id)
        table = self._database.tables.get(name)
        if table is None:
            members.refuse(f"No table named {name}.")
        return table

    def _uuid_of(self, name: str) -> str:
        return self._named.setdefault(name, new_uuid())

    def _condition(self, table: Table, where: list[Any]) -> Condition:
        return parse_condition(table.schema, where, self._uuid_of)

    def _row(self, table: Table, json: Any) -> dict[int, Datum]:
        """The columns that a `<row>` gives, by index."""
        if not isinstance(json, dict):
            raise syntax_error(json, "row must be JSON object")
        values: dict[int, Datum] = {}
        for name, value in json.items():
            column = table.schema.columns.get(name)
            if column is None:
                text = f"No column {name} in table {table.schema.name}."
                raise syntax_error(json, text, "unknown column")
            values[column.index] = column.type.parse(value, self._uuid_of)
        return values

    def insert(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.1, with the member `uuid` of ovsdb-server(7)."""
        table = self._table(members)
        uuid = members.get("uuid", is_string)
        name = members.get("uuid-name", is_id)
        row_json = members.need("row", is_object)
        members.end()
        if uuid is not None:
            if not is_uuid(uuid):
                raise syntax_error(uuid, "bad uuid")
            uuid = uuid.lower()
            if uuid in table.rows or self.transaction.knows(table, uuid):
                text = f'"{table.schema.name}" has, or had within this transaction, a row of this UUID.'
                raise syntax_error(uuid, text, "duplicate uuid")
        if name is not None:
            if name in self._inserted:
                text = 'This "uuid-name" appeared on an earlier "insert" operation.'
                raise syntax_error(name, text, "duplicate uuid-name")
            self._inserted.add(name)
            if uuid is not None:
                self._named[name] = uuid
            else:
                uuid = self._uuid_of(name)
        uuid = uuid or new_uuid()
        values = self._row(table, row_json)
        for column in table.schema.demanding:
            if column.index not in values:
                column.type.check_default(column.default)
        self.transaction.put(table, uuid, blank_row(table.schema, values))
        return {"uuid": ["uuid", uuid]}

    def select(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.2, with the member `sort`."""
        table = self._table(members)
        where = members.need("where", is_array)
        columns_json = members.get("columns", is_array)
        sort_json = members.get("sort", is_array)
        members.end()
        condition = self._condition(table, where)
        columns = _columns(columns_json, table.schema)
        sort = () if sort_json is None else _columns(sort_json, table.schema)
        distinct = {
            key_of(columns, fields): fields for _, fields in matching(self.transaction, table, condition)
        }
        rows = list(distinct.values())
        if sort:
            rows.sort(key=lambda fields: key_of(sort, fields))
        return {"rows": [_row_json(columns, fields) for fields in rows]}

    def update(self, members: Members, json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.3."""
        table = self._table(members)
        where = members.need("where", is_array)
        row_json = members.need("row", is_object)
        members.end()
        values = self._row(table, row_json)
        for index in values:
            column = table.schema.by_index[index]
            if not column.mutable:
                text = f"Cannot update immutable column {column.name} in table {table.schema.name}."
                raise syntax_error(json, text, "constraint violation")
        count = 0
        for uuid, fields in list(matching(self.transaction, table, self._condition(table, where))):
            count += 1
            if any(fields[index] != datum for index, datum in values.items()):
                self.transaction.put(table, uuid, _with(fields, values))
        return {"count": count}

    def mutate(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.4."""
        table = self._table(members)
        where = members.need("where", is_array)
        mutations_json = members.need("mutations", is_array)
        members.end()
        mutations = [parse_mutation(table.schema, json, self._uuid_of) for json in mutations_json]
        count = 0
        for uuid, fields in list(matching(self.transaction, table, self._condition(table, where))):
            count += 1
            values: dict[int, Datum] = {}
            for mutation in mutations:
                index = mutation.column.index
                values[index] = mutation.apply(values.get(index, fields[index]))
            if any(fields[index] != datum for index, datum in values.items()):
                self.transaction.put(table, uuid, _with(fields, values))
        return {"count": count}

    def delete(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.5."""
        table = self._table(members)
        where = members.need("where", is_array)
        members.end()
        doomed = list(matching(self.transaction, table, self._condition(table, where)))
        for uuid, _ in doomed:
            self.transaction.delete(table, uuid)
        return {"count": len(doomed)}

    def wait(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.6."""
        table = self._table(members)
        timeout = members.get("timeout", is_integer)
        where = members.need("where", is_array)
        columns_json = members.get("columns", is_array)
        until = members.need("until", is_string)
        rows_json = members.need("rows", is_array)
        members.end()
        condition = self._condition(table, where)
        columns = _columns(columns_json, table.schema)
        if timeout is not None and timeout < 0:
            raise syntax_error(timeout, "timeout must be nonnegative")
        if until not in ("==", "!="):
            raise syntax_error(until, '"until" must be "==" or "!="')
        expected = {key_of(columns, blank_row(table.schema, self._row(table, row))) for row in rows_json}
        actual = {key_of(columns, fields) for _, fields in matching(self.transaction, table, condition)}
        if (actual == expected) == (until == "=="):
            return {}
        if timeout is not None and self._waited >= timeout:
            why = (
                f'"wait" timed out after {self._waited} ms' if self._waited else '"where" clause test failed'
            )
            raise OvsdbError("timed out", why)
        raise Parked(timeout)

    def commit(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.7; every commit is durable."""
        members.need("durable", is_boolean)
        members.end()
        return {}

    def abort(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.8."""
        members.end()
        raise OvsdbError("aborted", "aborted by request")

    def comment(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.9."""
        self.comments.append(members.need("comment", is_string))
        members.end()
        return {}

    def assert_lock(self, members: Members, _json: Any) -> dict[str, Any]:
        """RFC 7047 section 5.2.10."""
        lock = members.need("lock", is_id)
        members.end()
        if not self._owns(lock):
            raise OvsdbError("not owner", f"Asserted lock {lock} not held.")
        return {}


_OPERATIONS: dict[str, Callable[[Execution, Members, Any], dict[str, Any]]] = {
    "insert": Execution.insert,
    "select": Execution.select,
    "update": Execution.update,
    "mutate": Execution.mutate,
    "delete": Execution.delete,
    "wait": Execution.wait,
    "commit": Execution.commit,
    "abort": Execution.abort,
    "comment": Execution.comment,
    "assert": Execution.assert_lock,
}
_READING = frozenset({"select", "wait", "abort", "comment", "assert"})


def matching(transaction: Transaction, table: Table, condition: Condition) -> Iterator[tuple[str, Fields]]:
    """The rows that satisfy a condition, with what the open transaction has done so far."""
    uuids = _candidates(transaction, table, condition)
    rows: Iterable[tuple[str, Fields]] = table.rows.items()
    if uuids is not None:
        rows = [(uuid, table.rows[uuid]) for uuid in uuids if uuid in table.rows]
    if len(condition) == 1 and isinstance(clause := condition[0], Clause):
        test, at = clause.test, clause.column.index
        return ((uuid, fields) for uuid, fields in rows if test(fields[at]))
    return ((uuid, fields) for uuid, fields in rows if matches_all(condition, fields))


def _candidates(transaction: Transaction, table: Table, condition: Condition) -> Iterable[str] | None:
    """The rows that alone can satisfy a condition, where it names one or has an index's column equal to
    something; else None."""
    uuid = row_wanted(condition)
    if uuid is not None:
        return (uuid,)
    equal = {
        each.column.index: each.argument for each in condition if isinstance(each, Clause) and each.demands
    }
    for columns, index in zip(table.schema.indexes, table.indexes, strict=True) if equal else ():
        if all(column.index in equal for column in columns):
            # The index knows what is committed, the transaction what it has made of that.
            found = index.get(tuple(equal[column.index] for column in columns))
            return dict.fromkeys(((found,) if found is not None else ()) + transaction.touched(table))
    return None


def _columns(names: list[Any] | None, schema: TableSchema) -> tuple[Column, ...]:
    if names is None:
        return schema.by_index
    for name in names:
        if not isinstance(name, str):
            raise syntax_error(names, "array of distinct column names expected")
        if name not in schema.columns:
            raise syntax_error(names, f"{name} is not a valid column name")
    if len(set(names)) != len(names):
        raise syntax_error(names, "array of distinct column names expected")
    return tuple(schema.columns[name] for name in names)


def _row_json(columns: Iterable[Column], fields: Fields) -> dict[str, Any]:
    return {column.name: column.type.to_json(fields[column.index]) for column in columns}


def _with(fields: Fields, values: dict[int, Datum]) -> Fields:
    new = list(fields)
    for index, datum in values.items():
        new[index] = datum
    return tuple(new)
