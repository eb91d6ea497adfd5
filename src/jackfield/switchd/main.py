"""The daemon: from the command line to the end of the process."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from jackfield.datapath._abi import UpcallKind
from jackfield.datapath.naming import instance_name
from jackfield.datapath.needs import missing
from jackfield.datapath.store import Datapath
from jackfield.net.errors import NetworkError
from jackfield.net.monitor import LinkMonitor
from jackfield.ovsdb.log import LogError
from jackfield.ovsdb.remotes import Remotes
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.server import Server
from jackfield.ovsdb.storage import open_storage
from jackfield.ovsdb.tls import Tls, TlsError, TlsFiles
from jackfield.ovsdbd.commands import DatabaseCommands
from jackfield.reconcile.reconciler import Reconciler
from jackfield.switchd import identity
from jackfield.switchd.agent import AgentRunner
from jackfield.switchd.bonds.runtime import Bonds
from jackfield.switchd.client import DatabaseError
from jackfield.switchd.commands.bond import BondCommands
from jackfield.switchd.commands.fdb import FdbCommands
from jackfield.switchd.commands.lacp import LacpCommands
from jackfield.switchd.commands.ports import PortCommands
from jackfield.switchd.commands.process import ProcessCommands
from jackfield.switchd.commands.reports import ReportCommands
from jackfield.switchd.commands.tables import TableCommands
from jackfield.switchd.daemonize import Detached, detach, notify_manager, notify_ready
from jackfield.switchd.ending import ENDING_SECONDS, end_at_last
from jackfield.switchd.engine import Engine
from jackfield.switchd.failpoint import fail_point
from jackfield.switchd.log import Vlog, VlogError
from jackfield.switchd.logpattern import PROGRAM, Destination, Level
from jackfield.switchd.loops.runtime import Loops
from jackfield.switchd.paths import Paths
from jackfield.switchd.pidfile import PidFile, PidFileError
from jackfield.switchd.protection import Protection
from jackfield.switchd.schema import open_vswitch_schema
from jackfield.switchd.upcalls import UpcallReader
from jackfield.switchd.watchdog import give_signs, watchdog_seconds
from jackfield.unixctl.commands import CommandTable
from jackfield.unixctl.server import UnixctlServer
from jackfield.wire.aio import RemoteError, check_remote

_log = logging.getLogger("jackfield.switchd")

LEAVE_SECONDS = 2.0
COLLECT_AFTER = (20_000, 10, 10)
"""A pass over many ports makes thousands of objects that end with it: no search for cycles amidst it."""
MANAGERS = "db:Open_vSwitch,Open_vSwitch,manager_options"
TLS = TlsFiles(
    "db:Open_vSwitch,SSL,private_key",
    "db:Open_vSwitch,SSL,certificate",
    "db:Open_vSwitch,SSL,ca_cert",
    bootstrap=True,
)
"""What the database serves beside its socket, as OVS's start script has it."""


class StartError(Exception):
    """The daemon cannot start; each line of the text is one sentence."""


def run(
    *,
    detach: bool,
    rundir: str | None = None,
    dbdir: str | None = None,
    logdir: str | None = None,
    verbose: tuple[str, ...] = (),
    db: str | None = None,
    keys: tuple[str, str, str] = ("", "", ""),
) -> int:
    """Run the daemon; the exit status. With `detach` return 0 as soon as it serves in the background.

    The directories stand for OVS_RUNDIR, OVS_DBDIR and OVS_LOGDIR; `verbose` are arguments of `vlog/set`.
    With `db`, the database server is another process, to be found there; else the daemon is one itself.
    `keys` are files for TLS: private key, certificate, CA certificate.
    """
    vlog = Vlog()
    try:
        if detach:
            vlog.set_level(None, Destination.CONSOLE, Level.OFF)
        for spec in verbose:
            vlog.set(spec)
    except VlogError as error:
        return _complain(f'processing "{spec}": {error}', 2)
    if db is not None:
        try:
            check_remote(db)
        except RemoteError as error:
            return _complain(f"--db: {error}", 2)
    needs = missing()
    if needs:
        return _complain("\n".join(needs), 1)
    detached = _detach() if detach else Detached(None, None)
    if detached.exit_status is not None:
        return detached.exit_status
    vlog.install()
    paths = Paths.choose(rundir=rundir, dbdir=dbdir, logdir=logdir)
    try:
        return _run(paths, vlog, detached.ready_fd, db, TlsFiles(*keys))
    except (StartError, PidFileError, LogError, NetworkError, DatabaseError, OSError) as error:
        vlog.set_level(None, Destination.CONSOLE, Level.OFF)
        _log.critical("%s", error)
        return _complain(str(error), 1)
    except Exception as error:
        vlog.set_level(None, Destination.CONSOLE, Level.OFF)
        _log.critical("internal error", exc_info=error)
        return _complain(f"internal error: {error!r}; see {paths.log_file}", 1)
    finally:
        vlog.close_file()


_detach = detach


def _complain(text: str, status: int) -> int:
    for line in text.splitlines():
        print(f"{PROGRAM}: {line}", file=sys.stderr)
    return status


def _run(paths: Paths, vlog: Vlog, ready_fd: int | None, db: str | None, files: TlsFiles) -> int:
    for directory in (paths.rundir, paths.logdir, *([] if db else [paths.dbdir])):
        try:
            directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"{directory}: cannot make the directory ({error.strerror})") from error
    _allow_many_files()
    pidfile = PidFile.acquire(paths.pidfile)
    try:
        vlog.open_file(paths.log_file)
        prompt = asyncio.run(_serve(paths, vlog, ready_fd, db, _context(db, files)))
    finally:
        pidfile.release()
    if not prompt:
        # The kernel is still being configured. That may stop anywhere: the next start goes on from there.
        logging.shutdown()
        os._exit(0)
    return 0


