"""Frames straight to a device, past the switch."""

from __future__ import annotations

import errno
import socket

_GONE = (errno.ENETDOWN, errno.ENODEV, errno.ENXIO)


class FrameSender:
    """A packet socket that only sends. Any thread may use it; nothing ever waits."""

    def __init__(self) -> None:
        """Raises OSError."""
        # Protocol 0: the kernel hands it nothing.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setblocking(False)

    def close(self) -> None:
        self._socket.close()

    def send(self, ifindex: int, frame: bytes) -> bool:
        """Send by the device; False when it is down or gone, or has no room. Raises OSError for the rest."""
        try:
            self._socket.sendto(frame, (socket.if_indextoname(ifindex), 0))
        except (BlockingIOError, socket.gaierror):
            return False
        except OSError as error:
            if error.errno in (*_GONE, errno.ENOBUFS):
                return False
            raise
        return True
