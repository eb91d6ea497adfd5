"""What is measured of a database server, and how."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.database.client import DATABASE, Client, message
from bench.database.servers import Running
from jackfield.switchd.schema import open_vswitch_schema

ROWS = 10_000
PORTS = ROWS // 2 - 1
MONITORS = (0, 1, 10, 100)
COMMITS = 200
CLIENTS = 10
TABLES = list(open_vswitch_schema()["tables"])
DURABLE = {"op": "commit", "durable": True}

LOAD, READY, RESIDENT, INITIAL = "load", "ready", "resident", "initial"
TOGETHER = "together"


def commits_with(monitors: int) -> str:
    """The name of that measure."""
    return f"commits-{monitors}"


@dataclass(frozen=True, slots=True)
class Measure:
    """Something measured once a round of each server, less of which is better."""

    title: str
    unit: str


MEASURES: dict[str, Measure] = {
    LOAD: Measure(f"transaction of {ROWS} rows", "ms"),
    READY: Measure(f"start-up with {ROWS} rows", "ms"),
    RESIDENT: Measure(f"resident memory with {ROWS} rows", "MiB"),
    INITIAL: Measure(f"initial reply to a monitor of {ROWS} rows", "ms"),
    **{commits_with(n): Measure(f"durable commit of one row, {n} monitors", "µs") for n in MONITORS},
    TOGETHER: Measure(f"durable commit of one row, {CLIENTS} clients at once", "µs"),
}


def switch_of(ports: int) -> list[Any]:
    """Operations that make a bridge with so many ports: two rows each, and two more."""
    operations: list[Any] = []
    names = [f"p{number}" for number in range(ports)]
    refs = [["named-uuid", f"{name}_port"] for name in names]
    bridge = {"name": "br0", "ports": ["set", refs]}
    operations.append({"op": "insert", "table": "Open_vSwitch", "row": {"bridges": ["named-uuid", "br0"]}})
    operations.append({"op": "insert", "table": "Bridge", "row": bridge, "uuid-name": "br0"})
    for number, name in enumerate(names):
        ids = [
            "map",
            [["attached-mac", f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"], ["iface-id", name]],
        ]
        interface = {"name": name, "type": "internal", "external_ids": ids}
        port = {"name": name, "tag": number % 4095, "interfaces": ["named-uuid", f"{name}_interface"]}
        for table, row in (("Port", port), ("Interface", interface)):
            uuid_name = f"{name}_{table.lower()}"
            operations.append({"op": "insert", "table": table, "row": row, "uuid-name": uuid_name})
    return operations


def fill(client: Client) -> float:
    """Make all rows in one transaction: milliseconds."""
    request = message("transact", DATABASE, *switch_of(PORTS), DURABLE)
    begin = time.perf_counter()
    results = client.ask(request)
    elapsed = time.perf_counter() - begin
    assert not any(result and "error" in result for result in results), results
    return elapsed * 1e3


def initial(client: Client) -> float:
    """From the request of a monitor of everything to the end of its reply: milliseconds."""
    request = message("monitor_cond", DATABASE, "all", {table: [{}] for table in TABLES})
    begin = time.perf_counter()
    client.swallow(request)
    return (time.perf_counter() - begin) * 1e3


class Committer:
    """Clients who change a row each, as fast as they are answered."""

    def __init__(self, running: Running, clients: int) -> None:
        self._clients = [Client(running.place.socket) for _ in range(clients)]
        self._number = 0
        select = {"op": "select", "table": "Interface", "where": [], "columns": ["_uuid"]}
        (found,) = self._clients[0].transact(select)
        self._rows = [row["_uuid"] for row in found["rows"][:clients]]

    def close(self) -> None:
        """End the connections."""
        for client in self._clients:
            client.close()

    def _request(self, row: Any) -> bytes:
        self._number += 1
        ids = ["map", [["number", str(self._number)]]]
        update = {"op": "update", "table": "Interface", "where": [["_uuid", "==", row]]}
        return message("transact", DATABASE, update | {"row": {"external_ids": ids}}, DURABLE)

    def alone(self, count: int) -> Iterator[float]:
        """One client's commits, one after the other: seconds each."""
        client, row = self._clients[0], self._rows[0]
        for request in [self._request(row) for _ in range(count)]:
            begin = time.perf_counter()
            results = client.ask(request)
            yield time.perf_counter() - begin
            assert results[0] == {"count": 1}, results

    def together(self, count: int) -> float:
        """All clients' commits, one under way of each: seconds for each commit on average."""
        with selectors.DefaultSelector() as selector:
            for client, row in zip(self._clients, self._rows, strict=True):
                selector.register(client.socket, selectors.EVENT_READ, (client, row))
            begin = time.perf_counter()
            for client, row in zip(self._clients, self._rows, strict=True):
                client.socket.sendall(self._request(row))
            sent, done = len(self._clients), 0
            while done < count:
                for key, _ in selector.select():
                    client, row = key.data
                    client.answer()
                    done += 1
                    if sent < count:
                        client.socket.sendall(self._request(row))
                        sent += 1
            return (time.perf_counter() - begin) / count
