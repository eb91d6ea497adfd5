"""Option parsing with the rules and messages of getopt_long(3), stopping at the first non-option.

The tools of OVS use it, so scripts that meet its messages or its abbreviated options see the same here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum


class Argument(Enum):
    """Whether an option takes an argument."""

    NONE = "none"
    REQUIRED = "required"
    OPTIONAL = "optional"


class OptionError(Exception):
    """The command line does not follow the grammar; the text is getopt's, without the program's name."""


def parse(
    arguments: Sequence[str], long: Mapping[str, Argument], short: Mapping[str, str]
) -> tuple[list[tuple[str, str | None]], list[str]]:
    """Split `arguments` into options, as (long name, argument) in order, and the words behind them.

    `long` names the options without dashes, `short` maps letters to long names. A long option may be cut
    short as far as it stays unique. Raises OptionError.
    """
    found: list[tuple[str, str | None]] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            found.append(_long_option(word[2:], rest, long))
        else:
            found.extend(_short_options(word[1:], rest, long, short))
    return found, rest


def _long_option(text: str, rest: list[str], long: Mapping[str, Argument]) -> tuple[str, str | None]:
    given, equals, value = text.partition("=")
    name = given if given in long else _completed(given, text, long)
    kind = long[name]
    if equals:
        if kind is Argument.NONE:
            raise OptionError(f"option '--{name}' doesn't allow an argument")
        return name, value
    if kind is not Argument.REQUIRED:
        return name, None
    if not rest:
        raise OptionError(f"option '--{name}' requires an argument")
    return name, rest.pop(0)


def _completed(given: str, text: str, long: Mapping[str, Argument]) -> str:
    candidates = [name for name in long if name.startswith(given)]
    if not candidates:
        raise OptionError(f"unrecognized option '--{text}'")
    if len(candidates) > 1:
        choices = " ".join(f"'--{name}'" for name in candidates)
        raise OptionError(f"option '--{text}' is ambiguous; possibilities: {choices}")
    return candidates[0]


def _short_options(
    letters: str, rest: list[str], long: Mapping[str, Argument], short: Mapping[str, str]
) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in short:
            raise OptionError(f"invalid option -- '{letter}'")
        name = short[letter]
        if long[name] is Argument.NONE:
            found.append((name, None))
            continue
        if not letters and long[name] is Argument.REQUIRED:
            if not rest:
                raise OptionError(f"option requires an argument -- '{letter}'")
            return [*found, (name, rest.pop(0))]
        return [*found, (name, letters or None)]
    return found
