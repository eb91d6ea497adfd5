"""The driver in a process of its own, as the switch's agent runs it: until its standard input ends."""

from __future__ import annotations

import select
import sys

from jackfield.client.database import Database
from jackfield.containers.docker_network.service import COLUMNS, Service


def main() -> None:
    service = Service(lambda level, text: print(level, text, flush=True))
    with Database.open({"Open_vSwitch": COLUMNS}) as database:
        while True:
            service.follow(database)
            readable, _, _ = select.select([database, sys.stdin], [], [])
            if sys.stdin in readable:
                break
            database.refresh()
    service.close()


if __name__ == "__main__":
    main()
