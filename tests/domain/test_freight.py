"""The freight exchange's hand-off, told as people tell it."""

import msgspec
import pytest

from desk.domain.model import Person, Value
from desk.domain.operations import CloseTask, Comment, Create, EditFields, Move
from desk.domain.refusals import Conflict, Refusal
from desk.domain.transitions import possible
from tests.domain.world import FREIGHT, World

TARGET = {"target_direction": "ftl", "monthly_volume": 12}


@pytest.fixture
def world() -> World:
    return World()


def test_a_lead_of_a_marketing_manager_gets_a_qualification_with_its_fields(world: World) -> None:
    lead = world.lead(source="site", route_from="Москва", utm_campaign="autumn")

    qualification = world.qualification(lead)

    assert qualification.stage == "new"
    assert (qualification.responsible, qualification.owner) == ("marketer1", "marketer1")
    assert qualification.fields["route_from"] == "Москва"
    assert qualification.subject_id == world.items[lead.id].subject_id
    assert world.items[lead.id].owner == "marketer1"
    assert [(t.event, t.owner, t.campaign) for t in world.tallies] == [
        ("arrived", "marketer1", "autumn")
    ]


def test_a_lead_gets_its_qualification_when_a_marketing_manager_becomes_responsible(
    world: World,
) -> None:
    lead = world.lead("operator1")
    assert [item.kind for item in world.items.values()] == ["lead"]

    world.do("operator1", Move(item_id=lead.id, transition="assign", to="marketer2"))

    assert world.qualification(lead).responsible == "marketer2"


def test_an_operator_cannot_assign_a_lead_to_sales(world: World) -> None:
    lead = world.lead("operator1")

    refusal = world.ask("operator1", Move(item_id=lead.id, transition="assign", to="sales1"))

    assert isinstance(refusal, Refusal)
    assert refusal.code == "user_wrong_role"


def test_a_hand_off_gives_the_qualification_to_sales_and_plans_a_call_in_the_lead(
    world: World,
) -> None:
    lead, qualification = world.handed("sales2")

    assert (qualification.stage, qualification.responsible) == ("handed", "sales2")
    assert (lead.responsible, lead.shared_with) == ("marketer1", "sales2")
    assert world.open_calls(lead.id) == [("call_sales", "sales2")]
    assert world.items[lead.id].due_at is not None
    assert qualification.round == 1


def test_the_hub_chooses_the_least_loaded_sales_manager_who_is_present(world: World) -> None:
    world.handed("sales1")
    lead = world.lead()
    world.do("marketer1", Move(item_id=world.qualification(lead).id, transition="hand_off"))
    assert world.qualification(lead).responsible == "sales2"


def test_nobody_absent_is_chosen_and_the_refusal_says_so(world: World) -> None:
    for name in ("sales1", "sales2"):
        world.people[name] = _away(world, name)
    lead = world.lead()

    refusal = world.ask(
        "marketer1", Move(item_id=world.qualification(lead).id, transition="hand_off")
    )

    assert isinstance(refusal, Refusal)
    assert refusal.code == "nobody_present"


def test_the_previous_sales_manager_gets_it_back_first_if_present(world: World) -> None:
    _, qualification = world.handed("sales2")
    world.do("sales2", Move(item_id=qualification.id, transition="return", comment="Нет веса"))
    for _ in range(3):
        world.handed("sales2")

    world.do("marketer1", Move(item_id=qualification.id, transition="hand_off"))
    assert world.items[qualification.id].responsible == "sales2"

    world.do("sales2", Move(item_id=qualification.id, transition="return", comment="Всё ещё нет"))
    world.people["sales2"] = _away(world, "sales2")
    world.do("marketer1", Move(item_id=qualification.id, transition="hand_off"))
    assert world.items[qualification.id].responsible == "sales1"
    assert world.items[qualification.id].round == 3


def test_a_return_needs_a_reason(world: World) -> None:
    _, qualification = world.handed()
    for empty in ("", "   ", "\n"):
        refusal = world.ask(
            "sales1", Move(item_id=qualification.id, transition="return", comment=empty)
        )
        assert isinstance(refusal, Refusal)
        assert refusal.code == "comment_required"


def test_a_return_goes_back_with_its_reason_on_both_timelines_and_a_call_for_the_marketer(
    world: World,
) -> None:
    lead, qualification = world.handed()

    world.do("sales1", Move(item_id=qualification.id, transition="return", comment="Нет телефона"))

    assert world.items[qualification.id].responsible == "marketer1"
    assert world.items[lead.id].shared_with is None
    assert world.open_calls(lead.id) == [("call_marketer", "marketer1")]
    reasons = {(e.item_id, e.event) for e in world.entries if e.comment == "Нет телефона"}
    assert reasons == {(qualification.id, "return"), (lead.id, "qualification.return")}


