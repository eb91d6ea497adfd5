"""The service's life on a booted host: its end by all means, and what goes on without it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.boot.inside.view import FAR, FIXED, SWITCH, ports, shown
from tests.boot.prepare import UNITS
from tests.netlab import Namespace, run, until
from tests.patience import PATIENCE

START_SECONDS = 60.0 * PATIENCE


def test_a_port_is_made_and_looked_after_in_a_namespace_that_came_after_the_service() -> None:
    late = Namespace("late")
    run("ip", "netns", "add", late.name)
    words = "add-port br0 late0 tag=20 -- set Interface late0 type=internal options:netns=/run/netns/late"
    run("ovs-vsctl", *words.split())
    late.up("late0", "192.0.2.20/24")
    FAR.ping("192.0.2.20")
    run("ovs-vsctl", "set", "Interface", "late0", "mtu_request=1400")
    assert " mtu 1400 " in late.ip("link", "show", "late0")
    run("ovs-vsctl", "del-port", "late0")
    assert late.devices() == {"lo"}
    run("ip", "netns", "del", late.name)


def wait_for_another(process: str, state: str) -> str:
    """Until the service has another process and is in that state; the process."""

    def found() -> str:
        now, process_now = shown(SWITCH, "ActiveState", "MainPID")
        return process_now if re.fullmatch(state, now) and process_now not in ("0", process) else ""

    return until(found, what="another daemon", deadline=START_SECONDS)


@pytest.mark.parametrize(("words", "times"), [("restart jackfield", 1), ("kill --signal=KILL jackfield", 7)])
def test_the_service_comes_back_and_no_answer_is_lost_meanwhile(words: str, times: int) -> None:
    """Even if the daemon ends again and again, before it is ready."""
    before, (process,) = ports(), shown(SWITCH, "MainPID")
    with FAR.pinging(FIXED) as lost:
        for _ in range(times):
            run("systemctl", *words.split(), timeout=START_SECONDS)
            process = wait_for_another(process, "active|activating")
        wait_for_another("", "active")
        assert lost() == 0
    assert ports() == before
    assert json.loads(run("jackfield", "plan", "--json").stdout)["steps"] == []


@pytest.fixture
def short_watchdog() -> Iterator[None]:
    """systemd wants a sign of the daemon more often."""
    drop_in = UNITS / "jackfield.service.d/watchdog.conf"
    drop_in.write_text(f"[Service]\nWatchdogSec={3 * PATIENCE:g}\n")
    try:
        for words in ("daemon-reload", "restart jackfield"):
            run("systemctl", *words.split(), timeout=START_SECONDS)
        yield
    finally:
        drop_in.unlink()


@pytest.mark.usefixtures("short_watchdog")
def test_a_daemon_that_hangs_is_replaced_and_no_answer_is_lost_meanwhile() -> None:
    (process,) = shown(SWITCH, "MainPID")
    with FAR.pinging(FIXED) as lost:
        run("systemctl", "kill", "--kill-who=main", "--signal=STOP", "jackfield")
        wait_for_another(process, "active")
        assert lost() == 0
    assert run("journalctl", "--grep=Watchdog timeout", "--unit=jackfield").stdout


def test_frames_are_forwarded_while_the_service_is_stopped_and_after_it_is_removed() -> None:
    before = ports()
    with FAR.pinging(FIXED) as lost:
        run("systemctl", "stop", "jackfield", timeout=START_SECONDS)
        assert shown(SWITCH, "ActiveState") == ["inactive"]
        run("jackfield", "install-service", "--remove", timeout=START_SECONDS)
        assert lost() == 0
    assert ports() == before
    assert run("systemctl", "list-unit-files", "--no-legend", "jackfield.service", check=False).stdout == ""
