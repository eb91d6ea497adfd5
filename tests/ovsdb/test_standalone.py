from __future__ import annotations

import os
import select
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.cli.options import OptionError
from jackfield.ovsdbd.options import parse_options
from jackfield.switchd.paths import Paths
from tests.ovsdb.standalone import REAL, Standalone, create

needs_clients = pytest.mark.skipif(shutil.which("ovsdb-client") is None, reason="OVS's clients are missing")
needs_real = pytest.mark.skipif(shutil.which("ovsdb-server") is None, reason="ovsdb-server is missing")

pytestmark = needs_clients


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Standalone]:
    with Standalone(tmp_path / "s") as server:
        yield server


def options(*words: str) -> object:
    return parse_options(list(words), Paths(Path("/run"), Path("/db"), Path("/log")))


# The command line.


def test_names_without_a_directory_are_where_ovs_has_them() -> None:
    found = parse_options(
        ["conf.db", "--pidfile", "--log-file", "/x/y.db", "--remote=a", "--remote", "b", "conf.db"],
        Paths(Path("/run"), Path("/db"), Path("/log")),
    )
    assert found.databases == (Path.cwd() / "conf.db", Path("/x/y.db"))
    assert found.pidfile == Path("/run/ovsdb-server.pid")
    assert found.log_file == Path("/log/ovsdb-server.log")
    assert found.remotes == ("a", "b")


def test_without_a_file_it_is_conf_db() -> None:
    found = parse_options(["--pidfile=x.pid", "-v"], Paths(Path("/run"), Path("/db"), Path("/log")))
    assert found.databases == (Path("/db/conf.db"),)
    assert found.pidfile == Path("/run/x.pid")
    assert found.verbose == ("any",)


@pytest.mark.parametrize(
    "word",
    [
        "--monitor",
        "--sync-from=tcp:h",
        "--active",
        "--user=ovs",
        "--record",
        "--replay=x",
        "--syslog-method=libc",
    ],
)
def test_an_option_that_is_known_and_not_there_is_refused_by_its_name(word: str) -> None:
    with pytest.raises(OptionError, match=f"option '{word.partition('=')[0]}' is not supported"):
        options("conf.db", word)


def test_relays_are_refused() -> None:
    with pytest.raises(OptionError, match="relay databases are not supported"):
        options("relay:OVN_Southbound:tcp:h:6642")


# The process.


def test_any_schema_and_several_databases_are_served(alone: Standalone) -> None:
    alone.start(create(alone.folder / "a.db", "Apples"), create(alone.folder / "b.db", "Bees"))
    assert alone.run("ovsdb-client", "list-dbs", f"unix:{alone.socket}").split() == [
        "Apples",
        "Bees",
        "_Server",
    ]
    alone.insert("Apples", "cox")
    alone.insert("Bees", "maya")
    alone.kill()
    alone.start(alone.folder / "a.db", alone.folder / "b.db")
    assert (alone.texts("Apples"), alone.texts("Bees")) == (["cox"], ["maya"])


def test_in_the_background_it_serves_when_the_command_returns(alone: Standalone) -> None:
    create(alone.folder / "conf.db", "Apples")
    words = ("--detach", "--pidfile", "--log-file", f"--unixctl={alone.control}", "--remote=punix:db.sock")
    assert alone.server(*words) == ""
    pid = int((alone.folder / "ovsdb-server.pid").read_text())
    try:
        assert alone.texts("Apples") == []
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
        assert "already running as pid" in alone.server(*words, status=1)
        assert alone.appctl("version").startswith("ovsdb-server (Jackfield) 3.")
    finally:
        ended = os.pidfd_open(pid)
        alone.appctl("exit")
        assert select.select([ended], [], [], 20)[0]
        os.close(ended)
    lines = (alone.folder / "ovsdb-server.log").read_text().splitlines()
    assert [line.split("|")[3] for line in lines if line.split("|")[3] != "INFO"] == []


def test_a_signal_ends_it_and_its_files(alone: Standalone) -> None:
    create(alone.folder / "conf.db", "Apples")
    alone.start("--pidfile")
    assert alone.process is not None
    alone.process.send_signal(signal.SIGTERM)
    assert alone.process.wait(20) == 0
    left = {path.name for path in alone.folder.iterdir()}
    assert left == {"conf.db", ".conf.db.~lock~", "notify"}


def test_it_serves_for_as_long_as_a_command_runs(alone: Standalone) -> None:
    create(alone.folder / "conf.db", "Apples")
    words = (f"--remote=punix:{alone.socket}", "--unixctl=none", "-vconsole:off")
    assert "Apples" in alone.server(*words, f"--run=ovsdb-client list-dbs unix:{alone.socket}")
    alone.server(*words, "--run=exit 3", status=1)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nope.db",), "nope.db: open failed (No such file or directory)"),
        (("--bogus",), "unrecognized option '--bogus'"),
        (("--remote",), "option '--remote' requires an argument"),
        (("--remote=db:a,b,c", "conf.db"), '"db:a,b,c": no database named a'),
        (("--remote=db:Apples,b,c", "conf.db"), '"db:Apples,b,c": no table named b'),
        (("--remote=smoke:signals", "conf.db"), "smoke:signals"),
        (("--pidfile=/nope/a", "conf.db"), "/nope/a.tmp: create failed (No such file or directory)"),
        (("--log-file=/nope/a", "conf.db"), "/nope/a"),
        (("--unixctl=/nope/a", "conf.db"), "/nope/a: could not initialize control socket (No such file"),
        (("-vfoo", "conf.db"), 'processing "foo": no destination, level, or module "foo"'),
        (("conf.db", "copy.db"), "duplicate database name"),
    ],
)
def test_what_cannot_be_done_is_said(alone: Standalone, words: tuple[str, ...], why: str) -> None:
    create(alone.folder / "conf.db", "Apples")
    shutil.copy(alone.folder / "conf.db", alone.folder / "copy.db")
    files = [str(alone.folder / word) if word.endswith(".db") else word for word in words]
    output = alone.server("-vconsole:off", *files, status=1)
    assert why in output
    assert output.startswith("ovsdb-server: ")
    assert output.count("\n") == 1


