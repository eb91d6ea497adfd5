"""Open vSwitch's own daemons, in a run directory of the experiment's own."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path

from jackfield.lab import namespaces
from jackfield.lab.errors import LabError
from jackfield.lab.host import Host
from jackfield.lab.switches.ovslike import OvsLike

SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
PROGRAMS = ("ovs-vswitchd", "ovsdb-server")
QUIET = "--detach --no-chdir --pidfile --log-file -vconsole:off -vsyslog:off"
END_SECONDS = 10.0


class _Daemons(OvsLike):
    """ovsdb-server and ovs-vswitchd."""

    @classmethod
    def missing(cls) -> str:
        absent = [name for name in (*PROGRAMS, "ovsdb-tool") if not namespaces.is_installed(name)]
        if absent or not SCHEMA.exists():
            return f"Open vSwitch is not installed ({', '.join(absent) or SCHEMA} is missing)"
        return ""

    def start(self) -> None:
        directory = self.directory
        if not (directory / "conf.db").exists():
            self.host.look(f"ovsdb-tool create {directory}/conf.db {SCHEMA}")
        self.host.look(f"ovsdb-server {QUIET} --remote=punix:{directory}/db.sock {directory}/conf.db")
        self.host.look("ovs-vsctl --no-wait init")
        self.host.run(f"ovs-vswitchd {QUIET}", only="WARN|ERR|EMER")

    def stop(self) -> None:
        for name in PROGRAMS:
            self._end(name, signal.SIGTERM)

    def kill(self) -> None:
        for name in PROGRAMS:
            pid = self._pid(name)
            self.host.run(f"kill -9 {pid}", may_fail=True)
            (self.directory / f"{name}.pid").unlink(missing_ok=True)

    def _pid(self, name: str) -> int:
        try:
            return int((self.directory / f"{name}.pid").read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise LabError(f"{self.title}: {name} has no pid file: {error}") from error

    def _end(self, name: str, number: signal.Signals) -> None:
        """Ends a daemon and waits until it is gone."""
        with contextlib.suppress(LabError, ProcessLookupError):
            descriptor = os.pidfd_open(self._pid(name))
            try:
                signal.pidfd_send_signal(descriptor, number)
                if not select.select([descriptor], [], [], END_SECONDS)[0]:
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)


class OvsUserSpace(_Daemons):
    """Its user-space datapath: every frame goes through the daemon."""

    kind = "ovs"
    title = "OVS user space"
    new_bridge = " -- set Bridge {} datapath_type=netdev"

    @classmethod
    def missing(cls) -> str:
        for tool in ("ethtool", "iptables"):
            if not namespaces.is_installed(tool):
                return f"{tool} is not installed, which OVS's user-space datapath needs on virtual cables"
        return super().missing()

    def prepare(self, host: Host, device: str) -> None:
        # The datapath does not finish the partial checksums that veth devices pass on.
        host.look(f"ethtool -K {device} tx off")

    def hide(self, device: str) -> None:
        # As its manual advises: the kernel goes on receiving what comes in by a port.
        self.host.run(f"ip link set {device} arp off")
        self.host.run(f"iptables -A INPUT -i {device} -j DROP")

    def show(self, device: str) -> None:
        self.host.run(f"iptables -D INPUT -i {device} -j DROP")
        self.host.run(f"ip link set {device} arp on")


class OvsKernel(_Daemons):
    """Its kernel datapath, where the kernel has it."""

    kind = "ovs-kernel"
    title = "OVS kernel datapath"

    @classmethod
    def missing(cls) -> str:
        if reason := super().missing():
            return reason
        if not Path("/sys/module/openvswitch").exists():
            with contextlib.suppress(LabError):
                namespaces.quiet("modprobe", "openvswitch")
        if not Path("/sys/module/openvswitch").exists():
            return "this kernel has no module openvswitch"
        return ""
