"""The agent: has attachments follow the lives of their targets.

A target stops, and its port goes; it starts again, and the port is back as it was. The agent also does what
`attach` and `detach` are asked for while it is there, as it has loaded all they need. The daemon runs the
agent while there is something to follow and logs what it says; the agent ends when its standard input does.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial

from jackfield.client.database import ANSWER_SECONDS, Database
from jackfield.client.errors import Failure
from jackfield.containers import aside, cable
from jackfield.containers.attach import detach, give_back, keep, keep_lease, remove_port, repair, start
from jackfield.containers.attachment import Attachment
from jackfield.containers.dhcp import Lease
from jackfield.containers.docker_network.service import COLUMNS, Service
from jackfield.containers.engine import Engine, NoAnswer, NoContainer
from jackfield.containers.enquiries import Answer, Enquiries, Then
from jackfield.containers.inside import Inside
from jackfield.containers.leases import Leases
from jackfield.containers.lock import exclusive, is_claimed
from jackfield.containers.orders import Orders
from jackfield.containers.records import (
    TABLES,
    Known,
    Remembered,
    attachment_of,
    every,
    is_alive,
    is_in,
    last_seen,
    look,
    netns_id,
    unpark,
)
from jackfield.containers.targets import ENGINES, Running, look_up
from jackfield.containers.watch import Tiding, Watch
from jackfield.net import netns
from jackfield.net.errors import KernelError

SAFETY_SECONDS = 60.0
AGAIN_SECONDS = 5.0
"""How long after an engine could not be asked it is asked again."""
LAST_SECONDS = 1.5
"""How long to wait for the switch, and for engines, when the daemon waits for the end of the agent."""
GIVE_BACK_SECONDS = 6.0
"""How long to wait for engines when the switch leaves nothing behind."""


def main() -> int:
    """Run until standard input ends; the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with Database.open({**TABLES, "Open_vSwitch": COLUMNS}) as database:
            Agent(database).run()
    except (Failure, KernelError) as error:
        say("WARN", str(error))
        return 1
    return 0


def say(level: str, text: str) -> None:
    """One line for the daemon's log."""
    sys.stdout.write(f"{level} {text}\n")
    sys.stdout.flush()


