"""A Podman service of the tests' own, with directories of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.netlab import until

IMAGE = "jft-busybox"
PROGRAMS = ("sh", "sleep", "ip", "ping")
START_SECONDS = 60.0


class Podman:
    """`podman` with everything below `root`, and its API at `socket`; it can be ended and started again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.socket = root / "podman.sock"
        self._service: subprocess.Popen[bytes] | None = None
        self._podman = [
            *("podman", "--root", str(root / "data"), "--runroot", str(root / "run")),
            *("--tmpdir", str(root / "tmp"), "--storage-driver", "vfs"),
            *("--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", "runc"),
        ]

    def do(self, *words: str) -> str:
        """A podman command, which must succeed; its output."""
        done = subprocess.run(
            [*self._podman, *words], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"podman {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def start(self) -> None:
        """Serve the API, and wait until it answers."""
        log = (self._root / "service.log").open("ab")
        with log:
            words = [*self._podman, "system", "service", "--time", "0", f"unix://{self.socket}"]
            self._service = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.socket.exists, deadline=START_SECONDS, what="a service of podman")

    def stop(self) -> None:
        """End the service; containers go on."""
        service, self._service = self._service, None
        if service is not None:
            service.send_signal(signal.SIGTERM)
            service.wait(30)

    def container(self, name: str, *options: str) -> str:
        """A container without a network, which runs until it is removed; its id."""
        # Podman asks for more open files than who runs the tests may have.
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--stop-timeout", "0")
        words = ("run", "-d", "--network", "none", "--name", name, *limits, *options)
        return self.do(*words, IMAGE, "/bin/sleep", "1000000")

    def trouble(self) -> str:
        """Why no container can be run here, empty when one can: Podman asks for rights that not every machine
        of tests gives."""
        try:
            self.container("probe")
        except AssertionError as error:
            return str(error)
        finally:
            self.do("rm", "-a", "-f", "-t", "0")
        return ""

    def inside(self, name: str, *command: str) -> str:
        """The output of a command in a container."""
        return self.do("exec", name, *command)

    def __enter__(self) -> Self:
        self._import_image()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.do("rm", "-a", "-f", "-t", "0")
        finally:
            self.stop()

    def _import_image(self) -> None:
        busybox = shutil.which("busybox")
        assert busybox is not None
        tree = self._root / "image" / "bin"
        tree.mkdir(parents=True)
        shutil.copy(busybox, tree / "busybox")
        for program in PROGRAMS:
            (tree / program).symlink_to("busybox")
        archive = self._root / "image.tar"
        subprocess.run(["tar", "-C", str(tree.parent), "-cf", str(archive), "bin"], check=True)
        self.do("import", "--quiet", str(archive), IMAGE)
