"""A pytest plugin for CI: a run that skips more or fewer tests than expected has failed.

    pytest -p tests.expected_skips

A test that quietly stops running is a test lost, so the number is stated here and nowhere else.
"""

from __future__ import annotations

import pytest

EXPECTED = 0


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):
        return
    if session.exitstatus == pytest.ExitCode.OK and _skipped(session.config) != EXPECTED:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skipped = _skipped(config)
    if skipped != EXPECTED:
        terminalreporter.write_line(f"{skipped} tests were skipped, {EXPECTED} are expected", red=True)
