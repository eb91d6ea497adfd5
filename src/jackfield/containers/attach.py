"""Attaching and detaching: the steps, in an order in which each can be undone, and their undoing.

What an attachment is stands in the database before anything is taken from a container, so that whoever comes
next can end what was begun, should this process be killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace

from jackfield.client.database import Database
from jackfield.client.errors import Conflict, Failure
from jackfield.client.operations import Columns, Operation, add_port, set_keys, update
from jackfield.containers import aside, cable, dhcp
from jackfield.containers.attachment import ADDRESS_KEY, KEY, Attachment, Wish, checked, new_attachment, plain
from jackfield.containers.inside import Inside
from jackfield.containers.interior import configure, holds, interface_of, sentence, tell
from jackfield.containers.leases import wants_gateway
from jackfield.containers.lock import Meanwhile
from jackfield.containers.ports import find_interface
from jackfield.containers.records import Found, Known, look, park, unpark
from jackfield.containers.targets import Running
from jackfield.net.errors import KernelError
from jackfield.wire.notation import encode

LINK_SECONDS = 2.0


def attach(
    database: Database, running: Running, wish: Wish, meanwhile: Meanwhile = nullcontext
) -> tuple[Attachment, bool]:
    """Have the target's interface be as wished for; the attachment, and whether anything had to be changed.
    What takes long outside is waited for within `meanwhile`.

    Raises Failure; then everything is as it was before.
    """
    wanted = new_attachment(running.target, checked(wish))
    found = look(database, wanted)
    for address, holder in found.holders.items():
        raise Failure(f"{address} is the address of {holder} on bridge {wish.bridge} already")
    with _sentences(running):
        if found.known is None or found.known.port is None:
            if found.known is not None:
                # Its record stays until the new one is there; what was put aside before is gone with the
                # namespace it was in, or is still aside.
                wanted = replace(wanted, aside=found.known.attachment.aside)
            return start(database, running, wanted, found, meanwhile), True
        return _changed(database, running, wanted, found.known, meanwhile)


def start(
    database: Database, running: Running, wanted: Attachment, found: Found, meanwhile: Meanwhile | None
) -> Attachment:
    """Make an attachment whose port is not there. A DHCP server is asked within `meanwhile`, not without one.
    Raises Failure and KernelError, and undoes what it did."""
    if found.port_taken:
        raise Failure(f"there is a port {wanted.port} already, of something else; --port gives another name")
    wish = wanted.wish
    with Inside(running.netns) as inside, _Undo() as undo:
        if wish.veth and found.known is not None:
            cable.remove(wanted.port)  # made by somebody who was killed before there was a port
        wanted = _made_room(database, inside, wanted, running, found, undo)
        parked = Known(wanted, found.bridge, None, {})
        if wish.veth:
            _keep_record(database, wanted, found, undo)
            cable.create(running, wanted)
            undo.push(lambda: cable.remove(wanted.port))
        recorded = found.known is not None or wanted.aside or wish.veth
        # The commit may be done and its confirmation fail: so its undoing is known before.
        undo.push(lambda: remove_port(database, wanted, parked if recorded else None))
        database.commit(
            [
                *add_port(
                    found.bridge,
                    wanted.port,
                    port={**wish.vlans.columns(), "external_ids": wanted.port_ids()},
                    interface=_interface_columns(running, wanted),
                ),
                *unpark(parked),
                *(unpark(found.known) if found.known is not None and found.known.port is None else []),
            ]
        )
        _need_no_error(database, wanted)
        configure(inside, wish)
        _wait_for_link(database, wanted)
        if wish.dhcp and meanwhile is not None:
            wanted = _leased(database, inside, wanted, meanwhile)
        undo.done()
    return wanted


def detach(
    database: Database, known: Known, running: Running | None, meanwhile: Meanwhile | None = nullcontext
) -> None:
    """Undo an attachment; `running` is its target if that runs. A lease is given back within `meanwhile`, as
    far as its server can be reached; without one it is kept. Raises Failure."""
    if running is not None and meanwhile is not None:
        _give_lease_back(known, running, meanwhile)
    attachment = replace(known.attachment, leaving=True)
    marked = replace(known, attachment=attachment)
    restores = bool(attachment.aside) and running is not None
    # Whoever is killed when the port is gone and something is left to do leaves a record of it.
    recorded = restores or attachment.wish.veth
    remove_port(database, attachment, marked if recorded else None)
    if running is not None and attachment.aside:
        with _sentences(running), Inside(running.netns) as inside:
            aside.put_back(inside, attachment.aside)
    if known.port is None or recorded:
        database.commit(unpark(known), wait=False)


def give_back(database: Database, known: Known, running: Running | None) -> None:
    """Take away what an attachment's target got that is not the switch's own, and put back what had to give
    way, keeping the attachment with its bridge: `start` makes it again. Raises Failure and KernelError."""
    parked = replace(known, attachment=replace(known.attachment, aside={}))
    remove_port(database, known.attachment, known)
    if running is not None and known.attachment.aside:
        with _sentences(running), Inside(running.netns) as inside:
            aside.put_back(inside, known.attachment.aside)
    database.commit(park(parked), wait=False)


def repair(attachment: Attachment, running: Running) -> bool:
    """Give an interface that was made anew its addresses and routes again; whether there is an interface.
    Raises Failure and KernelError."""
    with Inside(running.netns) as inside:
        if inside.device(attachment.wish.ifname) is None:
            return False
        if holds(inside, attachment.wish):
            return True
        configure(inside, attachment.wish)
        lease = dhcp.load(attachment.lease)
        if lease is not None:
            device = interface_of(inside, attachment.wish.ifname)
            dhcp.apply(inside, device, lease, gateway=wants_gateway(attachment))
    return True


def remove_port(database: Database, attachment: Attachment, parked: Known | None) -> None:
    """Take the attachment's port away, and keep the attachment with the bridge if `parked` is given; no error
    when the port is gone. Raises Failure."""
    operations: list[Operation] = [*park(parked)] if parked is not None else []
    rows = database.transact(
        [{"op": "select", "table": "Port", "where": [["name", "==", attachment.port]], "columns": ["_uuid"]}]
    )[0]["rows"]
    for row in rows:
        operations.append(
            {
                "op": "mutate",
                "table": "Bridge",
                "where": [["ports", "includes", row["_uuid"]]],
                "mutations": [["ports", "delete", row["_uuid"]]],
            }
        )
    if operations:
        database.commit(operations)
    if attachment.wish.veth:
        cable.remove(attachment.port)


def _changed(
    database: Database, running: Running, wanted: Attachment, known: Known, meanwhile: Meanwhile
) -> tuple[Attachment, bool]:
    """Bring an attachment that is there to what is wished for."""
    old = known.attachment
    with Inside(running.netns) as inside:
        whole = holds(inside, old.wish)
        if whole and (wanted.wish, wanted.port, wanted.mac) == (old.wish, old.port, old.mac):
            configure(inside, wanted.wish)
            return old, False
        if whole and _same_device(old, wanted):
            wanted = replace(wanted, aside=old.aside, lease=old.lease)
            _adjust(database, running, inside, known, wanted)
            return wanted, True
    detach(database, known, running, None if wanted.wish.dhcp else meanwhile)
    try:
        return start(database, running, wanted, look(database, wanted), meanwhile), True
    except (Failure, KernelError):
        with suppress(Failure, KernelError):
            start(database, running, replace(old, aside={}), look(database, old), meanwhile)
        raise


def _same_device(old: Attachment, wanted: Attachment) -> bool:
    """Whether one can become the other without a new port."""
    fixed = ("bridge", "ifname", "replace", "veth", "dhcp")
    same = all(getattr(old.wish, name) == getattr(wanted.wish, name) for name in fixed)
    settings = ("mac", "mtu") if wanted.wish.veth else ()
    return (
        same
        and old.port == wanted.port
        and all(getattr(old.wish, name) == getattr(wanted.wish, name) for name in settings)
    )


def _adjust(database: Database, running: Running, inside: Inside, known: Known, wanted: Attachment) -> None:
    old = known.attachment
    with _Undo() as undo:
        undo.push(lambda: database.commit(_update(database, running, known, old, wanted)))
        database.commit(_update(database, running, known, wanted, old))
        _need_no_error(database, wanted)
        undo.push(lambda: configure(inside, old.wish, wanted.wish))
        configure(inside, wanted.wish, old.wish)
        undo.done()


def _update(
    database: Database, running: Running, known: Known, new: Attachment, old: Attachment
) -> list[Operation]:
    """The operations that make the rows of `old` those of `new`."""
    assert known.port is not None
    interface = find_interface(database, new.port)
    if interface is None:
        raise Failure(f"port {new.port} was removed by somebody else meanwhile")
    gone = {ADDRESS_KEY + plain(address): None for address in old.wish.static}
    return [
        update("Port", known.port, new.wish.vlans.columns()),
        set_keys("Port", known.port, "external_ids", {**gone, **new.port_ids()}),
        update("Interface", interface.uuid, _interface_columns(running, new)),
    ]


def _made_room(
    database: Database, inside: Inside, wanted: Attachment, running: Running, found: Found, undo: _Undo
) -> Attachment:
    """See that the interface's name is free in the container: the attachment, with what had to give way."""
    there = inside.device(wanted.wish.ifname)
    if there is None:
        return wanted
    if not wanted.wish.replace:
        raise Failure(
            f"{wanted.target.name} has an interface {there.name} already; "
            "--ifname gives the new one another name, --replace takes that one's place"
        )
    if not aside.is_of(wanted.aside, there, running.inode):
        wanted = replace(wanted, aside=aside.describe(inside, there, running.inode))
    _keep_record(database, wanted, found, undo)
    undo.push(lambda: aside.put_back(inside, wanted.aside))
    aside.take_aside(inside, wanted.aside)
    return wanted


