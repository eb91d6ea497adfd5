"""What network namespaces are called that the switch knows by number only."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

from jackfield.net.netlink import Netlink
from jackfield.net.netns import candidates, number_of


def namespace_names(numbers: Collection[int]) -> Mapping[int, str]:
    """The names of these namespaces: that of a bound file, else "process N" for one that lives there.

    Numbers to which nothing leads are left out.
    """
    names: dict[int, str] = {}
    if not numbers:
        return names
    with closing(Netlink()) as requests:
        for path in candidates():
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                number = number_of(requests, fd)
            finally:
                os.close(fd)
            if number in numbers and number is not None:
                names.setdefault(number, _name(path))
            if len(names) == len(numbers):
                break
    return names


def _name(path: Path) -> str:
    return f"process {path.parts[2]}" if path.parts[1] == "proc" else path.name
