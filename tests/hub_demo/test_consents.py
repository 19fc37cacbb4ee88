"""The demo's registry: consents and withdrawals, requests with near deadlines, one incident."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from desk.hub.database import Database
from desk.hub.demo.build import Parameters, build, database_url
from desk.resources import playbooks_dir
from desk.schema import hub_tables as t

NOW = 1_790_000_000_000
FREIGHT = (playbooks_dir() / "freight.toml").read_text(encoding="utf-8")


def test_the_officer_of_a_demo_has_something_to_do(tmp_path: Path) -> None:
    build(tmp_path, Parameters(leads=60), FREIGHT, NOW, lambda _done, _of: None)
    with Database(database_url(tmp_path)) as database, database.read() as connection:
        given = select(t.consent.c.purpose, func.count(t.consent.c.withdrawn_at))
        purposes = dict(connection.execute(given.group_by(t.consent.c.purpose)).all())
        due = select(t.pd_request.c.due_at).where(t.pd_request.c.ground == "request")
        deadlines = connection.execute(due).scalars().all()
        stages = select(func.count()).where(t.subject.c.stage == "erasure_requested")
        assert connection.execute(stages).scalar_one() == len(deadlines) > 0
        assert connection.execute(select(func.count(t.incident.c.id))).scalar_one() == 1
    assert set(purposes) == {"processing", "calls", "mailing"}
    assert min(deadlines) - NOW < 20 * 86_400_000