def test_help_and_version_are_shown(alone: Standalone) -> None:
    assert "--remote=REMOTE" in alone.server("--help")
    assert alone.server("-V").startswith("ovsdb-server (Jackfield) 3.")


# The control socket.


def test_databases_come_and_go(alone: Standalone) -> None:
    alone.start(create(alone.folder / "a.db", "Apples"))
    create(alone.folder / "b.db", "Bees")
    alone.appctl("ovsdb-server/add-db", alone.folder / "b.db")
    alone.insert("Bees", "maya")
    assert alone.appctl("ovsdb-server/list-dbs") == "Apples\nBees\n_Server\n"
    alone.appctl("ovsdb-server/remove-db", "Bees")
    assert alone.appctl("ovsdb-server/list-dbs") == "Apples\n_Server\n"
    alone.appctl("ovsdb-server/add-db", alone.folder / "b.db")
    assert alone.texts("Bees") == ["maya"]


def test_the_lock_on_a_file_survives_the_attempt_to_serve_it_twice(alone: Standalone) -> None:
    alone.start(create(alone.folder / "a.db", "Apples"))
    assert "failed to lock" in alone.appctl("ovsdb-server/add-db", alone.folder / "a.db", status=2)
    assert "lock" in alone.run("ovsdb-tool", "compact", alone.folder / "a.db", status=1)


def test_remotes_come_and_go(alone: Standalone) -> None:
    alone.start(create(alone.folder / "a.db", "Apples"))
    other = alone.folder / "other.sock"
    alone.appctl("ovsdb-server/add-remote", f"punix:{other}")
    assert alone.appctl("ovsdb-server/list-remotes").splitlines() == [
        f"punix:{alone.socket}",
        f"punix:{other}",
    ]
    assert "Apples" in alone.run("ovsdb-client", "list-dbs", f"unix:{other}")
    alone.appctl("ovsdb-server/remove-remote", f"punix:{other}")
    assert not other.exists()
    assert alone.appctl("ovsdb-server/list-remotes") == f"punix:{alone.socket}\n"


def test_a_file_is_compacted_on_command(alone: Standalone) -> None:
    file = create(alone.folder / "a.db", "Apples")
    alone.start(file)
    change = {"op": "update", "table": "Item", "where": [], "row": {"text": "x" * 1000}}
    back = {"op": "update", "table": "Item", "where": [], "row": {"text": "y"}}
    alone.insert("Apples", "a")
    for _ in range(5):
        alone.transact("Apples", change)
        alone.transact("Apples", back)
    size = file.stat().st_size
    alone.appctl("ovsdb-server/compact")
    assert file.stat().st_size < size - 5000
    alone.appctl("ovsdb-server/compact", "Apples")
    assert alone.texts("Apples") == ["y"]
    assert {"monitors", "sessions"} <= {word.split(":")[0] for word in alone.appctl("memory/show").split()}


@needs_real
@pytest.mark.parametrize(
    "words",
    [
        ("ovsdb-server/list-dbs",),
        ("ovsdb-server/list-remotes",),
        ("ovsdb-server/remove-db", "nope"),
        ("ovsdb-server/remove-db", "_Server"),
        ("ovsdb-server/remove-remote", "tcp:nope"),
        ("ovsdb-server/add-remote", "db:x,y,z"),
        ("ovsdb-server/add-remote", "db:Apples,y,z"),
        ("ovsdb-server/add-remote", "db:Apples,Item,z"),
        ("ovsdb-server/add-remote",),
        ("ovsdb-server/add-db", "/nope"),
        ("ovsdb-server/add-db", "a", "b"),
        ("ovsdb-server/compact",),
        ("ovsdb-server/compact", "nope"),
        ("ovsdb-server/compact", "_Server"),
        ("ovsdb-server/get-db-storage-status", "Apples"),
        ("ovsdb-server/get-db-storage-status", "nope"),
        ("ovsdb-server/sync-status",),
        ("ovsdb-server/reconnect",),
        ("ovsdb-server/nope",),
        ("vlog/set", "nope"),
    ],
    ids=" ".join,
)
def test_a_command_is_answered_as_the_real_server_does(
    pair: tuple[Standalone, Standalone], words: tuple[str, ...]
) -> None:
    ours, real = pair

    def answer(server: Standalone) -> str:
        text = server.run("ovs-appctl", "-t", server.control, "-T", "15", *words, status=None)
        return text.replace(str(server.folder), "").replace("I/O error: ", "")

    assert answer(ours) == answer(real)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Standalone, Standalone]]:
    """Ours and the real one, with the same database."""
    folder = tmp_path_factory.mktemp("pair")
    with Standalone(folder / "o") as ours, Standalone(folder / "r", REAL) as real:
        ours.start(create(ours.folder / "a.db", "Apples"))
        real.start(create(real.folder / "a.db", "Apples"), wait="Apples")
        yield ours, real
