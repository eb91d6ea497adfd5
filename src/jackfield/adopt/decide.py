"""Whether a takeover stays: who has to answer, what the user says, and the guard that is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jackfield.adopt import probe
from jackfield.adopt.guard import Guard
from jackfield.adopt.host import Host, Layer3
from jackfield.adopt.record import Record
from jackfield.client.errors import Failure
from jackfield.net.errors import NetworkError

STEP_SECONDS = 60.0
"""How long the steps themselves may take, beyond the time for answers and for the user, before the guard
takes the command for dead."""
NOW_SECONDS = 5.0
"""How long somebody may take to answer before anything is changed."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. `notes` are sentences that a user should read."""

    bridge: str
    port: str
    nics: tuple[str, ...]
    addresses: tuple[str, ...]
    answered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def watched_addresses(
    host: Host, state: Layer3, checks: tuple[str, ...] | None, notes: list[str]
) -> tuple[str, ...]:
    """The addresses that have to answer afterwards: the user's, else the gateways, as far as they answer now.
    `checks` is None when nobody is to be asked.

    Raises Failure when one that the user named does not answer now, or none of the gateways.
    """
    if checks is None:
        return ()
    mute = probe.silent(host, state.device, checks, NOW_SECONDS)
    if mute:
        raise Failure(
            f"{mute[0]} does not answer through {state.device} now, so it cannot tell anything later"
        )
    if checks:
        return checks
    mute = probe.silent(host, state.device, state.gateways, NOW_SECONDS)
    watched = tuple(gateway for gateway in state.gateways if gateway not in mute)
    if mute and not watched:
        raise Failure(
            f"{state.device}: the gateway {mute[0]} does not answer through it now, so it cannot tell later "
            "whether the host is still reachable; --check ADDRESS names somebody who can, --no-check nobody"
        )
    if mute:
        notes.append(f"{', '.join(mute)} did not answer before, so only {', '.join(watched)} was asked")
    elif not watched:
        notes.append(
            "nobody was asked whether the host is still reachable: there is no gateway; "
            "--check ADDRESS names one"
        )
    return watched


@contextmanager
def guarded(record: Record, seconds: float) -> Iterator[None]:
    """What is done in the block stays when it ends well; else the guard puts it back, and Failure says so."""
    guard = Guard(record, seconds + STEP_SECONDS)
    try:
        yield
    except BaseException as error:
        guard.undo()
        if isinstance(error, Failure | NetworkError):
            raise Failure(f"{error}. Everything is as it was before.") from error
        raise
    guard.keep()


def verify(host: Host, port: str, addresses: tuple[str, ...], seconds: float, say: Say) -> None:
    """Raises Failure when one of the addresses does not answer through the internal port in time."""
    if addresses:
        say(f"asking {', '.join(addresses)} through {port}")
        mute = probe.silent(host, port, addresses, seconds)
        if mute:
            raise Failure(f"{', '.join(mute)} has not answered through {port} within {seconds:g} seconds")


def confirmed(confirm: Callable[[float], bool] | None, seconds: float) -> None:
    """Raises Failure when the user is to be asked and does not say yes."""
    if confirm is not None and not confirm(seconds):
        raise Failure(f"not confirmed within {seconds:g} seconds")
