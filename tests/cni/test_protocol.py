"""What the plugin makes of environment and configuration, without a switch."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from jackfield.containers.announce import arp_announcement, neighbour_advertisement
from jackfield.containers.cni.config import decode, read_config
from jackfield.containers.cni.errors import CniError
from jackfield.containers.cni.invocation import Command, Invocation, read_invocation
from jackfield.containers.cni.main import run
from jackfield.containers.cni.result import read_result, write_result
from jackfield.containers.vlans import Vlans
from tests.cni.runtime import PLUGIN

ADD = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/run/netns/x", "CNI_IFNAME": "eth0"}
NETWORK = {"cniVersion": "1.1.0", "name": "n", "type": "jackfield-cni", "bridge": "br0"}


def refusal(environment: dict[str, str], config: dict[str, Any]) -> tuple[int, str]:
    with pytest.raises(CniError) as caught:
        read_config(read_invocation(environment), config)
    return caught.value.code, caught.value.message


def config_of(keys: dict[str, Any], **environment: str) -> Any:
    return read_config(read_invocation(ADD | environment), NETWORK | keys)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CNI_COMMAND": ""}, "CNI_COMMAND is not set"),
        ({"CNI_COMMAND": "PUT"}, 'CNI_COMMAND is "PUT", not one of ADD, DEL, CHECK, GC, STATUS, VERSION'),
        ({"CNI_CONTAINERID": ""}, "CNI_CONTAINERID is not set"),
        ({"CNI_CONTAINERID": "../c"}, 'CNI_CONTAINERID is "../c", which is not letters,'),
        ({"CNI_IFNAME": "a/b"}, 'CNI_IFNAME is "a/b", which no network device can be called'),
        ({"CNI_IFNAME": "e" * 16}, "CNI_IFNAME is"),
        ({"CNI_NETNS": "", "CNI_IFNAME": ""}, "CNI_IFNAME is not set; CNI_NETNS is not set"),
        ({"CNI_ARGS": "A"}, 'CNI_ARGS has "A", which is not KEY=VALUE'),
        ({"CNI_ARGS": "COLOUR=red"}, "CNI_ARGS has COLOUR, which this plugin does not know"),
    ],
)
def test_a_wrong_environment_is_named(change: dict[str, str], message: str) -> None:
    code, said = refusal(ADD | change, NETWORK)
    assert (code, said[: len(message)]) == (4, message)


@pytest.mark.parametrize(
    ("keys", "code", "message"),
    [
        ({"cniVersion": "0.2.0"}, 1, "the network configuration has version 0.2.0; this plugin supports"),
        ({"cniVersion": None}, 1, "the network configuration has no cniVersion"),
        ({"bridge": ""}, 7, "bridge: say which bridge"),
        ({"name": ""}, 7, "name: "),
        ({"bridge": 7}, 7, "bridge: 7 is not a text"),
        ({"vlan": 4095}, 7, "vlan: 4095 is not a VLAN"),
        ({"vlan": "10"}, 7, 'vlan: "10" is not a number'),
        ({"trunk": [{"minID": 5}]}, 7, "trunk: "),
        ({"trunk": [{"minID": 9, "maxID": 5}]}, 7, "trunk: 9-5 ends before it begins"),
        ({"trunk": [{"id": 5, "ipam": {}}]}, 2, "trunk is not supported"),
        ({"trunk": {"id": 5}}, 7, "trunk: "),
        ({"mtu": 40}, 7, "mtu: 40 is not a number from 68 to 65535"),
        ({"ofport_request": 70000}, 7, "ofport_request: "),
        ({"deviceID": "0000:00:00.1"}, 2, 'deviceID is not supported (it is "0000:00:00.1")'),
        ({"vlna": 7}, 2, "vlna is not supported (it is 7)"),
        ({"interface_type": "system"}, 2, 'interface_type is not supported (it is "system")'),
        ({"capabilities": {"bandwidth": True}}, 2, "capabilities is not supported"),
        ({"socket_file": "tcp:10.0.0.1:6640"}, 7, "socket_file: "),
        ({"configuration_path": "/run/jft-none.conf"}, 5, "configuration_path: there is no file"),
        ({"ipam": {"type": "../sh"}}, 7, "ipam: "),
        ({"args": {"cni": {"mac": "zz"}}}, 7, 'args: "zz" is not an Ethernet address'),
        ({"args": {"cni": {"mac": "01:00:00:00:00:01"}}}, 7, "args: 01:00:00:00:00:01 is a group's address"),
        ({"prevResult": {"ips": [{"address": "x"}]}}, 6, "the result of prevResult cannot be understood"),
    ],
)
def test_a_wrong_configuration_is_named(keys: dict[str, Any], code: int, message: str) -> None:
    said = refusal(ADD, NETWORK | keys)
    assert (said[0], said[1][: len(message)]) == (code, message)


def test_nulls_and_keys_of_the_protocol_ask_for_nothing() -> None:
    keys = {"ipMasq": False, "deviceID": "", "mtu": 0, "cni.dev/x": 1, "interface_type": None, "dns": {}}
    assert config_of(keys).vlans == Vlans()


def test_ovn_ports_are_on_the_integration_bridge() -> None:
    config = config_of({"bridge": ""}, CNI_ARGS="OvnPort=lsp1")
    assert (config.bridge, config.ovn_port) == ("br-int", "lsp1")


@pytest.mark.parametrize(("command", "version"), [("CHECK", "0.3.1"), ("GC", "1.0.0"), ("STATUS", "1.0.0")])
def test_a_command_that_the_version_does_not_have_is_refused(command: str, version: str) -> None:
    code, message = refusal(ADD | {"CNI_COMMAND": command}, NETWORK | {"cniVersion": version})
    assert code == 1
    assert f"and {command} came with" in message


def test_gc_without_a_list_removes_nothing() -> None:
    assert refusal({"CNI_COMMAND": "GC"}, NETWORK)[0] == 7


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff"])
def test_what_is_not_an_object_cannot_be_decoded(data: bytes) -> None:
    with pytest.raises(CniError) as caught:
        decode(data)
    assert caught.value.code == 6


def test_version_says_what_is_supported() -> None:
    answer = run({"CNI_COMMAND": "VERSION"}, {"cniVersion": "0.4.0"}, b"")
    assert answer is not None
    assert answer["cniVersion"] == "0.4.0"
    assert answer["supportedVersions"] == ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]


def test_a_result_is_written_as_it_was_read() -> None:
    data = {
        "cniVersion": "1.1.0",
        "interfaces": [
            {"name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": "/x", "mtu": 1400, "pciID": "p"}
        ],
        "ips": [{"address": "10.0.0.2/24", "gateway": "10.0.0.1", "interface": 0}],
        "routes": [
            {"dst": "0.0.0.0/0", "gw": "10.0.0.1", "mtu": 1300, "priority": 5, "table": 7, "scope": 0}
        ],
        "dns": {"nameservers": ["10.0.0.53"]},
    }
    assert write_result(read_result(data, "it"), "1.1.0") == data
    older = write_result(read_result(data, "it"), "1.0.0")
    assert older["interfaces"] == [{"name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": "/x"}]
    assert older["routes"] == [{"dst": "0.0.0.0/0", "gw": "10.0.0.1"}]


def test_the_program_answers_errors_in_json_and_imports_little() -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CNI_")}
    done = subprocess.run([PLUGIN], input=b"", env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b'"code": 4' in done.stdout
    heavy = "import sys, jackfield.containers.cni.commands as _; print({'rich', 'click'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, check=True).stdout == b"set()\n"


def test_a_call_of_its_own_needs_no_container() -> None:
    assert read_invocation({"CNI_COMMAND": "STATUS"}) == Invocation(Command.STATUS)


def test_an_address_is_announced_to_everybody() -> None:
    mac = bytes.fromhex("020000000001")
    frame = arp_announcement(mac, bytes([10, 0, 0, 2]))
    assert frame.hex() == (
        "ffffffffffff020000000001080600010800060400010200000000010a0000020000000000000a000002"
    )
    advertisement = neighbour_advertisement(mac, bytes.fromhex("fd000000000000000000000000000002"))
    assert len(advertisement) == 14 + 40 + 32
    # The sum over pseudo header and message with a right checksum is all ones (RFC 1071).
    body = advertisement[54:]
    data = advertisement[22:54] + (32).to_bytes(4, "big") + (58).to_bytes(4, "big") + body
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
