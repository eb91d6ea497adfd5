"""The server from the command line to the end of the process (ovsdb-server(1))."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

from jackfield.cli.environment import version_line
from jackfield.cli.options import OptionError
from jackfield.ovsdb.log import LogError
from jackfield.ovsdb.remote_config import ConfigError
from jackfield.ovsdb.remotes import Remotes
from jackfield.ovsdb.server import Server
from jackfield.ovsdb.target import TargetError
from jackfield.ovsdbd.commands import DatabaseCommands, ServerCommands, open_database
from jackfield.ovsdbd.options import PROGRAM, Options, parse_options, usage
from jackfield.switchd.commands.vlog import VlogCommands
from jackfield.switchd.daemonize import Detached, detach, notify_manager, notify_ready
from jackfield.switchd.log import Vlog, VlogError
from jackfield.switchd.logpattern import Destination, Level
from jackfield.switchd.paths import Paths
from jackfield.switchd.pidfile import PidFile, PidFileError
from jackfield.unixctl.commands import CommandTable
from jackfield.unixctl.server import UnixctlServer

_log = logging.getLogger("jackfield.ovsdb_server")


class StartError(Exception):
    """The server cannot start; the text is a sentence."""


def main(words: list[str]) -> int:
    """Run the server; the exit status. With `--detach`, 0 as soon as it serves in the background."""
    paths = Paths.choose()
    try:
        options = parse_options(words, paths)
        vlog = _logging(options)
    except OptionError as error:
        return _complain(str(error))
    if options.show is not None:
        print(usage(paths) if options.show == "help" else version_line(PROGRAM))
        return 0
    detached = detach() if options.detach else Detached(None, None)
    if detached.exit_status is not None:
        return detached.exit_status
    vlog.install()
    try:
        if options.log_file is not None:
            vlog.open_file(options.log_file)
        pidfile = None
        if options.pidfile is not None:
            pidfile = PidFile.acquire(options.pidfile, overwrite=options.overwrite_pidfile)
        try:
            return asyncio.run(_serve(options, paths, vlog, detached.ready_fd))
        finally:
            if pidfile is not None:
                pidfile.release()
    except (StartError, LogError, PidFileError, ConfigError, TargetError, OSError) as error:
        return _complain(_sentence(error))
    except Exception as error:
        _log.critical("internal error", exc_info=error)
        return _complain(f"internal error: {error!r}")
    finally:
        vlog.close_file()


def _logging(options: Options) -> Vlog:
    vlog = Vlog(program=PROGRAM)
    if options.detach:
        vlog.set_level(None, Destination.CONSOLE, Level.OFF)
    for spec in options.verbose:
        try:
            vlog.set(spec)
        except VlogError as error:
            raise OptionError(f'processing "{spec}": {error}') from error
    return vlog


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _complain(text: str) -> int:
    print(f"{PROGRAM}: {text}", file=sys.stderr)
    return 1


async def _serve(options: Options, paths: Paths, vlog: Vlog, ready_fd: int | None) -> int:
    """Serve until told to stop, or until the command of `--run` has ended; the exit status."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        server = Server([])
        stack.push_async_callback(server.close)
        for database in options.databases:
            open_database(server, database)
        remotes = Remotes(server, options.tls, paths.rundir)
        stack.push_async_callback(remotes.close)
        for remote in options.remotes:
            remotes.check(remote)
        await remotes.set(options.remotes)
        commands = CommandTable(version_line(PROGRAM))
        ServerCommands(server, stop.set).register(commands)
        DatabaseCommands(server, remotes).register(commands)
        VlogCommands(vlog).register(commands)
        await _control(options, paths, commands, stack.push_async_callback)
        _log.info("%s", version_line(PROGRAM))
        notify_ready(ready_fd, chdir=options.chdir)
        status = await _run(options.run, stop) if options.run is not None else 0
        if options.run is None:
            await stop.wait()
        notify_manager("STOPPING=1")
        return status


async def _control(
    options: Options, paths: Paths, commands: CommandTable, at_end: Callable[..., object]
) -> None:
    if options.unixctl == "none":
        return
    server = UnixctlServer(commands)
    path = paths.rundir / (options.unixctl or f"{PROGRAM}.{os.getpid()}.ctl")
    try:
        await server.listen(path)
    except OSError as error:
        raise StartError(f"{path}: could not initialize control socket ({error.strerror})") from error
    at_end(server.close)


async def _run(command: str, stop: asyncio.Event) -> int:
    """Run a command beside the server; 0 if it ends well, else 1."""
    process = await asyncio.create_subprocess_shell(command)
    ended, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
    await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not ended.done():
        process.terminate()
    return 0 if await ended == 0 else 1
