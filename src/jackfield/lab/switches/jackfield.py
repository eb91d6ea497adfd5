"""Jackfield itself: a daemon of the experiment's own."""

from __future__ import annotations

import contextlib
import os
import signal

from jackfield.lab.errors import LabError
from jackfield.lab.switches.ovslike import OvsLike


class Jackfield(OvsLike):
    """A Jackfield daemon with a run directory, a database and a log of its own."""

    kind = "jackfield"
    title = "Jackfield"

    @classmethod
    def missing(cls) -> str:
        return ""

    def start(self) -> None:
        self.host.run("jackfield daemon --detach")

    def stop(self) -> None:
        if not (self.directory / "conf.db").exists():
            return
        if not (self.directory / "ovs-vswitchd.pid").exists():
            # What a killed daemon left forwarding is taken away by its successor.
            with contextlib.suppress(LabError):
                self.host.look("jackfield daemon --detach")
        self.host.look("jackfield stop --cleanup")

    def kill(self) -> None:
        pid = self.pid()
        descriptor = os.pidfd_open(pid)
        try:
            self.host.run(f"kill -9 {pid}")
            signal.pidfd_send_signal(descriptor, 0)
        except ProcessLookupError:
            pass
        finally:
            os.close(descriptor)
        (self.directory / "ovs-vswitchd.pid").unlink(missing_ok=True)

    def pid(self) -> int:
        """The daemon's process id. Raises LabError when it does not run."""
        try:
            return int((self.directory / "ovs-vswitchd.pid").read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise LabError(f"{self.title}: no pid file: {error}") from error