def test_an_accepted_lead_is_in_work_with_sales_and_counts_for_the_marketer(world: World) -> None:
    lead, qualification = world.handed()

    world.do("sales1", Move(item_id=qualification.id, transition="accept"))

    assert world.items[qualification.id].stage == "accepted"
    assert world.items[qualification.id].responsible == "marketer1"
    assert (world.items[lead.id].stage, world.items[lead.id].responsible) == ("in_work", "sales1")
    assert world.counted("accepted", "marketer1") == 1


def test_only_the_sales_manager_it_was_handed_to_accepts(world: World) -> None:
    _, qualification = world.handed("sales1")

    assert world.ask("sales2", Move(item_id=qualification.id, transition="accept")) == Refusal(
        "no_item"
    )
    refusal = world.ask("marketer1", Move(item_id=qualification.id, transition="accept"))
    assert refusal == Refusal("role_may_not", {"transition": "accept"})


def test_a_target_lead_needs_its_direction_and_becomes_deal_contact_and_company(
    world: World,
) -> None:
    lead = world.lead(company="ООО «Вектор»")
    qualification = world.qualification(lead)
    assert world.ask("marketer1", Move(item_id=qualification.id, transition="target")) == Refusal(
        "missing_fields", {"fields": "target_direction, monthly_volume"}
    )

    world.do("marketer1", Move(item_id=qualification.id, transition="target", fields=TARGET))

    assert world.items[lead.id].stage == "won"
    made = {i.kind: i for i in world.items.values() if i.kind in ("deal", "contact", "company")}
    assert set(made) == {"deal", "contact", "company"}
    assert made["deal"].fields["monthly_volume"] == 12
    assert made["company"].title == "ООО «Вектор»"
    assert {one.subject_id for one in made.values()} == {world.items[lead.id].subject_id}


def test_junk_closes_the_lead_with_the_same_reason(world: World) -> None:
    lead = world.lead()
    qualification = world.qualification(lead)

    world.do(
        "marketer1",
        Move(item_id=qualification.id, transition="junk", fields={"junk_stage": "junk_spam"}),
    )

    assert world.items[qualification.id].stage == "junk"
    assert world.items[lead.id].stage == "junk_spam"


def test_junk_needs_a_stage_that_exists(world: World) -> None:
    qualification = world.qualification(world.lead())
    attempts: list[dict[str, Value]] = [{}, {"junk_stage": "won"}, {"junk_stage": "nonsense"}]
    for fields in attempts:
        refusal = world.ask(
            "marketer1", Move(item_id=qualification.id, transition="junk", fields=fields)
        )
        assert isinstance(refusal, Refusal)
        assert refusal.code in ("missing_fields", "not_a_choice")


def test_the_head_takes_an_acceptance_back_while_nobody_has_worked_on_it(world: World) -> None:
    lead, qualification = world.handed()
    world.do("sales1", Move(item_id=qualification.id, transition="accept"))

    world.do("head", Move(item_id=qualification.id, transition="reopen", comment="Ошибка"))

    again, restored = world.items[lead.id], world.items[qualification.id]
    assert (restored.stage, restored.responsible) == ("handed", "sales1")
    assert (again.stage, again.responsible, again.shared_with) == ("new", "marketer1", "sales1")
    assert world.counted("accepted", "marketer1") == 0


def test_reopening_a_target_lead_withdraws_what_it_produced(world: World) -> None:
    lead = world.lead(company="ООО «Вектор»")
    qualification = world.qualification(lead)
    world.do("marketer1", Move(item_id=qualification.id, transition="target", fields=TARGET))

    world.do("head", Move(item_id=qualification.id, transition="reopen", comment="Рано"))

    assert world.items[lead.id].stage == "new"
    made = [i for i in world.items.values() if i.kind in ("deal", "contact", "company")]
    assert {item.stage for item in made} == {"withdrawn"}
    assert world.counted("target", "marketer1") == 0


def test_what_somebody_has_worked_on_is_not_reopened(world: World) -> None:
    lead, qualification = world.handed()
    world.do("sales1", Move(item_id=qualification.id, transition="accept"))
    world.do("sales1", Comment(item_id=lead.id, text="Договорились на вторник"))

    refusal = world.ask(
        "head", Move(item_id=qualification.id, transition="reopen", comment="Ошибка")
    )

    assert refusal == Refusal("worked_on")


def test_only_the_head_reopens_and_says_why(world: World) -> None:
    _, qualification = world.handed()
    world.do("sales1", Move(item_id=qualification.id, transition="accept"))

    assert world.ask(
        "marketer1", Move(item_id=qualification.id, transition="reopen", comment="Надо")
    ) == Refusal("role_may_not", {"transition": "reopen"})
    assert world.ask("head", Move(item_id=qualification.id, transition="reopen")) == Refusal(
        "comment_required"
    )


