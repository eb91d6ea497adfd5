"""kill -9 of the daemon at random moments of its life, under numbered traffic.

python -m tests.loss.kills [--kills N] [--rate FRAMES] [--seed N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.loss.site import Site, new_site
from tests.loss.traffic import Verdict, traffic
from tests.netlab import until

CHANGE = ("ovs-vsctl", "--timeout=5", "--no-wait")
LATEST_SECONDS = 1.2
"""A daemon is ready before: so a kill meets it while it loads, adopts, works or rests."""
LONG_EVERY, LONG_SECONDS = 20, 4.0
"""After one kill of so many, nobody is there until the programs look after bonds themselves."""
CHANGE_SECONDS = 60.0


def kill_again_and_again(site: Site, kills: int, rate: float, seed: int) -> list[Verdict]:
    """Start and kill the daemon so often, half of the times with changes to make; the traffic's verdict."""
    chance = random.Random(seed)
    daemon = site.switch.daemon
    with traffic(site.plans(rate)) as running:
        daemon.kill()
        for number in range(kills - 1):
            daemon.launch()
            if number % 2:
                until(lambda: _changed(site, chance), what="a database to change", deadline=CHANGE_SECONDS)
                time.sleep(chance.uniform(0.0, 0.1))
            else:
                time.sleep(chance.uniform(0.0, LATEST_SECONDS))
            daemon.kill()
            if number % LONG_EVERY == 1:
                time.sleep(LONG_SECONDS)
        daemon.start()
        return running.stop()


def _changed(site: Site, chance: random.Random) -> bool:
    port, tag = f"more{chance.randrange(8)}", chance.choice((10, 20, 30))
    words = f"--may-exist add-port br0 {port} tag={tag} -- set Interface {port} type=internal"
    if chance.random() < 0.3:
        words = f"--if-exists del-port br0 {port}"
    return site.switch.daemon.run(*CHANGE, *words.split()).returncode == 0


def rest_is_in_order(site: Site) -> list[str]:
    """What is not as it should be afterwards: nothing is to be done, nothing had to be repaired."""
    daemon = site.switch.daemon
    return [
        *json.loads(daemon.unixctl("jackfield/plan"))["steps"],
        *json.loads(daemon.unixctl("jackfield/check"))["repaired"],
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, metavar="N")
    parser.add_argument("--rate", type=float, default=500.0, metavar="FRAMES", help="a second and flow")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    options = parser.parse_args()
    began = time.monotonic()
    with new_site() as site:
        verdicts = kill_again_and_again(site, options.kills, options.rate, options.seed)
        rest = rest_is_in_order(site)
        drops = {name: dict(port.drops) for name, port in site.switch.ports().items() if port.drops}
    print(f"{options.kills} kills in {time.monotonic() - began:.0f} s")
    print(f"dropped by the switch: {drops}")
    for verdict in verdicts:
        print(
            f"{verdict.name:30} {verdict.sent:9} sent {verdict.lost:5} lost {verdict.queued:5} dropped by"
            f" full queues of the kernel {verdict.doubled:5} doubled"
            f" {verdict.overtaken:5} overtaken {verdict.elsewhere:5} elsewhere, silent"
            f" {verdict.longest_ms:.1f} ms at most"
        )
    for step in rest:
        print(f"afterwards still to do: {step}")
    if options.json:
        flows = [asdict(verdict) for verdict in verdicts]
        report = {"kills": options.kills, "flows": flows, "rest": rest, "drops": drops}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if rest or any(verdict.faults for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
