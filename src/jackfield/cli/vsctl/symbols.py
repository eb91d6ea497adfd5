"""The row ids, `@NAME`, that let commands of one line refer to rows that it creates."""

from __future__ import annotations

import os

from jackfield.cli.vsctl.errors import ControlError
from jackfield.wire.notation import Uuid


def new_uuid() -> Uuid:
    """A UUID that names a row until the database has given it its own."""
    # The standard library's own would cost the tool a tenth of its starting time.
    digits = os.urandom(16).hex()
    return Uuid("-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"8{digits[17:20]}", digits[20:])))


class Symbol:
    """One row id: `created` once a command made or found its row; `strong` or `weak` once referred to so."""

    def __init__(self, uuid: Uuid) -> None:
        self.uuid = uuid
        self.created = False
        self.strong = False
        self.weak = False


class Symbols:
    """The row ids of one command line, in the order in which they appear."""

    def __init__(self) -> None:
        self._symbols: dict[str, Symbol] = {}

    def refer(self, name: str) -> Symbol:
        """The symbol of that name, which may be created later."""
        return self._symbols.setdefault(name, Symbol(new_uuid()))

    def create(self, name: str) -> tuple[Symbol, bool]:
        """Create the symbol for a row and say whether it is new; ControlError for a bad or used name."""
        if not name.startswith("@"):
            raise ControlError(f'row id "{name}" does not begin with "@"')
        is_new = name not in self._symbols
        symbol = self.refer(name)
        if symbol.created:
            raise ControlError(f'row id "{name}" may only be specified on one --id option')
        symbol.created = True
        return symbol, is_new

    def check(self) -> list[str]:
        """Warnings for rows that nothing refers to; raises ControlError for a row id that nothing created."""
        warnings = []
        for name, symbol in self._symbols.items():
            if not symbol.created:
                raise ControlError(
                    f'row id "{name}" is referenced but never created (e.g. with "-- --id={name} create ...")'
                )
            if symbol.strong:
                continue
            what = "only a weak" if symbol.weak else "no"
            warnings.append(
                f'row id "{name}" was created but {what} reference to it was inserted, '
                "so it will not actually appear in the database"
            )
        return warnings