def _allow_many_files() -> None:
    """As many as this process may ever have: the link of each device is held open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _context(db: str | None, files: TlsFiles) -> ssl.SSLContext | None:
    if db is None or not db.startswith("ssl:"):
        return None
    tls = Tls()
    tls.files = files
    try:
        return tls.connecting()
    except TlsError as error:
        raise StartError(f"{db}: {error}") from error


async def _serve(
    paths: Paths, vlog: Vlog, ready_fd: int | None, db: str | None, tls: ssl.SSLContext | None
) -> bool:
    """Serve until told to stop; whether the thread that works on the kernel has come to an end by then."""
    gc.set_threshold(*COLLECT_AFTER)
    loop = asyncio.get_running_loop()
    since = time.time()
    stop = asyncio.Event()

    def end() -> None:
        stop.set()
        end_at_last(ENDING_SECONDS)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, _reopen, vlog)
    owner = ThreadPoolExecutor(1, thread_name_prefix="kernel")
    async with AsyncExitStack() as stack:
        stack.callback(owner.shutdown, wait=False, cancel_futures=True)
        commands = CommandTable(identity.version_line())
        if db is None:
            await stack.enter_async_context(_database(paths, commands))
            db = f"unix:{paths.database_socket}"
        agent = AgentRunner(db, paths.rundir)
        monitor = LinkMonitor()
        stack.callback(monitor.close)
        instance = instance_name(paths.rundir)
        datapath, reconciler = await loop.run_in_executor(owner, _open_datapath, instance)
        engine = Engine(db, datapath, reconciler, monitor, identity.platform(), owner, tls)
        cleaned = False

        async def leave(cleanup: bool) -> None:
            nonlocal cleaned
            if cleanup and not cleaned:
                cleaned = True
                await agent.leave()
                await engine.stop(cleanup=True)
            end()

        bonds = Bonds(datapath, engine.write)
        loops = Loops(
            datapath.switch, datapath.damped, datapath.watch, reconciler, engine.own, engine.look_again
        )
        upcalls = UpcallReader(datapath.upcalls)
        upcalls.tell(bonds.heard, UpcallKind.SLOW_PROTOCOL, UpcallKind.CARRIER)
        upcalls.tell(loops.heard, UpcallKind.MOVES, UpcallKind.PROBE, UpcallKind.DISABLED)
        for follower in (bonds, loops, upcalls):
            engine.follow(follower)
        FdbCommands(engine).register(commands)
        BondCommands(bonds).register(commands)
        LacpCommands(bonds).register(commands)
        TableCommands(engine).register(commands)
        PortCommands(engine, loops).register(commands)
        protection = Protection(engine)
        engine.follow(protection)
        version = identity.own_version()
        ReportCommands(engine, protection, loops, version=version, instance=instance, since=since).register(
            commands
        )
        ProcessCommands(engine, vlog, leave).register(commands)
        await stack.enter_async_context(_control(paths, commands, engine))
        if await _unless(stop, engine.start()):
            notify_ready(ready_fd)
            gc.freeze()
            _log.info("%s ready after %.0f ms", identity.version_line(), (time.time() - since) * 1000)
            async with _signs_of_life(engine), _looked_after(paths, db, agent):
                await _unless(stop, engine.failed)
        notify_manager("STOPPING=1")
        if not cleaned:
            await engine.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await engine.release()
                    cleaned = True
        _log.info("exiting")
        return cleaned


@asynccontextmanager
async def _looked_after(paths: Paths, db: str, agent: AgentRunner) -> AsyncIterator[None]:
    """With the agent, while the daemon serves; it speaks to a database on this machine only."""
    if db != f"unix:{paths.database_socket}":
        yield
        return
    running = asyncio.create_task(agent.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def _signs_of_life(engine: Engine) -> AsyncIterator[None]:
    seconds = watchdog_seconds(os.environ, os.getpid())
    if seconds is None:
        yield
        return
    signs = asyncio.create_task(give_signs(seconds, lambda: engine.own(lambda: None), notify_manager))
    try:
        yield
    finally:
        signs.cancel()


async def _unless(stop: asyncio.Event, work: Awaitable[None]) -> bool:
    """Wait for `work`, unless it is time to stop first: False then. Raises what `work` raises."""
    task, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    done, _pending = await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task in done:
        task.result()
        return True
    task.cancel()
    return False


@asynccontextmanager
async def _database(paths: Paths, commands: CommandTable) -> AsyncIterator[None]:
    server = Server([open_storage(paths.database, parse_schema(open_vswitch_schema()))])
    remotes = Remotes(server, TLS, paths.rundir)
    try:
        await server.listen_unix(paths.database_socket)
        await remotes.set([MANAGERS])
        DatabaseCommands(server, remotes).register(commands)
        yield
    finally:
        await remotes.close()
        await server.close()


@asynccontextmanager
async def _control(paths: Paths, commands: CommandTable, engine: Engine) -> AsyncIterator[None]:
    for stale in paths.rundir.glob(f"{PROGRAM}.*.ctl"):
        stale.unlink(missing_ok=True)  # we hold the pid file, so whoever made it is dead
    server = UnixctlServer(commands, lambda: engine.count("unixctl_received"))
    await server.listen(paths.control_socket(os.getpid()))
    try:
        yield
    finally:
        await server.close()


def _open_datapath(instance: str) -> tuple[Datapath, Reconciler]:
    datapath = Datapath.open(instance)
    return datapath, Reconciler(datapath, instance, fail_point(os.environ))


def _reopen(vlog: Vlog) -> None:
    try:
        vlog.reopen()
    except VlogError as error:
        _log.warning("cannot reopen the log file: %s", error)
