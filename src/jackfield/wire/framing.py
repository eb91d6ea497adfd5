"""Where messages begin and end in a JSON-RPC stream, without I/O (RFC 7047 section 4).

Messages are JSON objects back to back, without length or delimiter. What decodes them is the caller's choice:
command line clients start faster without msgspec, servers decode faster with it (`jackfield.wire.stream`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

MAX_BYTES = 64 << 20
MAX_DEPTH = 100

# Every scan is linear: no two parts of a pattern can match the same text. (Possessive groups would say so,
# but Python before 3.11.5 gets them wrong.) The bounds keep small what a match has to remember.
_BLANK = re.compile(rb"[ \t\r\n]*")
_PLAIN = re.compile(rb'[^"{}\[\]]*(?:"[^"\\]*(?:\\.[^"\\]*){0,1000}"[^"{}\[\]]*){0,1000}', re.DOTALL)
_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*){0,1000}', re.DOTALL)
_OPEN = frozenset(b"{[")
_BRACE, _QUOTE, _BACKSLASH = b'{"\\'


class StreamError(ValueError):
    """The peer does not speak JSON-RPC; `messages` are those that came whole before the fault."""

    def __init__(self, text: str, messages: list[Any]) -> None:
        super().__init__(text)
        self.messages = messages


class MessageStream:
    """Splits one direction of a connection into messages, each decoded by `decode`.

    `decode` raises ValueError or RecursionError for what is not JSON.

    The work is linear in the bytes fed, however small the pieces. After a StreamError the stream is of no
    further use.
    """

    __slots__ = ("_buffer", "_decode", "_depth", "_in_string", "_max_bytes", "_max_depth", "_pos")

    def __init__(
        self, decode: Callable[[bytes], Any], max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
    ) -> None:
        self._decode = decode
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._buffer = bytearray()
        self._pos = 0
        self._depth = 0
        self._in_string = False

    @property
    def pending(self) -> int:
        """Bytes held of a message that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Any]:
        """Return the messages that `data` completes.

        Raises StreamError for anything but JSON objects, for a message of more than `max_bytes`, and for
        nesting deeper than `max_depth`.
        """
        buffer = self._buffer
        if not buffer:
            message = self._only(data)
            if message is not None:
                return [message]
        buffer += data
        messages: list[Any] = []
        start = 0
        while True:
            if not self._depth:
                blank = _BLANK.match(buffer, start)
                assert blank is not None
                start = self._pos = blank.end()
                if start < len(buffer) and buffer[start] != _BRACE:
                    raise StreamError("a message must be a JSON object", messages)
            end = self._end_of_message(messages)
            if (len(buffer) if end is None else end) - start > self._max_bytes:
                raise StreamError(f"message longer than {self._max_bytes} bytes", messages)
            if end is None:
                break
            try:
                messages.append(self._decode(memoryview(buffer)[start:end].tobytes()))
            except (ValueError, RecursionError) as error:
                raise StreamError(f"not JSON: {error}", messages) from error
            start = self._pos = end
        if start:
            del buffer[:start]
            self._pos -= start
        return messages

    def _only(self, data: bytes) -> Any:
        """The message that `data` is, where it is one, as most of the time, and too small to be too deep."""
        deep = data.count(b"{") + data.count(b"[") > self._max_depth
        if data[:1] != b"{" or deep or len(data) > self._max_bytes:
            return None
        try:
            return self._decode(data)
        except (ValueError, RecursionError):
            return None

    def _end_of_message(self, messages: list[Any]) -> int | None:
        """Scan on from where the last scan stopped; the index behind the message, or None for "more"."""
        buffer, pos, depth = self._buffer, self._pos, self._depth
        size = len(buffer)
        plain, string = _PLAIN.match, _STRING.match
        while pos < size:
            found = (string if self._in_string else plain)(buffer, pos)
            assert found is not None
            pos = found.end()
            if pos == size:
                break
            char = buffer[pos]
            if char == _BACKSLASH and self._in_string:
                if pos + 1 == size:  # what it escapes has not come yet
                    break
                continue
            pos += 1
            if char == _QUOTE:
                self._in_string = not self._in_string
            elif char in _OPEN:
                depth += 1
                if depth > self._max_depth:
                    raise StreamError(f"nested deeper than {self._max_depth} levels", messages)
            else:
                depth -= 1
                if not depth:
                    self._depth = 0
                    return pos
        self._pos, self._depth = pos, depth
        return None
