"""Frames that the kernel dropped because one of its queues was full: it tells of each by itself."""

from __future__ import annotations

import os
import platform
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jackfield.datapath.libbpf import Object, library
from jackfield.datapath.maps import RawMap
from jackfield.net.errors import KernelError
from tests.loss.numbered import ETHERTYPE

SOURCE = Path(__file__).with_name("queues.bpf.c")
FRAME = struct.Struct("=QQ")


class Dropped:
    """What was dropped so far."""

    def __init__(self, frames: RawMap | None) -> None:
        """None stands for a kernel that does not tell."""
        self._frames = frames

    def has(self, flow: int, number: int) -> bool:
        """Whether a full queue dropped a frame of that flow and number, or a copy of it."""
        return self._frames is not None and self._frames.lookup(FRAME.pack(flow, number)) is not None


@contextmanager
def watched(mark: bytes) -> Iterator[Dropped]:
    """Have the kernel tell of numbered frames with that mark which a full queue drops."""
    with TemporaryDirectory() as folder:
        program = Path(folder) / "queues.o"
        compiler = (os.environ.get("CLANG", "clang"), "-O2", "-g", "-target", "bpf", "-mcpu=v3")
        include = f"-I/usr/include/{platform.machine()}-linux-gnu"
        subprocess.run(
            [*compiler, "-Wall", "-Werror", include, "-c", SOURCE, "-o", program],
            check=True,
        )
        opened = Object(library(), program)
    try:
        opened.set_constant("ethertype", ETHERTYPE)
        opened.set_constant("mark", int.from_bytes(mark, sys.byteorder))
        try:
            opened.load()
        except KernelError as error:
            print(f"what full queues drop is not told apart: {error}", file=sys.stderr)
            yield Dropped(None)
            return
        link = library().call(
            "attaching to kfree_skb", "bpf_raw_tracepoint_open", b"kfree_skb", opened.programs()["watch"]
        )
        try:
            handle = opened.maps()["dropped"]
            frames = library().call("finding a map", "bpf_map__fd", handle)
            yield Dropped(RawMap(library(), "dropped", frames))
        finally:
            os.close(link)
    finally:
        opened.close()
