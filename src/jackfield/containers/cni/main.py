"""`jackfield-cni`: one command of a container runtime, from environment and standard input to an answer in
JSON on standard output. It is started for every container, so it imports no more than it needs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from jackfield.client.errors import Failure
from jackfield.containers.cni import config as configuration
from jackfield.containers.cni.errors import CniError, Code
from jackfield.containers.cni.invocation import Command, read_invocation
from jackfield.containers.cni.result import CURRENT, SUPPORTED, write_result
from jackfield.net.errors import NetworkError

ABOUT = "jackfield-cni is run by container runtimes (CNI specification 1.1.0); docs/cni.md tells how"


def main() -> int:
    """Answer one call; the exit code: 0, or 1 with an error object."""
    if not os.environ.get("CNI_COMMAND") and sys.stdin.isatty():
        print(ABOUT, file=sys.stderr)
        return 2
    version = CURRENT
    try:
        data = sys.stdin.buffer.read()
        try:
            given = configuration.decode(data)
        except CniError:
            # Whoever asks for something impossible hears of that first.
            read_invocation(os.environ)
            raise
        version = configuration.version_of(given)
        answer = run(os.environ, given, data)
    except CniError as error:
        answer, code = error.answer(version), 1
    except (Failure, NetworkError) as error:
        answer, code = CniError(Code.REFUSED, str(error)).answer(version), 1
    except OSError as error:
        answer, code = CniError(Code.INPUT_OUTPUT, str(error)).answer(version), 1
    except Exception as error:
        answer, code = CniError(Code.REFUSED, f"internal error: {error!r}").answer(version), 1
    else:
        code = 0
    if answer is not None:
        print(json.dumps(answer, indent=2))
    return code


def run(environment: Mapping[str, str], given: Mapping[str, Any], data: bytes) -> dict[str, Any] | None:
    """The answer to one call, None where success has none; raises CniError. `data` is what `given` was read
    from, for delegated plugins."""
    call = read_invocation(environment)
    if call.command is Command.VERSION:
        return {"cniVersion": configuration.version_of(given), "supportedVersions": list(SUPPORTED)}
    config = configuration.read_config(call, given)
    from jackfield.containers.cni import commands
    from jackfield.containers.cni.ipam import Ipam

    ipam = Ipam(config.ipam, call, data)
    match call.command:
        case Command.ADD:
            return write_result(commands.add(call, config, ipam), config.version)
        case Command.DEL:
            commands.delete(call, config, ipam)
        case Command.CHECK:
            commands.check(call, config, ipam)
        case Command.GC:
            commands.collect_garbage(config, ipam)
        case Command.STATUS:
            commands.status(config, ipam)
    return None
