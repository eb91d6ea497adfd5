"""What is said about attachments, to people and to programs. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from jackfield.containers.attachment import Attachment
from jackfield.containers.records import Known


def attached(attachment: Attachment, changed: bool, *, as_json: bool) -> str:
    """What `attach` prints; `changed` is false when all was so already."""
    if as_json:
        return json_text(as_dict(attachment, "attached") | {"changed": changed})
    wish = attachment.wish
    where = f"port {attachment.port} of {wish.bridge}"
    told = [f"MAC {attachment.mac}", *addresses(attachment)]
    verb = "attached" if changed else "is attached already:"
    return f"{attachment.target.name} {verb} {wish.ifname}: {where}, {', '.join(told)}"


def json_text(content: Any) -> str:
    """JSON, indented for those who look at it."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def addresses(attachment: Attachment) -> list[str]:
    """The addresses of an attachment, and the one that is leased."""
    leased = attachment.lease.get("address")
    return [*attachment.wish.static, *([f"{leased} (DHCP)"] if leased else [])]


def state(known: Known) -> str:
    """How an attachment fares."""
    if known.port is None:
        return "waiting for it to start"
    error = known.interface.get("error")
    return str(error) if error else "attached"


def as_dict(attachment: Attachment, how: str) -> dict[str, Any]:
    """An attachment for programs."""
    wish, target = attachment.wish, attachment.target
    return {
        "target": {"kind": target.kind, "id": target.id, "name": target.name},
        "interface": wish.ifname,
        "bridge": wish.bridge,
        "port": attachment.port,
        "tag": wish.tag,
        "trunks": list(wish.trunks),
        "mac": attachment.mac,
        "mtu": wish.mtu,
        "addresses": list(wish.addresses),
        "leased": attachment.lease.get("address"),
        "gateways": list(wish.gateways),
        "routes": list(wish.routes),
        "replaces": bool(attachment.aside),
        "veth": wish.veth,
        "state": how,
    }
