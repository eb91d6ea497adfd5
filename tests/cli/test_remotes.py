"""The database is reached by every connection method of ovsdb(7), as by Open vSwitch's own ovs-vsctl."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.bench import Said, Tools, real_database, real_vsctl
from tests.cli.test_vsctl import start

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("ovs-vsctl", "ovsdb-server", "openssl"))),
    reason="needs Debian's openvswitch-common, openvswitch-switch and openssl",
)
_LOGGED = re.compile(r"^TIME\|\d+\|stream_ssl\|.*\n", re.MULTILINE)


@dataclass(frozen=True)
class Remote:
    """A database of a real ovsdb-server, what it listens on, and PEM files in a directory."""

    rundir: Path
    tcp: int
    tls: int
    pem: Path

    def own(self) -> str:
        """The options with which a client of the server's CA identifies itself."""
        return f"-p {self.pem}/client.key -c {self.pem}/client.pem -C {self.pem}/ca.pem"


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    root = tmp_path_factory.mktemp("remote")
    for name in ("ca", "other"):
        _openssl(root, "req", "-x509", *_new_key(name), "-out", f"{name}.pem", "-days", "3")
    for name in ("server", "client"):
        _openssl(root, "req", *_new_key(name), "-out", f"{name}.csr")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3")
        _openssl(root, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    files = (
        f"--private-key={root}/server.key",
        f"--certificate={root}/server.pem",
        f"--ca-cert={root}/ca.pem",
    )
    rundir, tcp, tls = root / "run", _free_port(), _free_port()
    remotes = (f"--remote=ptcp:{tcp}:127.0.0.1", f"--remote=pssl:{tls}:127.0.0.1")
    with real_database(rundir, *remotes, *files):
        assert real_vsctl(rundir, "--no-wait init").code == 0
        yield Remote(rundir, tcp, tls, root)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _new_key(name: str) -> list[str]:
    curve = "ec_paramgen_curve:P-256"
    return ["-newkey", "ec", "-pkeyopt", curve, "-nodes", "-keyout", f"{name}.key", "-subj", f"/CN={name}"]


def _openssl(directory: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


LINES = [
    "--db=tcp:127.0.0.1:{tcp} list-br",
    "--db=tcp:localhost:{tcp} list-br",
    "--db=unix:none,tcp:127.0.0.1:{tcp} list-br",
    "--db=unix:db.sock list-br",
    "--db=ssl:127.0.0.1:{tls} {own} list-br",
    "--db=ssl:localhost:{tls} {own} list-br",
    "--db=ssl:127.0.0.1:{tls} {own} --ssl-protocols=TLSv1.2 --ssl-ciphers=HIGH list-br",
    "--db=ssl:127.0.0.1:{tls} {own} --peer-ca-cert={pem}/ca.pem list-br",
    "--db=ssl:127.0.0.1:{tls} {own} --ssl-protocols=TLSv9 list-br",
    "--db=ssl:127.0.0.1:{tls} {own} -C none list-br",
    "--db=ssl:127.0.0.1:{tls} list-br",
    "--db=ssl:127.0.0.1:{tls} -p {pem}/client.key -c {pem}/client.pem list-br",
    "--db=ssl:127.0.0.1:1 {own} list-br",
    "--db=ssl:127.0.0.1:{tls} {own} --no-wait --may-exist add-br br0 -- list-br",
    "--db=tcp:127.0.0.1:{tls} list-br",
    "--db=tcp:127.0.0.1:1 list-br",
    "--db=tcp:127.0.0.1:1,tcp:127.0.0.1:1 list-br",
    "--db=tcp:127.0.0.1:x list-br",
    "--db=tcp:127.0.0.1:99999 list-br",
    "--db=tcp: list-br",
    "--db=tcp:6640 list-br",
    "--db=tcp:::1:6640 list-br",
    "--db= list-br",
    "--db=foo list-br",
    "--db=foo:bar list-br",
    "--db=unix list-br",
    "--db=unix: list-br",
    "--db=unix:none list-br",
]


@pytest.mark.parametrize("line", LINES)
def test_each_way_to_the_database_works_or_fails_as_with_ovs_vsctl(
    tools: Tools, remote: Remote, line: str
) -> None:
    words = line.format(tcp=remote.tcp, tls=remote.tls, own=remote.own(), pem=remote.pem)
    assert tools.at(remote.rundir).vsctl(words) == real_vsctl(remote.rundir, words)


# OpenSSL's own words about these are not to be had from Python.
FAULTS = [
    "-p {pem}/client.key -c {pem}/client.pem -C {pem}/other.pem",
    "-p {pem}/client.key -c {pem}/client.pem -C {pem}/nothing",
    "-p {pem}/other.key -c {pem}/client.pem -C {pem}/ca.pem",
    "-p {pem}/nothing -c {pem}/client.pem -C {pem}/ca.pem",
    "-p {pem}/client.key -c {pem}/nothing -C {pem}/ca.pem",
    "-p {pem}/ca.pem -c {pem}/client.key -C {pem}/client.key",
]


@pytest.mark.parametrize("options", FAULTS)
def test_a_fault_of_tls_is_logged_and_ends_as_with_ovs_vsctl(
    tools: Tools, remote: Remote, options: str
) -> None:
    words = f"--db=ssl:127.0.0.1:{remote.tls} {options.format(pem=remote.pem)} list-br"
    said, wanted = tools.at(remote.rundir).vsctl(words), real_vsctl(remote.rundir, words)
    assert "|stream_ssl|" in said.err
    assert _without_ssl(said) == _without_ssl(wanted)


def _without_ssl(said: Said) -> Said:
    return Said(said.code, said.out, _LOGGED.sub("", said.err))


def test_the_server_refuses_a_client_of_another_ca(tools: Tools, remote: Remote) -> None:
    stranger = f"-p {remote.pem}/other.key -c {remote.pem}/other.pem -C {remote.pem}/ca.pem"
    said = tools.vsctl(f"--db=ssl:127.0.0.1:{remote.tls} {stranger} list-br")
    assert said.code == 1
    assert said.err.startswith(f"ovs-vsctl: ssl:127.0.0.1:{remote.tls}: database connection failed (")


def test_the_first_connection_can_bring_the_ca_certificate(
    tools: Tools, remote: Remote, tmp_path: Path
) -> None:
    own = f"-p {remote.pem}/client.key -c {remote.pem}/client.pem --bootstrap-ca-cert={tmp_path}/got.pem"
    words = f"--db=ssl:127.0.0.1:{remote.tls} {own} list-br"
    assert tools.vsctl(words) == Said(
        1, "", f"ovs-vsctl: ssl:127.0.0.1:{remote.tls}: database connection failed (Protocol error)\n"
    )
    assert (tmp_path / "got.pem").read_text() == (remote.pem / "ca.pem").read_text()
    assert tools.vsctl(words).code == 0


@pytest.mark.parametrize("method", ["ptcp", "pssl", "punix"])
def test_the_server_may_be_the_one_that_connects(remote: Remote, tmp_path: Path, method: str) -> None:
    port = _free_port()
    at = f"{tmp_path}/listener" if method == "punix" else f"{port}:127.0.0.1"
    active = f"unix:{at}" if method == "punix" else f"{method[1:]}:127.0.0.1:{port}"
    waiting = start(
        remote.rundir, "vsctl", f"--db={method}:{at}", *remote.own().split(), "get", "o", ".", "db_version"
    )
    control = ["ovs-appctl", "-t", f"{remote.rundir}/ovsdb.ctl"]
    subprocess.run([*control, "ovsdb-server/add-remote", active], check=True, timeout=30)
    try:
        assert waiting.communicate(timeout=60) == ("[]\n", "")
        assert waiting.returncode == 0
    finally:
        waiting.kill()
        subprocess.run([*control, "ovsdb-server/remove-remote", active], check=True, timeout=30)
