"""IP addresses and prefixes as netlink has them: packed bytes to text and back. Pure."""

from __future__ import annotations

import socket

FAMILIES = (socket.AF_INET, socket.AF_INET6)


def family_of(text: str) -> int:
    """The address family of an address or prefix in text form."""
    return socket.AF_INET6 if ":" in text else socket.AF_INET


def bits_of(family: int) -> int:
    """How many bits an address of the family has."""
    return 128 if family == socket.AF_INET6 else 32


def pack(text: str) -> bytes:
    """An address without prefix length. Raises ValueError."""
    try:
        return socket.inet_pton(family_of(text), text)
    except (OSError, UnicodeEncodeError):
        raise ValueError(f'"{text}" is not an IP address') from None


def unpack(raw: bytes) -> str:
    """The text of a packed address, its family told by its length."""
    return socket.inet_ntop(socket.AF_INET6 if len(raw) == 16 else socket.AF_INET, raw)


def split(text: str) -> tuple[str, int]:
    """Address and prefix length of "A/N"; an address alone has all its bits. Raises ValueError."""
    address, slash, length = text.partition("/")
    bits = bits_of(family_of(text))
    normal = unpack(pack(address))
    if not slash:
        return normal, bits
    if not (length.isascii() and length.isdecimal()) or int(length) > bits:
        raise ValueError(f'"{text}": the prefix length is a number from 0 to {bits}')
    return normal, int(length)


def network(text: str) -> str:
    """The prefix "A/N" with the bits beyond it zero. Raises ValueError."""
    address, length = split(text)
    bits = bits_of(family_of(text))
    value = int.from_bytes(pack(address), "big")
    kept = value >> (bits - length) << (bits - length)
    return f"{unpack(kept.to_bytes(bits // 8, 'big'))}/{length}"


def objection(text: str) -> str:
    """Why no host can have the address "A/N" as its own, "" when one can: RFC 1122 section 3.2.1.3 for IPv4
    (RFC 3021 for prefixes of 31 bits), RFC 4291 section 2 for IPv6. Raises ValueError."""
    address, length = split(text)
    kinds = _NO_HOSTS_IPV6 if ":" in address else _NO_HOSTS_IPV4
    for prefix, kind in kinds:
        if contains(prefix, address):
            return f"{address} is {kind}"
    bits = bits_of(family_of(address))
    if bits == 32 and length < bits - 1:
        rest = int.from_bytes(pack(address)) & ((1 << bits - length) - 1)
        if rest == 0:
            return f"{address} is the address of the network {address}/{length} itself"
        if rest == (1 << bits - length) - 1:
            return f"{address} is the broadcast address of {network(text)}"
    return ""


_NO_HOSTS_IPV4 = (
    ("0.0.0.0/8", "no host's address"),
    ("127.0.0.0/8", "a loopback address"),
    ("224.0.0.0/4", "a multicast address"),
    ("240.0.0.0/4", "a reserved address"),
)
_NO_HOSTS_IPV6 = (
    ("::/128", "no host's address"),
    ("::1/128", "the loopback address"),
    ("ff00::/8", "a multicast address"),
)


def contains(prefix: str, address: str) -> bool:
    """Whether the prefix "A/N" covers an address. Raises ValueError."""
    _, length = split(prefix)
    return family_of(prefix) == family_of(address) and network(f"{address}/{length}") == network(prefix)
