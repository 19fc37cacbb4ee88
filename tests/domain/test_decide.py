"""Whatever is asked, the rulebook answers; and what it refuses can be shown to anybody."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.domain.clean import clean
from desk.domain.decide import settle
from desk.domain.effects import Outcome
from desk.domain.model import Item, ItemBefore, Undo, Value
from desk.domain.operations import (
    CloseTask,
    Comment,
    Create,
    EditFields,
    EditSubject,
    Intent,
    Move,
    Operation,
)
from desk.domain.refusals import SENTENCES, Conflict, Refusal, english
from tests.domain.world import FREIGHT, PEOPLE, World

replace = msgspec.structs.replace


def _code(answer: object) -> str:
    assert isinstance(answer, Refusal | Conflict), answer
    return answer.code


@pytest.fixture
def world() -> World:
    return World()


_hostile = st.sampled_from(["\x1b[31m", "\ud800", "а" * 100_000, "{0.__class__}", "{", "\x00", ""])
_words = st.sampled_from(["lead", "qualification", "junk_stage", "route_to", "phone", "name"])
_text = st.text(max_size=20) | _hostile | _words | st.sampled_from([name for name, _ in PEOPLE])
_values = (
    st.none() | st.booleans() | st.integers() | st.sampled_from([10**400, -(10**5000), 1e308])
    | st.floats() | _text | st.lists(_text, max_size=3)
)  # fmt: skip
_names = st.sampled_from([*FREIGHT.kinds["lead"].fields, *FREIGHT.subject_fields]) | _text
_fields = st.dictionaries(_names, _values, max_size=4)
_numbers = st.dictionaries(_names, st.integers(), max_size=3)
_transitions = st.sampled_from(
    sorted({one for kind in FREIGHT.kinds.values() for one in kind.transitions})
)


def _intents(item_ids: st.SearchStrategy[str]) -> st.SearchStrategy[Intent]:
    return st.one_of(
        st.builds(Create, kind=_text, title=_text, fields=_fields, subject=_fields),
        st.builds(
            Move,
            item_id=item_ids,
            transition=_transitions | _text,
            seen_stage=st.none() | _text,
            fields=_fields,
            comment=_text,
            to=st.none() | _text,
        ),
        st.builds(EditFields, item_id=item_ids, fields=_fields, base=_numbers, was=_fields),
        st.builds(EditSubject, item_id=item_ids, fields=_fields, base=_numbers, was=_fields),
        st.builds(Comment, item_id=item_ids, text=_text),
        st.builds(CloseTask, item_id=item_ids, task_id=_text, comment=_text),
    )


_HANDED = World()
_LEAD, _QUALIFICATION = _HANDED.handed()
_IDS = st.sampled_from([_LEAD.id, _QUALIFICATION.id]) | _text
_OPERATION_IDS = st.sampled_from(["019f0000-0000-7000-8000-0000000000aa", _LEAD.id]) | _text


@settings(max_examples=400)
@given(
    intent=_intents(_IDS),
    identifier=_OPERATION_IDS,
    at=st.integers(),
    who=st.sampled_from([name for name, _ in PEOPLE]),
    judge=st.sampled_from(["desk", "hub"]),
)
def test_any_operation_that_can_be_read_gets_an_answer_fit_to_be_shown(
    intent: Intent, identifier: str, at: int, who: str, judge: Any
) -> None:
    item_id = identifier if isinstance(intent, Create) else intent.item_id
    answer = settle(
        _HANDED.scene(item_id, judge),
        Operation(id=identifier, at=at, intent=intent),
        _HANDED.actor(who),
        FREIGHT,
        _HANDED.now,
    )

    if isinstance(answer, Outcome):
        msgspec.json.encode(answer)
        return
    assert answer.code in SENTENCES
    for value in answer.args.values():
        assert clean(value, 2000) == value
    assert english(answer.code, answer.args)


def test_an_operation_without_a_true_id_is_broken(world: World) -> None:
    operation = Operation(id="nonsense", at=0, intent=Create(kind="lead", title="Запрос"))

    answer = settle(
        world.scene("nonsense"), operation, world.actor("marketer1"), FREIGHT, world.now
    )

    assert _code(answer) == "broken_operation"


def test_an_english_sentence_comes_of_any_code_and_arguments() -> None:
    assert english("too_long", {"field": "name", "limit": "5"}).startswith("“name” is longer")
    assert english("too_long", {}) == SENTENCES["too_long"]
    assert english("of a newer hub {0.__class__} {", {}) == "of a newer hub {0.__class__} {"


def test_an_item_is_not_created_twice(world: World) -> None:
    lead = world.lead()
    operation = Operation(id=lead.id, at=0, intent=Create(kind="lead", title="Другой"))

    answer = settle(world.scene(lead.id), operation, world.actor("marketer2"), FREIGHT, world.now)

    assert _code(answer) == "exists_already"


def test_a_task_is_closed_on_its_own_card_only_and_once(world: World) -> None:
    lead, qualification = world.handed("sales1")
    (task,) = (one for one in world.tasks.values() if one.closed_at is None)

    elsewhere = world.ask("sales1", CloseTask(item_id=qualification.id, task_id=task.id))
    assert _code(elsewhere) == "no_task"

    world.do("sales1", CloseTask(item_id=lead.id, task_id=task.id))
    scene = replace(world.scene(lead.id), tasks=(world.tasks[task.id],))
    again = world.operation(CloseTask(item_id=lead.id, task_id=task.id))
    assert _code(settle(scene, again, world.actor("sales1"), FREIGHT, world.now)) == "no_task"


def test_another_persons_task_is_not_closed(world: World) -> None:
    lead, _ = world.handed("sales1")
    (task,) = (one for one in world.tasks.values() if one.closed_at is None)

    answer = world.ask("marketer2", CloseTask(item_id=lead.id, task_id=task.id))

    assert _code(answer) == "not_yours"


def test_a_comment_too_long_to_keep_is_refused_not_cut(world: World) -> None:
    lead = world.lead()

    answer = world.ask("marketer1", Comment(item_id=lead.id, text="а" * 4001))

    assert answer == Refusal("comment_too_long", {"limit": "4000"})
    assert world.do("marketer1", Comment(item_id=lead.id, text="а" * 4000))


@pytest.mark.parametrize("transition", ["return", "accept"])
def test_a_reason_too_long_to_keep_is_refused_not_cut(world: World, transition: str) -> None:
    _, qualification = world.handed("sales1")
    intent = Move(item_id=qualification.id, transition=transition, comment="а" * 4001)

    assert _code(world.ask("sales1", intent)) == "comment_too_long"


def test_a_task_with_too_long_a_result_stays_open(world: World) -> None:
    lead, _ = world.handed("sales1")
    (task,) = (one for one in world.tasks.values() if one.closed_at is None)
    intent = CloseTask(item_id=lead.id, task_id=task.id, comment="а" * 4001)

    assert _code(world.ask("sales1", intent)) == "comment_too_long"


def test_a_colleague_is_not_named_where_none_is_chosen(world: World) -> None:
    _, qualification = world.handed("sales1")

    intent = Move(item_id=qualification.id, transition="accept", to="sales2")

    assert _code(world.ask("sales1", intent)) == "nobody_to_choose"


def test_a_reason_filled_in_earlier_closes_the_card(world: World) -> None:
    lead = world.lead("operator1")
    world.do("operator1", EditFields(item_id=lead.id, fields={"junk_stage": "junk_spam"}))

    world.do("operator1", Move(item_id=lead.id, transition="junk"))

    assert world.items[lead.id].stage == "junk_spam"


def test_a_reason_that_the_playbook_no_longer_knows_closes_nothing(world: World) -> None:
    lead = world.lead("operator1")
    world.items[lead.id] = replace(lead, fields={"junk_stage": "junk_of_last_year"})

    assert world.ask("operator1", Move(item_id=lead.id, transition="junk")) == Refusal(
        "missing_fields", {"fields": "junk_stage"}
    )


def test_a_linked_card_is_not_moved_to_a_stage_that_is_gone(world: World) -> None:
    lead = world.lead()
    qualification = world.qualification(lead)
    world.items[qualification.id] = replace(
        qualification, fields={"junk_stage": "junk_of_last_year"}
    )

    answer = world.ask("marketer1", Move(item_id=qualification.id, transition="junk"))

    assert answer == Refusal("missing_fields", {"fields": "junk_stage"})


def test_nothing_goes_back_to_a_stage_that_is_gone(world: World) -> None:
    lead = _closed_lead(world)
    before = ItemBefore(id=lead.id, stage="of_last_year", responsible=None, shared_with=None)
    world.items[lead.id] = replace(lead, undo=Undo(at=world.now, items=(before,)))

    answer = world.ask("head", Move(item_id=lead.id, transition="reopen", comment="Ошибка"))

    assert _code(answer) == "nothing_to_reopen"


def test_a_relative_of_a_kind_that_is_gone_is_left_alone(world: World) -> None:
    lead = _closed_lead(world)
    relative = replace(
        lead, id="019f0000-0000-7000-8000-0000000000bb", kind="gone", parent_id=lead.id, due_at=5
    )
    world.items[relative.id] = relative
    undo = world.items[lead.id].undo
    assert undo
    world.items[lead.id] = replace(
        world.items[lead.id], undo=replace(undo, produced=(relative.id,))
    )

    world.do("head", Move(item_id=lead.id, transition="reopen", comment="Ошибка"))

    assert world.items[relative.id].stage == relative.stage


def _closed_lead(world: World) -> Item:
    lead = world.lead("operator1")
    intent = Move(item_id=lead.id, transition="junk", fields={"junk_stage": "junk_spam"})
    world.do("operator1", intent)
    return world.items[lead.id]


def test_an_unknown_role_can_do_nothing(world: World) -> None:
    lead = world.lead()
    stranger = replace(world.actor("marketer1"), role="stranger")
    for intent in (
        Create(kind="lead", title="Запрос"),
        Move(item_id=lead.id, transition="assign", to="marketer2"),
        EditFields(item_id=lead.id, fields={"company": "ООО"}),
        Comment(item_id=lead.id, text="Привет"),
    ):
        scene = world.scene(lead.id)
        answer = settle(scene, world.operation(intent), stranger, FREIGHT, world.now)
        assert _code(answer) in ("no_item", "role_may_not_create")


def test_who_sees_personal_data_masked_cannot_change_it(world: World) -> None:
    lead, qualification = world.handed("sales1")
    for who, item in (("sales1", lead), ("sales1", qualification), ("head", lead)):
        answer = world.ask(who, EditSubject(item_id=item.id, fields={"phone": "+79123456789"}))
        assert answer == Refusal("field_not_yours", {"field": "phone"})
        # Not even by sending back what is shown.
        masked = EditSubject(item_id=item.id, fields={"phone": "+7••••••••89"}, base={"phone": 9})
        assert _code(world.ask(who, masked)) == "field_not_yours"


@pytest.mark.parametrize("intent", [EditFields, EditSubject])
def test_an_edit_of_what_another_changed_since_is_a_conflict(world: World, intent: Any) -> None:
    lead = world.lead()
    name, mine, other = (
        ("route_to", "Пермь", "Омск") if intent is EditFields else ("name", "Пётр", "Павел")
    )
    seen = world.items[lead.id].version
    world.do("marketer1", intent(item_id=lead.id, fields={name: other}))

    stale = intent(item_id=lead.id, fields={name: mine}, base={name: seen}, was={})
    same = intent(item_id=lead.id, fields={name: other}, base={name: seen}, was={})
    another = intent(item_id=lead.id, fields=_other(intent), base=dict.fromkeys(_other(intent), 0))

    assert world.ask("marketer2", stale) == Conflict("field_conflict", {"fields": name}, (name,))
    assert isinstance(world.ask("marketer2", same), Outcome)
    merged = world.ask("marketer2", another)
    assert isinstance(merged, Outcome)
    assert merged.merged


def _other(intent: Any) -> dict[str, Value]:
    return {"route_from": "Москва"} if intent is EditFields else {"position": "Логист"}
