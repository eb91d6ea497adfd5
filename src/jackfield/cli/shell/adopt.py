"""`jackfield adopt`, `release` and `import-bridge`: the host's own network onto the switch and back."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from jackfield.cli.shell.output import show_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from jackfield.adopt.decide import Outcome

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_CONFIRM = click.option("--confirm", is_flag=True, help="Ask on the terminal, and put back without a yes.")
_SECONDS = click.option(
    "--confirm-timeout",
    "seconds",
    type=click.FloatRange(1, 3600),
    default=30.0,
    show_default=True,
    metavar="SECS",
    help="How long to wait for answers, and for a yes.",
)
_CHECKS = click.option(
    "--check", "checks", multiple=True, metavar="ADDRESS", help="An address that must answer afterwards."
)
_NO_CHECK = click.option(
    "--no-check", "unasked", is_flag=True, help="Ask nobody whether the host is still reachable."
)


@click.command("adopt")
@click.argument("nics", nargs=-1, required=True, metavar="NIC...")
@click.option("--bridge", default="br0", show_default=True, help="The bridge; made if it is not there.")
@click.option(
    "--port", default="", metavar="NAME", help="An internal port to make (default: the bridge's own)."
)
@click.option(
    "--tag", type=click.IntRange(1, 4094), help="The VLAN that untagged frames on the wire belong to."
)
@click.option(
    "--mac",
    type=click.Choice(["keep", "new"]),
    default="keep",
    show_default=True,
    help="Whether the internal port takes the MAC of the card.",
)
@click.option("--bond", default="", metavar="NAME", help="Make a bond of several cards.")
@click.option("--bond-mode", default="", metavar="MODE", help="active-backup, balance-slb or balance-tcp.")
@click.option("--lacp", type=click.Choice(["active", "passive", "off"]), help="LACP on the bond.")
@_CHECKS
@_NO_CHECK
@_CONFIRM
@_SECONDS
@_JSON
def adopt_command(
    nics: tuple[str, ...],
    bridge: str,
    port: str,
    tag: int | None,
    mac: str,
    bond: str,
    bond_mode: str,
    lacp: str | None,
    checks: tuple[str, ...],
    unasked: bool,
    confirm: bool,
    seconds: float,
    as_json: bool,
) -> None:
    """Move the host's card onto a bridge, its addresses and routes onto an internal port.

    If the gateway, or an ADDRESS, does not answer afterwards, everything is put back.
    """
    from jackfield.adopt.takeover import Wish, adopt

    wish = Wish(
        nics=tuple(dict.fromkeys(nics)),
        bridge=bridge,
        port="" if port == bridge else port,
        checks=_addresses(checks, unasked),
        seconds=seconds,
        tag=tag,
        keep_mac=mac == "keep",
        bond=bond,
        bond_mode=bond_mode,
        lacp=lacp or "",
    )
    outcome = adopt(wish, _confirmation(confirm), _narrator(as_json))
    _show(outcome, as_json)


@click.command("release")
@click.argument("nic", metavar="NIC")
@_JSON
def release_command(nic: str, as_json: bool) -> None:
    """Take an adopted card off its bridge and give it back what the internal port has now."""
    from jackfield.adopt.takeover import release

    _show(release(nic, _narrator(as_json)), as_json)


@click.command("import-bridge")
@click.argument("name", metavar="BRIDGE")
@click.option("--to", default="", metavar="NAME", help="The name on the switch (default: the same).")
@_CHECKS
@_NO_CHECK
@_CONFIRM
@_SECONDS
@_JSON
def import_command(
    name: str,
    to: str,
    checks: tuple[str, ...],
    unasked: bool,
    confirm: bool,
    seconds: float,
    as_json: bool,
) -> None:
    """Take over a Linux bridge, with its ports, VLANs, addresses and routes.

    If the gateway, or an ADDRESS, does not answer afterwards, everything is put back.
    """
    from jackfield.adopt.imports import import_bridge

    answered = _addresses(checks, unasked)
    _show(import_bridge(name, to, answered, seconds, _confirmation(confirm), _narrator(as_json)), as_json)


def _addresses(given: tuple[str, ...], unasked: bool) -> tuple[str, ...] | None:
    from jackfield.net import inet

    if unasked:
        if given:
            raise click.UsageError("--check asks somebody, --no-check nobody")
        return None
    try:
        return tuple(inet.unpack(inet.pack(text)) for text in given)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--check") from error


def _narrator(as_json: bool) -> Callable[[str], None]:
    return (lambda _: None) if as_json else click.echo


def _show(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        show_json(outcome)
        return
    for note in outcome.notes:
        click.echo(f"note: {note}", err=True)


def _confirmation(wanted: bool) -> Callable[[float], bool] | None:
    if not wanted:
        return None
    if not sys.stdin.isatty():
        raise click.UsageError("--confirm needs a terminal to ask on")
    return _ask


def _ask(seconds: float) -> bool:
    """Whether the user says yes on the terminal in time."""
    import select
    import termios

    # What was typed before the question is no answer to it.
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    os.write(sys.stdout.fileno(), f"Keep it? Say yes within {seconds:g} seconds: ".encode())
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(ready) and sys.stdin.readline().strip().lower() in ("y", "yes")
