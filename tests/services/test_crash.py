"""A desk killed between any two statements: a restart converges, nothing acknowledged is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from desk.domain.model import Value
from desk.domain.operations import Create, EditFields, Move
from desk.hub.database import Database
from desk.schema import hub_tables
from desk.services import queue
from desk.services.desk import Desk
from tests.hub_process import HubProcess
from tests.services.rooms import mirrored, open_desk
from tests.services.test_secrecy import decrypted

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


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    """A hub of its own: its cards come and go."""
    process = HubProcess(tmp_path).start()
    yield process
    process.kill()


class Others:
    """Colleagues, who edit the card that the killed desk edits, and take others out of its
    sight."""

    def __init__(self, head: Desk) -> None:
        self.head = head
        self.shared = head.do(Create(kind="lead", title="Общий")).operation_id
        self.leaving = ""
        self.gone: list[str] = []

    def work(self, moment: int) -> None:
        head = self.head
        head.sync_once()
        head.do(EditFields(item_id=self.shared, fields={"request": f"theirs {moment}"}))
        if self.leaving:
            fields: dict[str, Value] = {"junk_stage": "junk_spam"}
            head.do(Move(item_id=self.leaving, transition="junk", fields=fields))
            self.gone.append(f"leaves-{moment - 1}-")
        title = f"leaves-{moment}-"
        self.leaving = head.do(Create(kind="lead", title=title)).operation_id
        head.sync_once()
        assert head.inbox() == []


def test_nothing_acknowledged_is_lost_wherever_a_desk_is_killed(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    others = Others(sit("head"))
    others.work(0)
    sit("operator1", place="killed").close()
    profile = tmp_path / "killed"
    others.work(1)
    whole = dict(a_day(profile, 0))
    steps = int(whole["steps"])
    assert steps > 100
    said: list[tuple[str, str]] = []
    for moment in range(1, MOMENTS + 1):
        others.work(moment + 1)
        said += a_day(profile, moment * steps // (MOMENTS + 1))
        with open_desk(profile) as desk:
            for what, value in said:
                if what == "draft":
                    assert desk.draft(value, "form") == {"need": value}
    others.head.sync_once()
    with open_desk(profile) as desk:
        desk.sync_once()
        desk.sync_once()
        assert desk.status().pending == 0
        with desk.context.store.read() as connection:
            assert queue.all_operations(connection) == []
            entries = {row[0] for row in connection.exec_driver_sql("SELECT comment FROM entry")}
        items = {row.item.id: row.item.title for row in desk.rows(kind="lead")}
        fresh = sit("operator1", place="fresh")
        assert mirrored(desk) == mirrored(fresh)
        content = decrypted(desk)
    assert all(title.encode() not in content for title in others.gone)
    made = [value for what, value in said if what == "made"]
    assert len(made) >= MOMENTS // 2
    assert set(made) <= set(items)
    commented = sum(what == "said" for what, _ in said)
    assert len({items[one] for one in made} & entries) >= commented
    edited = {value for what, value in said if what == "edited"}
    with Database(hub.db_url) as database, database.read() as connection:
        judged = set(connection.execute(select(hub_tables.operation.c.id)).scalars())
    assert edited
    assert edited <= judged
