"""``python -m tests.simulation.soak --seconds S --seed N``: simulate for long, with fresh seeds.

Real hub processes, a real proxy before each desk; in turn one hub on SQLite and two on PostgreSQL.
Stops at the first thing that is wrong, with the seed and the fewest steps that show it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from tests import postgres
from tests.simulation import backends
from tests.simulation.cheap import cheaply
from tests.simulation.machine import Machine
from tests.simulation.oracle import CANARY
from tests.simulation.places import Place, Processes
from tests.simulation.world import Broken


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate; 0 if nothing was wrong for so long."""
    parser = ArgumentParser(prog="python -m tests.simulation.soak")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=None, help="the first seed; else a new one")
    parser.add_argument("--steps", type=int, default=50, help="of one simulation")
    parser.add_argument("--simulations", type=int, default=6, help="of one seed")
    options = parser.parse_args(arguments)
    first = options.seed if options.seed is not None else int.from_bytes(os.urandom(3), "big")
    until = time.monotonic() + options.seconds
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        stack.enter_context(cheaply())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-soak-")))
        url, stop = postgres.start()
        stack.callback(stop)
        hubs = ((backends.sqlite(folder), 1, "SQLite"), (backends.postgresql(url), 2, "PostgreSQL"))
        number = first
        while time.monotonic() < until or number == first:
            fresh, processes, name = hubs[number % 2]
            _say(f"seed {number}: {processes} on {name}")
            try:
                _simulate(
                    number,
                    lambda place, url=fresh, count=processes: Processes(url(place), count, place),
                    counts,
                    steps=options.steps,
                    simulations=options.simulations,
                )
            except BaseException:
                _say(f"seed {number} failed; again: make soak SEED={number} SECONDS=1")
                raise
            number += 1
    _say(f"{number - first} seeds from {first}: " + ", ".join(_lines(counts)))
    return 0


def _simulate(
    number: int,
    place: Callable[[Path], Processes],
    counts: Counter[str],
    *,
    steps: int,
    simulations: int,
) -> None:
    @seed(number)
    class Soak(Machine):
        def furnish(self, folder: Path) -> Place:
            return place(folder)

        @rule()
        def sync_all_at_once(self) -> None:
            self.world.sync_all_at_once()

        def look_closer(self) -> None:
            assert isinstance(self.place, Processes)
            counts.update(self.world.ledger.counts)
            counts["simulations"] += 1
            counts["log lines"] += _no_words_in(self.place)

    chosen = settings(
        max_examples=simulations,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=False,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(Soak, settings=chosen)


def _no_words_in(place: Processes) -> int:
    """The hubs' log lines, after a look that no value of anybody is in them."""
    lines = [line for log in place.logs for line in log.read_text("utf-8").splitlines()]
    for line in lines:
        if CANARY.search(line):
            raise Broken(f"a hub logged what somebody wrote: {line}")
    return len(lines)


def _lines(counts: Counter[str]) -> list[str]:
    return [f"{number} {name}" for name, number in counts.most_common()]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
