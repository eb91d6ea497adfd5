"""The tools log where and what Open vSwitch's own do."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.bench import Said, Tools, real_vsctl

Vsctl = Callable[[str], Said]
LINE = "--no-wait --may-exist add-br br0 -- destroy QoS"
pytestmark = pytest.mark.skipif(shutil.which("ovs-vsctl") is None, reason="needs Debian's openvswitch-common")


@pytest.mark.parametrize(
    "options",
    [
        "", "-voff", "-vconsole:err", "-vconsole:off", "-vsyslog:off", "-vinfo", "-v console:info",
        "-vany:emer", "-vvsctl:console:info", "-vdb_ctl_base:console:err", "-vfile:dbg",
        "-vinfo -voff", "-vinfo --no-syslog", "--no-syslog", "--verbose=warn", "-vFACILITY:daemon",
        "--syslog-method=null", "--syslog-method=libc", "--syslog-method=nonsense", "--syslog-target=x",
        "--log-file=/nonexistent/log",
    ],
)  # fmt: skip
def test_the_terminal_shows_what_ovs_vsctl_shows(database: Tools, options: str) -> None:
    line = f"{options} {LINE}"
    assert database.vsctl(line) == real_vsctl(database.rundir, line)


@pytest.mark.parametrize("option", ["--log-file", "--log-file={}/own.log"])
def test_the_log_file_says_what_that_of_ovs_vsctl_says(
    database: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setenv("OVS_LOGDIR", str(tmp_path))
    for run in (database.vsctl, lambda line: real_vsctl(database.rundir, line)):
        assert run(f"{option.format(tmp_path)} {LINE}").code == 0
    (log,) = tmp_path.glob("*.log")
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", log.read_text())
    lines = text.splitlines()
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]
    assert len(lines) == 6


@pytest.mark.parametrize("line", [LINE, "--no-wait list-br", f"--no-syslog {LINE}"])
@pytest.mark.parametrize(
    "option", ["--syslog-method=unix:{}", "--syslog-method=udp:{}", "--syslog-target={}"]
)
def test_the_system_log_gets_what_it_gets_from_ovs_vsctl(
    database: Tools, tmp_path: Path, option: str, line: str
) -> None:
    is_unix = "unix" in option
    with socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log") if is_unix else ("127.0.0.1", 0))
        log.setblocking(False)
        name = log.getsockname()
        words = f"{option.format(name if is_unix else f'{name[0]}:{name[1]}')} {line}"
        heard = []
        for run in (database.vsctl, lambda line: real_vsctl(database.rundir, line)):
            run(words)
            heard.append([_without_time(text) for text in _received(log)])
    assert heard[0] == heard[1]


def _received(log: socket.socket) -> list[str]:
    texts = []
    while True:
        try:
            texts.append(log.recv(1 << 16).decode())
        except BlockingIOError:
            return texts


def _without_time(text: str) -> str:
    return re.sub(r"1 \S+Z (\S+) ovs-vsctl \d+ ", r"1 TIME \1 ovs-vsctl PID ", text)
