"""Addresses of Unix sockets whose paths are longer than the kernel takes (unix(7): 107 bytes)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATH_MAX = 107


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """An address for bind or connect that stands for `path` inside the `with` block. Raises OSError."""
    if len(os.fsencode(path)) <= _PATH_MAX:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
