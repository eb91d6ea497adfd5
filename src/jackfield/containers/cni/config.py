"""The network configuration that a runtime hands over (CNI specification, section 1), with ovs-cni's keys.

What this plugin would have to ignore is refused by name: a container that quietly lacks a VLAN or a rate
limit is worse than one that does not start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jackfield.containers.cni.errors import CniError, Code
from jackfield.containers.cni.invocation import Command, Invocation
from jackfield.containers.cni.result import CURRENT, SUPPORTED, Result, read_result
from jackfield.containers.vlans import Vlans, check_vlan, vlan_range

DEFAULT_FILES = ("/etc/kubernetes/cni/net.d/ovs.d/ovs.conf", "/etc/cni/net.d/ovs.d/ovs.conf")
OVN_BRIDGE = "br-int"
LEAST_MTU, MOST_MTU = 68, 65535
MOST_OFPORT = 65279

_VALID_ATTACHMENTS = "cni.dev/valid-attachments"
_OWN = (
    *("bridge", "vlan", "trunk", "mtu", "interface_type", "ofport_request", "configuration_path"),
    *("socket_file", "link_state_check_retries", "link_state_check_interval"),
)
_OF_THE_PROTOCOL = (
    *("cniVersion", "cniVersions", "name", "type", "disableCheck", "disableGC", "loadOnlyInlinedPlugins"),
    *("capabilities", "runtimeConfig", "args", "ipam", "dns", "prevResult"),
)
_CAPABILITIES = ("mac", "ips", "ipRanges", "dns", "aliases", "cni.dev/attachments")
_MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}")
_FIRST_VERSION = {Command.CHECK: "0.4.0", Command.GC: "1.1.0", Command.STATUS: "1.1.0"}


@dataclass(frozen=True, slots=True)
class NetConf:
    """One network, as this call is to see it."""

    version: str
    name: str = ""
    bridge: str = ""
    vlans: Vlans = field(default_factory=Vlans)
    mtu: int | None = None
    mac: str = ""  # asked for; empty: the switch chooses one
    ofport: int | None = None
    ovn_port: str = ""
    socket: str = ""  # the database's; empty: that of the run directory
    ipam: str = ""  # the IPAM plugin's name; empty: the network has no addresses
    dns: Mapping[str, Any] = field(default_factory=dict)
    previous: Result | None = None
    valid_attachments: frozenset[tuple[str, str]] | None = None  # container ids and interface names


def decode(data: bytes) -> dict[str, Any]:
    """The object on standard input; an empty input is an empty object. Raises CniError."""
    try:
        found = json.loads(data) if data.strip() else {}
    except (ValueError, RecursionError) as error:
        raise CniError(Code.DECODING, f"the network configuration is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise CniError(Code.DECODING, "the network configuration is not a JSON object")
    return found


def version_of(given: Mapping[str, Any]) -> str:
    """The version to answer in, also when it is one that is not supported."""
    version = given.get("cniVersion")
    return version if isinstance(version, str) and version else CURRENT


def read_config(call: Invocation, given: Mapping[str, Any]) -> NetConf:
    """The configuration for a call; raises CniError. Commands that take away need little of it."""
    version = _check_version(call.command, given)
    strict = call.command in (Command.ADD, Command.CHECK, Command.STATUS)
    merged = {**_file(given.get("configuration_path"), strict), **given}
    return _Reader(call, merged, strict).config(version)


def _check_version(command: Command, given: Mapping[str, Any]) -> str:
    version = given.get("cniVersion")
    if version is None and command is Command.DEL:
        return CURRENT
    if version not in SUPPORTED:
        what = f"version {version}" if version else "no cniVersion, which means 0.1.0"
        raise CniError(
            Code.INCOMPATIBLE_VERSION,
            f"the network configuration has {what}; this plugin supports {', '.join(SUPPORTED)}",
        )
    first = _FIRST_VERSION.get(command, SUPPORTED[0])
    if SUPPORTED.index(version) < SUPPORTED.index(first):
        raise CniError(
            Code.INCOMPATIBLE_VERSION,
            f"the network configuration has version {version}, and {command.value} came with {first}",
        )
    return str(version)


def _file(path: Any, strict: bool) -> Mapping[str, Any]:
    """The keys of a file of defaults, the first one that is there, as ovs-cni has it."""
    own = (path,) if isinstance(path, str) and path else ()
    for name in (*own, *DEFAULT_FILES):
        try:
            found = json.loads(Path(name).read_bytes())
        except FileNotFoundError:
            if name == path and strict:
                raise CniError(Code.INPUT_OUTPUT, f"configuration_path: there is no file {name}") from None
            continue
        except (OSError, ValueError) as error:
            if not strict:
                continue
            code = Code.INPUT_OUTPUT if isinstance(error, OSError) else Code.DECODING
            raise CniError(code, f"the configuration file {name} cannot be read: {error}") from error
        if isinstance(found, dict):
            return found
        if strict:
            raise CniError(Code.DECODING, f"the configuration file {name} is not a JSON object")
    return {}


class _Reader:
    """Takes keys out of a configuration; a wrong one is an error when `strict`, else as if not there."""

    def __init__(self, call: Invocation, given: Mapping[str, Any], strict: bool) -> None:
        self._call = call
        self._given = given
        self._strict = strict

    def config(self, version: str) -> NetConf:
        if self._strict:
            self._refuse_unsupported()
        name = self._text("name")
        ovn_port = self._call.arguments.get("OvnPort", "")
        bridge = self._text("bridge") or (OVN_BRIDGE if ovn_port else "")
        if self._strict and not name:
            raise _invalid("name", "the network has none")
        if self._call.command in (Command.ADD, Command.CHECK) and not bridge:
            raise _invalid("bridge", "say which bridge of the switch the containers are put on")
        previous = self._given.get("prevResult") if self._strict else None
        return NetConf(
            version=version,
            name=name,
            bridge=bridge,
            vlans=self._vlans() if self._strict else Vlans(),
            mtu=self._number("mtu", LEAST_MTU, MOST_MTU) or None,
            mac=self._mac() if self._strict else "",
            ofport=self._number("ofport_request", 1, MOST_OFPORT) or None,
            ovn_port=ovn_port,
            socket=self._socket(),
            ipam=self._ipam(),
            dns=self._object("dns"),
            previous=read_result(previous, "prevResult") if previous else None,
            valid_attachments=self._attachments() if self._call.command is Command.GC else None,
        )

    def _refuse_unsupported(self) -> None:
        for key, value in self._given.items():
            # null, false, an empty text: nothing is asked for.
            known = key in _OWN or key in _OF_THE_PROTOCOL or key.startswith("cni.dev/")
            if not known and value not in (None, False, "", 0):
                raise _unsupported(key, value)
        if (kind := self._given.get("interface_type")) not in (None, "", "internal"):
            raise _unsupported("interface_type", kind)
        for capability, wanted in self._object("capabilities").items():
            if wanted and capability not in _CAPABILITIES:
                raise _unsupported("capabilities", {capability: wanted})

    def _text(self, key: str) -> str:
        value = self._given.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self._wrong(key, f"{json.dumps(value)} is not a text")
        return ""

    def _object(self, key: str) -> Mapping[str, Any]:
        value = self._given.get(key)
        if value is None or isinstance(value, dict):
            return value or {}
        self._wrong(key, f"{json.dumps(value)} is not an object")
        return {}

    def _number(self, key: str, least: int, most: int) -> int | None:
        value = self._given.get(key)
        if value in (None, 0):
            return None
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self._wrong(key, f"{json.dumps(value)} is not a number from {least} to {most}")
        return None

    def _vlans(self) -> Vlans:
        tag = self._given.get("vlan")
        try:
            if tag is not None and (not isinstance(tag, int) or isinstance(tag, bool)):
                raise ValueError(f"{json.dumps(tag)} is not a number")
            tag = None if tag is None else check_vlan(tag)
        except ValueError as error:
            raise _invalid("vlan", str(error)) from None
        trunk = self._given.get("trunk")
        if trunk is None:
            return Vlans(tag)
        if not isinstance(trunk, list):
            raise _invalid("trunk", f"{json.dumps(trunk)} is not a list")
        found: set[int] = set()
        for item in trunk:
            try:
                found.update(_trunk_vlans(item))
            except (ValueError, TypeError) as error:
                raise _invalid("trunk", str(error)) from None
        return Vlans(tag, frozenset(found))

    def _mac(self) -> str:
        of_cni = self._object("args").get("cni")
        choices = (
            ("runtimeConfig", self._object("runtimeConfig").get("mac")),
            ("args", of_cni.get("mac") if isinstance(of_cni, dict) else None),
            ("CNI_ARGS", self._call.arguments.get("MAC")),
        )
        for source, mac in choices:
            if not mac:
                continue
            if not isinstance(mac, str) or not _MAC.fullmatch(mac):
                raise _invalid(source, f"{json.dumps(mac)} is not an Ethernet address")
            if int(mac[:2], 16) & 1:
                raise _invalid(source, f"{mac} is a group's address, which no device can have")
            return mac.replace("-", ":").lower()
        return ""

    def _socket(self) -> str:
        given = self._text("socket_file")
        path = given.removeprefix("unix:")
        if path and not path.startswith("/"):
            self._wrong("socket_file", f'"{given}" is not the path of a unix socket')
            return ""
        return path

    def _ipam(self) -> str:
        kind = self._object("ipam").get("type") or ""
        if isinstance(kind, str) and "/" not in kind and kind not in (".", ".."):
            return kind
        self._wrong("ipam", f"{json.dumps(kind)} is not the name of a plugin")
        return ""

    def _attachments(self) -> frozenset[tuple[str, str]]:
        items = self._given.get(_VALID_ATTACHMENTS)
        # Without the list nothing says what may go: an empty one has to be said.
        if not isinstance(items, list):
            raise _invalid(_VALID_ATTACHMENTS, "the list of attachments to keep is missing")
        try:
            return frozenset((str(item["containerID"]), str(item["ifname"])) for item in items)
        except (KeyError, TypeError) as error:
            raise _invalid(_VALID_ATTACHMENTS, "an entry is not {containerID, ifname}") from error

    def _wrong(self, key: str, what: str) -> None:
        if self._strict:
            raise _invalid(key, what)


def _trunk_vlans(item: Any) -> set[int]:
    if not isinstance(item, dict):
        raise TypeError(f"{json.dumps(item)} is not an object")
    for key, value in item.items():
        if key not in ("id", "minID", "maxID"):
            raise _unsupported("trunk", {key: value})
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{key}: {json.dumps(value)} is not a number")
    if ("minID" in item) != ("maxID" in item) or not item:
        raise ValueError(f"{json.dumps(item)} has neither id nor both of minID and maxID")
    found = {check_vlan(item["id"])} if "id" in item else set()
    if "minID" in item:
        found.update(vlan_range(item["minID"], item["maxID"]))
    return found


def _invalid(key: str, what: str) -> CniError:
    return CniError(Code.INVALID_CONFIGURATION, f"{key}: {what}")


def _unsupported(key: str, value: Any) -> CniError:
    return CniError(Code.UNSUPPORTED_FIELD, f"{key} is not supported (it is {json.dumps(value)})")
