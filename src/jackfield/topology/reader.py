"""From YAML to the form of a network file: everything that does not fit is told, each with its place.

The form's own types say what fits (`msgspec.inspect`), so that there is no second list of words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any

from msgspec import inspect

from jackfield.topology import document, form
from jackfield.topology.document import Node, Scalar
from jackfield.topology.problems import BadFile, Problem

Path = tuple[str | int, ...]
"""Where in the form: fields, keys and numbers of elements."""

MOST_NODES = 200_000
_TRUE, _FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_WRONG = object()


@dataclass(frozen=True, slots=True)
class Source:
    """A file that fits the form, and where each part of it stands."""

    name: str
    content: form.File
    places: Mapping[Path, Node]
    problems: tuple[Problem, ...] = ()
    broken: frozenset[Path] = frozenset()
    """Where the problems are: these parts are not in the content, or not as they were meant."""

    def at(self, path: Path) -> Node:
        """Where a part of the form stands, or, if it is not written out, what holds it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path]


def read(name: str, text: str) -> Source:
    """The network file `text`, called `name` in what is told of it, without the parts that do not fit, which
    are among its problems. Raises BadFile when nothing can be made of it."""
    try:
        root = document.read(text)
    except document.NotYaml as error:
        raise BadFile(name, error.problems) from None
    reader = _Reader()
    content = reader.value(_file_type(), root, ())
    if not isinstance(content, form.File):
        raise BadFile(name, reader.problems)
    return Source(name, content, reader.places, tuple(reader.problems), frozenset(reader.broken))


@cache
def _file_type() -> inspect.Type:
    return inspect.type_info(form.File)


@dataclass(slots=True)
class _Reader:
    problems: list[Problem] = field(default_factory=list)
    places: dict[Path, Node] = field(default_factory=dict)
    broken: set[Path] = field(default_factory=set)
    nodes: int = 0

    def value(self, wanted: inspect.Type, node: Node, path: Path) -> Any:
        """The node as the wanted type has it, or _WRONG after a problem was noted."""
        found = self._value(wanted, node, path)
        if found is _WRONG:
            self.broken.add(path)
        return found

    def _value(self, wanted: inspect.Type, node: Node, path: Path) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            if self.nodes == MOST_NODES + 1:
                self.problems.append(node.problem(f"the file has more than {MOST_NODES} parts"))
            return _WRONG
        self.places[path] = node
        wanted, title = _plain(wanted)
        match wanted:
            case inspect.UnionType():
                return self._union(wanted, node, path)
            case inspect.StructType():
                return self._struct(wanted, node, path)
            case inspect.DictType():
                return self._dict(wanted, node, path)
            case inspect.ListType():
                return self._list(wanted, node, path)
        if not isinstance(node, Scalar):
            return self._wrong(node, f"{_what(node)} where {title or _word(wanted)} is wanted")
        return self._scalar(wanted, node, title)

    def _wrong(self, node: Node, sentence: str) -> object:
        self.problems.append(node.problem(sentence))
        return _WRONG

    def _union(self, union: inspect.UnionType, node: Node, path: Path) -> Any:
        """Of the alternatives the one that the node's own shape asks for."""
        plain = [alternative for alternative in union.types if not isinstance(alternative, inspect.NoneType)]
        if isinstance(node, Scalar) and node.is_null and len(plain) < len(union.types):
            return None
        if len(plain) == 1:
            return self.value(plain[0], node, path)
        fitting = [alternative for alternative in plain if _shape_fits(_plain(alternative)[0], node)]
        if fitting:
            return self.value(fitting[0], node, path)
        titles = " or ".join(_title(alternative) for alternative in plain)
        shown = f'"{node.text}"' if isinstance(node, Scalar) else _what(node)
        return self._wrong(node, f"{shown} is not {titles}")

    def _struct(self, struct: inspect.StructType, node: Node, path: Path) -> Any:
        fields = {known.encode_name: known for known in struct.fields}
        values: dict[str, Any] = {}
        found = self._mapping(node, f"the settings of {_name_of(path)}")
        if found is None:
            return _WRONG
        for key, child in found:
            known = fields.get(key.text)
            if known is None:
                self._wrong(key, f'"{key.text}" is not known here{_suggestion(key.text, fields)}')
                self.broken.add(path)
                continue
            value = self.value(known.type, child, (*path, known.name))
            if value is not _WRONG:
                values[known.name] = value
        written = {key.text for key, _ in found}
        for missing in (known for known in struct.fields if known.required):
            if missing.encode_name not in written:
                self._wrong(node, f'{_name_of(path)} lacks "{missing.encode_name}"')
        needed = {known.name for known in struct.fields if known.required}
        return struct.cls(**values) if needed <= values.keys() else _WRONG

    def _dict(self, wanted: inspect.DictType, node: Node, path: Path) -> Any:
        found = self._mapping(node, f"{_name_of(path)}, by name,")
        if found is None:
            return _WRONG
        values = {}
        key_type, title = _plain(wanted.key_type)
        for key, child in found:
            if self._scalar(key_type, key, title) is _WRONG:
                self.broken.add((*path, key.text))
            value = self.value(wanted.value_type, child, (*path, key.text))
            if value is not _WRONG:
                values[key.text] = value
        return values

    def _mapping(self, node: Node, what: str) -> list[tuple[Scalar, Node]] | None:
        """The items of a mapping; nothing at all is an empty one."""
        if isinstance(node, Scalar) and node.is_null:
            return []
        if not isinstance(node, document.Mapping):
            self._wrong(node, f"{_what(node)} where {what} should be a mapping, `word: value` in each line")
            return None
        self.problems += document.duplicates(node)
        return node.items

    def _list(self, wanted: inspect.ListType, node: Node, path: Path) -> Any:
        if not isinstance(node, document.Sequence):
            hint = f"; write [{node.text}]" if isinstance(node, Scalar) and node.text else ""
            return self._wrong(node, f"{_what(node)} where a list is wanted{hint}")
        values = [self.value(wanted.item_type, item, (*path, i)) for i, item in enumerate(node.items)]
        least, most = wanted.min_length, wanted.max_length
        if (least is not None and len(values) < least) or (most is not None and len(values) > most):
            count = f"{least}" if least == most else f"at least {least}"
            return self._wrong(node, f"{len(values)} where {_name_of(path)} should be {count}")
        return [value for value in values if value is not _WRONG]

    def _scalar(self, wanted: inspect.Type, node: Scalar, title: str) -> Any:
        match wanted:
            case inspect.LiteralType(values=values):
                if node.text in values:
                    return node.text
                choice = ", ".join(map(str, values))
                hint = _suggestion(node.text, map(str, values))
                return self._wrong(node, f'"{node.text}" is none of {choice}{hint}')
            case inspect.BoolType():
                if node.text.lower() in _TRUE | _FALSE:
                    return node.text.lower() in _TRUE
                return self._wrong(node, f'"{node.text}" is neither true nor false')
            case inspect.IntType(ge=least, le=most):
                if not _INTEGER.fullmatch(node.text) or len(node.text) > 20:
                    return self._wrong(node, f'"{node.text}" is not {title or "a number"}')
                number = int(node.text)
                if (least is not None and number < least) or (most is not None and number > most):
                    limits = f"{least} to {most}" if most is not None else f"{least} or more"
                    return self._wrong(node, f"{number} is not within {limits}")
                return number
            case inspect.StrType(pattern=pattern):
                if pattern is not None and not re.search(pattern, node.text):
                    return self._wrong(node, f'"{node.text}" is not {title}')
                if len(node.text.encode(errors="replace")) > 15 and "15 bytes" in title:
                    return self._wrong(node, f'"{node.text}" is not {title}')
                return node.text
        raise AssertionError(f"a form with a {wanted}")


