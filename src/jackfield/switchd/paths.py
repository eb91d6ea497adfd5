"""Where the daemon's files are: OVS's environment variables and defaults (ovs-vswitchd(8))."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jackfield.switchd.logpattern import PROGRAM


@dataclass(frozen=True, slots=True)
class Paths:
    """The directories of one daemon, and the files in them."""

    rundir: Path
    dbdir: Path
    logdir: Path

    @classmethod
    def choose(
        cls,
        environment: Mapping[str, str] = os.environ,
        *,
        rundir: str | None = None,
        dbdir: str | None = None,
        logdir: str | None = None,
    ) -> Paths:
        """What is given, else what OVS_RUNDIR, OVS_DBDIR and OVS_LOGDIR say, else OVS's own places."""
        sysconf = environment.get("OVS_SYSCONFDIR", "/etc")
        return cls(
            Path(rundir or environment.get("OVS_RUNDIR") or "/run/openvswitch").absolute(),
            Path(dbdir or environment.get("OVS_DBDIR") or f"{sysconf}/openvswitch").absolute(),
            Path(logdir or environment.get("OVS_LOGDIR") or "/var/log/openvswitch").absolute(),
        )

    @property
    def database(self) -> Path:
        return self.dbdir / "conf.db"

    @property
    def database_socket(self) -> Path:
        return self.rundir / "db.sock"

    @property
    def pidfile(self) -> Path:
        return self.rundir / f"{PROGRAM}.pid"

    @property
    def log_file(self) -> Path:
        return self.logdir / f"{PROGRAM}.log"

    def control_socket(self, pid: int) -> Path:
        """The socket that ovs-appctl finds through the pid file."""
        return self.rundir / f"{PROGRAM}.{pid}.ctl"
