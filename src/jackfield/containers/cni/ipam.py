"""Plugins that this one delegates to: those that give addresses (CNI specification, section 4).

There is no timeout: a DHCP server may take its time, and it is the runtime that knows how long it waits.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from jackfield.containers.cni.errors import CniError, Code
from jackfield.containers.cni.invocation import Command, Invocation
from jackfield.containers.cni.result import Result, read_result


class Ipam:
    """The IPAM plugin of one call; every method does nothing where the network has none."""

    def __init__(self, plugin: str, call: Invocation, configuration: bytes) -> None:
        """`configuration` is what the runtime wrote, which goes on as it is."""
        self._plugin = plugin
        self._call = call
        self._configuration = configuration
        self._asked = False

    def add(self) -> Result:
        """Addresses, routes and DNS for the attachment; raises CniError."""
        if not self._plugin:
            return Result()
        self._asked = True
        result = read_result(self._run(Command.ADD), f"the IPAM plugin {self._plugin}")
        if not result.ips:
            raise CniError(Code.DECODING, f"the IPAM plugin {self._plugin} has given no address")
        return result

    def undo(self) -> None:
        """Give back what `add` took, if it was called; raises CniError."""
        if self._asked:
            self._run(Command.DEL)

    def pass_on(self) -> None:
        """The same command for the delegated plugin; raises CniError."""
        if self._plugin:
            self._run(self._call.command)

    def _run(self, command: Command) -> Any:
        program = self._find()
        try:
            done = subprocess.run(
                [program],
                input=self._configuration,
                stdout=subprocess.PIPE,
                env={**os.environ, "CNI_COMMAND": command.value},
                check=False,
            )
        except OSError as error:
            raise CniError(
                Code.INPUT_OUTPUT, f"the IPAM plugin {program} cannot be run: {error.strerror}"
            ) from error
        try:
            answer = json.loads(done.stdout) if done.stdout.strip() else {}
        except ValueError:
            answer = None
        if done.returncode != 0:
            raise self._failure(answer, done.returncode)
        if not isinstance(answer, dict):
            raise CniError(Code.DECODING, f"what the IPAM plugin {self._plugin} answers is not JSON")
        return answer

    def _failure(self, answer: Any, status: int) -> CniError:
        who = f"the IPAM plugin {self._plugin}"
        if isinstance(answer, dict) and isinstance(answer.get("code"), int):
            details = answer.get("details")
            message = f"{who}: {answer.get('msg') or 'failed'}"
            return CniError(answer["code"], message, details if isinstance(details, str) else "")
        return CniError(Code.INPUT_OUTPUT, f"{who} ended with exit code {status} and does not say why")

    def _find(self) -> str:
        for folder in self._call.path:
            path = f"{folder}/{self._plugin}"
            if os.access(path, os.X_OK):
                return path
        raise CniError(
            Code.INVALID_CONFIGURATION,
            f"there is no IPAM plugin {self._plugin} in {':'.join(self._call.path) or 'CNI_PATH'}",
        )
