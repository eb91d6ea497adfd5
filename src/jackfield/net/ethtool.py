"""Speed, duplex and driver of a device: ioctl SIOCETHTOOL (linux/ethtool.h), else sysfs."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

SIOCETHTOOL = 0x8946
GLINKSETTINGS, GDRVINFO = 0x4C, 0x03
UNKNOWN_SPEED = 0xFFFFFFFF
DUPLEX = {0: "half", 1: "full"}
SYSFS = Path("/sys/class/net")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a driver tells of a device. 0 and "" mean "not told"."""

    speed: int = 0  # Mb/s
    duplex: str = ""  # "full" or "half"
    driver: str = ""
    driver_version: str = ""
    firmware_version: str = ""


def read_hardware(control: socket.socket, name: str) -> Hardware:
    """Ask about a device of the namespace that the socket (of any kind) was made in."""
    speed, duplex = _settings(control, name)
    driver = bytes(196)
    with contextlib.suppress(OSError):
        driver = _call(control, name, struct.pack("=I", GDRVINFO) + bytes(192))
    return Hardware(
        speed=speed,
        duplex=duplex,
        driver=_text(driver[4:36]) or _driver_link(name),
        driver_version=_text(driver[36:68]),
        firmware_version=_text(driver[68:100]),
    )


def _settings(control: socket.socket, name: str) -> tuple[int, str]:
    """ETHTOOL_GLINKSETTINGS: asked with no room, the kernel answers how much its masks need."""
    try:
        probe = _call(control, name, struct.pack("=I", GLINKSETTINGS) + bytes(44))
        words = -struct.unpack_from("=b", probe, 15)[0]
        if words <= 0:
            return 0, ""
        request = struct.pack("=I11xb32x", GLINKSETTINGS, words) + bytes(12 * words)
        answer = _call(control, name, request)
    except OSError:
        return 0, ""
    speed, duplex = struct.unpack_from("=IB", answer, 4)
    return (0 if speed == UNKNOWN_SPEED else speed), DUPLEX.get(duplex, "")


def _call(control: socket.socket, name: str, request: bytes) -> bytes:
    buffer = array.array("B", request)
    address, _ = buffer.buffer_info()
    fcntl.ioctl(control.fileno(), SIOCETHTOOL, struct.pack("16sP16x", os.fsencode(name)[:15], address))
    return buffer.tobytes()


def _driver_link(name: str) -> str:
    try:
        return (SYSFS / name / "device" / "driver").readlink().name
    except OSError:
        return ""


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode(errors="replace")
