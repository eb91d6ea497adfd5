"""YAML with positions: every scalar as it was written, so that nothing is taken for something else.

YAML itself would read `mac: 12:34:56:11:22:33` as a number in base 60 and `no` as a truth value. Here a
scalar is text until the reader knows what is wanted. Keys that come twice are refused. Nesting is bounded
(the C library's own composer would crash), and an alias stands for what was complete before: no cycles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from jackfield.topology.problems import Problem

MOST_BYTES = 16 << 20
MOST_DEPTH = 32
NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Node:
    """Where something begins."""

    line: int
    column: int

    def problem(self, sentence: str) -> Problem:
        """A sentence about this place, on one line whatever words of the file are in it."""
        shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in sentence)
        return Problem(self.line, self.column, shown)


@dataclass(frozen=True, slots=True)
class Scalar(Node):
    """A word or text; `plain` when it was written without quotes."""

    text: str
    plain: bool = True

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in NULLS


@dataclass(frozen=True, slots=True)
class Sequence(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mapping(Node):
    items: list[tuple[Scalar, Node]] = field(default_factory=list)


class NotYaml(Exception):
    """The text cannot be understood at all."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problem.sentence for problem in problems))


def read(text: str) -> Node:
    """The one document in `text`; an empty one is an empty mapping. Raises NotYaml."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    composer = _Composer()
    try:
        for event in yaml.parse(text, Loader=loader):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise NotYaml(Problem(*place, f"this is not YAML: {error.problem or error.context}")) from None
    except yaml.YAMLError as error:
        # A character that YAML does not allow: the reader knows its position in the text only.
        position = getattr(error, "position", 0)
        before = text[:position]
        place = (before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
        raise NotYaml(Problem(*place, f"this is not YAML: {getattr(error, 'reason', error)}")) from None
    if composer.problems:
        raise NotYaml(*composer.problems)
    return composer.root or Mapping(1, 1)


class _Composer:
    """Puts events together, without recursion: how deep a file is nested is up to its author."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[tuple[Sequence | Mapping, str | None]] = []
        self._keys: list[Scalar | None] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: object) -> None:
        import yaml

        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise NotYaml(_at(event).problem("a second document begins: one file is one document"))
            case yaml.ScalarEvent():
                place = _at(event)
                scalar = Scalar(place.line, place.column, event.value, not event.style)
                self._complete(scalar, event.anchor)
            case yaml.AliasEvent():
                known = self._anchors.get(str(event.anchor))
                if known is None:
                    raise NotYaml(_at(event).problem(f"nothing before this is named &{event.anchor}"))
                self._complete(known, None)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                place = _at(event)
                kind = Sequence if isinstance(event, yaml.SequenceStartEvent) else Mapping
                self._open.append((kind(place.line, place.column), event.anchor))
                self._keys.append(None)
                if len(self._open) > MOST_DEPTH:
                    raise NotYaml(place.problem(f"nested deeper than {MOST_DEPTH} levels"))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._keys.pop()
                self._complete(*self._open.pop())

    def _complete(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent, _ = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            if not isinstance(node, Scalar):
                raise NotYaml(node.problem("a key is a word, not a list or a mapping"))
            self._keys[-1] = node
            return
        self._keys[-1] = None
        assert isinstance(parent, Mapping)
        parent.items.append((key, node))


def duplicates(mapping: Mapping) -> Iterator[Problem]:
    """Keys that were written before in the same mapping."""
    first: dict[str, Scalar] = {}
    for key, _ in mapping.items:
        known = first.setdefault(key.text, key)
        if known is not key:
            yield key.problem(f'"{key.text}" is here a second time; the first is in line {known.line}')


def _at(event: object) -> Node:
    mark = event.start_mark  # type: ignore[attr-defined]
    return Node(mark.line + 1, mark.column + 1)
