"""What builds on what: kept from being tried alone, and asked for again together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from desk.domain.operations import CloseTask, Comment, Create, EditFields, EditSubject, Intent, Move
from desk.services import queue
from desk.services.desk import Desk
from desk.services.errors import Refused
from tests.services.rooms import a_lead, a_page, a_qualification, a_subject, an_id, furnish
from tests.services.wires import FaultyWire, answer

Sit = Callable[..., Desk]
LEAD = a_lead(1)
CARD = a_qualification(101, LEAD, stage="new")


@pytest.fixture
def wire() -> FaultyWire:
    return FaultyWire()


def after(desk: Desk, *intents: Intent) -> list[list[int]]:
    """For each intent, the places of those before it that it builds on."""
    ids = [desk.do(intent).operation_id for intent in intents]
    with desk.context.store.read() as connection:
        queued = {one.id: one for one in queue.all_operations(connection)}
    return [[ids.index(one) for one in queued[identifier].after] for identifier in ids]


@pytest.mark.parametrize(
    ("intents", "expected"),
    [
        ([Comment(item_id=CARD.id, text="1"), Comment(item_id=CARD.id, text="2")], [[], []]),
        ([Move(item_id=CARD.id, transition="start"), Comment(item_id=CARD.id, text="x")], [[], []]),
        (
            [
                Move(item_id=CARD.id, transition="start"),
                Move(item_id=CARD.id, transition="hand_off", to="sales1"),
            ],
            [[], [0]],
        ),
        (
            [
                EditFields(item_id=CARD.id, fields={"need": "лес"}),
                EditFields(item_id=CARD.id, fields={"next_step": "звонок"}),
                EditFields(item_id=CARD.id, fields={"need": "щебень"}),
                Move(item_id=CARD.id, transition="start"),
            ],
            [[], [], [0], [0, 1, 2]],
        ),
        (
            [
                EditSubject(item_id=CARD.id, fields={"name": "Анна"}),
                EditFields(item_id=CARD.id, fields={"need": "лес"}),
                EditSubject(item_id=CARD.id, fields={"name": "Анна Белова"}),
            ],
            [[], [], [0]],
        ),
        (
            [
                EditFields(item_id=LEAD.id, fields={"route_to": "Омск"}),
                Move(item_id=CARD.id, transition="start"),
            ],
            [[], []],
        ),
    ],
)
def test_a_step_builds_on_what_it_would_mean_something_else_without(
    desk: Desk, intents: Sequence[Intent], expected: list[list[int]]
) -> None:
    furnish(desk, a_page(items=[LEAD, CARD], subjects=[a_subject(LEAD)]))
    assert after(desk, *intents) == expected


def test_everything_on_a_card_builds_on_its_making(desk: Desk) -> None:
    furnish(desk, user="operator1")
    made = desk.do(Create(kind="lead", title="Новый", subject={"name": "Анна"}))
    item = made.item_ids[0]
    for intent in (
        Comment(item_id=item, text="x"),
        EditFields(item_id=item, fields={"route_to": "Омск"}),
        EditSubject(item_id=item, fields={"position": "логист"}),
        Move(item_id=item, transition="assign", to="marketer1"),
    ):
        desk.do(intent)
    with desk.context.store.read() as connection:
        queued = queue.all_operations(connection)
    assert all(made.operation_id in one.after for one in queued[1:])


def test_a_task_that_a_waiting_step_planned_builds_on_the_step(desk: Desk) -> None:
    furnish(desk, a_page(items=[LEAD, CARD], subjects=[a_subject(LEAD)]))
    handed = desk.do(Move(item_id=CARD.id, transition="hand_off", to="sales1"))
    task = next(one for one in desk.card(LEAD.id).tasks if one.closed_at is None)
    with pytest.raises(Refused):
        desk.do(CloseTask(item_id=CARD.id, task_id=an_id(7)))
    furnish(desk, user="sales1")
    done = desk.do(CloseTask(item_id=LEAD.id, task_id=task.id))
    with desk.context.store.read() as connection:
        last = queue.all_operations(connection)[-1]
    assert (last.id, last.after) == (done.operation_id, (handed.operation_id,))


def test_a_refused_step_and_what_builds_on_it_are_asked_for_again_together(
    sit: Sit, wire: FaultyWire
) -> None:
    """A new card was refused; retried, it and all that was done with it come to be."""
    desk = sit("operator1", transport=wire)
    made = desk.do(Create(kind="lead", title="Отклонён"))
    item = made.item_ids[0]
    edited = desk.do(EditFields(item_id=item, fields={"route_to": "Омск"}))
    said = desk.do(Comment(item_id=item, text="важно"))
    other = desk.do(Create(kind="lead", title="Другой")).item_ids[0]
    results = [
        {"number": 1, "id": made.operation_id, "result": "rejected", "code": "empty_title"},
        {"number": 2, "id": edited.operation_id, "result": "blocked", "code": "blocked"},
        {"number": 3, "id": said.operation_id, "result": "blocked", "code": "blocked"},
    ]
    fourth = {"number": 4, "id": other, "result": "applied"}
    # The real hub knows of none of them: one that had answered four would have forgotten them.
    body = {"results": [*results, fourth], "last_op": 0}
    wire.faults["/v1/operations"] = [answer(200, body)]
    report = desk.sync_once()
    assert (report.applied, report.rejected) == (1, 3)
    first, *blocked = desk.inbox()
    assert [(one.result, one.after) for one in blocked] == [("blocked", first.id)] * 2
    retried = desk.retry(first.id)
    assert desk.inbox() == []
    again = retried.item_ids[0]
    assert desk.card(again).item.fields == {"route_to": "Омск"}
    assert desk.card(again).entries[-1].comment == "важно"


def test_what_cannot_be_asked_for_again_stays_in_the_inbox(sit: Sit, wire: FaultyWire) -> None:
    desk = sit("operator1", transport=wire)
    made = desk.do(Create(kind="lead", title="Основа"))
    item = made.item_ids[0]
    desk.sync_once()
    edited = desk.do(EditFields(item_id=item, fields={"route_to": "Омск"}))
    moved = desk.do(Move(item_id=item, transition="assign", to="marketer1"))
    results = [
        {"number": 2, "id": edited.operation_id, "result": "rejected", "code": "field_not_yours"},
        {"number": 3, "id": moved.operation_id, "result": "blocked", "code": "blocked"},
    ]
    wire.faults["/v1/operations"] = [answer(200, {"results": results, "last_op": 3})]
    desk.sync_once()
    rejected, blocked = desk.inbox()
    # Somebody else assigns it meanwhile, so the step is not possible any more.
    head = sit("head")
    head.do(Move(item_id=item, transition="assign", to="marketer2"))
    head.sync_once()
    wire.faults["/v1/operations"] = []
    desk.sync_once()
    desk.retry(rejected.id)
    assert [one.id for one in desk.inbox()] == [blocked.id]
    assert desk.card(item).item.fields == {"route_to": "Омск"}
    with pytest.raises(Refused):
        desk.retry(blocked.id)
    assert [one.id for one in desk.inbox()] == [blocked.id]
