"""What container runtimes and Docker say, and what is kept of it."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.choices import Choices
from fuzz.sessions import MEMORY
from jackfield.adopt import record as takeover
from jackfield.client.errors import Failure
from jackfield.containers import order
from jackfield.containers.attachment import Attachment, checked
from jackfield.containers.cni import config
from jackfield.containers.cni.errors import CniError
from jackfield.containers.cni.invocation import Command, read_invocation
from jackfield.containers.cni.result import SUPPORTED, Result, read_result, write_result
from jackfield.containers.commands import AttachOrder
from jackfield.containers.docker_network.driver import Driver
from jackfield.containers.docker_network.errors import Malformed, Refusal
from jackfield.containers.docker_network.network import GENERIC, Network, read_network
from jackfield.containers.docker_network.server import PluginServer
from jackfield.containers.plainwords import read_order

SECONDS = 20.0
_CNI_KEYS = (
    *("cniVersion", "name", "bridge", "vlan", "trunk", "mtu", "interface_type", "ofport_request", "ipam"),
    *("socket_file", "dns", "prevResult", "runtimeConfig", "args", "capabilities", "x"),
    *("cni.dev/valid-attachments",),
)
_RESULT_KEYS = ("interfaces", "ips", "routes", "dns", "x")
_VALUES: tuple[Any, ...] = (
    *("br0", "1.1.0", "0.3.0", "internal", "unix:/x", "", "10.0.0.1/24", "10.0.0.1", "::/0", "\ud800", "\0"),
    *(0, 1, 4094, 4095, 1500, -1, 1 << 70, 1.5, True, None, [], {}, "9" * 5000),
    *({"id": 5}, {"minID": 2, "maxID": 4}, {"type": "static"}, {"mac": "02:00:00:00:00:01"}),
    *({"name": "eth0", "mac": "x"}, {"address": "10.0.0.1/24", "interface": 0}, {"dst": "0.0.0.0/0"}),
    *({"containerID": "c", "ifname": "eth0"},),
)
_ENVIRONMENT = {
    "CNI_CONTAINERID": ("c1", "", "-x", "a" * 300),
    "CNI_NETNS": ("/run/netns/x", "", "\udc80"),
    "CNI_IFNAME": ("eth0", "", "a/b", "sixteen-letters-", "\udcff"),
    "CNI_ARGS": ("", "MAC=02:00:00:00:00:01", "IgnoreUnknown=1;X=2", ";;=", "OvnPort=p", "x"),
    "CNI_PATH": ("/opt/cni/bin", ""),
}


def _value(choices: Choices) -> Any:
    match choices.below(6):
        case 0:
            return [_value(choices) for _ in range(choices.below(4))] if choices.left else []
        case 1:
            return {choices.pick(_RESULT_KEYS): _value(choices) for _ in range(choices.below(4))}
        case 2:
            return choices.json()
    return choices.pick(_VALUES)


def cni(data: bytes) -> None:
    """Whatever environment and input, a call is understood or refused with an answer that is JSON."""
    choices = Choices(data)
    environment = {"CNI_COMMAND": choices.pick((*(command.value for command in Command), "X"))}
    for name, values in _ENVIRONMENT.items():
        environment[name] = choices.pick(values)
    if choices.below(8):
        given = {"cniVersion": choices.pick(SUPPORTED), "name": "n", "bridge": "br0"}
        given |= {choices.pick(_CNI_KEYS): _value(choices) for _ in range(choices.below(8))}
        raw = json.dumps(given).encode()
    else:
        raw = choices.rest()
    version = SUPPORTED[-1]
    try:
        found = config.decode(raw)
        # A file named at random might be a device.
        found.pop("configuration_path", None)
        version = config.version_of(found)
        read = config.read_config(read_invocation(environment), found)
        result = (read.previous or Result()).after(Result())
        answer = write_result(result, read.version)
        assert read_result(json.loads(json.dumps(answer)), "itself").ips == result.ips
    except CniError as error:
        assert json.dumps(error.answer(version))
        assert error.message


class _Plugin:
    """The plugin's server on a socket of its own, with no switch behind it."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="jft-fuzz-", dir=MEMORY)
        folder = Path(self._directory.name)
        os.environ["OVS_RUNDIR"] = str(folder)
        self.faults: list[str] = []
        threading.excepthook = lambda fault: self.faults.append(repr(fault.exc_value))
        self._server = PluginServer("fuzz", Driver(), folder)
        self._server.start()

    def ask(self, sent: bytes) -> bytes:
        """What it answers until it is done."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(SECONDS)
            peer.connect(str(self._server.path))
            try:
                peer.sendall(sent)
                peer.shutdown(socket.SHUT_WR)
                heard = b""
                while piece := peer.recv(1 << 16):
                    heard += piece
            except ConnectionError:
                return b""
        return heard


_plugin = cache(_Plugin)

_METHODS = (
    *("/Plugin.Activate", "/NetworkDriver.GetCapabilities", "/NetworkDriver.CreateNetwork"),
    *("/NetworkDriver.DeleteNetwork", "/NetworkDriver.CreateEndpoint", "/NetworkDriver.EndpointOperInfo"),
    *("/NetworkDriver.DeleteEndpoint", "/NetworkDriver.Join", "/NetworkDriver.Leave", "/Nope", ""),
)
_OPTIONS = (*("bridge", "vlan", "trunk", "mtu", "gateway-port", "com.docker.network.driver.mtu", "x"),)
_OPTION_VALUES = ("br0", "5", "1-4,7", "", "x", "4095", "1500", "9" * 5000, "eth0", 5, None, "²", "\ud800")


def _request(choices: Choices) -> Any:
    if choices.rarely():
        return choices.json()
    request: dict[str, Any] = {"NetworkID": "n1", "EndpointID": "e1"}
    if choices.below(2):
        generic = {choices.pick(_OPTIONS): choices.pick(_OPTION_VALUES) for _ in range(choices.below(5))}
        request["Options"] = {GENERIC: generic, "com.docker.network.internal": choices.below(2) == 1}
    if choices.below(2):
        gateway = choices.pick(("10.0.0.1/24", "", "::1/64", "x", "10.0.0.1/" + "9" * 5000, 7))
        request[choices.pick(("IPv4Data", "IPv6Data"))] = [{"Gateway": gateway}]
    for _ in range(choices.below(3)):
        key = choices.pick(("NetworkID", "EndpointID", "Interface", "Options", "IPv4Data", "SandboxKey"))
        request[key] = choices.json()
    return request


def docker(data: bytes) -> None:
    """Whatever is sent to Docker's plugin, it answers, never with a fault of its own, and serves others."""
    choices = Choices(data)
    request = _request(choices)
    if isinstance(request, dict):
        try:
            network = read_network(request)
        except (Malformed, Refusal) as error:
            assert str(error)
        else:
            assert Network.from_text(network.text()) == network
    body = json.dumps(request).encode()
    if choices.below(4):
        length = choices.pick((str(len(body)), str(len(body)), "0", "-1", "9" * 5000, "x", "²"))
        head = f"POST {choices.pick(_METHODS)} HTTP/1.1\r\nContent-Length: {length}\r\n"
        sent = head.encode("latin-1") + choices.rest() + b"\r\n\r\n" + body
    else:
        sent = choices.rest()
    plugin = _plugin()
    heard = plugin.ask(sent)
    assert b" 500 " not in heard[:20], heard
    other = plugin.ask(b"POST /Plugin.Activate HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
    assert b"NetworkDriver" in other, other
    assert not plugin.faults, plugin.faults


_ORDER_WORDS = (
    *("attach", "detach", "web", "br0", "--ip", "--ip=10.0.0.1/24", "--gw", "10.0.0.2", "--route", "--mac"),
    *(
        "default=10.0.0.2",
        "02:00:00:00:00:01",
        "--ifname",
        "eth1",
        "--port=p",
        "--tag",
        "--trunks=1-5,7",
        "5",
    ),
    *(
        "--mtu",
        "1500",
        "--replace",
        "--veth",
        "--json",
        "--x",
        "",
        "-",
        "dhcp",
        "::1/64",
        "\udcff",
        "9" * 5000,
    ),
)


def orders(data: bytes) -> None:
    """An order to the agent can be carried out, or is left to the command, or is refused in words."""
    choices = Choices(data)
    words = [choices.pick(("attach", "detach"))]
    while choices.left and choices.below(16):
        words.append(choices.pick(_ORDER_WORDS))
    with suppress(ValueError):
        words += order.unpack(choices.rest())
    assert order.unpack(order.pack(words)) == words
    try:
        wanted = read_order(words)
        if isinstance(wanted, AttachOrder):
            wish = checked(wanted.wish)
            assert checked(wish) == wish
    except Failure as failure:
        assert str(failure)


def records(data: bytes) -> None:
    """A record that somebody wrote into the database or a file is one, or is none: it does no harm later."""
    choices = Choices(data)
    kind = choices.below(3)
    raw = choices.rest()
    text = raw.decode(errors="replace")
    if kind == 0:
        attachment = Attachment.load(text)
        if attachment is not None:
            assert Attachment.load(attachment.dump()) == attachment
            attachment.port_ids(), attachment.interface_ids(), attachment.wish.vlans.columns()
            assert attachment.wish.bridge < attachment.wish.bridge + "x"
            assert attachment.parked_key and hash(attachment.key)
    elif kind == 1:
        try:
            network = Network.from_text(text)
        except ValueError:
            return
        assert Network.from_text(network.text()) == network
        network.vlans.columns(), network.gateway(socket.AF_INET)
    else:
        try:
            found = takeover.decode(raw)
        except ValueError:
            return
        assert takeover.decode(takeover.encode(found)) == found
