"""What is needed to put a takeover back, kept in a file of the run directory until it has been decided."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from jackfield.adopt.host import Layer3
from jackfield.adopt.linuxbridge import LinuxBridge
from jackfield.client.control import rundir
from jackfield.client.errors import Failure

_BUSY = "another command is moving it at this moment; wait for its end"


@dataclass(frozen=True, slots=True)
class Record:
    """Enough to put everything back, however far a takeover has come."""

    subject: str  # the device that the command named
    nics: tuple[str, ...]  # the devices that go onto the bridge
    holder: str  # the device that has layer 3 when all is put back
    holder_ifindex: int  # by which number the routes of `state` name it
    state: Layer3
    bridge: str
    port: str  # the internal port that has layer 3 while the devices are on the bridge
    ports: tuple[str, ...]  # the names of their ports on the bridge
    made: tuple[str, ...]  # "bridge", "port:NAME"
    hwaddr: str | None = None  # the MAC that the bridge was told to have before; None: it was not changed
    linux_bridge: LinuxBridge | None = None  # where the devices came from, if from one


def path_of(subject: str) -> Path:
    """Where the record of a device's takeover is while it is not decided."""
    return Path(rundir()).absolute() / f"jackfield-adopt-{subject}.json"


def find(device: str) -> Path:
    """Where the record of a takeover is that a device takes part in, or would be."""
    own = path_of(device)
    for path in sorted(own.parent.glob(path_of("*").name)):
        with contextlib.suppress(Failure, FileNotFoundError):
            if device in load(path).nics:
                return path
    return own


def encode(record: Record) -> bytes:
    """The record on one line."""
    return msgspec.json.encode(record)


def decode(data: bytes) -> Record:
    """Raises ValueError."""
    # Those of msgspec are ValueErrors as well as that of text that is no UTF-8.
    return msgspec.json.decode(data, type=Record)


@contextlib.contextmanager
def written(record: Record) -> Iterator[Path]:
    """The file, whole and held from its first moment. Raises Failure, also when there is one that is held."""
    path = path_of(record.subject)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, encode(record))
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.link(temporary, path)
        except OSError:
            os.close(descriptor)
            raise
        finally:
            temporary.unlink()
    except FileExistsError:
        raise Failure(f"{record.subject}: {_BUSY}") from None
    except OSError as error:
        raise Failure(f"{path}: the record for the way back cannot be written: {error.strerror}") from error
    try:
        yield path
    finally:
        os.close(descriptor)


def load(path: Path) -> Record:
    """Raises Failure when it cannot be read, FileNotFoundError when it is not there."""
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise Failure(f"{path}: the record for the way back cannot be read: {error}") from error


@contextlib.contextmanager
def held(path: Path) -> Iterator[Record]:
    """A record that nobody holds, to act upon it. Raises Failure when somebody does or it cannot be read,
    FileNotFoundError when there is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = load(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"{found.subject}: {_BUSY}") from None
        yield found
    finally:
        os.close(descriptor)
