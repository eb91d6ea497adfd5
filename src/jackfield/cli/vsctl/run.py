"""One run of `vsctl`: parse, fetch, carry out, commit, print, and wait for the switch."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from jackfield.cli import alarm
from jackfield.cli.environment import logdir, printable, quoted_words, read_file
from jackfield.cli.journal import Journal, JournalError, open_journal
from jackfield.cli.options import OptionError
from jackfield.cli.vsctl.client import Commit, Outcome, Session
from jackfield.cli.vsctl.commandline import Options, parse_line
from jackfield.cli.vsctl.context import Command, Context, Needs, Result
from jackfield.cli.vsctl.errors import ControlError, ExitWith
from jackfield.cli.vsctl.registry import SYNTAXES
from jackfield.cli.vsctl.remotes import Dialer
from jackfield.cli.vsctl.tables import Printer
from jackfield.cli.vsctl.transaction import Transaction
from jackfield.client.target import rundir
from jackfield.wire.notation import Uuid

PROGRAM = "ovs-vsctl"


def main(arguments: list[str]) -> int:
    """Run `jackfield vsctl` and return its exit code: 0, 1 with a sentence on stderr, or 2 from `br-exists`.

    Messages begin with `ovs-vsctl: ` as the original's do, so scripts that match them work.
    """
    try:
        options, commands = parse_line(arguments, SYNTAXES)
        if options.show is not None:
            from jackfield.cli.vsctl.usage import page

            print(page(options.show), end="")
            return 0
        journal = open_journal(PROGRAM, options.logging)
        level = "info" if any(command.syntax.modifies for command in commands) else "dbg"
        journal.log(level, "vsctl", f"Called as {quoted_words([PROGRAM, *arguments])}")
        alarm.arm(options.timeout, journal)
        _run(options, commands, arguments, journal)
    except (ControlError, JournalError, OptionError) as error:
        if str(error):
            print(f"{PROGRAM}: {printable(str(error))}", file=sys.stderr)
        return 1
    except ExitWith as end:
        return end.code
    return 0


def _run(options: Options, commands: list[Command], arguments: list[str], journal: Journal) -> None:
    remote = f"unix:{rundir()}/db.sock" if options.db is None else options.db
    with Session(remote, _dialer(remote, options, journal), options.retry) as session:
        session.monitor(_needed_columns(Needs(session.schema, journal), options, commands))
        while True:
            seen = session.updates
            attempt = _Attempt(session, options, journal)
            if attempt.carry_out(commands) and attempt.commit(comment(arguments)):
                break
            # What failed would fail again as long as the snapshot is the same.
            if session.updates == seen:
                session.follow()
        attempt.print_results()
        if options.wait and attempt.next_cfg is not None:
            attempt.wait_for_switch(attempt.next_cfg)


def _dialer(remote: str, options: Options, journal: Journal) -> Dialer:
    remotes = [word for word in re.split("[, ]+", remote) if word]
    if options.shuffle:
        remotes.sort(key=lambda _: os.urandom(8))
    return Dialer(remotes, options.tls, journal)


def _needed_columns(needs: Needs, options: Options, commands: list[Command]) -> dict[str, set[str]]:
    needs.table("Open_vSwitch")
    if options.wait:
        needs.add("Open_vSwitch", "cur_cfg")
    for command in commands:
        command.syntax.needs(needs, command)
    return needs.columns


class _Attempt:
    """The commands run once over the snapshot as it is."""

    def __init__(self, session: Session, options: Options, journal: Journal) -> None:
        self._session = session
        self._options = options
        self._journal = journal
        self._txn = Transaction(session.schema, session.replica.tables)
        root = next(self._txn.records("Open_vSwitch"), None) or self._txn.insert("Open_vSwitch")
        self._ctx = Context(session.schema, self._txn, root, journal)
        self._inserted: dict[Uuid, Uuid] = {}
        self.next_cfg: int | None = None

    def carry_out(self, commands: list[Command]) -> bool:
        """Run the commands; False when one of them waits for a change."""
        for command in commands:
            self._ctx.begin(command, is_last=command is commands[-1])
            command.syntax.run(self._ctx)
            if self._ctx.result.try_again:
                return False
        for warning in self._ctx.symbols.check():
            self._ctx.warn(warning)
        return True

    def commit(self, text: str) -> bool:
        """Commit what the commands changed; False when somebody else changed what it rests on."""
        if not self._txn.is_changed():
            return True
        operations, inserts = self._txn.operations()
        counter = len(operations) + 1
        if self._options.wait:
            operations += self._txn.increment(self._ctx.root, "next_cfg")
        operations.append({"op": "comment", "comment": text})
        if self._options.dry_run:
            operations.append({"op": "abort"})
        done = self._session.commit(operations, lambda line: self._journal.warn("ovsdb_idl", line))
        if done.outcome is Outcome.TRY_AGAIN:
            return False
        self._inserted = {own: done.inserted(index) for index, own in inserts.items()}
        if self._options.wait and not self._options.dry_run:
            self.next_cfg = _counter(done, counter)
        return True

    def print_results(self) -> None:
        """Print what the commands have to show, in their order."""
        printer = Printer(self._options.style)
        text = "".join(self._shown(result, printer) for result in self._ctx.results)
        sys.stdout.write(text)
        sys.stdout.flush()

    def wait_for_switch(self, next_cfg: int) -> None:
        """Wait until the switch has taken on configuration `next_cfg`, and report interfaces that failed."""
        while not self._is_taken_on(next_cfg):
            self._session.follow_through()
        interfaces = self._session.replica.tables.get("Interface", {})
        failed = False
        for own in self._ctx.new_interfaces:
            row = interfaces.get(self._inserted.get(own, own))
            if row is None or row["ofport"] not in (None, -1):
                continue
            reason = f": {row['error']}" if row["error"] else ""
            print(
                f"{PROGRAM}: Error detected while setting up '{row['name']}'{reason}.  "
                "See ovs-vswitchd log for details.",
                file=sys.stderr,
            )
            failed = True
        if failed:
            print(f'{PROGRAM}: The default log directory is "{logdir()}".', file=sys.stderr)

    def _is_taken_on(self, next_cfg: int) -> bool:
        rows = self._session.replica.tables["Open_vSwitch"].values()
        return any(isinstance(row["cur_cfg"], int) and row["cur_cfg"] >= next_cfg for row in rows)

    def _shown(self, result: Result, printer: Printer) -> str:
        if result.listing is not None:
            return printer.text(result.listing)
        text = "".join(result.text)
        if result.created is not None:
            text = f"{self._inserted.get(result.created, result.created)}\n"
        if not self._options.oneline:
            return text
        return text.removesuffix("\n").replace("\\", "\\\\").replace("\n", "\\n") + "\n"


def _counter(done: Commit, index: int) -> int:
    rows: list[dict[str, Any]] = done.results[index]["rows"]
    if not rows:
        raise ControlError("transaction error: the database has no row to count configurations in")
    return int(rows[0]["next_cfg"])


def comment(arguments: list[str]) -> str:
    """What the transaction's comment in the database log says: the command line, and who ran it."""
    pid = os.getppid()
    try:
        words = read_file(f"/proc/{pid}/cmdline").split(b"\0")[:-1]
    except OSError:
        words = []
    parent = b" ".join(words).decode("utf-8", "replace")
    return f"{PROGRAM} (invoked by {parent} (pid {pid})): {printable(quoted_words([PROGRAM, *arguments]))}"