def _plain(wanted: inspect.Type) -> tuple[inspect.Type, str]:
    """A type without its descriptions, and how its values are called."""
    title = ""
    while isinstance(wanted, inspect.Metadata):
        title = str((wanted.extra_json_schema or {}).get("title", title))
        wanted = wanted.type
    return wanted, title


def _title(wanted: inspect.Type) -> str:
    plain, title = _plain(wanted)
    return title or _word(plain)


def _word(wanted: inspect.Type) -> str:
    match wanted:
        case inspect.IntType():
            return "a number"
        case inspect.BoolType():
            return "true or false"
        case inspect.ListType():
            return "a list"
        case inspect.DictType() | inspect.StructType():
            return "a mapping"
    return "a word"


def _shape_fits(wanted: inspect.Type, node: Node) -> bool:
    match node:
        case document.Mapping():
            return isinstance(wanted, inspect.StructType | inspect.DictType)
        case document.Sequence():
            return isinstance(wanted, inspect.ListType)
        case Scalar(text=text):
            if isinstance(wanted, inspect.IntType):
                return _INTEGER.fullmatch(text) is not None
            return isinstance(wanted, inspect.StrType) and bool(re.search(wanted.pattern or "", text))
    return False


def _what(node: Node) -> str:
    match node:
        case document.Mapping():
            return "a mapping"
        case document.Sequence():
            return "a list"
        case Scalar(text=text) if text:
            return f'"{text}"'
    return "nothing"


def _name_of(path: Path) -> str:
    """What stands at a path, for a sentence."""
    if not path:
        return "the file"
    words = [str(part).replace("_", "-") if i == len(path) - 1 else str(part) for i, part in enumerate(path)]
    if len(words) > 1 and isinstance(path[-1], str) and isinstance(path[-2], str):
        kind = words[-2]
        if kind in ("bridges", "ports", "namespaces", "links", "containers"):
            return f"{kind[:-1]} {words[-1]}"
    if isinstance(path[-1], int):
        return f"number {path[-1] + 1} of {words[-2]}"
    return words[-1]


def _suggestion(word: str, known: Iterable[str]) -> str:
    words = list(known)
    wanted = word.lower().replace("_", "-")
    near = [wanted] if wanted in words else get_close_matches(wanted, words, 1)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f" (known: {', '.join(words)})" if len(words) <= 12 else ""
