"""The part of libbpf that Jackfield calls, through ctypes: no compiler and no Python extension is needed.

API: https://libbpf.readthedocs.io, valid from libbpf 1.0 on. Functions return file descriptors and plain
values and raise KernelError. ctypes lets go of the interpreter lock during a call.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import logging
import os
import sys
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from pathlib import Path

from jackfield.datapath.errors import Unsupported
from jackfield.net.errors import KernelError

LOG = logging.getLogger(__name__)
SONAME = "libbpf.so.1"
TCX_INGRESS, NETKIT_PEER = 46, 55
BTF_KIND_DATASEC = 15
VERIFIER_LOG_BYTES = 1 << 20
VERIFIER_LOG_LINES = 12  # of its end, in an exception

ADVICE = {
    errno.EPERM: "root, or the capabilities BPF, NET_ADMIN and SYS_ADMIN, are needed",
    errno.ENOMEM: "the machine is out of memory, or the limit on locked memory is too low",
}


class MapInfo(ctypes.Structure):
    """The start of struct bpf_map_info (linux/bpf.h)."""

    _fields_ = (
        ("type", c_uint32),
        ("id", c_uint32),
        ("key_size", c_uint32),
        ("value_size", c_uint32),
        ("max_entries", c_uint32),
        ("map_flags", c_uint32),
        ("name", ctypes.c_char * 16),
        ("ifindex", c_uint32),
        ("btf_vmlinux_value_type_id", c_uint32),
        ("netns_dev", ctypes.c_uint64),
        ("netns_ino", ctypes.c_uint64),
        ("btf_id", c_uint32),
        ("btf_key_type_id", c_uint32),
        ("btf_value_type_id", c_uint32),
    )


class LinkInfo(ctypes.Structure):
    """The start of struct bpf_link_info (linux/bpf.h), as it is for TCX and netkit links."""

    _fields_ = (
        ("type", c_uint32),
        ("id", c_uint32),
        ("prog_id", c_uint32),
        ("hole", c_uint32),
        ("ifindex", c_uint32),
        ("attach_type", c_uint32),
    )


class _TestRunOpts(ctypes.Structure):
    """struct bpf_test_run_opts (bpf/bpf.h)."""

    _fields_ = (
        ("sz", c_size_t),
        ("data_in", c_void_p),
        ("data_out", c_void_p),
        ("data_size_in", c_uint32),
        ("data_size_out", c_uint32),
        ("ctx_in", c_void_p),
        ("ctx_out", c_void_p),
        ("ctx_size_in", c_uint32),
        ("ctx_size_out", c_uint32),
        ("retval", c_uint32),
        ("repeat", c_int),
        ("duration", c_uint32),
        ("flags", c_uint32),
        ("cpu", c_uint32),
        ("batch_size", c_uint32),
    )


_PRINT = ctypes.CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)

_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "bpf_link_create": (c_int, (c_int, c_int, c_int, c_void_p)),
    "bpf_link_update": (c_int, (c_int, c_int, c_void_p)),
    "bpf_map_delete_elem": (c_int, (c_int, c_void_p)),
    "bpf_map_get_next_key": (c_int, (c_int, c_void_p, c_void_p)),
    "bpf_map_lookup_batch": (
        c_int,
        (c_int, c_void_p, c_void_p, c_void_p, c_void_p, POINTER(c_uint32), c_void_p),
    ),
    "bpf_map_lookup_elem": (c_int, (c_int, c_void_p, c_void_p)),
    "bpf_map_update_batch": (c_int, (c_int, c_void_p, c_void_p, POINTER(c_uint32), c_void_p)),
    "bpf_map_update_elem": (c_int, (c_int, c_void_p, c_void_p, ctypes.c_uint64)),
    "bpf_obj_get": (c_int, (c_char_p,)),
    "bpf_obj_get_info_by_fd": (c_int, (c_int, c_void_p, POINTER(c_uint32))),
    "bpf_obj_pin": (c_int, (c_int, c_char_p)),
    "bpf_prog_test_run_opts": (c_int, (c_int, POINTER(_TestRunOpts))),
    "bpf_raw_tracepoint_open": (c_int, (c_char_p, c_int)),
    "bpf_map__btf_key_type_id": (c_uint32, (c_void_p,)),
    "bpf_map__btf_value_type_id": (c_uint32, (c_void_p,)),
    "bpf_map__fd": (c_int, (c_void_p,)),
    "bpf_map__initial_value": (c_void_p, (c_void_p, POINTER(c_size_t))),
    "bpf_map__key_size": (c_uint32, (c_void_p,)),
    "bpf_map__map_flags": (c_uint32, (c_void_p,)),
    "bpf_map__max_entries": (c_uint32, (c_void_p,)),
    "bpf_map__name": (c_char_p, (c_void_p,)),
    "bpf_map__set_max_entries": (c_int, (c_void_p, c_uint32)),
    "bpf_map__set_pin_path": (c_int, (c_void_p, c_char_p)),
    "bpf_map__type": (c_int, (c_void_p,)),
    "bpf_map__value_size": (c_uint32, (c_void_p,)),
    "bpf_object__btf": (c_void_p, (c_void_p,)),
    "bpf_object__close": (None, (c_void_p,)),
    "bpf_object__load": (c_int, (c_void_p,)),
    "bpf_object__next_map": (c_void_p, (c_void_p, c_void_p)),
    "bpf_object__next_program": (c_void_p, (c_void_p, c_void_p)),
    "bpf_object__open": (c_void_p, (c_char_p,)),
    "bpf_program__fd": (c_int, (c_void_p,)),
    "bpf_program__name": (c_char_p, (c_void_p,)),
    "bpf_program__set_log_buf": (c_int, (c_void_p, c_void_p, c_size_t)),
    "btf__find_by_name_kind": (ctypes.c_int32, (c_void_p, c_char_p, c_uint32)),
    "btf__free": (None, (c_void_p,)),
    "btf__load_from_kernel_by_id": (c_void_p, (c_uint32,)),
    "btf__name_by_offset": (c_char_p, (c_void_p, c_uint32)),
    "btf__raw_data": (c_void_p, (c_void_p, POINTER(c_uint32))),
    "btf__type_by_id": (c_void_p, (c_void_p, c_uint32)),
    "libbpf_num_possible_cpus": (c_int, ()),
}


@functools.cache
def library() -> Library:
    """libbpf, loaded once: it keeps one print function for the whole process, which must never go away.

    Raises Unsupported when it is not there or is too old.
    """
    return Library()


class Library:
    """For `library`."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(SONAME, use_errno=True)
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(self._library, name)
                function.restype = result
                function.argtypes = arguments
        except (OSError, AttributeError) as error:
            raise Unsupported(f"{SONAME} cannot be used: {error}") from None
        libc = ctypes.CDLL(None)
        libc.vsnprintf.argtypes = (c_void_p, c_size_t, c_char_p, c_void_p)
        self._vsnprintf = libc.vsnprintf
        self._printer = _PRINT(self._print)
        self._library.libbpf_set_print(self._printer)

    def call(self, what: str, name: str, *arguments: object) -> int:
        """A function that returns a number, or minus an errno: then KernelError, which says `what` failed."""
        result: int = getattr(self._library, name)(*arguments)
        if result < 0:
            raise KernelError(what, -result, ADVICE.get(-result, ""))
        return result

    def value(self, name: str, *arguments: object) -> int:
        """A function that returns a size or a pointer; 0 for NULL."""
        return getattr(self._library, name)(*arguments) or 0

    def text(self, name: str, *arguments: object) -> str:
        raw: bytes | None = getattr(self._library, name)(*arguments)
        return (raw or b"").decode(errors="replace")

    def tell(self, name: str, *arguments: object) -> int:
        """As `call`, but the errno of a failure is for the caller: returned as a negative number."""
        result: int = getattr(self._library, name)(*arguments)
        return result

    def possible_cpus(self) -> int:
        return self.call("counting CPUs", "libbpf_num_possible_cpus")

    def get_pinned(self, path: Path) -> int:
        """A new file descriptor for a pinned object."""
        return self.call(f"opening {path}", "bpf_obj_get", os.fsencode(path))

    def pin(self, fd: int, path: Path) -> None:
        """Pin an object, in the place of what may be pinned there, with no moment without either."""
        fresh = path.with_name(path.name + "~")
        fresh.unlink(missing_ok=True)
        self.call(f"pinning {path}", "bpf_obj_pin", fd, os.fsencode(fresh))
        fresh.rename(path)

    def map_info(self, fd: int) -> MapInfo:
        info = MapInfo()
        self._info(fd, info, "map")
        return info

    def map_btf(self, info: MapInfo) -> bytes:
        """The types of a map that the kernel has, as raw BTF; empty when it was made without."""
        btf = self.value("btf__load_from_kernel_by_id", info.btf_id) if info.btf_id else 0
        try:
            return self.raw_btf(btf)
        finally:
            self.value("btf__free", btf)

    def raw_btf(self, btf: int) -> bytes:
        """What is behind libbpf's handle; empty for none."""
        size = c_uint32()
        start = self.value("btf__raw_data", btf, byref(size)) if btf else 0
        return ctypes.string_at(start, size.value) if start else b""

    def link_info(self, fd: int) -> LinkInfo:
        info = LinkInfo()
        self._info(fd, info, "link")
        return info

    def run(self, program: int, context: bytes, data: bytes = b"") -> tuple[int, bytes]:
        """Run a program once with BPF_PROG_TEST_RUN: its return value and the context as it left it."""
        ctx = ctypes.create_string_buffer(context, len(context))
        opts = _TestRunOpts(sz=ctypes.sizeof(_TestRunOpts))
        opts.ctx_in, opts.ctx_size_in = ctypes.addressof(ctx), len(context)
        if data:
            frame = ctypes.create_string_buffer(data, len(data))
            opts.data_in, opts.data_size_in = ctypes.addressof(frame), len(data)
        self.call("running a program", "bpf_prog_test_run_opts", program, byref(opts))
        return opts.retval, ctx.raw

    def _info(self, fd: int, info: ctypes.Structure, what: str) -> None:
        size = c_uint32(ctypes.sizeof(info))
        self.call(f"asking about a {what}", "bpf_obj_get_info_by_fd", fd, byref(info), byref(size))

    def _print(self, level: int, pattern: bytes, arguments: int | None) -> int:
        # Whatever matters also comes back as an error, so this is for whoever searches.
        if LOG.isEnabledFor(logging.DEBUG):
            buffer = ctypes.create_string_buffer(4096)
            self._vsnprintf(buffer, len(buffer), pattern, arguments)
            LOG.debug("libbpf[%d]: %s", level, buffer.value.decode(errors="replace").rstrip())
        return 0


