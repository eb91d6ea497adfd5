"""Route netlink: messages, attributes, one request at a time (netlink(7), rtnetlink(7)).

A switch of a thousand ports reads two thousand devices at every pass; this costs some 20 us each and no
import, which is why it is not done with a general library.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

from jackfield.net.errors import KernelError

NLMSG_ERROR, NLMSG_DONE = 2, 3
REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
REPLACE, EXCL, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800
DUMP_INTERRUPTED = 0x10
SOL_NETLINK, CAP_ACK, EXT_ACK, GET_STRICT_CHECK = 270, 10, 11, 12
NESTED = 0x8000
ERROR_MESSAGE = 1  # NLMSGERR_ATTR_MSG
ERROR_HAS_ATTRIBUTES = 0x200  # NLM_F_ACK_TLVS
RECEIVE_BYTES = 1 << 20
DUMP_ATTEMPTS = 5

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")


def attribute(kind: int, payload: bytes) -> bytes:
    length = 4 + len(payload)
    return _ATTRIBUTE.pack(length, kind) + payload + bytes(-length % 4)


def text(kind: int, value: str) -> bytes:
    return attribute(kind, os.fsencode(value) + b"\0")


def u32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def nest(kind: int, *parts: bytes) -> bytes:
    return attribute(kind | NESTED, b"".join(parts))


def attributes(data: bytes, at: int = 0) -> dict[int, bytes]:
    """Attributes by kind, without the flags of the kind; what is cut short is left out."""
    found = {}
    end = len(data)
    unpack = _ATTRIBUTE.unpack_from
    while at + 4 <= end:
        length, kind = unpack(data, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def attribute_list(data: bytes, at: int = 0) -> tuple[tuple[int, bytes], ...]:
    """Attributes in order, the flags of their kinds kept, so that they can be sent again as they are."""
    found = []
    while at + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < 4:
            break
        found.append((kind, data[at + 4 : at + length]))
        at += (length + 3) & ~3
    return tuple(found)


def messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """The messages of a datagram: type, flags, sequence number, payload."""
    at = 0
    while at + 16 <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, at)
        if length < 16:
            return
        yield kind, flags, sequence, data[at + 16 : at + length]
        at += (length + 3) & ~3


def open_socket() -> socket.socket:
    """A route netlink socket of the calling thread's namespace. Raises KernelError."""
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        for option in (CAP_ACK, EXT_ACK, GET_STRICT_CHECK):
            opened.setsockopt(SOL_NETLINK, option, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        opened.bind((0, 0))
    except OSError as error:
        raise KernelError("opening a netlink socket", error.errno or 0) from None
    return opened


class Netlink:
    """A socket for requests. Belongs to one thread."""

    def __init__(self, opened: socket.socket | None = None) -> None:
        self._socket = opened or open_socket()
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def request(self, what: str, kind: int, flags: int, payload: bytes) -> list[bytes]:
        """Send one request and wait for its acknowledgement; the payloads of the answers.

        Raises KernelError saying that `what` failed, with the kernel's own words where it has some.
        """
        return self._exchange(what, kind, flags | REQUEST | ACK, payload)[0]

    def dump(self, what: str, kind: int, payload: bytes) -> list[bytes]:
        """All objects of a kind. A dump that was disturbed by changes is repeated a few times."""
        for _ in range(DUMP_ATTEMPTS):
            found, disturbed = self._exchange(what, kind, REQUEST | DUMP, payload)
            if not disturbed:
                break
        return found

    def _exchange(self, what: str, kind: int, flags: int, payload: bytes) -> tuple[list[bytes], bool]:
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        found: list[bytes] = []
        disturbed = False
        try:
            self._socket.send(_HEADER.pack(16 + len(payload), kind, flags, self._sequence, 0) + payload)
            while True:
                for answer, answer_flags, sequence, body in messages(self._socket.recv(RECEIVE_BYTES)):
                    if sequence != self._sequence:
                        continue
                    disturbed |= bool(answer_flags & DUMP_INTERRUPTED)
                    if answer == NLMSG_ERROR:
                        _raise_error(what, answer_flags, body)
                        return found, disturbed
                    if answer == NLMSG_DONE:
                        if len(body) >= 4:
                            _raise_error(what, 0, body)
                        return found, disturbed
                    found.append(body)
        except OSError as error:
            raise KernelError(what, error.errno or errno.EIO) from None


def _raise_error(what: str, flags: int, body: bytes) -> None:
    """Raise what an error message says, unless it is the acknowledgement that it is with code 0."""
    (code,) = struct.unpack_from("=i", body)
    if code < 0:
        # With CAP_ACK the request's header alone follows the code.
        words = attributes(body, 20).get(ERROR_MESSAGE, b"") if flags & ERROR_HAS_ATTRIBUTES else b""
        raise KernelError(what, -code, words.rstrip(b"\0").decode(errors="replace"))
