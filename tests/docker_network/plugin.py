"""The driver in a process of its own, as the switch's agent runs it: until its standard input ends."""

from __future__ import annotations

import sys

from jackfield.containers.docker_network.driver import Driver
from jackfield.containers.docker_network.server import PluginServer


def main() -> None:
    server = PluginServer(sys.argv[1], Driver())
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
