"""Many rows at once reach the desks like any others."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from desk.domain.model import Entry, Item, Subject, Task
from desk.domain.playbook_loader import load
from desk.hub.intake import Batch, Intake
from desk.schema import hub_tables as t
from tests.hub.hubs import FREIGHT, START, Hub

PLAYBOOK = load(FREIGHT, "freight.toml")


def batch(hub: Hub, count: int, stage: str = "new") -> Batch:
    subjects = [Subject(id=hub.new_id(), fields={"name": f"Анна {n}"}) for n in range(count)]
    items = [
        Item(
            id=hub.new_id(),
            kind="lead",
            stage=stage,
            title="ООО Вектор",
            created_at=START,
            updated_at=START,
            stage_since=START,
            subject_id=subject.id,
            fields={"source": "site", "weight_t": 2.5},
        )
        for subject in subjects
    ]
    return Batch(
        items=items,
        subjects=subjects,
        tasks=[
            Task(
                id=hub.new_id(),
                item_id=item.id,
                type="call_sales",
                title="",
                assignee="sales1",
                due_at=START,
                created_at=START,
            )
            for item in items
        ],
        entries=[Entry(id=hub.new_id(), item_id=one.id, at=START, who=None, event="create")
                 for one in items],
    )  # fmt: skip


def test_a_batch_is_pulled_whole_by_desks_that_run_already(hub: Hub) -> None:
    desk = hub.desk("operator1")
    desk.bootstrap()
    rows = batch(hub, 30)
    assert Intake(hub.database, PLAYBOOK).insert(rows) == 120
    desk.pull(limit=7)
    assert desk.rows["item"] == {item.id: item for item in rows.items}
    assert desk.rows["task"] == {task.id: task for task in rows.tasks}
    assert desk.rows == desk.fresh()


def test_rows_of_items_that_were_there_before_are_pulled_too(hub: Hub) -> None:
    desk = hub.desk("operator1")
    intake = Intake(hub.database, PLAYBOOK)
    rows = batch(hub, 2)
    intake.insert(Batch(items=rows.items, subjects=rows.subjects))
    desk.bootstrap()
    intake.insert(Batch(tasks=rows.tasks, entries=rows.entries))
    desk.pull()
    assert set(desk.rows["task"]) == {task.id for task in rows.tasks}
    assert desk.rows == desk.fresh()


def test_a_stage_that_the_playbook_does_not_know_is_refused(hub: Hub) -> None:
    with pytest.raises(ValueError, match="no stage"):
        Intake(hub.database, PLAYBOOK).insert(batch(hub, 1, stage="limbo"))


def test_a_batch_with_a_row_that_is_there_already_leaves_nothing(hub: Hub) -> None:
    intake = Intake(hub.database, PLAYBOOK)
    first, second = batch(hub, 1), batch(hub, 1)
    intake.insert(first)
    mixed = Batch(items=[*second.items, *first.items], subjects=second.subjects)
    with pytest.raises(IntegrityError):
        intake.insert(mixed)
    with hub.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(t.item)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(t.subject)).scalar_one() == 1
