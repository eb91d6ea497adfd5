"""All commands of `vsctl`, by name."""

from __future__ import annotations

from jackfield.cli.vsctl import attach, control, database, datapaths, show, switch

SYNTAXES = {
    syntax.name: syntax
    for module in (switch, control, attach, datapaths, show, database)
    for syntax in module.COMMANDS
}
