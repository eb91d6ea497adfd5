"""Whether a device has a link, as its transceiver says (linux/mii.h), or its driver (linux/ethtool.h)."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import socket
import struct

SIOCETHTOOL, SIOCGMIIPHY, SIOCGMIIREG = 0x8946, 0x8947, 0x8948
ETHTOOL_GLINK = 0x0A
STATUS_REGISTER, LINK_BIT = 1, 0x0004


def has_link(control: socket.socket, name: str) -> bool:
    """Ask about a device of the namespace that the socket (of any kind) was made in; False without answer."""
    device = os.fsencode(name)[:15]
    with contextlib.suppress(OSError):
        phy = _mii(control, SIOCGMIIPHY, device, 0)[0]
        return bool(_mii(control, SIOCGMIIREG, device, phy)[3] & LINK_BIT)
    with contextlib.suppress(OSError):
        buffer = array.array("B", struct.pack("=II", ETHTOOL_GLINK, 0))
        address, _ = buffer.buffer_info()
        fcntl.ioctl(control.fileno(), SIOCETHTOOL, struct.pack("16sP16x", device, address))
        return bool(struct.unpack_from("=I", buffer.tobytes(), 4)[0])
    return False


def _mii(control: socket.socket, request: int, device: bytes, phy: int) -> tuple[int, ...]:
    """struct mii_ioctl_data: phy_id, reg_num, val_in, val_out."""
    asked = struct.pack("16sHHHH16x", device, phy, STATUS_REGISTER, 0, 0)
    return struct.unpack_from("=HHHH", fcntl.ioctl(control.fileno(), request, asked), 16)
