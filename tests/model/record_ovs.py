"""Asks Open vSwitch what it does with tags, and writes its answers to `ovs_answers.csv`.

Run by hand, with ovsdb-server and ovs-vswitchd installed: `python -m tests.model.record_ovs`. The daemons
run in a directory of their own, without kernel devices, and end with it.

A row is a VLAN limit, a port and the tags of a frame that comes in by it; then one cell for each port of
`PORTS`: the tags with which the frame leaves by that port when its destination is known there, and `+`
if it also leaves by it when the destination is unknown. An empty cell: it does not leave. Tags are written
outermost first, as protocol (c or s), VLAN, priority and `d` for drop eligible; `-` means none.
"""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from jackfield.model import ETH_P_8021AD, ETH_P_8021Q, Frame, PortConfig, Tag, VlanMode, parse
from tests.scenarios.kit import (
    ALWAYS,
    ETHERTYPE,
    IF_NONZERO,
    access,
    ctag,
    native_tagged,
    native_untagged,
    stag,
    trunk,
    tunnel,
)

ANSWERS = Path(__file__).with_name("ovs_answers.csv")
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
LIMITS = (1, 2)

PORTS = (
    access("access-0", 0),
    access("access-10", 10),
    access("access-10-prio", 10, priority_tags=IF_NONZERO),
    access("access-20-always", 20, priority_tags=ALWAYS),
    trunk("trunk"),
    trunk("trunk-10", 10),
    trunk("trunk-0-20", 0, 20),
    trunk("trunk-always", priority_tags=ALWAYS),
    native_tagged("ntag-10", 10),
    native_tagged("ntag-0", 0, 10),
    native_tagged("ntag-10-20", 10, 20),
    native_untagged("nuntag-10", 10),
    native_untagged("nuntag-0-20", 0, 20),
    native_untagged("nuntag-10-prio", 10, 0, 20, priority_tags=IF_NONZERO),
    tunnel("tunnel-10", 10),
    tunnel("tunnel-10-c20", 10, 20),
    tunnel("tunnel-20-q", 20, 0, 10, qinq_ethtype=ETH_P_8021Q, priority_tags=IF_NONZERO),
)

STACKS: tuple[tuple[Tag, ...], ...] = (
    (),
    (ctag(0),),
    (ctag(0, 5),),
    (ctag(10),),
    (ctag(10, 3, dei=True),),
    (stag(10, 3),),
    (ctag(20),),
    (ctag(30),),
    (stag(10), ctag(20, 5, dei=True)),
    (stag(10), ctag(0)),
    (ctag(10, 2), ctag(10)),
    (ctag(0, 4), ctag(20)),
    (stag(20), ctag(10), ctag(30)),
)


def is_comparable(port: PortConfig, tags: tuple[Tag, ...]) -> bool:
    """Not where Open vSwitch loses a customer's tag under a service tag, which Jackfield never does."""
    return port.vlan_mode is not VlanMode.DOT1Q_TUNNEL or (len(tags) <= 1 and tags != (ctag(0),))


def tags_text(tags: tuple[Tag, ...]) -> str:
    """Tags as they stand in the file."""
    protocols = {ETH_P_8021Q: "c", ETH_P_8021AD: "s"}
    words = [f"{protocols[tag.tpid]}{tag.vid}.{tag.pcp}{'d' * tag.dei}" for tag in tags]
    return "/".join(words) or "-"


def frame(number: int, tags: tuple[Tag, ...]) -> bytes:
    """A frame between two stations that no other frame has."""
    ends = (b"\x02\x00" + number.to_bytes(4, "big"), b"\x02\x01" + number.to_bytes(4, "big"))
    return Frame(*ends, tags, ETHERTYPE + bytes(46)).pack()


