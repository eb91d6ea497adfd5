"""A container runtime, as far as CNI goes: runs plugins as the specification says, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.daemon import Daemon
from tests.netlab import Namespace

PLUGIN = Path(sys.executable).parent / "jackfield-cni"
IPAM_FOLDER = "/usr/lib/cni"


@dataclass(frozen=True)
class Answer:
    """What a plugin said: the object on its standard output, None when there is none."""

    status: int
    result: Any
    stderr: str

    @property
    def ok(self) -> Any:
        """The result of a success."""
        assert self.status == 0, (self.result, self.stderr)
        return self.result

    @property
    def error(self) -> tuple[int, str]:
        """Code and message of a failure."""
        assert self.status != 0, self.result
        assert set(self.result) <= {"cniVersion", "code", "msg", "details"}, self.result
        return self.result["code"], self.result["msg"]


class Runtime:
    """Runs the plugin beside a daemon."""

    def __init__(self, daemon: Daemon, path: str = IPAM_FOLDER) -> None:
        self._daemon = daemon
        self.path = path

    def call(
        self,
        command: str,
        config: Mapping[str, Any] | bytes,
        environment: Mapping[str, str] | None = None,
        plugin: Path = PLUGIN,
    ) -> Answer:
        """One run of a plugin, with these variables besides CNI_COMMAND and CNI_PATH."""
        data = config if isinstance(config, bytes) else json.dumps(config).encode()
        nsenter = [] if self._daemon.netns is None else ["nsenter", f"--net=/run/netns/{self._daemon.netns}"]
        done = subprocess.run(
            [*nsenter, str(plugin)],
            input=data,
            env=self._daemon.environment
            | {"CNI_COMMAND": command, "CNI_PATH": self.path}
            | dict(environment or {}),
            capture_output=True,
            timeout=30,
            check=False,
        )
        result = json.loads(done.stdout) if done.stdout.strip() else None
        return Answer(done.returncode, result, done.stderr.decode())

    def attachment(
        self,
        command: str,
        config: Mapping[str, Any] | bytes,
        namespace: Namespace | str,
        *,
        container: str = "c1",
        ifname: str = "eth0",
        arguments: str = "",
        plugin: Path = PLUGIN,
    ) -> Answer:
        """A command about one container."""
        netns = namespace if isinstance(namespace, str) else str(namespace.path)
        variables = {"CNI_CONTAINERID": container, "CNI_NETNS": netns, "CNI_IFNAME": ifname}
        return self.call(command, config, variables | ({"CNI_ARGS": arguments} if arguments else {}), plugin)
