"""The fuzz targets: functions of bytes that raise when the program does what it must not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

Target = Callable[[bytes], None]

MODULES: Mapping[str, str] = {
    name: module
    for module, names in {
        "database": ("stream", "transactions", "log", "schemas"),
        "sessions": ("sessions",),
        "control": ("control",),
        "words": ("values", "lines", "topology", "replies"),
        "links": ("lacp",),
        "packets": ("dhcp", "netlink", "probes"),
        "frames": ("frames",),
        "containers": ("cni", "docker", "records", "orders"),
    }.items()
    for name in names
}
"""The targets' names, and the modules of this package that they are in."""


def load(name: str) -> Target:
    """The target of that name; nothing else is imported than what it needs."""
    target: Target = getattr(import_module(f"fuzz.{MODULES[name]}"), name)
    return target
