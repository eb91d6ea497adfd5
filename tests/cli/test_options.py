"""Options are parsed, and mistakes reported, as getopt_long does."""

from __future__ import annotations

import pytest

from jackfield.cli.options import Argument, OptionError, parse

LONG = {
    "timeout": Argument.REQUIRED,
    "timestamp": Argument.NONE,
    "verbose": Argument.OPTIONAL,
    "help": Argument.NONE,
}
SHORT = {"t": "timeout", "v": "verbose", "h": "help"}


@pytest.mark.parametrize(
    ("line", "options", "rest"),
    [
        ("a -h", [], ["a", "-h"]),
        ("-h a", [("help", None)], ["a"]),
        ("-- -h", [], ["-h"]),
        ("-t3 a", [("timeout", "3")], ["a"]),
        ("-t 3 a", [("timeout", "3")], ["a"]),
        ("-ht 3", [("help", None), ("timeout", "3")], []),
        ("--timeout 3 --he", [("timeout", "3"), ("help", None)], []),
        ("--timeo=3", [("timeout", "3")], []),
        ("-v a", [("verbose", None)], ["a"]),
        ("-vdbg a", [("verbose", "dbg")], ["a"]),
        ("--verbose a", [("verbose", None)], ["a"]),
        ("--verbose= a", [("verbose", "")], ["a"]),
        ("- a", [], ["-", "a"]),
    ],
)
def test_options_end_at_the_first_word_that_is_none(
    line: str, options: list[tuple[str, str | None]], rest: list[str]
) -> None:
    assert parse(line.split(), LONG, SHORT) == (options, rest)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--nope", "unrecognized option '--nope'"),
        ("--nope=3", "unrecognized option '--nope=3'"),
        ("--time 3", "option '--time' is ambiguous; possibilities: '--timeout' '--timestamp'"),
        ("--timeout", "option '--timeout' requires an argument"),
        ("--help=3", "option '--help' doesn't allow an argument"),
        ("-x", "invalid option -- 'x'"),
        ("-t", "option requires an argument -- 't'"),
    ],
)
def test_a_mistake_is_told_in_getopts_words(line: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(line.split(), LONG, SHORT)
    assert str(caught.value) == message
