"""A Docker daemon of the tests' own, in the network namespace of a switch."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.netlab import until

IMAGE = "jft-busybox"
CLIENT = "/usr/bin/docker"  # of the same package as dockerd: a newer one may ask what that does not know
PROGRAMS = ("sh", "sleep", "ip", "ping", "cat", "hostname", "arping", "nc")
START_SECONDS = 60.0


class Dockerd:
    """A daemon with directories of its own below `root`; it can be ended and started again."""

    def __init__(self, root: Path, netns: str) -> None:
        self._root = root
        self._netns = netns
        self._socket = root / "docker.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{self._socket}"}

    def start(self) -> None:
        """Start and wait until it answers."""
        with (self._root / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("nsenter", f"--net=/run/netns/{self._netns}", "--", "dockerd"),
                    *("--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"),
                    *("--data-root", str(self._root / "data"), "--exec-root", str(self._root / "exec")),
                    *("--pidfile", str(self._root / "docker.pid"), "--host", f"unix://{self._socket}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

        def answers() -> bool:
            assert self._process is not None and self._process.poll() is None, self.log()
            return self.run("version").returncode == 0

        until(answers, deadline=START_SECONDS, what=lambda: f"an answer of dockerd\n{self.log()}")
        if IMAGE not in self.docker("images", "--format", "{{.Repository}}").split():
            self._import_image()

    def stop(self) -> None:
        """End it as an administrator does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def kill(self) -> None:
        """End it without a chance to put things in order; its containerd ends with it."""
        process, self._process = self._process, None
        assert process is not None
        threads = Path(f"/proc/{process.pid}/task").iterdir()
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
        process.kill()
        process.wait(10)
        # The next one would wait for what is about to end.
        until(lambda: not any(Path("/proc", child).exists() for child in children), what="its end")

    def restart(self) -> None:
        self.stop()
        self.start()

    def docker(self, *words: str) -> str:
        """A docker command, which must succeed; its output."""
        done = self.run(*words)
        assert done.returncode == 0, f"docker {' '.join(words)}\n{done.stdout}{done.stderr}\n{self.log()}"
        return done.stdout.strip()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A docker command, whatever comes of it."""
        return subprocess.run(
            [CLIENT, *words], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def container(self, network: str, name: str, *options: str) -> str:
        """A container that runs until it is removed; its id."""
        command = (IMAGE, "/bin/sleep", "1000000")
        return self.docker(
            "run", "-d", "--init=false", "--network", network, "--name", name, *options, *command
        )

    def pings(self, name: str, address: str) -> bool:
        """Whether a container's ping is answered."""
        return self.run("exec", name, "/bin/ping", "-c", "1", "-W", "1", address).returncode == 0

    def log(self) -> str:
        """The end of its log."""
        return "\n".join((self._root / "dockerd.log").read_text().splitlines()[-40:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            ids = self.docker("ps", "-aq").split()
            if ids:
                self.run("rm", "-f", *ids)
        self.stop()
        # It leaves the host's own namespace bound here if a container had that.
        # And its data, if it was killed.
        for path in (*(self._root / "exec" / "netns").glob("*"), self._root / "data"):
            subprocess.run(["umount", str(path)], capture_output=True, check=False)

    def _import_image(self) -> None:
        busybox = shutil.which("busybox")
        assert busybox is not None
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            tar.add(busybox, "bin/busybox")
            for program in PROGRAMS:
                link = tarfile.TarInfo(f"bin/{program}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        done = subprocess.run(
            [CLIENT, "import", "-", IMAGE],
            env=self.environment,
            input=data.getvalue(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
