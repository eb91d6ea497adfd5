"""The driver as the switch's agent runs it: there while the database wants it, under the name it says.

Open_vSwitch.other_config:docker-plugin is the driver's name; without it there is no driver.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.client.operations import set_keys
from jackfield.containers.docker_network import gateway, records
from jackfield.containers.docker_network.driver import Driver
from jackfield.containers.docker_network.follower import Follower
from jackfield.containers.docker_network.server import FOLDER, PluginServer
from jackfield.net.errors import KernelError

KEY = "docker-plugin"
PROBLEM = "docker-plugin-error"
"""Keys of Open_vSwitch.external_ids: the name by which the driver is served, and why it is not."""
COLUMNS = ("other_config", "external_ids")
"""What has to be read of the table Open_vSwitch."""
DEFAULT_NAME = "jackfield"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_TAKEN = ("bridge", "host", "none", "null", "overlay", "macvlan", "ipvlan", "container", "default")

Say = Callable[[str, str], None]
"""Tells the daemon's log: level and sentence."""


def check_name(name: str) -> str:
    """A driver's name as it is given; raises Failure when Docker could not use it."""
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise Failure(
            f'"{name}" cannot be the name of a Docker driver (small letters, digits, "_", "." and "-")'
        )
    return name


def wanted_name(database: Database) -> str:
    """The driver's name as the database has it, empty when it wants none. The database has to be opened with
    COLUMNS of Open_vSwitch, for this and the next two."""
    return _key(database, "other_config", KEY)


def served_name(database: Database) -> str:
    """The name by which the driver was served last, empty when it was ended in good order."""
    return _key(database, "external_ids", KEY)


def problem_of(database: Database) -> str:
    """Why the driver is not served, empty when nothing is known."""
    return _key(database, "external_ids", PROBLEM)


class Service:
    """Starts and ends the driver. Belongs to one thread."""

    def __init__(self, say: Say, folder: Path = FOLDER) -> None:
        self._say = say
        self._folder = folder
        self._name = ""
        self._server: PluginServer | None = None
        self._follower: Follower | None = None

    def follow(self, database: Database) -> None:
        """Bring the driver to what the database wants now."""
        name = wanted_name(database)
        if name == self._name:
            if self._server is not None:
                self._tell(database, None)
                return
            # What has failed is tried again when somebody has taken note and removed the complaint.
            if not name or problem_of(database):
                return
        self.close()
        self._name = name
        if name:
            self._start(name, database)

    def close(self) -> None:
        """End the driver; what it has made stays."""
        if self._follower is not None:
            self._follower.stop()
        if self._server is not None:
            self._server.stop()
            self._say("INFO", f"Docker is not served as {self._name} any more")
        self._server = self._follower = None
        self._name = ""

    def _start(self, name: str, database: Database) -> None:
        try:
            follower = Follower(self._say, records.all_endpoints(database))
            server = PluginServer(check_name(name), Driver(), self._folder, follower.heard)
            server.start()
        except Failure as failure:
            self._say("WARN", str(failure))
            self._tell(database, str(failure))
            return
        self._server, self._follower = server, follower
        follower.start()
        self._address_gateways(database)
        self._tell(database, None)
        self._say("INFO", f"serving Docker as network driver {name} on {server.path}")

    def _tell(self, database: Database, problem: str | None) -> None:
        """Write down what has come of it, unless it is written: those who wait hear of it."""
        served = self._name if problem is None else None
        if (served_name(database), problem_of(database)) != (served or "", problem or ""):
            pairs = {PROBLEM: problem, KEY: served}
            database.transact([set_keys("Open_vSwitch", database.root, "external_ids", pairs)])

    def _address_gateways(self, database: Database) -> None:
        """The devices of gateways lose their addresses when they are made anew."""
        found = [network for network in records.networks(database).values() if network.gateway_port]
        try:
            if found:
                # Until the switch has made them.
                database.commit([])
            for network in found:
                gateway.address(network)
        except (Failure, KernelError) as error:
            self._say("WARN", f"the gateways of Docker's networks have not got their addresses: {error}")


def _key(database: Database, column: str, key: str) -> str:
    pairs = database.tables["Open_vSwitch"][database.root][column]
    return str(pairs.get(key, "")) if isinstance(pairs, dict) else ""
