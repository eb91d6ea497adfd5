"""What the daemon says of itself and its machine."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jackfield.switchd.logpattern import PROGRAM
from jackfield.switchd.status import Platform

COMPATIBLE = "3.1.0"
"""The version of Open vSwitch whose schema and commands these are."""


def own_version() -> str:
    """The version of this program."""
    try:
        return version("jackfield")
    except PackageNotFoundError:
        return "0"


def ovs_version() -> str:
    """What the database's ovs_version says: starts as clients parse it, and says who we are."""
    return f"{COMPATIBLE}-jackfield-{own_version()}"


def version_line() -> str:
    """The reply to the command `version`."""
    return f"{PROGRAM} (Jackfield) {ovs_version()}"


def platform(os_release: Path = Path("/etc/os-release")) -> Platform:
    """What the database says of program and machine; the system is named as os-release(5) does."""
    fields: dict[str, str] = {}
    try:
        text = os_release.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            fields[name.strip()] = value.strip().strip("\"'")
    return Platform(
        ovs_version=ovs_version(),
        db_version="",
        system_type=fields.get("ID", "linux"),
        system_version=fields.get("VERSION_ID", "unknown"),
        datapath_version=f"jackfield-{own_version()}",
    )
