"""Where OVS's tools look for things, and how they write words."""

from __future__ import annotations

import os

DEFAULT_LOGDIR = "/var/log/openvswitch"
OVS_VERSION = "3.1.0"


def logdir() -> str:
    """The directory of log files: $OVS_LOGDIR or OVS's own."""
    return os.environ.get("OVS_LOGDIR") or DEFAULT_LOGDIR


def version_line(program: str) -> str:
    """What `program` says of its version: that of OVS whose behaviour it has, and Jackfield's own."""
    from importlib.metadata import version

    return f"{program} (Jackfield) {OVS_VERSION}-jackfield-{version('jackfield')}"


def read_file(path: str, size: int = 1 << 16) -> bytes:
    """The first `size` bytes of a file; raises OSError. The tools start faster without pathlib."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def quoted_words(words: list[str]) -> str:
    """A command line as one line of text, words with blanks or quotes in double quotes."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if not any(c in " \t\r\n\v\\'\"" for c in word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def printable(text: str) -> str:
    """`text` with bytes that were not UTF-8 on the command line replaced, so that it can be encoded."""
    return text.encode("utf-8", "replace").decode()