class OpenVSwitch:
    """Two daemons of Open vSwitch with one bridge `br0`, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._environment = {**os.environ, "OVS_RUNDIR": str(directory), "OVS_LOGDIR": str(directory)}
        self._database = directory / "db.sock"

    def start(self) -> None:
        database = self._directory / "conf.db"
        self._run("ovsdb-tool", "create", str(database), SCHEMA)
        detach = ("--detach", "--no-chdir", "-vconsole:emer", "-vsyslog:off")
        self._run("ovsdb-server", *detach, "--pidfile", f"--remote=punix:{self._database}", str(database))
        self.vsctl("--no-wait", "init")
        self._run(
            "ovs-vswitchd",
            *detach,
            "--pidfile",
            "--enable-dummy=override",
            "--disable-system",
            f"--unixctl={self._directory}/ctl",
            f"unix:{self._database}",
        )
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy")

    def stop(self) -> None:
        for name in ("ovs-vswitchd", "ovsdb-server"):
            pid_file = self._directory / f"{name}.pid"
            if pid_file.exists():
                os.kill(int(pid_file.read_text()), signal.SIGTERM)

    def vsctl(self, *arguments: str) -> None:
        self._run("ovs-vsctl", f"--db=unix:{self._database}", *arguments)

    def appctl(self, command: str, *arguments: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{self._directory}/ctl")
            request = {"id": 0, "method": command, "params": arguments}
            connection.sendall(json.dumps(request).encode())
            answer = b""
            while True:
                answer += connection.recv(1 << 16)
                try:
                    reply = json.loads(answer)
                except ValueError:
                    continue
                if reply["error"]:
                    raise RuntimeError(reply["error"])
                return str(reply["result"])

    def add_port(self, number: int, port: PortConfig) -> None:
        columns = [
            f"vlan_mode={port.vlan_mode.value}",
            f"other_config:priority-tags={port.priority_tags.value}",
        ]
        if port.vlan_mode is not VlanMode.TRUNK:
            columns.append(f"tag={port.tag}")
        if port.trunks is not None:
            columns.append("trunks=" + ",".join(map(str, sorted(port.trunks))))
        if port.cvlans is not None:
            columns.append("cvlans=" + ",".join(map(str, sorted(port.cvlans))))
        if port.qinq_ethtype == ETH_P_8021Q:
            columns.append("other_config:qinq-ethtype=802.1q")
        interface = ("set", "interface", port.name, "type=dummy", f"ofport_request={number}")
        self.vsctl("add-port", "br0", port.name, "--", *interface, "--", "set", "port", port.name, *columns)

    def datapath_ports(self) -> dict[str, str]:
        """Port name by number in the datapath."""
        return {number: name for name, number in re.findall(r"(\S+) \d+/(\d+):", self.appctl("dpif/show"))}

    def outputs(self, in_port: int, data: bytes) -> dict[str, bytes]:
        """The frames that leave, by port."""
        trace = self.appctl("ofproto/trace", "br0", f"in_port={in_port}", data.hex())
        names = self.datapath_ports()
        found = re.search(r"^Datapath actions: (.*)$", trace, re.MULTILINE)
        outputs: dict[str, bytes] = {}
        for action in re.findall(r"[^,(]+(?:\([^)]*\))?", found[1] if found else "drop"):
            if action.isdigit():
                outputs[names[action]] = data
            elif action == "pop_vlan":
                data = data[:12] + data[16:]
            elif pushed := re.fullmatch(r"push_vlan\((?:tpid=(\w+),)?vid=(\d+),pcp=(\d)\)", action):
                tag = Tag(int(pushed[1] or "0x8100", 16), int(pushed[2]), int(pushed[3]))
                data = data[:12] + tag.pack() + data[12:]
            elif action != "drop":
                raise RuntimeError(f"unexpected action {action}")
        return outputs

    def _run(self, *command: str) -> None:
        subprocess.run(command, env=self._environment, check=True, timeout=30)


@contextmanager
def running() -> Iterator[OpenVSwitch]:
    with tempfile.TemporaryDirectory(prefix="jft", ignore_cleanup_errors=True) as directory:
        switch = OpenVSwitch(Path(directory))
        try:
            switch.start()
            yield switch
        finally:
            switch.stop()


def answers(switch: OpenVSwitch) -> Iterator[list[str]]:
    """Every row of the file."""
    numbers = count(1)
    for number, port in enumerate(PORTS, 1):
        switch.add_port(number, port)
    for limit in LIMITS:
        switch.vsctl("set", "Open_vSwitch", ".", f"other_config:vlan-limit={limit}")
        for in_number, in_port in enumerate(PORTS, 1):
            for tags in STACKS:
                if not is_comparable(in_port, tags):
                    continue
                flooded = switch.outputs(in_number, frame(next(numbers), tags))
                cells = []
                for out_port in PORTS:
                    data = frame(next(numbers), tags)
                    for vlan in (0, *(tag.vid for tag in tags), in_port.tag):
                        address = data[:6].hex(":")
                        switch.appctl("fdb/add", "br0", out_port.name, str(vlan), address)
                    sent = switch.outputs(in_number, data).get(out_port.name)
                    cell = "" if sent is None else tags_text(parse(sent, 8).tags)
                    cells.append(cell + "+" * (out_port.name in flooded))
                yield [str(limit), in_port.name, tags_text(tags), *cells]


def main() -> None:
    with running() as switch, ANSWERS.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["limit", "in", "tags", *(port.name for port in PORTS)])
        writer.writerows(answers(switch))


if __name__ == "__main__":
    main()
