"""What a command of `vsctl` works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from jackfield.cli.journal import Journal
from jackfield.cli.vsctl.lookup import ROW_IDS, find_record
from jackfield.cli.vsctl.schema import Schema, Table
from jackfield.cli.vsctl.symbols import Symbols
from jackfield.cli.vsctl.tables import Listing
from jackfield.cli.vsctl.transaction import Record, Transaction
from jackfield.wire.notation import Uuid, Value

if TYPE_CHECKING:
    from jackfield.cli.vsctl.bridges import Model


class Command(NamedTuple):
    """One command as given: its name, options (with their dashes) and arguments."""

    syntax: Syntax
    options: Mapping[str, str | None]
    arguments: list[str]

    @property
    def text(self) -> list[str]:
        """The words of the command."""
        return [*self.options, self.syntax.name, *self.arguments]


class Needs:
    """The tables and columns that the commands of a line read or write, and a journal for first warnings."""

    def __init__(self, schema: Schema, journal: Journal) -> None:
        self.schema = schema
        self.journal = journal
        self.columns: dict[str, set[str]] = {}

    def table(self, name: str) -> None:
        """The rows of a table and what names them."""
        self.columns.setdefault(name, set())
        row_id = ROW_IDS.get(name)
        if row_id is not None and row_id.table in self.schema:
            self.add(row_id.table, row_id.column, *([row_id.pointer] if row_id.pointer else []))

    def add(self, table: str, *columns: str) -> None:
        """Columns of a table, as far as the database has them."""
        known = self.schema.table(table).columns if table in self.schema else {}
        if known:
            self.columns.setdefault(table, set()).update(name for name in columns if name in known)


class Context:
    """The state that the commands of one line share, and the command that runs."""

    def __init__(self, schema: Schema, txn: Transaction, root: Record, journal: Journal) -> None:
        self.schema = schema
        self.txn = txn
        self.root = root
        self._journal = journal
        self.symbols = Symbols()
        self.new_interfaces: list[Uuid] = []
        self.model: Model | None = None
        self.command: Command
        self.is_last = False
        self.results: list[Result] = []

    def begin(self, command: Command, is_last: bool) -> None:
        """Make `command` the one that runs; `is_last` when none follows it."""
        self.command = command
        self.is_last = is_last
        self.results.append(Result())

    @property
    def result(self) -> Result:
        """What the running command has to show."""
        return self.results[-1]

    def warn(self, text: str, module: str = "vsctl") -> None:
        """Log a warning in the name of one of OVS's modules."""
        self._journal.warn(module, text)

    def has(self, option: str) -> bool:
        """Whether the running command has that option."""
        return option in self.command.options

    def put(self, line: str) -> None:
        """Add a line to the running command's output."""
        self.result.text.append(line + "\n")

    def find(self, table: Table, word: str) -> Record | None:
        """The row that `word` names, which must exist unless the command has --if-exists."""
        return find_record(self.schema, self.txn, table, word, not self.has("--if-exists"))

    def read(self, record: Record, column: str) -> Value:
        """A column's value in this transaction."""
        return self.txn.read(record, column)


class Result:
    """What one command prints; `created` is the row whose final UUID is to be printed behind."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.listing: Listing | None = None
        self.created: Uuid | None = None
        self.try_again = False


def nothing(_: Needs, __: Command) -> None:
    """The needs of a command that needs nothing."""


class Syntax(NamedTuple):
    """A command's grammar and its two halves: what it needs of the database, and what it does.

    `options` are spelled as on the command line, with `=` behind those that take an argument.
    """

    name: str
    least: int
    most: int | None
    arguments: str
    options: tuple[str, ...]
    modifies: bool
    run: Callable[[Context], None]
    needs: Callable[[Needs, Command], None] = nothing
