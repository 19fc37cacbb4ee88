"""A desk killed between any two statements: a restart converges, nothing acknowledged is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from desk.services import queue
from desk.services.desk import Desk
from tests.services.rooms import mirrored, open_desk

ROOT = Path(__file__).parents[2]
#: How many moments of the day a desk is killed at, spread evenly over its statements.
MOMENTS = 7

Sit = Callable[..., Desk]


def a_day(profile: Path, kill_at: int) -> list[tuple[str, str]]:
    """Work until the desk is killed; gives what was acknowledged."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.services.crash_run", str(profile), str(kill_at)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == (kill_at == 0), done.stderr
    lines = [line.partition(" ") for line in done.stdout.splitlines()]
    return [(what, value) for what, _, value in lines]


def test_nothing_acknowledged_is_lost_wherever_a_desk_is_killed(sit: Sit, tmp_path: Path) -> None:
    sit("operator1", place="killed").close()
    profile = tmp_path / "killed"
    whole = dict(a_day(profile, 0))
    steps = int(whole["steps"])
    assert steps > 100
    said: list[tuple[str, str]] = []
    for moment in range(1, MOMENTS + 1):
        said += a_day(profile, moment * steps // (MOMENTS + 1))
        with open_desk(profile) as desk:
            for what, value in said:
                if what == "draft":
                    assert desk.draft(value, "form") == {"need": value}
    with open_desk(profile) as desk:
        desk.sync_once()
        assert (desk.status().pending, desk.inbox()) == (0, [])
        with desk.context.store.read() as connection:
            assert queue.all_operations(connection) == []
            entries = {row[0] for row in connection.exec_driver_sql("SELECT comment FROM entry")}
        items = {row.item.id: row.item.title for row in desk.rows(kind="lead")}
        fresh = sit("operator1", place="fresh")
        assert mirrored(desk) == mirrored(fresh)
    made = [value for what, value in said if what == "made"]
    assert len(made) >= MOMENTS // 2
    assert set(made) <= set(items)
    commented = sum(what == "said" for what, _ in said)
    assert len({items[one] for one in made} & entries) >= commented