class Object:
    """A compiled object file: opened, adjusted, then loaded once."""

    def __init__(self, library: Library, path: Path) -> None:
        """Raises KernelError when there is no such file or it is not for this machine."""
        self._library = library
        self._path = path
        self._logs: dict[str, ctypes.Array[ctypes.c_char]] = {}
        ctypes.set_errno(0)
        self._object = library.value("bpf_object__open", os.fsencode(path))
        if not self._object:
            advice = "the compiled programs are not installed" if not path.exists() else ""
            raise KernelError(f"reading {path}", ctypes.get_errno() or errno.EINVAL, advice)

    def close(self) -> None:
        self._library.value("bpf_object__close", self._object)
        self._object = 0

    def maps(self) -> dict[str, int]:
        """libbpf's handles of all maps, by name, without those that hold global variables; one that has a
        section `.data.NAME` to itself is a map of that name."""
        handles = self._each("bpf_object__next_map")
        named = {self._name("bpf_map__name", handle).removeprefix(".data."): handle for handle in handles}
        return {name: handle for name, handle in named.items() if "." not in name}

    def btf(self) -> bytes:
        """The types of the object, as raw BTF."""
        return self._library.raw_btf(self._library.value("bpf_object__btf", self._object))

    def programs(self) -> dict[str, int]:
        """The file descriptors of the programs by name, once loaded. The object owns them."""
        return {
            name: self._library.call(f"finding {name}", "bpf_program__fd", handle)
            for handle in self._each("bpf_object__next_program")
            if (name := self._name("bpf_program__name", handle))
        }

    def set_constant(self, name: str, value: int) -> None:
        """Give a `const volatile` variable its value. Raises KernelError when there is none of that name."""
        offset, size = self._constant(name)
        length = c_size_t()
        for handle in self._each("bpf_object__next_map"):
            if self._name("bpf_map__name", handle).endswith(".rodata"):
                start = self._library.value("bpf_map__initial_value", handle, byref(length))
                ctypes.memmove(start + offset, value.to_bytes(size, sys.byteorder), size)
                return
        raise KernelError(f"setting {name} in {self._path}", errno.ENOENT)

    def load(self) -> None:
        """Create or adopt the maps and have the kernel check the programs: its verdict is in the error."""
        for handle in self._each("bpf_object__next_program"):
            log = ctypes.create_string_buffer(VERIFIER_LOG_BYTES)
            self._logs[self._name("bpf_program__name", handle)] = log
            self._library.call(
                "preparing to load", "bpf_program__set_log_buf", handle, ctypes.addressof(log), len(log)
            )
        try:
            result = self._library.tell("bpf_object__load", self._object)
            if result < 0:
                raise KernelError(
                    f"loading {self._path.name}", -result, self._verdict() or ADVICE.get(-result, "")
                )
        finally:
            for handle in self._each("bpf_object__next_program"):
                self._library.tell("bpf_program__set_log_buf", handle, None, 0)
            self._logs.clear()

    def _verdict(self) -> str:
        for name, log in self._logs.items():
            if text := log.value.decode(errors="replace").strip():
                LOG.debug("the kernel on program %s:\n%s", name, text)
                return f"program {name}: " + "; ".join(text.splitlines()[-VERIFIER_LOG_LINES:])
        return ""

    def _name(self, function: str, handle: int) -> str:
        return self._library.text(function, handle)

    def _each(self, function: str) -> Iterator[int]:
        handle = 0
        while handle := self._library.value(function, self._object, handle or None):
            yield handle

    def _constant(self, name: str) -> tuple[int, int]:
        """Offset and size of a variable in .rodata, from the BTF that libbpf completed on opening."""
        library, btf = self._library, self._library.value("bpf_object__btf", self._object)
        section = library.tell("btf__find_by_name_kind", btf, b".rodata", BTF_KIND_DATASEC) if btf else -1
        if section > 0:
            start = library.value("btf__type_by_id", btf, section)
            words = ctypes.cast(start, POINTER(c_uint32))
            for at in range(3, 3 + 3 * (words[1] & 0xFFFF), 3):
                variable = ctypes.cast(library.value("btf__type_by_id", btf, words[at]), POINTER(c_uint32))
                if library.text("btf__name_by_offset", btf, variable[0]) == name:
                    return words[at + 1], words[at + 2]
        raise KernelError(f"finding {name} in {self._path}", errno.ENOENT)
