"""Makes of a machine a Debian host with the switch as a service; then systemd boots it.

    python -m tests.boot.prepare MANAGER DATABASE

Run as the command of an emulated machine, or of one in namespaces, whose files it changes. MANAGER is what
configures the network, DATABASE the switch's file: br0 with cards eth1 and eth2 and internal ports vlan20 and
vlan30, one of each in VLANs 20 and 30. When the network counts as online the tests `inside` run, and the
machine ends with their exit status in its control folder.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import copy, rmtree

from tests.patience import PATIENCE
from tests.service.managers import example

MARK = "JACKFIELD_TEST_BOOTED"
"""In the environment of a host that was made here: the name of its manager."""
CONTROL = Path("/run/jackfield-vm")
ONLINE = Path("/run/online")
"""Has the host's addresses and routes at the moment when its network counts as online."""
LIBRARY, UNITS = Path("/lib/systemd/system"), Path("/etc/systemd/system")
ENVIRONMENT = ("PATH", "HOME", "LANG", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "JACKFIELD_TEST_PATIENCE")

KEPT = {
    *("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"),
    *("systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket"),
    *("systemd-udev-trigger.service", "systemd-tmpfiles-setup-dev.service", "systemd-sysctl.service"),
}
"""What a host starts by itself, and this one too. The rest is not needed here and takes its time."""

NEIGHBOUR = """\
#!/bin/sh
# What is at the other ends of the cables: a router in VLAN 20, a DHCP server in VLAN 30.
set -eu
ip netns add far
for card in eth1 eth2; do
    ip link add $card type veth peer name $card netns far
    ip link set $card up
    ip -n far link set $card up
done
ip -n far address add 192.0.2.1/24 dev eth1
ip -n far address add 203.0.113.1/24 dev eth2
touch /run/leases
ip netns exec far busybox udhcpd /etc/udhcpd.conf
"""
LEASES = """\
interface eth2
start 203.0.113.30
end 203.0.113.30
lease_file /run/leases
pidfile /run/udhcpd.pid
option subnet 255.255.255.0
"""
NEIGHBOUR_UNIT = """\
[Unit]
DefaultDependencies=no
Before=jackfield.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/etc/neighbour
[Install]
WantedBy=multi-user.target
"""
TESTS = """\
#!/bin/sh
{{ ip -o -4 address; ip route; }} >{online}
cd {folder}
status=0
{python} -m pytest -q -p no:cacheprovider -p tests.expected_skips -o timeout=600 --tb=short \\
    tests/boot/inside >{out} 2>&1 || status=$?
[ "$status" = 0 ] || journalctl --no-pager -b -o short-monotonic >{err}
echo "$status" >{control}/status
systemctl reboot -ff
"""
TESTS_UNIT = """\
[Unit]
Wants=network-online.target
After=network-online.target
[Service]
Type=exec
TimeoutStartSec=infinity
ExecStart=/etc/tests
[Install]
WantedBy=multi-user.target
"""
INIT = """\
#!/bin/sh
exec /lib/systemd/systemd
"""


@dataclass(frozen=True)
class Manager:
    """What configures the network: the heading of its example in the guide, and its unit. `enabled` are what
    its users enable, `kept` units of Debian that it needs, `generators` those of systemd that are its own.
    `ports` are the internal ports of the example. With a `whole` one all tests are run."""

    heading: str
    unit: str
    enabled: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()
    ports: tuple[str, ...] = ("vlan20", "vlan30")
    whole: bool = False


MANAGERS = {
    "networkd": Manager(
        "With systemd-networkd", "systemd-networkd.service", enabled=("systemd-networkd.service",), whole=True
    ),
    "netplan": Manager("With netplan", "systemd-networkd.service", generators=("netplan",), whole=True),
    "NetworkManager": Manager(
        "With NetworkManager",
        "NetworkManager.service",
        enabled=("NetworkManager.service", "NetworkManager-wait-online.service"),
        kept=("dbus.service", "dbus.socket"),
    ),
    "ifupdown": Manager(
        "With ifupdown (Debian's /etc/network/interfaces)",
        "networking.service",
        enabled=("networking.service",),
        ports=("vlan20",),
    ),
}


def prepare(name: str, database: Path) -> None:
    """All that is to be done before systemd starts."""
    manager = MANAGERS[name]
    out, err = (Path(f"/proc/self/fd/{number}").readlink() for number in (1, 2))
    _enable_nothing(manager)
    for folder in ("/etc/openvswitch", "/var/log/openvswitch"):
        rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
    copy(database, "/etc/openvswitch/conf.db")
    example(Path("/"), manager.heading)
    _script("/etc/neighbour", NEIGHBOUR)
    Path("/etc/udhcpd.conf").write_text(LEASES)
    _script(
        "/etc/tests",
        TESTS.format(
            online=ONLINE, folder=Path.cwd(), python=sys.executable, out=out, err=err, control=CONTROL
        ),
    )
    (UNITS / "neighbour.service").write_text(NEIGHBOUR_UNIT)
    (UNITS / "tests.service").write_text(TESTS_UNIT)
    be_patient(name)
    run("jackfield", "install-service")
    run("systemctl", "enable", "jackfield", "neighbour", "tests", *manager.enabled)
    run("systemctl", "set-default", "multi-user.target")
    _script(CONTROL / "init", INIT)


def _enable_nothing(manager: Manager) -> None:
    rmtree(UNITS)
    UNITS.mkdir()
    for folder in LIBRARY.glob("*.wants"):
        for unit in folder.iterdir():
            if unit.name not in (*KEPT, *manager.kept):
                _mask(UNITS / unit.name)
    places = Path("/etc/systemd/system-generators")
    places.mkdir(exist_ok=True)
    for generator in Path("/lib/systemd/system-generators").iterdir():
        if generator.name not in manager.generators:
            _mask(places / generator.name)
    Path("/etc/machine-id").write_text("6a61636b6669656c6462656e63680001\n")


def _mask(path: Path) -> None:
    if not path.is_symlink():
        path.symlink_to("/dev/null")


def be_patient(name: str) -> None:
    """Nothing is to fail because the machine is slow; and services get what the guest's command was given."""
    given = {each: os.environ[each] for each in ENVIRONMENT if each in os.environ} | {MARK: name}
    words = " ".join(f'"{each}={value}"' for each, value in given.items())
    settings = Path("/etc/systemd/system.conf.d/tests.conf")
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(f"[Manager]\nDefaultEnvironment={words}\nDefaultTimeoutStartSec={90 * PATIENCE:g}\n")
    drop_in = UNITS / "jackfield.service.d/slow.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(f"[Service]\nTimeoutStartSec={90 * PATIENCE:g}\nWatchdogSec={60 * PATIENCE:g}\n")


def _script(path: str | Path, text: str) -> None:
    Path(path).write_text(text)
    Path(path).chmod(0o755)


def run(*words: str) -> None:
    subprocess.run(
        words, check=True, env=os.environ | {"SYSTEMD_OFFLINE": "1"}, stdin=subprocess.DEVNULL, stdout=2
    )


def main() -> int:
    if not CONTROL.is_dir() or platform.node() != "jackfield-vm":
        print("tests.boot.prepare: only for an emulated machine, whose files it changes", file=sys.stderr)
        return 2
    manager, database = sys.argv[1:]
    prepare(manager, Path(database))
    return 0


if __name__ == "__main__":
    sys.exit(main())
