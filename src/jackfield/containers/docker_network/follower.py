"""What Docker tells besides asking: which container has an endpoint, and which endpoints are no more.

Docker asks a driver to delete an endpoint once, also when nobody is there to hear it, and may not ask at all
for those that it had when it was killed. What it does not know any more is removed when it answers again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event, Thread

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.client.operations import set_keys
from jackfield.containers import ports
from jackfield.containers.docker_network import records
from jackfield.containers.engine import Engine, engines

CONTAINER = "container_id"


class Follower:
    """Listens to Docker in a thread of its own. Where Docker is away, nobody waits for it: whoever serves it
    calls `heard` when it asks for something, which is when it is there again."""

    def __init__(self, say: Callable[[str, str], None], left: Mapping[str, str]) -> None:
        """`left` are the endpoints that an earlier driver left, and their networks."""
        self._say = say
        self._left = dict(left)
        self._stopped = False
        self._awake = Event()

    def start(self) -> None:
        """Begin to listen."""
        self._awake.set()
        Thread(target=self._run, name="docker-follower", daemon=True).start()

    def heard(self) -> None:
        """Docker has asked for something."""
        self._awake.set()

    def stop(self) -> None:
        """Do nothing more; the thread ends when Docker says something, or with the process."""
        self._stopped = True
        self._awake.set()

    def _run(self) -> None:
        while not self._stopped:
            self._awake.wait()
            self._awake.clear()
            for engine in engines():
                if engine.kind == "docker" and not self._stopped:
                    self._listen(engine)

    def _listen(self, engine: Engine) -> None:
        """Until Docker ends, or something cannot be done: then Docker is followed again when it is heard."""
        try:
            for event, _ in engine.events():
                if self._stopped:
                    return
                if event in ("connected", "start"):
                    self._look(engine)
        except Failure:
            pass
        with suppress(Failure), Database.open() as database:
            # One that this Docker was about to make is known to it before it is followed again.
            self._left = dict(records.all_endpoints(database))

    def _look(self, engine: Engine) -> None:
        """Write down whose endpoints are whose. Remove the ports of endpoints that Docker has deleted while
        nobody listened; networks that this engine does not know may be another one's."""
        gone = []
        with Database.open() as database:
            for network in records.networks(database):
                mine = records.endpoints(database, network)
                known = engine.endpoints(network)
                if known is None:
                    continue
                for endpoint, port in mine.items():
                    container = known.get(endpoint, "")
                    if container and port.external_ids.get(CONTAINER) != container:
                        ids = {CONTAINER: container}
                        database.transact([set_keys("Interface", port.uuid, "external_ids", ids)])
                    if endpoint not in known and self._left.get(endpoint) == network:
                        gone.append(port.name)
            ports.remove_ports(database, gone)
        self._left.clear()
        if gone:
            self._say("INFO", f"removed {len(gone)} ports of containers that Docker has removed unheard")
