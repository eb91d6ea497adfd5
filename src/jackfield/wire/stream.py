"""JSON-RPC streams without I/O, with msgspec's speed: bytes in, decoded messages out (RFC 7047 section 4)."""

from __future__ import annotations

import msgspec

from jackfield.wire.framing import MAX_BYTES, MAX_DEPTH, MessageStream, StreamError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "JsonStream", "StreamError", "encode"]

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class JsonStream(MessageStream):
    """A stream whose messages msgspec decodes."""

    __slots__ = ()

    def __init__(self, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> None:
        super().__init__(_decode, max_bytes, max_depth)


def encode(message: object) -> bytes:
    """The bytes of one message, ready to send."""
    return _encode(message)