class Agent:
    """Follows what is attached. Belongs to one thread. Methods raise Failure when the database is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watch = Watch()
        self._watch.also(database.fileno(), self._database_changed)
        self._watch.also(sys.stdin.fileno(), self._told)
        self._leases = Leases(self._watch.renewed)
        self._docker = Service(say)
        self._orders = Orders(say)
        self._enquiries = Enquiries(self._watch.wake)
        self._mute: dict[str, float] = {}
        self._ended = False
        self._seen: set[tuple[object, ...]] = set()
        self._remembered: Remembered = {}
        self._complaints: dict[str, str] = {}
        self._gives_back = False
        self._cables: set[str] | None = None
        self._portless: list[Attachment] = []
        self._changed = True
        self._looked = 0.0

    def run(self) -> None:
        """Follow until told to end."""
        self._orders.start()
        self._look([Tiding()])
        while not self._ended:
            self._look([*self._watch.wait(self._patience()), *self._again()])
            for port, lease in self._watch.leases():
                self._keep(port, lease)
        self._orders.close()
        with suppress(Failure):
            # The last one may just have been taken away by somebody else.
            self._refresh()
            self._look([])
            self._enquiries.finish(LAST_SECONDS)
        if self._gives_back:
            self._give_back()
        self._docker.close()

    def _patience(self) -> float:
        """How long to wait for something to happen, in seconds."""
        return max(0.0, min([SAFETY_SECONDS, *(at - time.monotonic() for at in self._mute.values())]))

    def _again(self) -> list[Tiding]:
        """Reasons to ask engines again that could not be asked."""
        due = [kind for kind, at in self._mute.items() if at <= time.monotonic()]
        for kind in due:
            del self._mute[kind]
        return [Tiding(kind) for kind in due]

    def _database_changed(self) -> None:
        self._refresh()

    def _refresh(self) -> None:
        """Take in what has changed; ports that have gone may have been in the place of something."""
        for change in self._database.refresh():
            self._changed |= change.table in TABLES
            if change.table == "Port" and change.new is None and change.old is not None:
                attachment = attachment_of(change.old)
                if attachment is not None and attachment.aside:
                    self._portless.append(attachment)

    def _told(self) -> None:
        """Standard input ends, or a word says before that the switch leaves nothing behind."""
        self._gives_back = bool(os.read(sys.stdin.fileno(), 4096))
        self._ended = True

    def _give_back(self) -> None:
        """Put back what the attachments have replaced, until the next start."""
        self._refresh()
        for each in every(self._database):
            if each.port is not None and (each.attachment.aside or each.attachment.wish.veth):
                self._ask(each.attachment, partial(self._given_back, each))
        self._enquiries.finish(GIVE_BACK_SECONDS)

    def _given_back(self, known: Known, answer: Answer) -> None:
        name = f"{known.attachment.target.name} {known.attachment.wish.ifname}"
        try:
            with exclusive():
                self._refresh()
                now = self._now(known)
                if now is not None and now.port is not None:
                    try:
                        running = answer()
                    except Failure:
                        running = last_seen(now)
                    give_back(self._database, now, running)
        except (Failure, KernelError) as error:
            self._complain(name, f"{name}: {error}")

    def _look(self, tidings: list[Tiding]) -> None:
        """Look after those attachments that the tidings concern, and those that are new."""
        self._docker.follow(self._database)
        self._enquiries.tell()
        for tiding in tidings:
            if tiding.said:
                self._complain(tiding.id, tiding.said)
        now = time.monotonic()
        if not (tidings or self._changed or now - self._looked >= SAFETY_SECONDS):
            return  # the switch has told how far it has come, as a rule
        self._changed, self._looked = False, now
        known = self._every()
        self._remove_cables(known)
        self._put_back(known)
        concerned = [each for each in known if each.identity not in self._seen or _concerns(tidings, each)]
        self._seen = {each.identity for each in known}
        if self._leases.ports:
            self._leases.drop(self._leases.ports - {each.attachment.port for each in known if each.port})
        for each in concerned:
            self._follow(each)

    def _remove_cables(self, known: list[Known]) -> None:
        """Whoever deletes the port of an attachment with a pair wants to see no more of the pair."""
        there = {each.attachment.port for each in known if each.attachment.wish.veth}
        if self._cables is None or self._cables - there:
            try:
                with exclusive():
                    self._refresh()
                    cable.remove_others({each.attachment.port for each in every(self._database)})
            except (Failure, KernelError) as error:
                self._complain("pairs", f"a pair whose port is gone is still there: {error}")
        self._cables = there

    def _put_back(self, known: list[Known]) -> None:
        """Whoever deletes the port of an attachment that took an interface's place wants that one again."""
        if not self._portless:
            return
        there = {each.attachment.key for each in known}
        with suppress(Failure):
            # The name is free when the switch has removed its device.
            self._database.commit([], seconds=LAST_SECONDS if self._ended else ANSWER_SECONDS)
        while self._portless:
            attachment = self._portless.pop()
            if attachment.key not in there:
                self._ask(attachment, partial(self._put_one_back, attachment))

    def _put_one_back(self, attachment: Attachment, answer: Answer) -> None:
        try:
            with exclusive():
                running = answer()
                if running is not None:
                    with Inside(running.netns) as inside:
                        aside.put_back_if_left(inside, attachment.aside, running.inode)
        except (Failure, KernelError) as error:
            self._complain(attachment.target.name, f"what {attachment.port} replaced is not back: {error}")

    def _every(self) -> list[Known]:
        return every(self._database, self._remembered)

    def _follow(self, known: Known) -> None:
        target = known.attachment.target
        if target.kind in ENGINES:
            self._watch.engine(Engine(target.kind, target.engine))
            self._enquiries.ask(target, known.attachment.key, partial(self._engine_answered, known))
        else:
            self._follow_to(known, partial(look_up, target))

    def _engine_answered(self, known: Known, answer: Answer) -> None:
        """Look after an attachment, which was `known` when its engine was asked."""
        target = known.attachment.target
        try:
            answer()
        except NoAnswer as error:
            self._complain(target.engine, str(error))
            self._mute[target.kind] = time.monotonic() + AGAIN_SECONDS
            if known.port is not None and not is_alive(known):
                # Whoever cannot be asked can be contradicted: without its namespace nothing runs.
                self._follow_to(known, lambda: None)
            return
        except Failure:
            pass  # told about this attachment
        self._complaints.pop(target.engine, None)
        self._follow_to(known, answer)

    def _follow_to(self, known: Known, answer: Answer) -> None:
        """Bring an attachment to where its target is; unless it was changed since that was asked."""
        target = known.attachment.target
        with exclusive():
            self._refresh()
            now = self._now(known)
            if now is None:
                return
            if is_claimed(target.key):
                # A command waits for a DHCP server; what it leaves is looked at then.
                self._seen.discard(now.identity)
                self._changed = True
                self._watch.when_free(target.key)
                return
            self._seen.add(now.identity)
            if target.kind in ENGINES and now.identity != known.identity:
                self._follow(now)
                return
            name = f"{target.name} {now.attachment.wish.ifname}"
            try:
                self._settle(now, answer())
            except NoContainer:
                self._drop(now, f"{target.name} is no more")
            except (Failure, KernelError) as error:
                self._complain(name, f"{name}: {error}")
            else:
                self._complaints.pop(name, None)

    def _now(self, known: Known) -> Known | None:
        """The attachment as the database has it now, None when it is gone."""
        key = known.attachment.key
        return next((each for each in self._every() if each.attachment.key == key), None)

    def _ask(self, attachment: Attachment, then: Then) -> None:
        """Have `then` told where the target of what is to be put back runs: later, if an engine is asked."""
        target = attachment.target
        if target.kind in ENGINES:
            self._enquiries.ask(target, ("back", attachment.key), then)
        else:
            then(partial(look_up, target))

    def _settle(self, known: Known, running: Running | None) -> None:
        """Bring an attachment to where its target is. Raises Failure and KernelError."""
        attachment, target = known.attachment, known.attachment.target
        if running is not None and not self._watch.process(running):
            running = None
        if attachment.leaving:
            detach(self._database, known, running)
            return
        if running is not None and running.target != target:
            attachment = replace(attachment, target=running.target)  # it has another name by now
            known = replace(known, attachment=attachment)
            if known.port is not None:
                keep(self._database, attachment)
        if running is None:
            if known.port is not None and target.lasts:
                self._park(known)
            elif known.port is not None or not target.lasts:
                self._drop(known, f"{target.name} has ended")
            return
        if known.port is not None:
            # A missing internal port is made by the switch, as long as its namespace is there; a pair is not.
            if is_in(known, running) and (repair(attachment, running) or not attachment.wish.veth):
                self._leases.follow(attachment, running)
                return
            self._park(known)
            known = replace(known, port=None)
        # A lease may take long to get, or for ever, which is the matter of a thread of its own.
        attachment = replace(attachment, lease={})
        made = start(self._database, running, attachment, look(self._database, attachment), None)
        self._leases.follow(made, running)
        say("INFO", f"{target.name} runs again: attached {made.wish.ifname} as port {made.port}")

    def _park(self, known: Known) -> None:
        attachment = known.attachment
        remove_port(self._database, attachment, known)
        self._leases.drop({attachment.port})
        say(
            "INFO",
            f"{attachment.target.name} has stopped: removed port {attachment.port} until it runs again",
        )

    def _drop(self, known: Known, why: str) -> None:
        attachment = known.attachment
        remove_port(self._database, attachment, None)
        if known.port is None:
            self._database.commit(unpark(known), wait=False)
        self._watch.forget(attachment.target.key)
        say("INFO", f"{why}: removed port {attachment.port} for good")

    def _keep(self, port: str, lease: Lease) -> None:
        """Write down a lease that was renewed."""
        with exclusive():
            self._refresh()
            for each in every(self._database):
                if each.attachment.port == port and each.port is not None:
                    keep_lease(self._database, each.attachment, lease)

    def _complain(self, about: str, sentence: str) -> None:
        """Say it once, until it is well again."""
        if self._complaints.get(about) != sentence:
            self._complaints[about] = sentence
            say("WARN", sentence)


def _concerns(tidings: list[Tiding], known: Known) -> bool:
    target = known.attachment.target
    return any(
        not tiding.said
        and tiding.kind in ("", target.kind)
        and tiding.id in ("", target.id)
        and (tiding.kind != "netns" or _has_moved(known))
        for tiding in tidings
    )


def _has_moved(known: Known) -> bool:
    """Whether a name leads elsewhere than when its port was made. Names of others come and go often."""
    return netns.inode_of(known.attachment.target.id) != netns_id(known)
