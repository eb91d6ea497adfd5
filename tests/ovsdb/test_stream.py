from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.wire.stream import JsonStream, StreamError, encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.text(st.characters(codec="utf-8"))
    | st.text('"\\{}[],: \n'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('"\\{}a'), inner, max_size=4),
    max_leaves=20,
)
MESSAGES = st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), max_size=4)


@given(MESSAGES, st.lists(st.integers(1, 9), min_size=1, max_size=30), st.sampled_from(["", " ", "\n\t "]))
def test_messages_come_out_however_the_stream_is_cut(messages: Any, cuts: list[int], gap: str) -> None:
    data = gap.encode().join(encode(message) for message in messages)
    stream, received = JsonStream(), []
    while data:
        for cut in cuts:
            received += stream.feed(data[:cut])
            data = data[cut:]
    assert received == messages
    assert stream.pending == 0


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello",
        b"[1]",
        b"1",
        b'"x"',
        b"}",
        b"{]",
        b"{a:1}",
        b'{"a":"\xff"}',
        b'{"a":1e999}',
        b'{"a":nul}',
        b"\0",
        b"\x16\x03",
    ],
)
def test_anything_but_objects_is_refused(garbage: bytes) -> None:
    with pytest.raises(StreamError):
        JsonStream().feed(garbage)


def test_messages_before_the_garbage_are_not_lost() -> None:
    with pytest.raises(StreamError) as caught:
        JsonStream().feed(b'{"a":1}{"b":2}nonsense')
    assert caught.value.messages == [{"a": 1}, {"b": 2}]


def test_deep_nesting_is_refused_before_it_is_decoded() -> None:
    assert JsonStream(max_depth=5).feed(b'{"a":[[[[]]]]}') == [{"a": [[[[]]]]}]
    with pytest.raises(StreamError, match="deeper"):
        JsonStream(max_depth=4).feed(b'{"a":[[[[')


def test_a_message_that_never_ends_is_refused_at_the_limit() -> None:
    stream = JsonStream(max_bytes=1000)
    stream.feed(b'{"a":"')
    stream.feed(b"x" * 900)
    with pytest.raises(StreamError, match="longer"):
        stream.feed(b"x" * 100)


def test_many_small_messages_may_exceed_the_limit_together() -> None:
    assert len(JsonStream(max_bytes=10).feed(b'{"a":1}' * 1000)) == 1000
