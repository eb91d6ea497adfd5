"""OpenFlow port numbers: who gets which (ovs-vswitchd.conf.db(5), Interface.ofport and ofport_request)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_MOST = 0xFF00 - 1


def assign(wishes: Iterable[tuple[str, int | None, int | None]]) -> Mapping[str, int]:
    """Numbers for a bridge's interfaces other than the local port.

    A wish is (name, number requested, number held so far). A request is met unless another interface
    asked for the same number and holds it or comes first; an interface that made no request gives way
    to one that did. The rest keep what they hold or get the lowest that is free.
    """
    asked = [(name, _valid(request), _valid(held)) for name, request, held in wishes]
    taken: dict[int, str] = {}
    given: dict[str, int] = {}

    def give(name: str, number: int | None) -> None:
        if number is not None and number not in taken and name not in given:
            taken[number] = name
            given[name] = number

    asking = [wish for wish in asked if wish[1] is not None]
    for name, request, held in asking:
        if request == held:
            give(name, request)
    for name, request, _ in asking:
        give(name, request)
    for name, _, held in asked:
        if held is not None and held not in taken and name not in given:
            taken[held], given[name] = name, held
    lowest = 1
    for name, _, _ in asked:
        if name not in given:
            while lowest in taken:
                lowest += 1
            give(name, lowest)
    return given


def _valid(number: int | None) -> int | None:
    return number if number is not None and 1 <= number <= _MOST else None
