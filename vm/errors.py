"""What goes wrong before the command inside has run."""

from __future__ import annotations


class VmError(Exception):
    """A sentence for the user: the kernel, the package or the emulator, and what to do."""
