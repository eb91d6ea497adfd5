"""The little of BTF that is needed to describe shared data: structs of plain integers and arrays, and enums.

Format: https://docs.kernel.org/bpf/btf.html, sections 2 and 3; ELF64 section headers from elf(5).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = 0xEB9F
INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST = range(1, 11)
FUNC_PROTO, VAR, DATASEC, DECL_TAG, ENUM64 = 13, 14, 15, 17, 19
INT_SIGNED, INT_CHAR = 1, 2


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    offset: int  # bytes from the start of the struct
    size: int  # bytes of one element
    count: int  # 1: a plain integer, else an array
    is_char: bool


@dataclass(frozen=True, slots=True)
class Struct:
    name: str
    size: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    name: str
    members: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Types:
    """Structs and enums in the order of their names, independent of their order of use."""

    structs: tuple[Struct, ...]
    enums: tuple[Enum, ...]


@dataclass(frozen=True, slots=True)
class _Raw:
    name: str
    kind: int
    size: int  # or the type id that this one refers to
    extra: tuple[tuple[int, ...], ...]


def section(elf: bytes, name: bytes = b".BTF") -> bytes:
    """The content of an ELF64 section. Raises ValueError when there is none."""
    if elf[:5] != b"\x7fELF\x02":
        raise ValueError("not a 64-bit ELF file")
    order = "<" if elf[5] == 1 else ">"
    (table,) = struct.unpack_from(order + "Q", elf, 0x28)
    entry_size, count, names_index = struct.unpack_from(order + "HHH", elf, 0x3A)
    headers = [struct.unpack_from(order + "IIQQQQ", elf, table + i * entry_size) for i in range(count)]
    names_at = headers[names_index][4]
    for name_at, _type, _flags, _address, offset, size in headers:
        start = names_at + name_at
        if elf[start : elf.index(b"\0", start)] == name:
            return elf[offset : offset + size]
    raise ValueError(f"no section {name.decode()}: compile with -g")


def parse(raw: bytes, prefix: str = "") -> Types:
    """The structs and enums named `prefix`… Raises ValueError on a field of another form."""
    types = _types(raw)
    structs, enums = [], []
    for entry in types:
        if not entry.name.startswith(prefix):
            continue
        if entry.kind == STRUCT:
            structs.append(_struct(types, raw, entry))
        elif entry.kind == ENUM:
            enums.append(Enum(entry.name, tuple((_string(raw, m[0]), m[1]) for m in entry.extra)))
    return Types(
        tuple(sorted(structs, key=lambda item: item.name)), tuple(sorted(enums, key=lambda item: item.name))
    )


def layout(raw: bytes, index: int) -> Struct | int | None:
    """How the type with this id lies in memory: a struct's fields, or the bytes of an integer; None for any
    other."""
    types = _types(raw)
    entry = _resolve(types, index)
    if entry.kind == STRUCT:
        return _struct(types, raw, entry)
    return entry.size if entry.kind in (INT, ENUM) else None


def _order(raw: bytes) -> str:
    order = "<" if raw[:2] == MAGIC.to_bytes(2, "little") else ">"
    if struct.unpack_from(order + "H", raw) != (MAGIC,):
        raise ValueError("not BTF")
    return order


def _string(raw: bytes, offset: int) -> str:
    order = _order(raw)
    header_size, strings = struct.unpack_from(order + "I8xI", raw, 4)
    start = header_size + strings + offset
    return raw[start : raw.index(b"\0", start)].decode()


def _types(raw: bytes) -> list[_Raw]:
    """All types by id; id 0 is void."""
    order = _order(raw)
    header_size, types_at, types_size = struct.unpack_from(order + "III", raw, 4)
    at, end = header_size + types_at, header_size + types_at + types_size
    words = {INT: 1, ARRAY: 3, VAR: 1, DECL_TAG: 1}
    per_member = {STRUCT: 3, UNION: 3, ENUM: 2, FUNC_PROTO: 2, DATASEC: 3, ENUM64: 3}
    types = [_Raw("", 0, 0, ())]
    while at < end:
        name, info, size = struct.unpack_from(order + "III", raw, at)
        kind, members = info >> 24 & 0x1F, info & 0xFFFF
        at += 12
        width, count = (per_member[kind], members) if kind in per_member else (words.get(kind, 0), 1)
        extra = []
        for _ in range(count if width else 0):
            code = "Ii" if kind == ENUM else f"{width}I"
            extra.append(struct.unpack_from(order + code, raw, at))
            at += 4 * width
        types.append(_Raw(_string(raw, name), kind, size, tuple(extra)))
    return types


def _struct(types: list[_Raw], raw: bytes, entry: _Raw) -> Struct:
    return Struct(entry.name, entry.size, tuple(_field(types, raw, member) for member in entry.extra))


def _field(types: list[_Raw], raw: bytes, member: tuple[int, ...]) -> Field:
    name, offset = _string(raw, member[0]), member[2] // 8
    entry, count = _resolve(types, member[1]), 1
    if entry.kind == ARRAY:
        element, _index, count = entry.extra[0]
        entry = _resolve(types, element)
    if entry.kind not in (INT, ENUM) or entry.size not in (1, 2, 4, 8) or member[2] % 8:
        raise ValueError(f"field {name}: only integers and arrays of integers can be shared")
    # clang calls plain `char` a signed 8-bit INT; `__u8` is an unsigned one.
    encoding = entry.extra[0][0] >> 24 if entry.kind == INT else 0
    is_char = entry.size == 1 and bool(encoding & (INT_SIGNED | INT_CHAR))
    return Field(name, offset, entry.size, count, is_char)


def _resolve(types: list[_Raw], index: int) -> _Raw:
    while types[index].kind in (TYPEDEF, VOLATILE, CONST):
        index = types[index].size
    return types[index]
