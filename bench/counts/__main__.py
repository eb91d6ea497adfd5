"""`python -m bench.counts`, inside `scripts/vm --icount`: counts, and prints JSON."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from contextlib import ExitStack
from dataclasses import asdict

from bench.counts import bonds, flood, names, paths, testrun, traffic
from bench.netns import BenchError


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure_flood(with_ovs: bool) -> dict[str, object]:
    with ExitStack() as stack:
        maker = paths.Maker(stack)
        ours = stack.enter_context(paths.jackfield())
        theirs = stack.enter_context(paths.ovs()) if with_ovs else None
        return {name: asdict(value) for name, value in flood.measure(maker, ours, theirs).items()}


def measure_paths(with_ovs: bool) -> dict[str, object]:
    with ExitStack() as stack:
        maker = paths.Maker(stack)
        all_paths = [*paths.plain(maker), *paths.linux_bridge(maker)]
        vsctl, host = stack.enter_context(paths.jackfield())
        for net, name, internal in ((2, names.JACKFIELD_INTERNAL, True), (3, names.JACKFIELD_VETH, False)):
            all_paths += paths.switch(maker, vsctl, host, net, name, internal=internal)
        netkit = ("other_config:device-kind=netkit",)
        all_paths += paths.switch(
            maker, vsctl, host, 6, names.JACKFIELD_NETKIT, internal=True, settings=netkit
        )
        if with_ovs:
            vsctl, host = stack.enter_context(paths.ovs())
            for net, name, internal in ((4, names.OVS_INTERNAL, True), (5, names.OVS_VETH, False)):
                all_paths += paths.switch(maker, vsctl, host, net, name, internal=internal)
        for path in all_paths:
            progress(f"reaching: {path.name}")
            paths.reach(path)
        progress("counting")
        counted = traffic.measure(all_paths)
    return {test: {name: asdict(value) for name, value in each.items()} for test, each in counted.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.counts")
    parser.add_argument("--without-ovs", action="store_true", help="leave OVS's kernel datapath out")
    parser.add_argument("--only", choices=names.PARTS, nargs="+", default=list(names.PARTS))
    options = parser.parse_args()
    counted: dict[str, object] = {"kernel": platform.release()}
    try:
        with_ovs = not options.without_ovs and paths.has_ovs()
        if "program" in options.only:
            progress("counting the program by itself")
            counted["program"] = testrun.counts(testrun.CASES)
        if "scale" in options.only:
            progress("counting the program with large tables")
            counted["scale"] = testrun.counts(testrun.SCALE)
        if "bonds" in options.only:
            progress("counting the program with bonds")
            counted["bonds"] = bonds.counts()
        if "paths" in options.only:
            counted["paths"] = measure_paths(with_ovs)
        if "flood" in options.only:
            progress("counting flooded copies")
            counted["flood"] = measure_flood(with_ovs)
    except BenchError as error:
        progress(f"bench.counts: {error}")
        return 1
    print(json.dumps(counted, indent=2))
    return 0


sys.exit(main())
