"""Reading from the kernel what the `statistics` columns are to say."""

from __future__ import annotations

from collections.abc import Callable

from jackfield.datapath._abi import Counters
from jackfield.datapath.store import Datapath
from jackfield.reconcile.outcome import InterfaceOutcome, Outcome
from jackfield.switchd.stats import device_statistics, drops_by_interface, switch_statistics


def collect(
    datapath: Datapath, outcome: Outcome, wanted: Callable[[InterfaceOutcome], bool] = lambda _each: True
) -> dict[str, dict[str, int]]:
    """The statistics of the interfaces that are wanted and there, by name. Raises NetworkError."""
    interfaces = [each for each in outcome.interfaces if each.ofport >= 0 and each.id and wanted(each)]
    if not interfaces:
        return {}
    counters = datapath.counters(each.id for each in interfaces if each.type != "system")
    drops = drops_by_interface(datapath.drops({each.id for each in interfaces}))
    links = {}
    if any(each.type == "system" for each in interfaces):
        links = {link.ifindex: link.stats for link in datapath.devices.list_links()}
    statistics = {}
    for each in interfaces:
        if each.type != "system":
            statistics[each.name] = switch_statistics(
                counters.get(each.id, Counters()), drops.get(each.id, {})
            )
        elif each.switch_ifindex in links:
            statistics[each.name] = device_statistics(links[each.switch_ifindex])
    return statistics
