"""Other builds, emptied pins and restored databases, under numbered traffic: what each costs.

python -m tests.loss.upgrades [--times N] [--rate FRAMES] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.switch import pins
from tests.loss.builds import CHANGED_CONFIGURATION, CHANGED_PROGRAMS, CHANGED_STATE, Build
from tests.loss.kills import rest_is_in_order
from tests.loss.site import Site, new_site
from tests.loss.traffic import Verdict, traffic
from tests.netlab import until


@dataclass(frozen=True)
class Cost:
    """What an event cost the traffic, all flows together, and what was not in order after it."""

    event: str
    sent: int
    lost: int
    doubled: int
    overtaken: int
    elsewhere: int
    silent_ms: float
    losers: tuple[str, ...]
    disorder: tuple[str, ...]

    @classmethod
    def of(cls, event: str, verdicts: list[Verdict], disorder: list[str]) -> Cost:
        def total(what: str) -> int:
            return sum(getattr(verdict, what) for verdict in verdicts)

        losers = [verdict for verdict in verdicts if verdict.lost]
        return cls(
            event=event,
            sent=total("sent"),
            lost=total("lost"),
            doubled=total("doubled"),
            overtaken=total("overtaken"),
            elsewhere=total("elsewhere"),
            silent_ms=max((verdict.longest_ms for verdict in losers), default=0.0),
            losers=tuple(f"{verdict.name}: {verdict.lost}" for verdict in losers),
            disorder=tuple(disorder),
        )


class Upgrades:
    """Has things happen to the switch of a site. `folder` is for other builds and copies."""

    def __init__(self, site: Site, folder: Path, rate: float, times: int = 1) -> None:
        self._site = site
        self._folder = folder
        self._rate = rate
        self._times = times

    def to_and_fro(self, build: Build) -> Cost:
        """Replace the running build by another, and that by this one again."""
        daemon, place = self._site.switch.daemon, str(build.make(self._folder))

        def act() -> Iterator[None]:
            daemon.stop()
            with _path(daemon.environment, place):
                daemon.start()
            yield
            daemon.restart()
            yield

        return self._cost(f"{build.name}, and back", act)

    def pins_go(self) -> Cost:
        """Somebody empties the bpf file system while the daemon runs, and asks it to look."""

        def act() -> Iterator[None]:
            before = self._pinned()
            shutil.rmtree(self._instance())
            self._site.switch.daemon.unixctl("jackfield/check")
            assert self._pinned() == before
            yield

        return self._cost("pins removed", act)

    def pins_go_meanwhile(self) -> Cost:
        """Somebody does so while no daemon runs; one is started at once."""

        def act() -> Iterator[None]:
            self._site.switch.daemon.stop()
            shutil.rmtree(self._instance())
            self._site.switch.daemon.start()
            yield

        return self._cost("pins removed while no daemon runs", act)

    def file_comes_back(self) -> Cost:
        """The database file is replaced by an older one while no daemon runs."""
        daemon, copy = self._site.switch.daemon, self._folder / "conf.db"

        def act() -> Iterator[None]:
            shutil.copy(daemon.dbdir / "conf.db", copy)
            self._change()
            daemon.stop()
            shutil.copy(copy, daemon.dbdir / "conf.db")
            daemon.start()
            yield

        return self._cost("an older database file", act)

    def backup_comes_back(self) -> Cost:
        """The database is restored from a backup while the daemon runs."""
        daemon, copy = self._site.switch.daemon, self._folder / "backup"

        def act() -> Iterator[None]:
            place = f"unix:{daemon.rundir}/db.sock"
            assert daemon.run("sh", "-c", f"ovsdb-client backup {place} >{copy}").returncode == 0
            self._change()
            done = daemon.run("sh", "-c", f"ovsdb-client restore {place} <{copy}")
            assert done.returncode == 0, done.stderr
            # Who restores does not wait until the kernel is configured.
            until(lambda: not rest_is_in_order(self._site), what="a switch as the backup wants it")
            yield

        return self._cost("a backup restored", act)

    def all(self) -> Iterator[Cost]:
        """One after the other."""
        for build in (CHANGED_PROGRAMS, CHANGED_CONFIGURATION, CHANGED_STATE):
            yield self.to_and_fro(build)
        yield self.pins_go()
        yield self.pins_go_meanwhile()
        yield self.file_comes_back()
        yield self.backup_comes_back()

    def _cost(self, event: str, act: Callable[[], Iterator[None]]) -> Cost:
        disorder: list[str] = []
        with traffic(self._site.plans(self._rate)) as running:
            for _ in range(self._times):
                for _ in act():
                    disorder += self._disorder()
            return Cost.of(event, running.stop(), disorder)

    def _disorder(self) -> list[str]:
        versions = sorted(path.name for path in self._instance().iterdir())
        left = [f"pins of several versions: {', '.join(versions)}"] if len(versions) > 1 else []
        return [*rest_is_in_order(self._site), *left]

    def _change(self) -> None:
        """What a database from before does not have."""
        self._site.switch.vsctl("add-br", "brnew", "--", "add-port", "br0", "new0", "tag=30",
                                "--", "set", "Interface", "new0", "type=internal")  # fmt: skip

    def _instance(self) -> Path:
        return pins(self._site.switch.daemon.rundir)[0].parent

    def _pinned(self) -> list[str]:
        return [path.name for path in pins(self._site.switch.daemon.rundir)]


@contextmanager
def _path(environment: dict[str, str], place: str) -> Iterator[None]:
    """What is started meanwhile imports from `place`."""
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = place
    try:
        yield
    finally:
        del environment["PYTHONPATH"]
        if before is not None:
            environment["PYTHONPATH"] = before


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/kills upgrade", description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=20, metavar="N", help="each event so often")
    parser.add_argument("--rate", type=float, default=500.0, metavar="FRAMES", help="a second and flow")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    options = parser.parse_args()
    costs = []
    with new_site() as site, TemporaryDirectory(prefix="jft") as folder:
        print(f"each {options.times} times:")
        for cost in Upgrades(site, Path(folder), options.rate, options.times).all():
            costs.append(cost)
            print(
                f"{cost.event:36} {cost.sent:8} sent {cost.lost:6} lost {cost.doubled:5} doubled"
                f" {cost.overtaken:5} overtaken {cost.elsewhere:6} elsewhere; who lost was silent"
                f" {cost.silent_ms:.1f} ms at most",
                flush=True,
            )
            for text in (*cost.losers, *(f"afterwards: {text}" for text in cost.disorder)):
                print(f"  {text}")
    if options.json:
        options.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2) + "\n")
    return 1 if any(cost.disorder for cost in costs) else 0


if __name__ == "__main__":
    sys.exit(main())
