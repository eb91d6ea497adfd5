"""Programs that configure a host's network, each run for real in a namespace with files of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.netlab import Namespace

GUIDE = Path("docs/service.md")
BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""
NETWORKD = """\
mkdir -p /run/systemd/netif
chown systemd-network: /run/systemd/netif
exec /lib/systemd/systemd-networkd
"""
NETWORK_MANAGER = """\
mkdir /run/dbus
dbus-daemon --config-file=/run/bus.conf --fork --nopidfile --print-pid >/run/bus.pid 2>/dev/null
trap 'kill "$(cat /run/bus.pid)"' EXIT
NetworkManager --debug &
trap 'kill $!' TERM
wait || wait
"""
OWN_FOLDERS = ("run", "etc/systemd/network", "etc/netplan", "etc/NetworkManager", "var/lib/NetworkManager")


def example(root: Path, heading: str) -> None:
    """Write below `root` the files that the guide shows below a heading."""
    part = re.split(
        r"^###? ", GUIDE.read_text().partition(f"\n### {heading}\n")[2], maxsplit=1, flags=re.MULTILINE
    )[0]
    found = re.findall(r"^```text\n# (/\S+)\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    assert found, heading
    for path, text in found:
        write(root, path, text)


def write(root: Path, path: str, text: str) -> None:
    """Write a file below `root`, for its owner alone, in folders that everybody may read."""
    file = root / path.removeprefix("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o600 if path.startswith(("/etc/NetworkManager", "/etc/netplan")) else 0o644)


@contextmanager
def running(script: str, root: Path, namespace: Namespace) -> Iterator[None]:
    """Run a manager in a namespace with the folders of its configuration, and /run, below `root`."""
    log = root / "log"
    mounts = []
    for folder in OWN_FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
        Path("/", folder).mkdir(parents=True, exist_ok=True)
        mounts.append(f"mount --bind {root}/{folder} /{folder}")
    (root / "run/bus.conf").write_text(BUS)
    # Where /sys cannot be written to there is no udev for these programs, and devices are ready at once.
    mounts.append("mount -o remount,ro,bind /sys")
    command = "\n".join([f"exec >{log} 2>&1", *mounts, script])
    process = namespace.popen("unshare", "--mount", "sh", "-euc", command)
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def netplan(root: Path) -> None:
    """Have netplan write what it makes of its files below `root`."""
    subprocess.run(["netplan", "generate", "--root-dir", root], check=True, capture_output=True)
    for file in (root / "run/systemd/network").iterdir():
        shutil.chown(file, "root", "root")
        file.chmod(0o644)
