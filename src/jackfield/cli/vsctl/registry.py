"""All commands of `vsctl`, by name."""

from __future__ import annotations

from jackfield.cli.vsctl import control, database, show, switch

SYNTAXES = {syntax.name: syntax for module in (switch, control, show, database) for syntax in module.COMMANDS}
