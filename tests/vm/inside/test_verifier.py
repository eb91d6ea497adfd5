"""What the verifier says of every program, with all constants at their extremes: how near to its limits."""

from __future__ import annotations

import ctypes
import os
import re
from contextlib import closing
from ctypes import c_int, c_size_t, c_uint32, c_void_p

import pytest

from jackfield.datapath import carrier
from jackfield.datapath.libbpf import Object, library
from jackfield.datapath.objects import OBJECTS, SWITCH

LOG_BYTES = 1 << 20
LOG_STATISTICS = 4  # BPF_LOG_STATS of the kernel's bpf_verifier.h
MOST_INSTRUCTIONS = 1_000_000  # BPF_COMPLEXITY_LIMIT_INSNS
MOST_STACK = 512  # MAX_BPF_STACK

# The constants that change what the verifier sees; the limits that loops have are in the object itself.
CASES = [(SWITCH, {}), (SWITCH, {"jf_recording": 1})]
if "JACKFIELD_TEST_PATIENCE" in os.environ:
    CASES.append((carrier.OBJECT, {}))  # an emulated kernel: others may lack trampolines for BPF


class Verified(Object):
    """An object file that keeps what the verifier says when it accepts a program."""

    def load(self) -> None:
        raw = ctypes.CDLL("libbpf.so.1")
        raw.bpf_program__set_log_level.argtypes = (c_void_p, c_uint32)
        raw.bpf_program__set_log_buf.argtypes = (c_void_p, c_void_p, c_size_t)
        raw.bpf_object__load.argtypes = (c_void_p,)
        raw.bpf_object__load.restype = c_int
        for handle in self._each("bpf_object__next_program"):
            log = self._logs[self._name("bpf_program__name", handle)] = ctypes.create_string_buffer(LOG_BYTES)
            raw.bpf_program__set_log_buf(handle, ctypes.addressof(log), len(log))
            raw.bpf_program__set_log_level(handle, LOG_STATISTICS)
        self.result = raw.bpf_object__load(self._object)
        self.said = {name: log.value.decode() for name, log in self._logs.items()}


@pytest.mark.parametrize(("name", "constants"), CASES)
def test_the_verifier_accepts_every_program_with_half_its_limits_to_spare(
    name: str, constants: dict[str, int]
) -> None:
    with closing(Verified(library(), OBJECTS / name)) as opened:
        for constant, value in constants.items():
            opened.set_constant(constant, value)
        opened.load()
        assert opened.result == 0, opened.said
        for program, said in opened.said.items():
            processed = re.search(r"^processed (\d+) insns", said, re.MULTILINE)
            depths = re.search(r"^stack depth ([\d+]+)", said, re.MULTILINE)
            assert processed and depths, said
            print(f"{name} {program}: {processed[0]}, {depths[0]}")
            assert int(processed[1]) <= MOST_INSTRUCTIONS // 2, program
            assert max(map(int, depths[1].split("+"))) <= MOST_STACK // 2, program