def _keep_record(database: Database, wanted: Attachment, found: Found, undo: _Undo) -> None:
    """Have the database tell what is begun, for whoever comes if this process is killed."""
    before = found.known
    parked = Known(wanted, found.bridge, None, {})
    undo.push(lambda: database.commit(park(before) if before else unpark(parked), wait=False))
    database.transact(park(parked))


def _interface_columns(running: Running, wanted: Attachment) -> Columns:
    common: Columns = {"external_ids": wanted.interface_ids(), "mtu_request": wanted.wish.mtu}
    if wanted.wish.veth:
        return common
    place = {
        "netns": running.netns,
        "netns-id": str(running.inode),
        "ifname": wanted.wish.ifname,
        "up": "true",
    }
    return {**common, "type": "internal", "mac": wanted.mac, "options": place}


def _need_no_error(database: Database, wanted: Attachment) -> None:
    made = find_interface(database, wanted.port)
    if made is None:
        raise Failure(f"port {wanted.port} was removed by somebody else meanwhile")
    if made.error:
        raise Failure(made.error)


def _wait_for_link(database: Database, wanted: Attachment) -> None:
    """Wait until the switch has noticed that the interface is up: from then on it sends to it."""
    condition = [["name", "==", wanted.port]]
    wait = {"op": "wait", "table": "Interface", "where": condition, "columns": ["link_state"], "until": "==",
            "rows": [{"link_state": "up"}], "timeout": int(LINK_SECONDS * 1000)}  # fmt: skip
    with suppress(Conflict):
        database.transact([wait])


