"""Having the agent do what a command was asked for: the agent has loaded all that takes a command so long to
load. This is what such a command starts with, so it imports next to nothing.

An order is a list of texts, each ended by a zero byte, and the end of what is sent: VERSION, where the sender
lives, what it says of engines, and the words of the command line. The answer is the exit code, what to print
and what to complain of, ended likewise; or nothing, and then the sender does it itself.
"""

from __future__ import annotations

# The module `socket` takes as long to import as all the rest of this together.
import _socket
import os

from jackfield.client.target import rundir

VERSION = "1"
COMMANDS = ("attach", "detach")
ENGINES = ("DOCKER_HOST", "CONTAINER_HOST")
MOST_ORDER = 1 << 16
ANSWER_SECONDS = 60.0
_MOST_ANSWER = 1 << 20


def path_of_socket() -> str:
    """Where the agent listens."""
    return f"{rundir()}/jackfield-agent.sock"


def whereabouts() -> str:
    """Where this process lives: by its namespaces and root. For two with the same, a path and a process id
    mean the same. Raises OSError."""
    root = os.stat("/")  # noqa: PTH116
    spaces = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt", "pid", "user")]  # noqa: PTH115
    return " ".join([*spaces, f"{root.st_dev}:{root.st_ino}"])


def pack(texts: list[str]) -> bytes:
    """Texts as they are sent."""
    return b"".join(os.fsencode(text) + b"\0" for text in texts)


def unpack(data: bytes) -> list[str]:
    """Texts that were sent; raises ValueError when the last one is not whole."""
    *texts, rest = data.split(b"\0")
    if rest:
        raise ValueError("a text without an end")
    return [os.fsdecode(text) for text in texts]


def ask(words: list[str]) -> tuple[int, str, str] | None:
    """Exit code, output and complaint of a command line that the agent carried out; None when it has to be
    carried out here. Raises TimeoutError when the agent does not answer."""
    if words[:1] not in ([name] for name in COMMANDS):
        return None
    try:
        order = [VERSION, whereabouts(), *(os.environ.get(name, "") for name in ENGINES), *words]
        answer = _exchange(pack(order))
        status, output, complaint = unpack(answer)
        return int(status), output, complaint
    except TimeoutError:
        said = f"the agent has not answered within {ANSWER_SECONDS:g} seconds"
        raise TimeoutError(f"{said}; `jackfield attachments` tells what it did") from None
    except (OSError, ValueError):
        # Nobody there, or gone without an answer: to do it once more is to do it once.
        return None


def _exchange(order: bytes) -> bytes:
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(path_of_socket())
        connection.sendall(order)
        connection.shutdown(_socket.SHUT_WR)
        answer = b""
        while len(answer) < _MOST_ANSWER and (data := connection.recv(1 << 16)):
            answer += data
        return answer
    finally:
        connection.close()
