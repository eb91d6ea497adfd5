"""What Docker tells besides asking: which container has an endpoint, and which endpoints are no more.

Docker asks a driver to delete an endpoint once, also when nobody is there to hear it. What it has deleted
meanwhile is removed when it answers again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.client.operations import set_keys
from jackfield.containers import ports
from jackfield.containers.docker_network import records
from jackfield.containers.engine import Engine, engines

AGAIN_SECONDS = (0.25, 5.0)


class Follower:
    """Listens to Docker in a thread of its own. Docker need not be there; if it is not, nothing is missed but
    the containers' ids in the database."""

    def __init__(self, say: Callable[[str, str], None], left: Mapping[str, str]) -> None:
        """`left` are the endpoints that an earlier driver left, and their networks."""
        self._say = say
        self._left = dict(left)
        self._stopped = Event()

    def start(self) -> None:
        """Begin to listen."""
        Thread(target=self._run, name="docker-follower", daemon=True).start()

    def stop(self) -> None:
        """Do nothing more; the thread ends when Docker says something, or with the process."""
        self._stopped.set()

    def _run(self) -> None:
        shortest, longest = AGAIN_SECONDS
        delay = shortest
        while not self._stopped.is_set():
            try:
                for engine in [engine for engine in engines() if engine.kind == "docker"]:
                    self._listen(engine)
                    delay = shortest
            except Failure:
                delay = min(2 * delay, longest)
            self._stopped.wait(delay)

    def _listen(self, engine: Engine) -> None:
        for event, container in engine.events():
            if self._stopped.is_set():
                return
            if event == "connected":
                self._sweep(engine)
            elif event == "start":
                self._name(engine, container)

    def _sweep(self, engine: Engine) -> None:
        """Remove ports of endpoints that Docker has deleted while nobody listened. Networks that this engine
        does not know may be another one's."""
        gone = []
        for network in set(self._left.values()):
            known = engine.endpoints_on(network)
            if known is not None:
                mine = [endpoint for endpoint, of in self._left.items() if of == network]
                gone += [endpoint for endpoint in mine if endpoint not in known]
        if gone:
            self._remove(gone)
        self._left.clear()

    def _remove(self, endpoints: Sequence[str]) -> None:
        with Database.open() as database:
            found = [
                port.name for each in endpoints if (port := records.endpoint(database, each)) is not None
            ]
            ports.remove_ports(database, found)
        self._say("INFO", f"removed {len(found)} ports of containers that Docker has removed meanwhile")

    def _name(self, engine: Engine, container: str) -> None:
        """Write down which container an endpoint belongs to."""
        with Database.open() as database:
            for endpoint in engine.endpoints_of(container):
                port = records.endpoint(database, endpoint)
                if port is not None:
                    ids = {"container_id": container}
                    database.transact([set_keys("Interface", port.uuid, "external_ids", ids)])
