"""Lists, counts, search, and what a card holds."""

from __future__ import annotations

import pytest

from desk.domain.model import Entry, Task, Value
from desk.domain.operations import Comment, Create, EditFields
from desk.services import queue
from desk.services.desk import Desk
from desk.services.errors import BadCondition, DeskError, Refused, UnknownColumn, UnknownKind
from tests.services.rooms import NOW, a_lead, a_page, a_qualification, a_subject, an_id, furnish

LEADS = [
    a_lead(1, score=30, fields={"source": "site", "weight_t": 20}),
    a_lead(2, score=10, fields={"source": "phone", "weight_t": 1.5}, responsible="marketer2"),
    a_lead(3, score=20, fields={"source": "site"}, stage="new", responsible=None),
]
ITEM = a_qualification(9, LEADS[0])
SUBJECTS = [
    a_subject(LEADS[0], name="Иванов Пётр", phone="+79123456789", email="petr@example.com"),
    a_subject(LEADS[1], name="O'Brien", phone="+74951112233"),
]


@pytest.fixture
def full(desk: Desk) -> Desk:
    tasks = [
        Task(
            id=an_id(50),
            item_id=ITEM.id,
            type="call",
            title="Позвонить",
            assignee="marketer1",
            due_at=NOW + 5,
            created_at=NOW,
        ),
        Task(
            id=an_id(51),
            item_id=ITEM.id,
            type="call",
            title="Раньше",
            assignee="marketer1",
            due_at=NOW + 1,
            created_at=NOW,
        ),
        Task(
            id=an_id(52),
            item_id=ITEM.id,
            type="call",
            title="Сделано",
            assignee="marketer1",
            due_at=NOW,
            created_at=NOW,
            closed_at=NOW,
            closed_by="marketer1",
        ),
    ]
    entries = [
        Entry(id=an_id(60), item_id=ITEM.id, at=NOW + 2, who="marketer1", event="comment"),
        Entry(id=an_id(61), item_id=ITEM.id, at=NOW + 1, who=None, event="create"),
    ]
    furnish(desk, a_page(items=[*LEADS, ITEM], subjects=SUBJECTS, tasks=tasks, entries=entries))
    return desk


def numbers(desk: Desk, **how: object) -> list[int]:
    return [int(row.item.id[-12:]) for row in desk.rows(**how)]  # pyright: ignore[reportArgumentType]


def test_rows_are_the_newest_first_unless_sorted_otherwise(full: Desk) -> None:
    assert numbers(full, kind="lead") == [3, 2, 1]
    assert numbers(full, kind="lead", sort="score") == [2, 3, 1]
    assert numbers(full, kind="lead", sort="-score") == [1, 3, 2]
    assert numbers(full, kind="lead", sort="-weight_t") == [1, 2, 3]
    assert numbers(full, kind="lead", limit=2) == [3, 2]
    assert numbers(full, kind="lead", limit=0) == []


def test_filters_speak_of_columns_and_fields_and_of_me(full: Desk) -> None:
    assert numbers(full, kind="lead", filter="responsible = me") == [1]
    assert numbers(full, kind="lead", filter="responsible is empty") == [3]
    assert numbers(full, kind="lead", filter="weight_t > 1 and weight_t < 10") == [2]
    assert numbers(full, kind="lead", filter='source = "site" and score >= 20') == [3, 1]
    assert numbers(full, filter='kind = "qualification"') == [9]
    assert numbers(full, kind="lead", filter="  ") == [3, 2, 1]


def test_rows_come_whole(full: Desk) -> None:
    assert [row.item for row in full.rows(kind="lead", sort="created_at")] == LEADS


