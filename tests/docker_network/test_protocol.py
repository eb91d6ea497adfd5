"""The protocol without Docker and without a switch: what is understood, what is refused, and the socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from jackfield.client.errors import Failure
from jackfield.containers.docker_network.driver import Driver, port_name, stable_mac
from jackfield.containers.docker_network.errors import Malformed, Refusal
from jackfield.containers.docker_network.network import GENERIC, INTERNAL, Network, read_network
from jackfield.containers.docker_network.server import MOST_REQUEST, PluginServer
from jackfield.containers.docker_network.service import check_name

POOL = {"Pool": "10.0.0.0/24", "Gateway": "10.0.0.1/24"}


def request(options: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"NetworkID": "n", "Options": {GENERIC: options}, "IPv4Data": [POOL], **keys}


def test_a_network_is_kept_as_it_was_read() -> None:
    options = {"bridge": "br0", "vlan": "5", "trunk": "7,10-12", "mtu": "1400", "gateway-port": "gw0"}
    sixth = {"Pool": "fd00::/64", "Gateway": "fd00::1/64"}
    network = read_network(request(options, IPv6Data=[sixth]))
    assert network == Network(
        bridge="br0",
        tag=5,
        trunks=(7, 10, 11, 12),
        mtu=1400,
        gateways=("10.0.0.1/24", "fd00::1/64"),
        gateway_port="gw0",
    )
    assert Network.from_text(network.text()) == network
    assert network.gateway(socket.AF_INET6) == "fd00::1"


def test_an_internal_network_is_one() -> None:
    options = {GENERIC: {"bridge": "br0"}, INTERNAL: True}
    assert read_network({"NetworkID": "n", "Options": options}).internal


@pytest.mark.parametrize(
    ("options", "keys", "message"),
    [
        ({}, {}, "say which bridge"),
        ({"bridge": "br0", "gateway-port": "a b"}, {}, 'option gateway-port: "a b" cannot be the name'),
        ({"bridge": "br0", "vlan": ""}, {}, 'option vlan: "" is not a VLAN'),
        ({"bridge": "br0", "mtu": "20"}, {}, 'option mtu: "20" is not a number from 68'),
        ({"bridge": "br0", "trunk": "1,,2"}, {}, "option trunk:"),
        ({"bridge": "br0"}, {"IPv4Data": [POOL, POOL]}, "a network has one subnet of each address family"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, str], keys: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_network(request(options, **keys))
    assert str(caught.value)[: len(message)] == message


@pytest.mark.parametrize("broken", [{"Options": []}, {"IPv4Data": {}}, {"IPv4Data": [{"Gateway": "x"}]}])
def test_what_is_no_request_is_told_apart(broken: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_network(request({"bridge": "br0"}) | broken)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "bridge": "b"}'])
def test_a_record_that_is_none_is_told_apart(text: str) -> None:
    with pytest.raises(ValueError):
        Network.from_text(text)


def test_names_and_macs_are_the_same_each_time() -> None:
    assert port_name("e" * 64) == port_name("e" * 64) != port_name("f" * 64)
    assert len(port_name("e")) == 15
    mac = stable_mac("n", "10.0.0.2")
    assert mac == stable_mac("n", "10.0.0.2") != stable_mac("m", "10.0.0.2")
    assert int(mac[:2], 16) & 3 == 2


@pytest.mark.parametrize("name", ["", "Big", "a/b", "bridge", "x" * 65])
def test_a_name_that_docker_cannot_use_is_refused(name: str) -> None:
    with pytest.raises(Failure):
        check_name(name)


class Client(HTTPConnection):
    """Docker's side of the socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("plugin")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(str(self._path))

    def ask(self, method: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, Any]]:
        self.request("POST", method, body, headers)
        response = self.getresponse()
        return response.status, json.loads(response.read())


class TestSocket:
    @pytest.fixture
    def server(self) -> Iterator[PluginServer]:
        with TemporaryDirectory(prefix="jft") as folder:
            server = PluginServer("jft", Driver(), Path(folder) / "plugins")
            server.start()
            yield server
            server.stop()

    @pytest.fixture
    def client(self, server: PluginServer) -> Iterator[Client]:
        client = Client(server.path)
        yield client
        client.close()

    def test_says_what_it_is(self, client: Client) -> None:
        assert client.ask("/Plugin.Activate") == (200, {"Implements": ["NetworkDriver"]})
        capabilities = {"Scope": "local", "ConnectivityScope": "local"}
        assert client.ask("/NetworkDriver.GetCapabilities") == (200, capabilities)

    @pytest.mark.parametrize("method", ["AllocateNetwork", "FreeNetwork", "ProgramExternalConnectivity"])
    def test_knows_no_other_method(self, client: Client, method: str) -> None:
        """The first two are what the managers of a swarm ask, the last is about published ports."""
        path = f"/NetworkDriver.{method}"
        assert client.ask(path, b"{}") == (404, {"Err": f"there is no method {path}"})

    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"NetworkID": ""}', b"\xff"])
    def test_answers_what_it_cannot_read_by_an_http_error(self, client: Client, body: bytes) -> None:
        status, answer = client.ask("/NetworkDriver.DeleteNetwork", body)
        assert (status, list(answer)) == (400, ["Err"])

    def test_takes_no_request_without_end(self, client: Client) -> None:
        headers = {"Content-Length": str(MOST_REQUEST + 1)}
        assert client.ask("/Plugin.Activate", b"", **headers)[0] == 400

    def test_tells_a_sentence_when_the_switch_is_away(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OVS_RUNDIR", "/run/jft-none")
        status, answer = client.ask("/NetworkDriver.DeleteNetwork", b'{"NetworkID": "n"}')
        assert status == 200
        assert "/run/jft-none/db.sock cannot be reached" in answer["Err"]

    def test_ends_while_docker_holds_a_connection_and_starts_again(
        self, server: PluginServer, client: Client
    ) -> None:
        client.ask("/Plugin.Activate")
        server.stop()
        assert not server.path.exists()
        server.start()
        with pytest.raises(OSError):
            client.ask("/Plugin.Activate")
        client.close()
        assert client.ask("/Plugin.Activate")[0] == 200

    def test_takes_the_place_of_a_process_that_was_killed(self, server: PluginServer) -> None:
        server.stop()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(server.path))
        server.start()
        other = PluginServer("jft", Driver(), server.path.parent)
        with pytest.raises(Failure, match="is served by another process"):
            other.start()
