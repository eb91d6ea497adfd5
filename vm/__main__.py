"""`python -m vm`, as root: runs a command inside an emulated Debian kernel."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from vm.errors import VmError
from vm.kernels import kernel
from vm.machine import Settings, run

DESCRIPTION = """\
Runs a command inside an emulated Debian kernel, in this folder, over this machine's files: the project and
its .venv are there as they are here. What the command writes is gone when it ends, except in folders given
by --write. Its output, its errors and its exit status are passed on. A single word is a line for the shell;
several are a command as it is.
"""


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/vm", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "kernel", help="the series, such as 6.1 or 6.12; fetched from Debian's packages at first use"
    )
    parser.add_argument("command", nargs="+", help="what to run, after --")
    parser.add_argument("--cpus", type=int, help="processors (default 2; with --icount always 1)")
    parser.add_argument("--memory", type=int, default=2048, metavar="MiB", help="default %(default)s")
    parser.add_argument(
        "--icount",
        action="store_true",
        help="let the guest's clock advance 2 ns an executed instruction, so that times are counts",
    )
    parser.add_argument(
        "--write", type=Path, action="append", default=[], metavar="FOLDER", help="keep what is written there"
    )
    parser.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="add to the command's environment"
    )
    parser.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="end the guest after this time, exit 124"
    )
    parser.add_argument("--console", type=Path, metavar="FILE", help="keep the kernel's messages there")
    parser.add_argument(
        "--newest", action="store_true", help="look for a newer kernel than the one in the cache"
    )
    return parser


def main() -> int:
    arguments = parser().parse_args()
    words: list[str] = arguments.command
    settings = Settings(
        memory=arguments.memory,
        cpus=arguments.cpus or (1 if arguments.icount else 2),
        exact=arguments.icount,
        writable=tuple(arguments.write),
        environment=dict(each.partition("=")[::2] for each in arguments.env),
        console=arguments.console,
    )
    try:
        chosen = kernel(arguments.kernel, newest=arguments.newest)
        return run(chosen, words[0] if len(words) == 1 else shlex.join(words), settings, arguments.timeout)
    except VmError as error:
        print(f"scripts/vm: {error}", file=sys.stderr)
        return 1
    except subprocess.TimeoutExpired:
        print(f"scripts/vm: the command did not end within {arguments.timeout:g} s", file=sys.stderr)
        return 124
    except KeyboardInterrupt:
        return 130


sys.exit(main())
