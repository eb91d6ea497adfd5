"""What one pass remembers for the next, so that it costs what has changed. It can be lost at any time: then
all is worked out anew, and comes out the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jackfield.reconcile.devices import Orderly
    from jackfield.reconcile.presence import Presence
    from jackfield.reconcile.report import Account
    from jackfield.reconcile.target import Target


@dataclass(slots=True)
class Memory:
    """Belongs to those who make the parts of it; each is for the function that made it."""

    presence: Presence | None = None
    orderly: Mapping[str, Orderly] = field(default_factory=dict)
    target: Target | None = None
    account: Account | None = None
