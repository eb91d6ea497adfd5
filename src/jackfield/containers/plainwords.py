"""Reading the command lines of `attach` and `detach` where they are plain. Pure.

Whoever types a command has all of the shell's grammar, help and messages (`jackfield.cli`); this knows only
command lines that nobody could mistake, and gives up on all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jackfield.containers.attachment import DHCP, Wish, read_vlan_options
from jackfield.containers.commands import AttachOrder, DetachOrder, Order

SEVERAL = {"--ip": "addresses", "--gw": "gateways", "--route": "routes"}
SINGLE = {"--mac": "mac", "--ifname": "ifname", "--port": "port"}
FLAGS = {"--replace": "replace", "--veth": "veth"}
OTHERS = frozenset({"--tag", "--trunks", "--mtu", "--json"})
_TAKE_VALUES = frozenset({*SEVERAL, *SINGLE, "--tag", "--trunks", "--mtu"})


def read_order(words: Sequence[str]) -> Order | None:
    """What a command line asks for, its first word being the command; None for one that is not plain, or
    that may take long: of leases somebody may think better meanwhile. Raises Failure as the command would.
    """
    match words:
        case ["attach", *rest]:
            return _attach(rest)
        case ["detach", *rest]:
            return _detach(rest)
        case _:
            return None


def _attach(words: Sequence[str]) -> AttachOrder | None:
    split = _split(words, _TAKE_VALUES, frozenset({*FLAGS, "--json"}))
    if split is None:
        return None
    names, values, flags = split
    mtu = values.get("--mtu", [""])[-1]
    if len(names) != 2 or DHCP in values.get("--ip", ()) or (mtu and not _is_number(mtu)):
        return None
    fields: dict[str, Any] = {field: tuple(values.get(word, ())) for word, field in SEVERAL.items()}
    fields |= {field: values[word][-1] for word, field in SINGLE.items() if word in values}
    fields |= {field: word in flags for word, field in FLAGS.items()}
    tag, trunks = read_vlan_options(values.get("--tag", [None])[-1], values.get("--trunks", [None])[-1])
    wish = Wish(names[1], tag=tag, trunks=trunks, mtu=int(mtu) if mtu else None, **fields)
    return AttachOrder(names[0], wish, "--json" in flags)


def _detach(words: Sequence[str]) -> DetachOrder | None:
    split = _split(words, frozenset({"--ifname"}), frozenset())
    if split is None:
        return None
    names, values, _ = split
    return DetachOrder(names[0], values.get("--ifname", [None])[-1]) if len(names) == 1 else None


_Split = tuple[list[str], dict[str, list[Any]], set[str]]
"""Names, the values of each option, and flags."""


def _split(words: Sequence[str], take_values: frozenset[str], flags: frozenset[str]) -> _Split | None:
    names: list[str] = []
    values: dict[str, list[Any]] = {}
    given: set[str] = set()
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if not word.startswith("-"):
            names.append(word)
        elif word in flags:
            given.add(word)
        elif option in take_values:
            value = value if equals else next(rest, "")
            if not value or value.startswith("-"):
                return None
            values.setdefault(option, []).append(value)
        else:
            return None
    return None if "" in names else (names, values, given)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) < 10
