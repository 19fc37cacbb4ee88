"""The first sync: a real hub in a process of its own, over loopback, into the encrypted file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import plain
from bench.figures import Line, Series, Took, timed
from bench.plan import Plan
from bench.terminal import environment
from bench.world import CASE, NOW, USER, World, playbook_source, say
from desk.commands.session import DEMO_SECRET
from desk.hub.demo.build import PASSWORD, Parameters, build, database_url
from desk.services.desk import Desk


def measure(plan: Plan, world: World) -> list[Line]:
    """Snapshot and all, beside the same rows written by plain `sqlite3`."""
    folder = world.folder / "hub"
    say(f"making a hub with {plan.usual:,} leads".replace(",", " "))
    parameters = Parameters(case=CASE, leads=plan.usual)
    build(folder, parameters, playbook_source(), NOW, lambda _done, _total: None)
    own: list[Took] = []
    beside: list[Took] = []
    with _hub(folder) as url:
        for number in range(plan.syncs):
            with Desk.open(folder / f"desk{number}", DEMO_SECRET) as desk:
                desk.sign_in(url, USER, PASSWORD)
                own.append(timed(desk.sync_once))
                rows = plain.rows_of(desk)
            beside.append(plain.write(folder / f"plain{number}.db", rows))
    count = sum(len(values) for _, values in rows.values())
    return [
        Line(
            Series(f"first sync, {count} rows", own),
            plan.usual,
            Series("plain sqlite3, executemany", beside),
        )
    ]


@contextmanager
def _hub(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "desk", "hub", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--db", database_url(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    try:
        ready, _, url = process.stdout.readline().strip().partition(" ")
        if ready != "ready":
            raise RuntimeError("the hub did not start")
        yield url
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
