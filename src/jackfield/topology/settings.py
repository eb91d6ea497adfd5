"""Which word of a file is which column of the database, both ways (ovs-vswitchd.conf.db(5)). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jackfield.topology.network import Setting, Settings
from jackfield.wire.notation import Value

Vlans = list[int | str]


@dataclass(frozen=True, slots=True)
class Word:
    """A field of the form and its setting. `kind` says what the field has: text, int, bool or vlans."""

    field: str
    setting: str
    kind: str = "text"
    default: Setting = ""
    """What a row says that means the same as nothing."""


SWITCH = (Word("vlan_limit", "other_config:vlan-limit", "int"),)
BRIDGE = (
    Word("mac_aging_time", "other_config:mac-aging-time", "int"),
    Word("mac_table_size", "other_config:mac-table-size", "int"),
    Word("flood_vlans", "flood_vlans", "vlans"),
    Word("forward_bpdu", "other_config:forward-bpdu", "bool"),
    Word("hwaddr", "other_config:hwaddr"),
    Word("fail_mode", "fail_mode"),
)
PORT = (
    Word("tag", "tag", "int"),
    Word("trunks", "trunks", "vlans"),
    Word("vlan_mode", "vlan_mode"),
    Word("cvlans", "cvlans", "vlans"),
    Word("qinq_ethtype", "other_config:qinq-ethtype"),
    Word("priority_tags", "other_config:priority-tags"),
    Word("protected", "protected", "bool", False),
    Word("bond_mode", "bond_mode"),
    Word("lacp", "lacp", default="off"),
    Word("bond_updelay", "bond_updelay", "int", 0),
    Word("bond_downdelay", "bond_downdelay", "int", 0),
)
INTERFACE = (
    Word("type", "type", default="system"),
    Word("peer", "options:peer"),
    Word("mac", "mac"),
    Word("mtu", "mtu_request", "int"),
    Word("ofport", "ofport_request", "int"),
)
FREE = "other_config"
"""The column, but of Interface, whose keys a file may name as they are, in a field of the same name."""


def from_form(words: Iterable[Word], part: object) -> dict[str, Setting]:
    """The settings that a part of a form asks for; VLAN lists have to be good ones."""
    found: dict[str, Setting] = {}
    for word in words:
        value = getattr(part, word.field, None)
        if value is None or value == word.default:
            continue
        if word.kind == "vlans":
            value = vlan_set(value)
            if not value:
                continue
        if _is_mac(word):
            value = str(value).lower()
        found[word.setting] = _text(value) if ":" in word.setting else value
    free = getattr(part, FREE, None) if words is not INTERFACE else None
    for key, value in (free or {}).items():
        found[f"{FREE}:{key}"] = value
    return found


def to_form(words: Iterable[Word], settings: Settings) -> dict[str, Any]:
    """The fields that say these settings; the keys of other_config that have no word are in its own field."""
    left = dict(settings)
    fields: dict[str, Any] = {}
    for word in words:
        value = left.get(word.setting)
        if value is None:
            continue
        said = _said(word, value)
        if said is not None:
            fields[word.field] = said
            del left[word.setting]
    free = {key.partition(":")[2]: str(value) for key, value in left.items() if key.startswith(f"{FREE}:")}
    if free:
        fields[FREE] = dict(sorted(free.items()))
    return fields


def from_row(words: Iterable[Word], row: Mapping[str, Value]) -> dict[str, Setting]:
    """The settings that a row of the database has, of those that a file can say."""
    words = tuple(words)
    found: dict[str, Setting] = {}
    for word in words:
        column, _, key = word.setting.partition(":")
        value = row.get(column)
        if key:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None or isinstance(value, dict) or value == word.default or value in ("", frozenset()):
            continue
        if isinstance(value, frozenset):
            found[word.setting] = frozenset(number for number in value if isinstance(number, int))
        else:
            found[word.setting] = value.lower() if _is_mac(word) and isinstance(value, str) else value
    free = row.get(FREE)
    if isinstance(free, dict):
        for name, value in free.items():
            found.setdefault(f"{FREE}:{name}", str(value))
    return found


def columns_of(words: Iterable[Word]) -> tuple[str, ...]:
    """The columns that rows need for `from_row`."""
    return tuple(dict.fromkeys(word.setting.partition(":")[0] for word in words))


def vlan_set(given: Iterable[int | str]) -> frozenset[int]:
    """Of [1, "5-7"] the numbers 1, 5, 6, 7. Raises ValueError for a range that is none."""
    found: set[int] = set()
    for item in given:
        if isinstance(item, int):
            found.add(item)
            continue
        low, _, high = item.partition("-")
        if not 0 <= int(low) <= int(high) <= 4095:
            raise ValueError(
                f'"{item}" is not a range of VLANs: it goes from the lower to the higher, 4095 at most'
            )
        found.update(range(int(low), int(high) + 1))
    return frozenset(found)


def vlan_list(numbers: Iterable[int]) -> Vlans:
    """Of 1, 5, 6, 7 the list [1, "5-7"]."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [low if low == high else f"{low}-{high}" for low, high in runs]


def _said(word: Word, value: Setting) -> Any:
    """A setting as the form has it; None when the form cannot say it so."""
    match word.kind:
        case "vlans":
            return vlan_list(value) if isinstance(value, frozenset) else None
        case "int":
            text = str(value)
            return int(text) if text.isascii() and text.isdecimal() else None
        case "bool":
            return {"true": True, "false": False}.get(str(value).lower())
    return str(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_mac(word: Word) -> bool:
    return word.field in ("mac", "hwaddr")
