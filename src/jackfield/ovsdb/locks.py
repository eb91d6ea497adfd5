"""Named locks that sessions share (RFC 7047 section 4.1.8)."""

from __future__ import annotations

from collections.abc import Set
from typing import Generic, TypeVar

Holder = TypeVar("Holder")


class Locks(Generic[Holder]):
    """Who holds and who waits for each lock, first come first served.

    A holder that asked for a lock must release it before asking anew, also when it was stolen meanwhile.
    """

    def __init__(self) -> None:
        self._queues: dict[str, list[Holder]] = {}
        self._thieves: set[tuple[Holder, str]] = set()
        self._asked: dict[Holder, set[str]] = {}

    def asked(self, holder: Holder, name: str) -> bool:
        """Whether the holder has asked for the lock and not released it since."""
        return name in self._asked.get(holder, ())

    def asked_by(self, holder: Holder) -> Set[str]:
        """The locks that the holder has asked for and not released since."""
        return self._asked.get(holder, set())

    def names(self, holder: Holder) -> dict[str, list[str]]:
        """What the holder has asked for: locks `held`, `waiting` for, and `lost` to a thief."""
        names: dict[str, list[str]] = {"held": [], "waiting": [], "lost": []}
        for name in sorted(self._asked.get(holder, ())):
            queued = holder in self._queues.get(name, [])
            names["held" if self.owns(holder, name) else "waiting" if queued else "lost"].append(name)
        return names

    def owns(self, holder: Holder, name: str) -> bool:
        """Whether the holder has the lock now."""
        return self._queues.get(name, [None])[0] is holder

    def lock(self, holder: Holder, name: str) -> bool:
        """Ask for a lock; False means that the holder is in the queue for it."""
        self._asked.setdefault(holder, set()).add(name)
        self._queues.setdefault(name, []).append(holder)
        return self.owns(holder, name)

    def steal(self, holder: Holder, name: str) -> Holder | None:
        """Take a lock at once; returns who lost it.

        A victim that had stolen the lock itself loses its claim, any other is next in the queue.
        """
        self._asked.setdefault(holder, set()).add(name)
        queue = self._queues.setdefault(name, [])
        victim = queue[0] if queue else None
        if victim is not None and (victim, name) in self._thieves:
            self._thieves.discard((victim, name))
            queue.pop(0)
        queue.insert(0, holder)
        self._thieves.add((holder, name))
        return victim

    def unlock(self, holder: Holder, name: str) -> Holder | None:
        """Release a lock or the claim to it; returns who owns it from now on because of that."""
        self._asked[holder].discard(name)
        self._thieves.discard((holder, name))
        queue = self._queues.get(name, [])
        if holder not in queue:
            return None
        was_owner = queue[0] is holder
        queue.remove(holder)
        if not queue:
            del self._queues[name]
            return None
        return queue[0] if was_owner else None

    def release_all(self, holder: Holder) -> list[tuple[str, Holder]]:
        """Release everything; returns the locks that got a new owner by that, with the owner."""
        changes = [(name, self.unlock(holder, name)) for name in sorted(self._asked.get(holder, ()))]
        self._asked.pop(holder, None)
        return [(name, owner) for name, owner in changes if owner is not None]
