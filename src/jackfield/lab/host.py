"""A host of an experiment: a network namespace in which commands are run, shown as they run."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from jackfield.lab import namespaces
from jackfield.lab.capture import Listener
from jackfield.lab.errors import LabError
from jackfield.lab.record import Capture, Command, Item, Printed

COMMAND_SECONDS = 120.0  # emulated machines are slow
PING_INTERVAL = 0.2  # seconds
LONGEST_DUMP = 24  # lines of tcpdump that are shown; the file has them all


class Host:
    """Where commands are typed. `tell` hears of each of them; `captures` is the directory of pcap files."""

    def __init__(
        self,
        name: str,
        netns: Path,
        environment: Mapping[str, str],
        tell: Callable[[Item], None],
        captures: Path,
    ) -> None:
        self.name = name
        self.netns = netns
        self.environment = dict(environment)
        self._tell = tell
        self._captures = captures

    def run(self, line: str, *, only: str = "", may_fail: bool = False, shown: bool = True) -> str:
        """Run a command, show it with what it prints, and return that.

        Of what it prints only the lines that match the regular expression `only` are shown. Raises LabError
        when the command exits other than 0, unless it `may_fail`.
        """
        argv = namespaces.inside(self.netns, *shlex.split(line))
        try:
            done = subprocess.run(
                argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace", timeout=COMMAND_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{self.name}: {line}: not done within {COMMAND_SECONDS:.0f} s") from error
        except OSError as error:
            raise LabError(f"{self.name}: {line}: {error.strerror}") from error
        if shown:
            lines = [text for text in done.stdout.splitlines() if text.strip() and re.search(only, text)]
            self._tell(Command(self.name, line, "\n".join(lines), done.returncode))
        if done.returncode and not may_fail:
            said = done.stdout.strip() or f"exit {done.returncode}"
            raise LabError(f"{self.name}: {line}: {said}")
        return done.stdout

    def look(self, line: str) -> str:
        """Run a command that is not part of the story."""
        return self.run(line, shown=False)

    def ping(self, target: str, *, count: int = 3, device: str = "", options: str = "") -> int:
        """Ping an address and return how many answers came."""
        by = f" -I {device}" if device else ""
        line = f"ping -c {count} -i {PING_INTERVAL:g} -W 1{by} {options}{' ' * bool(options)}{target}"
        text = self.run(line, only="packets transmitted|Unreachable|connect:", may_fail=True)
        return received(text)

    def ping_while(self, target: str, act: Callable[[], None], *, count: int, interval: float) -> int:
        """Ping an address, and do something when a third of the answers have come; returns how many came."""
        line = f"ping -c {count} -i {interval:g} -W 1 {target}"
        self._tell(Command(self.name, line, in_background=True))
        process = self.start(line)
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for text in process.stdout:
                lines.append(text)
                if "bytes from" in text and sum("bytes from" in each for each in lines) == count // 3:
                    act()
            process.wait(COMMAND_SECONDS)
        finally:
            process.kill()
            process.communicate()
        ending = "".join(lines[-3:])
        summary = [text for text in ending.splitlines() if "packets transmitted" in text]
        self._tell(Printed(self.name, line, "\n".join(summary)))
        return received(ending)

    def start(self, line: str) -> subprocess.Popen[str]:
        """Start a command that runs for a while. Its end is the caller's to see to."""
        argv = namespaces.inside(self.netns, *shlex.split(line))
        try:
            return subprocess.Popen(
                argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        except OSError as error:
            raise LabError(f"{self.name}: {line}: {error.strerror}") from error

    @contextlib.contextmanager
    def capture(
        self, device: str, what: str = "", *, expected: int = 0, sent_in: bool = False
    ) -> Iterator[Listener]:
        """tcpdump on a device meanwhile, its filter `what` (pcap-filter(7)); the listener then has its lines.

        `expected` is a number of lines worth waiting for; `sent_in` leaves out what this host sends.
        """
        words = f"tcpdump -e -n -i {device}{' -Q in' * sent_in}{' ' * bool(what)}{what}"
        file = self._new_file(device)
        # The story leaves out that the packets are written to a file as well, and each at once.
        argv = ("tcpdump", "-l", "--immediate-mode", "-w", str(file), "--print", *shlex.split(words)[1:])
        self._tell(Command(self.name, words, in_background=True))
        listener = Listener(namespaces.inside(self.netns, *argv), self.environment, words, file)
        try:
            yield listener
            listener.finish(expected)
        finally:
            listener.kill()
        shown = [short(line) for line in listener.lines[:LONGEST_DUMP]]
        if len(listener.lines) > LONGEST_DUMP:
            shown.append(f"... and {len(listener.lines) - LONGEST_DUMP} more")
        self._tell(Printed(self.name, words, "\n".join(shown)))
        self._tell(Capture(self.name, device, file, len(listener.lines)))

    def mac(self, device: str) -> str:
        """The MAC of a device. Raises LabError when there is no such device."""
        found = re.search(r"link/ether (\S+)", self.look(f"ip -o link show dev {device}"))
        if found is None:
            raise LabError(f"{self.name}: {device} has no MAC")
        return found[1]

    def has(self, device: str) -> bool:
        """Whether there is a device of that name."""
        return bool(self.run(f"ip -o link show dev {device}", shown=False, may_fail=True).count("link/"))

    def _new_file(self, device: str) -> Path:
        for number in range(1, 1000):
            file = self._captures / f"{self.name}-{device}-{number}.pcap"
            if not file.exists():
                return file
        raise LabError(f"{self._captures}: too many captures")


def received(text: str) -> int:
    """How many answers came, from what ping(8) printed."""
    found = re.search(r"(\d+) received", text)
    return int(found[1]) if found else 0


def short(line: str) -> str:
    """A line of tcpdump without what differs from run to run and tells nothing: time, id, lengths."""
    line = re.sub(r"^\d\d:\d\d:\d\d\.\d+ ", "", line)
    line = re.sub(r", ethertype (IPv4|ARP) \(0x[0-9a-f]+\)", "", line)
    line = re.sub(r", ethertype 802\.1Q \(0x8100\)", ", 802.1Q", line)
    return re.sub(r", length \d+|, id \d+", "", line)
