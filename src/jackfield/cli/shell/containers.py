"""`jackfield attach`, `detach`, `attachments` and `agent`: containers' ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jackfield.cli.shell.output import Column, show_table

if TYPE_CHECKING:
    from jackfield.containers.records import Known

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_COLUMNS = (
    Column("target", style="bold"),
    Column("interface"),
    Column("bridge"),
    Column("port"),
    Column("VLAN"),
    Column("addresses"),
    Column("MAC"),
    Column("state"),
)


@click.command("attach")
@click.argument("target")
@click.argument("bridge")
@click.option(
    "--ip", "addresses", multiple=True, metavar="A/N", help='An address, or "dhcp"; may be repeated.'
)
@click.option(
    "--gw", "gateways", multiple=True, metavar="G", help="The default gateway, one for each IP version."
)
@click.option("--route", "routes", multiple=True, metavar="PREFIX=G", help="A route; may be repeated.")
@click.option("--tag", metavar="VLAN", help="Be an access port of this VLAN.")
@click.option("--trunks", metavar="VLANS", help='Carry these VLANs with tags: "10,20-30".')
@click.option(
    "--mac", default="", metavar="MAC", help="The MAC address (default: made from target and interface)."
)
@click.option("--mtu", type=int, metavar="BYTES", help="The MTU (default: the bridge's).")
@click.option(
    "--ifname", default="eth1", show_default=True, metavar="NAME", help="The interface's name inside."
)
@click.option("--replace", is_flag=True, help="Take the place of an interface of that name, until detached.")
@click.option("--veth", is_flag=True, help="Use a veth pair in place of an internal port.")
@click.option(
    "--port", default="", metavar="NAME", help="The port's name (default: from target and interface)."
)
@_JSON
def attach_command(
    target: str,
    bridge: str,
    addresses: tuple[str, ...],
    gateways: tuple[str, ...],
    routes: tuple[str, ...],
    tag: str | None,
    trunks: str | None,
    as_json: bool,
    **others: Any,
) -> None:
    """Put a container on a bridge.

    TARGET is the name or id of a Docker or Podman container, netns:NAME or netns:/PATH for a network
    namespace, or pid:N for a process.
    """
    from jackfield.containers.attachment import Wish, read_vlan_options
    from jackfield.containers.commands import AttachOrder, carry_out

    vlan, listed = read_vlan_options(tag, trunks)
    wish = Wish(
        bridge, addresses=addresses, gateways=gateways, routes=routes, tag=vlan, trunks=listed, **others
    )
    for text in carry_out(AttachOrder(target, wish, as_json)):
        print(text)


@click.command("detach")
@click.argument("target")
@click.option("--ifname", metavar="NAME", help="Only this interface (default: all that were attached).")
def detach_command(target: str, ifname: str | None) -> None:
    """Undo `attach`."""
    from jackfield.containers.commands import DetachOrder, carry_out

    for text in carry_out(DetachOrder(target, ifname)):
        print(text)


@click.command("attachments")
@_JSON
def attachments_command(as_json: bool) -> None:
    """List what is attached."""
    from jackfield.client.database import Database
    from jackfield.containers import telling
    from jackfield.containers.records import TABLES, every

    with Database.open(TABLES) as database:
        found = every(database)
    if as_json:
        listed = [telling.as_dict(each.attachment, telling.state(each)) for each in found]
        print(telling.json_text({"attachments": listed}))
    elif found:
        show_table(_COLUMNS, [_row(each) for each in found])
    else:
        print("nothing is attached; `jackfield attach CONTAINER BRIDGE` does that")


@click.command("agent", hidden=True)
def agent_command() -> int:
    """Follow the lives of what is attached. The daemon runs this."""
    from jackfield.containers.agent import main

    return main()


def _row(known: Known) -> list[object]:
    from jackfield.containers import telling

    attachment = known.attachment
    wish = attachment.wish
    vlans = ",".join(map(str, wish.trunks))
    vlan = " ".join(
        word for word in ("" if wish.tag is None else str(wish.tag), vlans and f"trunk {vlans}") if word
    )
    target = attachment.target
    name = target.name if target.kind in ("docker", "podman") else f"{target.kind}:{target.name}"
    addresses = " ".join(telling.addresses(attachment))
    return [
        *(name, wish.ifname, wish.bridge, attachment.port),
        *(vlan, addresses, attachment.mac, telling.state(known)),
    ]