def test_a_lead_being_qualified_is_not_closed_behind_the_marketers_back(world: World) -> None:
    lead, _ = world.handed()

    refusal = world.ask(
        "head", Move(item_id=lead.id, transition="junk", fields={"junk_stage": "junk_spam"})
    )

    assert isinstance(refusal, Refusal)
    assert refusal.code == "guard"


def test_a_stale_card_is_a_conflict_not_a_second_move(world: World) -> None:
    _, qualification = world.handed()

    conflict = world.ask(
        "head", Move(item_id=qualification.id, transition="accept", seen_stage="new")
    )

    assert conflict == Conflict("stale", {"stage": "handed"}, ("stage",))


def test_edits_of_different_fields_merge_and_of_the_same_field_conflict(world: World) -> None:
    lead = world.lead(route_from="Москва", route_to="Казань")
    seen = world.items[lead.id]
    world.do("marketer1", EditFields(item_id=lead.id, fields={"route_to": "Пермь"}))

    merged = world.do(
        "marketer2",
        EditFields(
            item_id=lead.id, fields={"route_from": "Тверь"}, base={"route_from": seen.version}
        ),
    )
    conflict = world.ask(
        "marketer2",
        EditFields(
            item_id=lead.id,
            fields={"route_to": "Омск"},
            base={"route_to": seen.version},
            was={"route_to": "Казань"},
        ),
    )

    assert merged.merged
    assert conflict == Conflict("field_conflict", {"fields": "route_to"}, ("route_to",))
    assert world.items[lead.id].fields["route_to"] == "Пермь"


def test_ones_own_earlier_edit_of_the_same_field_is_no_conflict(world: World) -> None:
    lead = world.lead(route_to="Казань")
    seen = world.items[lead.id].version
    for was, new in (("Казань", "Пермь"), ("Пермь", "Омск")):
        world.do(
            "marketer1",
            EditFields(
                item_id=lead.id,
                fields={"route_to": new},
                base={"route_to": seen},
                was={"route_to": was},
            ),
        )
    assert world.items[lead.id].fields["route_to"] == "Омск"


def test_sales_may_not_change_what_it_does_not_see(world: World) -> None:
    lead, _ = world.handed("sales1")

    refusal = world.ask("sales1", EditFields(item_id=lead.id, fields={"utm_source": "mine"}))

    assert refusal == Refusal("field_not_yours", {"field": "utm_source"})


def test_a_planned_call_is_closed_by_whom_it_was_given_to(world: World) -> None:
    lead, _ = world.handed("sales1")
    (task,) = (t for t in world.tasks.values() if t.item_id == lead.id)

    world.do("sales1", CloseTask(item_id=lead.id, task_id=task.id, comment="Дозвонился"))

    assert world.open_calls(lead.id) == []
    assert world.items[lead.id].due_at is None
    assert world.ask("sales1", CloseTask(item_id=lead.id, task_id=task.id)) == Refusal("no_task")


def test_points_follow_the_fields(world: World) -> None:
    lead = world.lead(source="site")
    assert lead.score == 30
    world.do("marketer1", EditFields(item_id=lead.id, fields={"weight_t": 20, "source": "vk_ads"}))
    assert world.items[lead.id].score == 20


def test_a_card_offers_what_is_possible_and_says_why_the_rest_is_not(world: World) -> None:
    _, qualification = world.handed("sales1")

    offered = possible(world.scene(qualification.id), world.actor("sales1"), FREIGHT, world.now)

    refusals = {one.transition.id: one.refusal and one.refusal.code for one in offered}
    assert refusals["accept"] is None
    assert refusals["return"] is None
    assert refusals["hand_off"] == "role_may_not"


def test_an_unknown_transition_names_the_possible_ones(world: World) -> None:
    _, qualification = world.handed("sales1")
    refusal = world.ask("sales1", Move(item_id=qualification.id, transition="approve"))
    assert refusal == Refusal(
        "unknown_transition", {"transition": "approve", "possible": "return, accept"}
    )


def test_a_lead_is_created_by_who_may_with_personal_data_apart(world: World) -> None:
    intent = Create(
        kind="lead", title="Тула — Орёл", subject={"name": "Пётр", "phone": "8 912 345-67-89"}
    )
    assert world.ask("sales1", intent) == Refusal("role_may_not_create")

    outcome = world.do("operator1", intent)

    (subject,) = outcome.subjects
    assert subject.fields == {"name": "Пётр", "phone": "+79123456789"}
    assert "Пётр" not in str(outcome.items)


def _away(world: World, name: str) -> Person:
    return msgspec.structs.replace(world.people[name], present=False)