def _leased(database: Database, inside: Inside, wanted: Attachment, meanwhile: Meanwhile) -> Attachment:
    """The attachment with an address from a DHCP server."""
    device = interface_of(inside, wanted.wish.ifname)
    with meanwhile():
        lease = dhcp.obtain(inside, device, wanted.target.name)
    _need_no_error(database, wanted)
    dhcp.apply(inside, device, lease, gateway=wants_gateway(wanted))
    tell(inside, device, [lease.address])
    return keep_lease(database, wanted, lease)


def _give_lease_back(known: Known, running: Running, meanwhile: Meanwhile) -> None:
    lease = dhcp.load(known.attachment.lease)
    if known.port is None or lease is None:
        return
    # The server would take it back by itself when its time is up.
    with suppress(Failure, KernelError), Inside(running.netns) as inside:
        device = interface_of(inside, known.attachment.wish.ifname)
        with meanwhile():
            dhcp.release(inside, device, lease)


def keep_lease(database: Database, attachment: Attachment, lease: dhcp.Lease) -> Attachment:
    """Have the record of an attachment whose port is there tell of its lease. Raises Failure."""
    return keep(database, replace(attachment, lease=lease.record()))


def keep(database: Database, attachment: Attachment) -> Attachment:
    """Have this be the record of an attachment whose port is there. Raises Failure."""
    database.transact(
        [
            {
                "op": "mutate",
                "table": "Port",
                "where": [["name", "==", attachment.port]],
                "mutations": [
                    ["external_ids", "delete", KEY],
                    ["external_ids", "insert", encode({KEY: attachment.dump()})],
                ],
            }
        ]
    )
    return attachment


class _Undo:
    """Undoes what was done, last things first, unless all went well. What cannot be undone is passed over:
    the first trouble is the one to tell."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> _Undo:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def push(self, action: Callable[[], object]) -> None:
        """How to undo what is done next, or was done just now."""
        self._stack.callback(_quietly, action)

    def done(self) -> None:
        """All went well."""
        self._stack.pop_all()


def _quietly(action: Callable[[], object]) -> None:
    with suppress(Failure, KernelError):
        action()


@contextmanager
def _sentences(running: Running) -> Iterator[None]:
    """What the kernel refuses inside a container as a sentence that names it."""
    try:
        yield
    except KernelError as error:
        raise Failure(f"{running.target.name}: {sentence(error)}") from error
