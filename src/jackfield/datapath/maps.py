"""eBPF maps as typed tables."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from jackfield.datapath.errors import AbiMismatch
from jackfield.datapath.libbpf import Library, MapInfo
from jackfield.net.errors import KernelError

BATCH = 4096
ARRAY, PERCPU_HASH, PERCPU_ARRAY = 2, 5, 6  # enum bpf_map_type


class Struct(Protocol):
    """What `_abi` offers for every struct."""

    def pack(self) -> bytes: ...

    @classmethod
    def unpack(cls, raw: bytes) -> Self: ...

    @classmethod
    def size(cls) -> int: ...


K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S", bound=Struct)


@dataclass(frozen=True, slots=True)
class Codec(Generic[V]):
    """How a key or a value lies in memory."""

    size: int
    pack: Callable[[V], bytes]
    unpack: Callable[[bytes], V]


def number(size: int) -> Codec[int]:
    """An unsigned integer of `size` bytes."""
    return Codec(
        size,
        lambda value: value.to_bytes(size, sys.byteorder),
        lambda raw: int.from_bytes(raw, sys.byteorder),
    )


def struct(kind: type[S]) -> Codec[S]:
    """One of the structs of `_abi`."""
    return Codec(kind.size(), lambda value: value.pack(), kind.unpack)


class RawMap:
    """A map as bytes. Owns its file descriptor. Any thread may use it."""

    def __init__(self, library: Library, name: str, fd: int) -> None:
        self.name = name
        self.fd = fd
        self._library = library
        info: MapInfo = library.map_info(fd)
        self.kind, self.max_entries = info.type, info.max_entries
        self.key_size, self.value_size = info.key_size, info.value_size
        self.is_array = self.kind in (ARRAY, PERCPU_ARRAY)
        per_cpu = self.kind in (PERCPU_ARRAY, PERCPU_HASH)
        self.cpus = library.possible_cpus() if per_cpu else 1
        # The kernel hands out per-CPU values one after the other, each rounded up to 8 bytes.
        self.stride = -(-self.value_size // 8) * 8 if per_cpu else self.value_size

    def close(self) -> None:
        os.close(self.fd)

    def lookup(self, key: bytes) -> bytes | None:
        value = ctypes.create_string_buffer(self.stride * self.cpus)
        result = self._library.tell("bpf_map_lookup_elem", self.fd, key, value)
        if result == -errno.ENOENT:
            return None
        self._check(result, "reading")
        return value.raw

    def update(self, key: bytes, value: bytes) -> None:
        self._check(self._library.tell("bpf_map_update_elem", self.fd, key, value, 0), "writing")

    def update_many(self, keys: bytes, values: bytes, count: int) -> None:
        done = ctypes.c_uint32(count)
        result = self._library.tell("bpf_map_update_batch", self.fd, keys, values, ctypes.byref(done), None)
        self._check(result, "writing")

    def delete(self, key: bytes) -> None:
        result = self._library.tell("bpf_map_delete_elem", self.fd, key)
        if result != -errno.ENOENT:
            self._check(result, "removing from")

    def batches(self, after: bytes = b"", room: int = BATCH) -> Iterator[tuple[bytes, bytes, int]]:
        """Everything, `room` elements at a time: keys, values and how many. Arrays may start after a key."""
        stride, room = self.stride * self.cpus, min(room, self.max_entries)
        # Where the kernel is to go on: a bucket number for hashes, a key for arrays.
        position = ctypes.create_string_buffer(after, max(8, self.key_size))
        first = not after
        while True:
            keys = ctypes.create_string_buffer(room * self.key_size)
            values = ctypes.create_string_buffer(room * stride)
            count = ctypes.c_uint32(room)
            result = self._library.tell(
                "bpf_map_lookup_batch",
                self.fd,
                None if first else position,
                position,
                keys,
                values,
                ctypes.byref(count),
                None,
            )
            if result == -errno.ENOSPC:
                # One bucket holds more than there is room for.
                room *= 2
                continue
            if result != -errno.ENOENT:
                self._check(result, "reading")
            if count.value:
                yield keys.raw[: count.value * self.key_size], values.raw[: count.value * stride], count.value
            if result == -errno.ENOENT:
                return
            first = False

    def _check(self, result: int, what: str) -> None:
        if result < 0:
            advice = "it is full" if result in (-errno.E2BIG, -errno.ENOSPC) else ""
            raise KernelError(f"{what} map {self.name}", -result, advice)


class Table(Generic[K, V]):
    """One map. An array element that is all zeros counts as absent, so arrays and hashes look alike.

    Any thread may use it. Every method raises KernelError when the kernel refuses.
    """

    def __init__(
        self, raw: RawMap, key: Codec[K], value: Codec[V], changed: Callable[[], None] | None = None
    ) -> None:
        """`changed` is called after every change.

        Raises AbiMismatch when the kernel's map is not of that layout.
        """
        if (raw.key_size, raw.value_size) != (key.size, value.size):
            raise AbiMismatch(
                f"map {raw.name} has keys of {raw.key_size} and values of {raw.value_size} bytes where"
                f" {key.size} and {value.size} are expected: Python and the compiled programs differ"
            )
        self.name = raw.name
        self.max_entries = raw.max_entries
        self._raw = raw
        self._key = key
        self._value = value
        self._nothing = bytes(value.size)
        self._changed = changed or (lambda: None)

    def get(self, key: K) -> V | None:
        raw = self._raw.lookup(self._key.pack(key))
        if raw is None or (self._raw.is_array and raw == self._nothing):
            return None
        return self._value.unpack(raw)

    def set(self, key: K, value: V) -> None:
        self._raw.update(self._key.pack(key), self._value.pack(value))
        self._changed()

    def set_many(self, items: Iterable[tuple[K, V]]) -> None:
        """Not as one: a reader may see some of them before the others."""
        pairs = list(items)
        try:
            for start in range(0, len(pairs), BATCH):
                part = pairs[start : start + BATCH]
                keys = b"".join(self._key.pack(key) for key, _ in part)
                values = b"".join(self._value.pack(value) for _, value in part)
                self._raw.update_many(keys, values, len(part))
        finally:
            self._changed()

    def delete(self, key: K) -> None:
        """No error when it is absent."""
        if self._raw.is_array:
            self._raw.update(self._key.pack(key), self._nothing)
        else:
            self._raw.delete(self._key.pack(key))
        self._changed()

    def items(self) -> list[tuple[K, V]]:
        """All that is there, in the kernel's order (arrays: by rising key)."""
        found: list[tuple[K, V]] = []
        key_size, size = self._key.size, self._value.size
        read_key, read_value = self._key.unpack, self._value.unpack
        for keys, values, count in self._raw.batches():
            if self._raw.is_array and values.count(0) == len(values):
                continue
            for at in range(count):
                raw = values[at * size : at * size + size]
                if self._raw.is_array and raw == self._nothing:
                    continue
                found.append((read_key(keys[at * key_size : at * key_size + key_size]), read_value(raw)))
        return found

    def slice(self, start: K, count: int) -> list[V]:
        """`count` neighbours in an array from `start` on, zeros included, fewer where it ends."""
        first = int.from_bytes(self._key.pack(start), sys.byteorder)
        after = (first - 1).to_bytes(self._key.size, sys.byteorder) if first else b""
        size = self._value.size
        for _, values, found in self._raw.batches(after, count):
            return [self._value.unpack(values[at : at + size]) for at in range(0, found * size, size)]
        return []


