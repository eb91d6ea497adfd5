"""Remotes over TLS: both sides prove who they are; files come from options or from the database."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.tls import Tls, TlsError, TlsFiles
from jackfield.switchd.schema import open_vswitch_schema
from tests.ovsdb.conftest import Served
from tests.ovsdb.test_remotes import serving
from tests.ovsdb.test_sessions import Peer
from tests.ovsdb.tls_files import Authority
from tests.ovsdb.world import insert, update


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that all trust."""
    return Authority(tmp_path_factory.mktemp("tls")).create()


@pytest.fixture(scope="module")
def files(authority: Authority) -> TlsFiles:
    """The server's files."""
    return authority.issue("server")


def client_context(files: TlsFiles) -> ssl.SSLContext:
    tls = Tls()
    tls.files = files
    return tls.connecting()


async def connect(port: int, context: ssl.SSLContext) -> Peer:
    return Peer(*await asyncio.open_connection("127.0.0.1", port, ssl=context))


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 30))


def test_a_client_with_a_certificate_is_served_and_others_are_not(
    tmp_path: Path, authority: Authority, files: TlsFiles
) -> None:
    async def serve() -> None:
        async with serving(tmp_path, tls=files) as world:
            assert await world.remotes.set(["pssl:0:127.0.0.1"]) == {}
            port = world.port()
            good = await connect(port, client_context(authority.issue("client")))
            assert (await good.ask("echo", 1))["result"] == [1]
            anonymous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            anonymous.check_hostname = False
            anonymous.verify_mode = ssl.CERT_NONE
            strange = client_context(
                replace(
                    Authority(tmp_path, "stranger").create().issue("stranger.client"), ca_cert=files.ca_cert
                )
            )
            old = client_context(authority.issue("client"))
            old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            with pytest.warns(DeprecationWarning):
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            for context in (anonymous, strange, old):
                with pytest.raises((OSError, AssertionError)):
                    bad = await connect(port, context)
                    try:
                        bad.send("echo")
                        assert await bad.next() is not None
                    finally:
                        bad.writer.close()
            plain = Peer(*await asyncio.open_connection("127.0.0.1", port))
            plain.send("echo")
            assert await plain.next() is None
            await plain.close()
            assert (await good.ask("echo", 2))["result"] == [2]
            await good.close()

    run(serve())


def test_files_named_by_the_database_count_from_when_they_are_there(
    tmp_path: Path, authority: Authority, files: TlsFiles
) -> None:
    async def serve() -> None:
        tls = replace(files, private_key="db:Managed,Root,key_file")
        async with serving(tmp_path, tls=tls) as world:
            assert await world.remotes.set(["pssl:0:127.0.0.1"]) == {
                "pssl:0:127.0.0.1": "Private key must be configured to use SSL"
            }
            await world.local.transact("Managed", insert("Root", key_file=files.private_key))
            await world.until(world.remotes.status)
            peer = await connect(world.port(), client_context(authority.issue("client")))
            assert (await peer.ask("echo"))["result"] == []
            await peer.close()
            await world.local.transact("Managed", update("Root", [], key_file=str(tmp_path / "gone")))
            with pytest.raises((OSError, AssertionError)):
                peer = await connect(world.port(), client_context(authority.issue("client")))
                peer.send("echo")
                assert await peer.next() is not None

    run(serve())


def test_a_connection_of_our_own_checks_the_peer(
    tmp_path: Path, authority: Authority, files: TlsFiles
) -> None:
    async def serve() -> None:
        async with serving(tmp_path, tls=files) as world:
            met: asyncio.Queue[Peer] = asyncio.Queue()
            stranger = Authority(tmp_path, "other").create().issue("other.client")
            ports = []
            listeners = []
            for own in (authority.issue("client"), stranger):
                tls = Tls()
                tls.files = replace(own, ca_cert="none")
                listener = await asyncio.start_server(
                    lambda r, w: met.put_nowait(Peer(r, w)), "127.0.0.1", 0, ssl=tls.accepting()
                )
                listeners.append(listener)
                ports.append(listener.sockets[0].getsockname()[1])
            good, bad = (f"ssl:127.0.0.1:{port}" for port in ports)
            await world.remotes.set([good, bad])
            peer = await met.get()
            assert (await peer.ask("list_dbs"))["result"] == ["Managed", "_Server"]
            error = await world.until(lambda: world.remotes.status()[bad].last_error)
            assert "certificate verify failed" in error
            assert world.remotes.status()[good].connected
            await peer.close()
            for listener in listeners:
                listener.close()
                await listener.wait_closed()

    run(serve())


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    tls = Tls()
    for given, text in (
        (TlsFiles(), "Private key must be configured"),
        (TlsFiles("k"), "Certificate must be configured"),
        (TlsFiles("k", "c"), "CA certificate must be configured"),
        (TlsFiles(str(tmp_path / "k"), str(tmp_path / "c"), "none"), "k: No such file"),
    ):
        tls.files = given
        with pytest.raises(TlsError, match=text):
            tls.accepting()


def test_a_ca_certificate_is_not_taken_from_the_first_peer(tmp_path: Path, files: TlsFiles) -> None:
    tls = Tls()
    tls.files = replace(files, ca_cert=str(tmp_path / "ca.pem"), bootstrap=True)
    with pytest.raises(TlsError, match="not supported"):
        tls.accepting()
    (tmp_path / "ca.pem").write_bytes(Path(files.ca_cert).read_bytes())
    tls.accepting()


def test_the_real_client_comes_by_the_ssl_table(
    tmp_path: Path, authority: Authority, files: TlsFiles
) -> None:
    schema = parse_schema(open_vswitch_schema())
    served = Served(tmp_path, schema, managed=True)
    try:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def vsctl(db: str, *arguments: str) -> str:
            command = ["ovs-vsctl", f"--db={db}", "--no-wait", "--timeout=10", *arguments]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            assert not done.stderr
            return done.stdout

        vsctl(served.remote, "init")
        vsctl(served.remote, "set-ssl", files.private_key, files.certificate, files.ca_cert)
        vsctl(served.remote, "set-manager", f"pssl:{port}:127.0.0.1")
        vsctl(served.remote, "wait-until", "Manager", ".", f"status:bound_port={port}")
        own = authority.issue("vsctl")
        options = ("-p", own.private_key, "-c", own.certificate, "-C", own.ca_cert)
        assert vsctl(f"ssl:127.0.0.1:{port}", *options, "get-manager") == f"pssl:{port}:127.0.0.1\n"
    finally:
        served.stop()


def test_handshakes_that_never_end_keep_nobody_out(
    tmp_path: Path, authority: Authority, files: TlsFiles
) -> None:
    async def serve() -> None:
        async with serving(tmp_path, tls=files) as world:
            await world.remotes.set(["pssl:0:127.0.0.1"])
            idle = [await asyncio.open_connection("127.0.0.1", world.port()) for _ in range(100)]
            peer = await connect(world.port(), client_context(authority.issue("client")))
            assert (await peer.ask("echo", 1))["result"] == [1]
            await peer.close()
            for _, writer in idle:
                writer.close()

    run(serve())