def test_counting_is_whole_or_by_a_column_or_a_field(full: Desk) -> None:
    assert full.count() == 4
    assert full.count(kind="lead", filter="score < 25") == 2
    assert full.count(kind="lead", by="source") == {"site": 2, "phone": 1}
    assert full.count(kind="lead", by="stage") == {"in_work": 2, "new": 1}
    assert full.count(kind="lead", by="responsible") == {"": 1, "marketer1": 1, "marketer2": 1}
    assert full.count(kind="lead", by="weight_t") == {"": 1, "1.5": 1, "20": 1}


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ({"filter": "scroe > 5"}, BadCondition, "score"),
        ({"filter": "score >"}, BadCondition, "character"),
        ({"sort": "colour"}, UnknownColumn, "colour"),
        ({"kind": "visit"}, UnknownKind, "qualification"),
        ({"kind": "lead", "sort": "-fields"}, UnknownColumn, "fields"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_mend(
    full: Desk, how: dict[str, str], error: type[DeskError], said: str
) -> None:
    with pytest.raises(error) as raised:
        full.rows(**how)  # pyright: ignore[reportArgumentType]
    assert said in str(raised.value)


def test_a_card_has_its_tasks_timeline_family_and_what_is_possible(full: Desk) -> None:
    card = full.card(ITEM.id)
    assert card.item == ITEM
    assert card.subject == SUBJECTS[0]
    assert [task.title for task in card.tasks] == ["Раньше", "Позвонить", "Сделано"]
    assert [entry.event for entry in card.entries] == ["create", "comment"]
    assert card.linked == (LEADS[0],)
    assert not card.pending
    possible = {one.transition.id: one.refusal for one in card.possible}
    assert possible["hand_off"] is None
    assert possible["start"] is not None


def test_a_card_that_is_not_there_is_refused(full: Desk) -> None:
    with pytest.raises(Refused) as raised:
        full.card(an_id(77))
    assert raised.value.refusal.code == "no_item"


@pytest.mark.parametrize(
    "text", ["иванов", "ПЁТР", "petr@", "+7 912 345", "8 912 345-67-89", "3456789", "lead 1"]
)
def test_a_card_is_found_by_what_one_remembers(full: Desk, text: str) -> None:
    assert LEADS[0].id in [row.item.id for row in full.find(text)]
    assert LEADS[1].id not in [row.item.id for row in full.find(text)]


@pytest.mark.parametrize("text", ["", "и", "name", "phone", "никого нет"])
def test_nothing_is_found_by_too_little_or_by_the_names_of_fields(full: Desk, text: str) -> None:
    assert full.find(text) == []


def test_quotes_and_percent_signs_are_only_letters(full: Desk) -> None:
    assert [row.item.id for row in full.find("o'brien")] == [LEADS[1].id]
    assert full.find("%%") == []


def test_the_newest_are_found_first_and_not_more_than_asked(full: Desk) -> None:
    assert [int(row.item.id[-12:]) for row in full.find("lead", limit=2)] == [3, 2]


def test_what_waits_is_pending_on_its_card_and_in_lists(full: Desk) -> None:
    done = full.do(Comment(item_id=LEADS[0].id, text="спросить"))
    assert done.item_ids[0] == LEADS[0].id
    assert {row.item.id: row.pending for row in full.rows(kind="lead")} == {
        LEADS[0].id: True,
        LEADS[1].id: False,
        LEADS[2].id: False,
    }


def test_what_the_person_saw_is_sent_with_an_edit(full: Desk) -> None:
    lead = LEADS[0].id
    full.do(EditFields(item_id=lead, fields={"request": "лес"}))
    full.do(EditFields(item_id=lead, fields={"request": "щебень"}, base={"request": 9}))
    with full.context.store.read() as connection:
        first, second = (one.intent for one in queue.all_operations(connection))
    assert isinstance(first, EditFields)
    assert isinstance(second, EditFields)
    assert (first.base, first.was) == ({"request": 1}, {"request": None})
    assert (second.base, second.was) == ({"request": 1}, {"request": "лес"})


def test_a_new_card_is_there_at_once_with_its_person(full: Desk) -> None:
    person: dict[str, Value] = {"name": "Новый Человек", "phone": "8 (912) 000-00-01"}
    done = full.do(Create(kind="lead", title="Новый", subject=person))
    card = full.card(done.item_ids[0])
    assert card.subject is not None
    assert card.subject.fields["phone"] == "+79120000001"
    assert full.items() == 5
    assert [row.item.id for row in full.find("Новый Человек")] == [card.item.id]


def test_drafts_are_kept_apart_by_item_and_form(full: Desk) -> None:
    full.save_draft("one", "hand_off", {"comment": "прив"})
    full.save_draft("one", "hand_off", {"comment": "привет"})
    full.save_draft("one", "return", {"comment": "нет"})
    assert full.draft("one", "hand_off") == {"comment": "привет"}
    assert full.draft("two", "hand_off") == {}
    assert [(one.item_id, one.form) for one in full.drafts()] == [
        ("one", "return"),
        ("one", "hand_off"),
    ]
    full.drop_draft("one", "hand_off")
    assert full.draft("one", "hand_off") == {}
    assert full.draft("one", "return") == {"comment": "нет"}
