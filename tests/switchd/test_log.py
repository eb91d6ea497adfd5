"""The log: OVS's line form, vlog's specifications, rate limits, reopening."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.switchd.log import Vlog, VlogError
from jackfield.switchd.logpattern import DEFAULT_PATTERNS, Destination, Level, Line, render
from jackfield.switchd.ratelimit import RateLimiter

LINE = Line("bridge", Level.WARN, "hello\nworld\n", 7, 1000.25, 2.5, 42, "host")


@pytest.fixture
def console() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def vlog(console: io.StringIO) -> Iterator[Vlog]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    loggers = {
        name: logger.level
        for name, logger in root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    logging.getLogger("jackfield.jft.one")
    logging.getLogger("jackfield.jft.two")
    vlog = Vlog(console)
    vlog.install()
    vlog.set("syslog:off")
    yield vlog
    vlog.close_file()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, logger in root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger):
            logger.setLevel(loggers.get(name, logging.NOTSET))


def test_a_line_has_ovs_form() -> None:
    assert render(DEFAULT_PATTERNS[Destination.FILE], LINE) == (
        "1970-01-01T00:16:40.250Z|00007|bridge|WARN|hello world"
    )


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%c:%-6p|%6p|", "bridge:WARN  |  WARN|"),
        ("%A[%P] %t%T %E", "ovs-vswitchd[42] main host"),
        ("%r %B %%", "2500 132 %"),
        ("%D{%H:%M}", "00:16"),
        ("%m%n", "hello world\n"),
        ("%p{x}", "WARN{x}"),
    ],
)
def test_patterns_are_rendered(pattern: str, text: str) -> None:
    assert render(pattern, LINE) == text


def test_a_module_can_be_silenced_and_heard_again(vlog: Vlog, console: io.StringIO) -> None:
    one, two = logging.getLogger("jackfield.jft.one"), logging.getLogger("jackfield.jft.two")
    one.debug("a")
    vlog.set("jft_one:console:dbg")
    one.debug("b")
    two.debug("c")
    vlog.set("jft_one,off")
    one.error("d")
    assert re.fullmatch(r"\S+\|00001\|jft_one\|DBG\|b\n", console.getvalue())


def test_setting_all_modules_overrides_what_was_set_for_one(vlog: Vlog) -> None:
    vlog.set("jft_one:file:off")
    vlog.set("ANY:file:WARN")
    assert vlog.level_at("jft_one", Destination.FILE) is Level.WARN


def test_a_level_left_out_means_dbg(vlog: Vlog) -> None:
    vlog.set("jft_one")
    assert {vlog.level_at("jft_one", each) for each in Destination} == {Level.DBG}


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("nonsense", 'no destination, level, or module "nonsense"'),
        ("file:console", "cannot specify multiple destinations"),
        ("dbg:info", "cannot specify multiple levels"),
        ("jft_one:jft_two", "cannot specify multiple modules"),
        ("PATTERN", "missing destination"),
        ("PATTERN:there:%m", 'unknown destination "there"'),
        ("FACILITY:x", "invalid facility"),
    ],
)
def test_a_wrong_specification_is_refused_in_ovs_words(vlog: Vlog, spec: str, error: str) -> None:
    with pytest.raises(VlogError, match=f"^{re.escape(error)}$"):
        vlog.set(spec)


def test_a_pattern_keeps_its_colons(vlog: Vlog, console: io.StringIO) -> None:
    vlog.set("PATTERN:console:%p:%m: ")
    logging.getLogger("jackfield.jft.one").info("x")
    assert console.getvalue() == "INFO:x: \n"


def test_the_listing_has_ovs_columns(vlog: Vlog) -> None:
    lines = vlog.listing().splitlines()
    assert lines[:2] == [
        "                 console    syslog    file",
        "                 -------    ------    ------",
    ]
    assert "jft_one           INFO        OFF       INFO" in lines


@pytest.mark.usefixtures("vlog")
def test_a_line_that_repeats_itself_is_limited(console: io.StringIO) -> None:
    for _ in range(100):
        logging.getLogger("jackfield.jft.one").info("again")
    assert console.getvalue().count("again") == 5


def test_the_limiter_tells_what_it_dropped() -> None:
    limiter = RateLimiter(burst=2, per_minute=6)
    assert [limiter.admit("k", 0.0).admitted for _ in range(4)] == [True, True, False, False]
    verdict = limiter.admit("k", 12.0)
    assert verdict.admitted
    assert verdict.note.startswith("Dropped 2 log messages in last 12 seconds (most recently, 12")


def test_the_limiter_forgets_the_longest_unused_key() -> None:
    limiter = RateLimiter(burst=1, per_minute=1, keys=1)
    assert limiter.admit("a", 0.0).admitted
    assert limiter.admit("b", 0.0).admitted
    assert limiter.admit("a", 0.0).admitted


def test_a_rotated_file_is_reopened(vlog: Vlog, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    vlog.open_file(path)
    logging.getLogger("jackfield.jft.one").info("first")
    path.rename(tmp_path / "x.log.1")
    vlog.reopen()
    logging.getLogger("jackfield.jft.one").info("second")
    assert "first" in (tmp_path / "x.log.1").read_text()
    assert "second" in path.read_text()
    assert "first" not in path.read_text()


@pytest.mark.usefixtures("vlog")
def test_an_exception_is_logged_on_one_line(console: io.StringIO) -> None:
    try:
        int("x")
    except ValueError:
        logging.getLogger("jackfield.jft.one").exception("cannot count")
    assert re.search(r"\|ERR\|cannot count \(ValueError: .* at test_log.py:\d+\)\n$", console.getvalue())
    assert console.getvalue().count("\n") == 1
