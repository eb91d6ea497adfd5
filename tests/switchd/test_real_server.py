"""The daemon as a client of the real ovsdb-server, which is another process and may be started anew."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.ovsdb.tls import TlsFiles
from tests.daemon import Daemon
from tests.netlab import Lab, Namespace
from tests.ovsdb.tls_files import Authority

SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(
        shutil.which("ovsdb-server") is None or not SCHEMA.exists(), reason="ovsdb-server is not installed"
    ),
]


class RealServer:
    """An ovsdb-server with directories and a control socket of its own."""

    def __init__(self, folder: Path, netns: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._enter = ["ip", "netns", "exec", netns]
        self._environment = os.environ | {f"OVS_{name}DIR": str(folder) for name in ("RUN", "DB", "LOG")}
        self.file = folder / "conf.db"
        self.socket = folder / "db.sock"
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(["ovsdb-tool", "create", self.file, SCHEMA], check=True)

    def start(self, *options: str) -> None:
        """Start it and wait until it serves."""
        remote = f"--remote=punix:{self.socket}"
        control = f"--unixctl={self._folder}/ctl"
        self._process = subprocess.Popen(
            [*self._enter, "ovsdb-server", remote, control, *options, str(self.file)],
            env=self._environment,
            stderr=subprocess.DEVNULL,
        )
        self.run("ovsdb-client", "-t", "10", "wait", f"unix:{self.socket}", "Open_vSwitch", "connected")

    def run(self, *words: str) -> str:
        """The output of a command in the server's network namespace."""
        return subprocess.run([*self._enter, *words], capture_output=True, text=True, check=True).stdout

    def stop(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)


def keys(files: TlsFiles) -> tuple[str, str, str]:
    """The options that name them, which all programs have."""
    return (
        f"--private-key={files.private_key}",
        f"--certificate={files.certificate}",
        f"--ca-cert={files.ca_cert}",
    )


class Client(Daemon):
    """A daemon that uses another process's database."""

    def __init__(self, root: Path, netns: str, *options: str) -> None:
        super().__init__(root, netns)
        words = ["daemon", *options]
        self.program = f"import sys; from jackfield.cli.main import main; sys.exit(main({words!r}))"


@pytest.fixture
def host() -> Iterator[Namespace]:
    with Lab() as lab:
        yield lab.namespace("host")


@pytest.mark.parametrize("kind", ["unix", "tcp", "ssl"])
def test_the_switch_works_for_the_real_server_and_survives_its_restart(
    host: Namespace, tmp_path: Path, kind: str
) -> None:
    server = RealServer(tmp_path / "s", host.name)
    authority = Authority(tmp_path / "s").create()
    serving = (
        "--remote=ptcp:6640:127.0.0.1",
        "--remote=pssl:6641:127.0.0.1",
        *keys(authority.issue("server")),
    )
    remote = {"unix": f"unix:{server.socket}", "tcp": "tcp:127.0.0.1:6640", "ssl": "ssl:127.0.0.1:6641"}[kind]
    server.start(*serving)

    def vsctl(*words: str) -> str:
        return server.run("ovs-vsctl", f"--db=unix:{server.socket}", "-t", "20", *words)

    try:
        vsctl("--no-wait", "init")
        options = (f"--db={remote}", *keys(authority.issue("switch")))
        with Client(tmp_path / "d", host.name, *options) as daemon:
            assert not daemon.dbdir.exists()
            vsctl(
                "add-br",
                "br0",
                "--",
                "add-port",
                "br0",
                "p1",
                "--",
                "set",
                "Interface",
                "p1",
                "type=internal",
            )
            assert {"br0", "p1"} <= host.devices()
            assert vsctl("get", "Interface", "p1", "ofport") == "1\n"
            server.stop()
            server.start(*serving)
            vsctl("add-port", "br0", "p2", "--", "set", "Interface", "p2", "type=internal")
            assert {"br0", "p1", "p2"} <= host.devices()
            assert "jackfield" in vsctl("get", "Open_vSwitch", ".", "ovs_version")
            assert {line.split("|")[4] for line in daemon.log_warnings()} == {
                "connection closed by the database server; connecting again"
            }
    finally:
        server.stop()


def test_the_daemons_own_database_is_managed_by_the_commands_of_ovsdb_server(
    host: Namespace, tmp_path: Path
) -> None:
    with Daemon(tmp_path / "d", host.name) as daemon:
        assert daemon.appctl("ovsdb-server/list-dbs") == "Open_vSwitch\n_Server\n"
        daemon.appctl("ovsdb-server/add-remote", "ptcp:6640:127.0.0.1")
        assert "ptcp:6640:127.0.0.1" in daemon.appctl("ovsdb-server/list-remotes").splitlines()
        listed = daemon.run("ovsdb-client", "list-dbs", "tcp:127.0.0.1:6640")
        assert listed.stdout.split() == ["Open_vSwitch", "_Server"]
        daemon.vsctl("add-br", "br0")
        size = (daemon.dbdir / "conf.db").stat().st_size
        daemon.appctl("ovsdb-server/compact")
        assert (daemon.dbdir / "conf.db").stat().st_size < size
        daemon.vsctl("br-exists", "br0")
        assert daemon.log_warnings() == []