class SplitTable(Generic[V]):
    """Two maps as one: an array for the keys it has room for, a hash for those beyond. For any thread."""

    def __init__(self, low: Table[int, V], high: Table[int, V]) -> None:
        self._low = low
        self._high = high

    def _half(self, key: int) -> Table[int, V]:
        return self._low if key < self._low.max_entries else self._high

    def get(self, key: int) -> V | None:
        return self._half(key).get(key)

    def set(self, key: int, value: V) -> None:
        self._half(key).set(key, value)

    def delete(self, key: int) -> None:
        """No error when it is absent."""
        self._half(key).delete(key)

    def items(self) -> list[tuple[int, V]]:
        """All that is there."""
        return [*self._low.items(), *self._high.items()]


class PerCpuTable(Generic[K, V]):
    """A map with one value for each CPU, which readers add up. Any thread may use it."""

    def __init__(self, raw: RawMap, key: Codec[K], value: Codec[V], add: Callable[[Iterable[V]], V]) -> None:
        Table(raw, key, value)
        self._raw = raw
        self._key = key
        self._value = value
        self._add = add
        self._nothing = bytes(raw.stride * raw.cpus)

    def get(self, key: K) -> V | None:
        raw = self._raw.lookup(self._key.pack(key))
        return None if raw is None or raw == self._nothing else self._sum(raw)

    def clear(self, key: K) -> None:
        """Back to zero on every CPU."""
        if self._raw.is_array:
            self._raw.update(self._key.pack(key), self._nothing)
        else:
            self._raw.delete(self._key.pack(key))

    def items(self, asked: Callable[[K], bool] = lambda _key: True) -> list[tuple[K, V]]:
        """All that is not zero and asked for."""
        found: list[tuple[K, V]] = []
        key_size, size = self._key.size, len(self._nothing)
        for keys, values, count in self._raw.batches():
            for at in range(count):
                raw = values[at * size : at * size + size]
                if raw == self._nothing:
                    continue
                key = self._key.unpack(keys[at * key_size : at * key_size + key_size])
                if asked(key):
                    found.append((key, self._sum(raw)))
        return found

    def _sum(self, raw: bytes) -> V:
        stride, size = self._raw.stride, self._value.size
        return self._add(
            self._value.unpack(raw[at : at + size]) for at in range(0, self._raw.cpus * stride, stride)
        )
