"""The `jackfield` command. `vsctl` and `appctl` start before anything heavy is imported."""

from __future__ import annotations

import os
import sys

_SIGINT, _SIGPIPE = 2, 13  # the module `signal` takes some milliseconds to import


def main(arguments: list[str] | None = None) -> int:
    """Run the command line (sys.argv when None) and return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 128 + _SIGINT
    except BrokenPipeError:
        # Nobody reads any more: let the interpreter's own flush at exit go nowhere too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + _SIGPIPE
    except OSError as error:
        print(f"jackfield: {error}", file=sys.stderr)
    except Exception as error:
        print(f"jackfield: internal error: {error!r}", file=sys.stderr)
    return 1


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["vsctl"]:
        from jackfield.cli.vsctl.run import main as vsctl

        return vsctl(words[1:])
    if words[:1] == ["appctl"]:
        from jackfield.cli.appctl import main as appctl

        return appctl(words[1:])
    if words[:1] == ["ovsdb-server"]:
        from jackfield.ovsdbd.main import main as ovsdb_server

        return ovsdb_server(words[1:])
    if words[:1] in (["attach"], ["detach"]):
        from jackfield.containers.order import ask

        answer = ask(words)
        if answer is not None:
            code, output, complaint = answer
            sys.stdout.write(output)
            if complaint:
                print(f"jackfield: {complaint}", file=sys.stderr)
            return code
    from jackfield.cli.shell.app import main as shell

    return shell(words)
