"""What a runtime asks for: the parameters in the environment (CNI specification, section 2). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from jackfield.containers.cni.errors import CniError, Code

_CONTAINER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
_KNOWN_ARGUMENTS = ("MAC", "OvnPort")
_TRUE = ("1", "t", "T", "true", "TRUE", "True")


class Command(Enum):
    """The operations of the specification."""

    ADD = "ADD"
    DEL = "DEL"
    CHECK = "CHECK"
    GC = "GC"
    STATUS = "STATUS"
    VERSION = "VERSION"


_OF_A_CONTAINER = (Command.ADD, Command.DEL, Command.CHECK)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the plugin."""

    command: Command
    container_id: str = ""
    netns: str = ""
    ifname: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)  # of CNI_ARGS
    path: tuple[str, ...] = ()  # where delegated plugins are searched for


def read_invocation(environment: Mapping[str, str]) -> Invocation:
    """The call that the environment describes; raises CniError naming every variable that is wrong."""
    given = environment.get("CNI_COMMAND", "")
    try:
        command = Command(given)
    except ValueError:
        names = ", ".join(known.value for known in Command)
        what = f'CNI_COMMAND is "{given}", not one of {names}' if given else "CNI_COMMAND is not set"
        raise CniError(Code.INVALID_ENVIRONMENT, what) from None
    call = Invocation(
        command=command,
        container_id=environment.get("CNI_CONTAINERID", ""),
        netns=environment.get("CNI_NETNS", ""),
        ifname=environment.get("CNI_IFNAME", ""),
        path=tuple(folder for folder in environment.get("CNI_PATH", "").split(":") if folder),
    )
    problems = list(_problems(call)) if command in _OF_A_CONTAINER else []
    if problems:
        raise CniError(Code.INVALID_ENVIRONMENT, "; ".join(problems))
    # What an argument is for does not matter to those who take away.
    strict = command in (Command.ADD, Command.CHECK)
    return Invocation(
        command, call.container_id, call.netns, call.ifname, _arguments(environment, strict), call.path
    )


def _problems(call: Invocation) -> Iterator[str]:
    if not call.container_id:
        yield "CNI_CONTAINERID is not set"
    elif not _CONTAINER_ID.fullmatch(call.container_id):
        yield f'CNI_CONTAINERID is "{call.container_id}", which is not letters, digits, "_", "." and "-"'
    if not call.ifname:
        yield "CNI_IFNAME is not set"
    elif not _is_device_name(call.ifname):
        yield f'CNI_IFNAME is "{call.ifname}", which no network device can be called'
    if not call.netns and call.command is not Command.DEL:
        yield "CNI_NETNS is not set"


def _is_device_name(name: str) -> bool:
    """As dev_valid_name of the kernel has it."""
    bad = any(character in "/:\0" or character.isspace() for character in name)
    return not bad and name not in (".", "..") and len(name.encode(errors="surrogateescape")) < 16


def _arguments(environment: Mapping[str, str], strict: bool) -> Mapping[str, str]:
    found = {}
    for pair in filter(None, environment.get("CNI_ARGS", "").split(";")):
        key, equals, value = pair.partition("=")
        if equals:
            found[key] = value
        elif strict:
            raise CniError(Code.INVALID_ENVIRONMENT, f'CNI_ARGS has "{pair}", which is not KEY=VALUE')
    ignore = found.pop("IgnoreUnknown", "") in _TRUE
    unknown = [key for key in found if key not in _KNOWN_ARGUMENTS and not key.startswith("K8S_")]
    if strict and unknown and not ignore:
        raise CniError(
            Code.INVALID_ENVIRONMENT,
            f"CNI_ARGS has {', '.join(unknown)}, which this plugin does not know (add IgnoreUnknown=1)",
        )
    return found
