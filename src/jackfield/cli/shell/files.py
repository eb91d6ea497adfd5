"""`apply`, `plan` and `export`: a network as a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jackfield.cli.shell.output import show_json
from jackfield.client import control
from jackfield.client.errors import Failure

if TYPE_CHECKING:
    from jackfield.topology.apply import Outcome
    from jackfield.topology.difference import Change
    from jackfield.topology.network import Network

MOST_BYTES = 16 << 20
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_PRUNE = click.option("--prune", is_flag=True, help="Also remove what the file does not name.")
_STYLES = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}


@click.command("plan")
@click.argument("file", required=False)
@_PRUNE
@_JSON
def plan_command(file: str | None, prune: bool, as_json: bool) -> None:
    """Show what `apply FILE` would change; without FILE, what is still to be done in the kernel."""
    if file is not None:
        _plan(file, prune, as_json)
        return
    if prune:
        raise click.UsageError("--prune needs a file")
    answer = control.ask("jackfield/plan")
    if as_json:
        show_json(answer)
        return
    for step in answer["steps"]:
        print(step)


@click.command("apply")
@click.argument("file")
@_PRUNE
@click.option("--dry-run", is_flag=True, help="Only show what would change, as `plan` does.")
@_JSON
def apply_command(file: str, prune: bool, dry_run: bool, as_json: bool) -> int:
    """Make the network as FILE describes it ("-" is standard input)."""
    if dry_run:
        _plan(file, prune, as_json)
        return 0
    from jackfield.topology.apply import Present, apply, errors, open_database
    from jackfield.topology.difference import as_json as plan_json

    wanted = wanted_network(file)
    with open_database() as database:
        present = Present(database)
        changes = present.plan(wanted, prune)
        if changes and not as_json:
            show_changes(changes)
        outcome = apply(present, wanted, changes, _progress)
        wrong = errors(database, wanted)
    if as_json:
        show_json(
            {
                **plan_json(outcome.done),
                "failed": [{**_object(change), "reason": reason} for change, reason in outcome.failed],
                "not_begun": [_object(change) for change in outcome.not_begun],
                "errors": wrong,
            }
        )
    else:
        _tell(outcome, file)
        for sentence in wrong:
            print(f"jackfield: {sentence}", file=sys.stderr)
    return 1 if outcome.failed or wrong else 0


@click.command("export")
@_JSON
def export_command(as_json: bool) -> None:
    """Print the present network as a file that `apply` takes."""
    from jackfield.topology.apply import Present, open_database
    from jackfield.topology.export import as_data, as_yaml, file_of

    with open_database() as database:
        found = file_of(Present(database).network)
    if as_json:
        show_json(as_data(found))
    else:
        print(as_yaml(found), end="")


def read_file(file: str) -> str:
    """The text of a network file, or of standard input for "-". Raises Failure."""
    from pathlib import Path

    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise Failure(f"{called(file)}: {error.strerror}") from error
    if len(raw) > MOST_BYTES:
        raise Failure(f"{called(file)}: larger than {MOST_BYTES >> 20} MB: this is no network file")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Failure(f"{called(file)}:{line}: not UTF-8 text") from error


def wanted_network(file: str) -> Network:
    """The network that a file describes. Raises Failure with all that is wrong with it."""
    from jackfield.topology import asked, reader

    return asked.network(reader.read(called(file), read_file(file)))


def called(file: str) -> str:
    """What a file is called when something is told of it."""
    return "standard input" if file == "-" else file


def show_changes(changes: Sequence[Change]) -> None:
    """A plan: a line an object with +, ~ or -, below it its settings; coloured on a terminal."""
    from jackfield.topology.difference import as_lines

    colours = sys.stdout.isatty()
    for action, line in as_lines(changes):
        sign, colour = _STYLES[action.value]
        indented = line.startswith(" ")
        text = f"    {sign} {line.strip()}" if indented else f"{sign} {line}"
        click.secho(text, fg=colour if colours else None, bold=colours and not indented)


def _plan(file: str, prune: bool, as_json: bool) -> None:
    from jackfield.topology.apply import Present, open_database
    from jackfield.topology.difference import as_json as plan_json

    wanted = wanted_network(file)
    with open_database() as database:
        changes = Present(database).plan(wanted, prune)
    if as_json:
        show_json(plan_json(changes))
        return
    show_changes(changes)
    print(_summary("to do", changes) if changes else f"nothing to do: everything is as {called(file)} says")


def _tell(outcome: Outcome, file: str) -> None:
    if not (outcome.done or outcome.failed or outcome.not_begun):
        print(f"nothing to do: everything is as {called(file)} says")
        return
    print(_summary("done", outcome.done))
    for change, reason in outcome.failed:
        print(f"jackfield: {change.kind.value} {change.name}: {reason}", file=sys.stderr)
    if outcome.not_begun:
        names = ", ".join(f"{change.kind.value} {change.name}" for change in outcome.not_begun)
        print(f"jackfield: not begun: {names}", file=sys.stderr)
    if outcome.failed:
        print("jackfield: the same command goes on from here once the reason is gone", file=sys.stderr)


def _summary(word: str, changes: Sequence[Change]) -> str:
    from jackfield.topology.difference import counted

    counts = {action.value: number for action, number in counted(changes).items()}
    return (
        f"{word}: {counts['add']} to add, {counts['change']} to change, {counts['remove']} to remove"
        if (word == "to do")
        else f"{word}: {counts['add']} added, {counts['change']} changed, {counts['remove']} removed"
    )


def _object(change: Change) -> dict[str, str]:
    return {"action": change.action.value, "kind": change.kind.value, "name": change.name}


def _progress(title: str) -> None:
    """What is being done, on a terminal: it may take a while."""
    if sys.stderr.isatty():
        click.secho(f"… {title}", fg="bright_black", err=True)
