"""What is wrong with a file, and where."""

from __future__ import annotations

from dataclasses import dataclass

from jackfield.client.errors import Failure


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One sentence about a place in the file; lines and columns count from 1."""

    line: int
    column: int
    sentence: str


class BadFile(Failure):
    """A file that cannot be applied: all that is wrong with it, a line each."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(f"{name}:{p.line}:{p.column}: {p.sentence}" for p in self.problems))
