"""kill -9 of the daemon after every single step of its plans, under numbered traffic.

python -m tests.loss.steps [--stride N] [--rate FRAMES]
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from itertools import count

from tests.loss.kills import rest_is_in_order
from tests.loss.site import Site, new_site
from tests.loss.traffic import Verdict, traffic

MOST_STEPS = 300
VARIABLE = "JACKFIELD_FAIL_AFTER_STEP"


@dataclass(frozen=True)
class Plan:
    """A change of the configuration, and the one that undoes it, as words for ovs-vsctl."""

    name: str
    change: str
    undo: str


PLANS = (
    Plan(
        "ports of all kinds come",
        "add-port br0 new1 tag=10 -- set Interface new1 type=internal"
        " -- add-port br0 new2 trunks=10,20 -- set Interface new2 type=internal mtu_request=1400"
        " -- add-br br1 -- add-port br0 p0 -- set Interface p0 type=patch options:peer=p1"
        " -- add-port br1 p1 -- set Interface p1 type=patch options:peer=p0 -- add-port br1 eth2",
        "del-br br1 -- del-port br0 p0 -- del-port br0 new1 -- del-port br0 new2",
    ),
    Plan(
        "ports go, and others change their VLANs",
        "del-port br0 old1 -- set Port old2 tag=20 -- set Port old3 trunks=10 vlan_mode=trunk"
        " -- clear Port old3 tag -- set Bridge br0 other_config:mac-aging-time=60",
        "add-port br0 old1 tag=10 -- set Interface old1 type=internal -- set Port old2 tag=10"
        " -- clear Port old3 trunks -- clear Port old3 vlan_mode -- set Port old3 tag=30"
        " -- remove Bridge br0 other_config mac-aging-time",
    ),
    Plan(
        "bonds and protections come",
        "add-bond br0 new3 eth10 eth11 bond_mode=balance-slb tag=30"
        " -- set Port bond1 other_config:bond-rebalance-interval=0"
        " -- set Port old1 other_config:port-security=sticky other_config:mac-limit=4"
        " -- set Port old2 other_config:storm-broadcast=1000 other_config:bpdu-guard=true",
        "del-port br0 new3 -- clear Port bond1 other_config -- clear Port old1 other_config"
        " -- clear Port old2 other_config",
    ),
)


def prepare(site: Site) -> None:
    """Make what the plans change."""
    far = site.lab.namespace("farther")
    for number in (2, 10, 11):
        site.switch.lab.cable(site.switch.host, f"eth{number}", far, f"eth{number}")
    for name, tag in {"old1": 10, "old2": 10, "old3": 30}.items():
        site.switch.vsctl(
            "add-port", "br0", name, f"tag={tag}", "--", "set", "Interface", name, "type=internal"
        )


def kill_after_steps(
    site: Site, plan: Plan, stride: int, rate: float
) -> tuple[int, list[str], list[Verdict]]:
    """Carry the change out again and again, killed after one step more each time, until it ends by itself.

    How many kills there were, what was not in order after the start that followed one, and the verdict on the
    traffic of all that time.
    """
    daemon, faults, kills = site.switch.daemon, [], 0
    with traffic(site.plans(rate)) as running:
        for step in count(1, stride):
            assert step < MOST_STEPS, f"{plan.name}: takes more than {MOST_STEPS} steps"
            daemon.stop()
            daemon.environment[VARIABLE] = str(step)
            daemon.start()
            del daemon.environment[VARIABLE]
            complete = site.done(plan.change.split())
            daemon.kill()
            daemon.start()
            faults += [f"after step {step}: {text}" for text in rest_is_in_order(site)]
            site.switch.vsctl(*plan.undo.split())
            faults += [f"undone after step {step}: {text}" for text in rest_is_in_order(site)]
            if complete:
                break
            kills += 1
        return kills, faults, running.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/kills steps", description=__doc__.partition("\n")[0])
    parser.add_argument("--stride", type=int, default=1, metavar="N", help="try every Nth step only")
    parser.add_argument("--rate", type=float, default=500.0, metavar="FRAMES", help="a second and flow")
    options = parser.parse_args()
    good = True
    with new_site() as site:
        prepare(site)
        for plan in PLANS:
            kills, faults, verdicts = kill_after_steps(site, plan, options.stride, options.rate)
            print(f"{plan.name}: killed after each of {kills} steps")
            for fault in faults:
                print(f"  {fault}")
            for verdict in verdicts:
                print(f"  {re.sub(r'[{}]', '', str(verdict))}")
            good = good and not faults and not any(verdict.faults for verdict in verdicts)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
