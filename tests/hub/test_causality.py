"""What builds on something that was not carried out waits with it; conflicts say who was first."""

from __future__ import annotations

import msgspec

from desk.domain.operations import SCHEMA, Comment, EditFields
from desk.hub.upgrades import upgraded
from desk.protocol.messages import Changed, Numbered, Pushed
from tests.hub.hubs import Desk, Hub, move, new_lead, qualification, read


def following(desk: Desk, numbered: Numbered, *after: Numbered) -> Numbered:
    """The same operation, building on others."""
    ids = tuple(one.operation.id for one in after)
    operation = msgspec.structs.replace(numbered.operation, after=ids)
    return msgspec.structs.replace(numbered, operation=operation)


def test_what_builds_on_a_rejected_operation_is_blocked_and_the_others_go_on(hub: Hub) -> None:
    desk = hub.desk("operator1")
    rejected = desk.operation(new_lead(title=""))
    child = following(desk, desk.operation(Comment(item_id=hub.new_id(), text="к нему")), rejected)
    grandchild = following(desk, desk.operation(new_lead()), child)
    other = desk.operation(new_lead())
    pushed = read(desk.send(rejected, child, grandchild, other), Pushed)
    assert [one.result for one in pushed.results] == ["rejected", "blocked", "blocked", "applied"]
    assert [one.code for one in pushed.results[1:3]] == ["blocked", "blocked"]
    assert read(desk.send(rejected, child, grandchild, other), Pushed) == pushed


def test_what_builds_on_an_operation_that_was_done_is_done(hub: Hub) -> None:
    desk = hub.desk("operator1")
    made = desk.operation(new_lead())
    said = desk.operation(Comment(item_id=made.operation.id, text="к нему"))
    pushed = read(desk.send(made, following(desk, said, made)), Pushed)
    assert [one.result for one in pushed.results] == ["applied", "applied"]


def test_what_builds_on_something_refused_in_another_push_is_blocked_among_others(
    hub: Hub,
) -> None:
    desk = hub.desk("operator1")
    rejected = desk.operation(new_lead(title=""))
    made = desk.operation(new_lead())
    read(desk.send(rejected, made), Pushed)
    late = following(desk, desk.operation(new_lead()), rejected)
    good = following(desk, desk.operation(Comment(item_id=made.operation.id, text="к нему")), made)
    both = following(desk, desk.operation(new_lead()), made, late)
    pushed = read(desk.send(late, good, both), Pushed)
    assert [one.result for one in pushed.results] == ["blocked", "applied", "blocked"]


def test_what_builds_on_a_conflict_or_an_unreadable_operation_of_its_group_is_blocked(
    hub: Hub,
) -> None:
    lead, _ = qualification(hub)
    hub.desk("marketer1").done(EditFields(item_id=lead, fields={"route_to": "Томск"}))
    desk = hub.desk("operator1")
    late = desk.operation(
        EditFields(item_id=lead, fields={"route_to": "Омск"}, base={"route_to": 1})
    )
    child = following(desk, desk.operation(Comment(item_id=lead, text="раз")), late)
    odd = desk.operation(new_lead())
    orphan = following(desk, desk.operation(Comment(item_id=lead, text="два")), odd)
    sent = msgspec.to_builtins([late, child, odd, orphan])
    sent[2]["operation"]["intent"] = {"do": "fly"}
    pushed = read(desk.post("/v1/operations", {"operations": sent}), Pushed)
    assert [one.result for one in pushed.results] == ["conflict", "blocked", "rejected", "blocked"]


def test_what_builds_on_something_the_hub_forgot_is_judged_by_itself(hub: Hub) -> None:
    desk = hub.desk("operator1")
    unknown = msgspec.structs.replace(desk.operation(new_lead()), number=0)
    desk.number = 0
    one = following(desk, desk.operation(new_lead()), unknown)
    assert read(desk.send(one), Pushed).results[0].result == "applied"


def test_a_field_conflict_says_who_changed_it_and_when(hub: Hub) -> None:
    lead, _ = qualification(hub)
    first, late = hub.desk("marketer1"), hub.desk("operator1")
    late.bootstrap()
    base = late.rows["item"][lead].version
    hub.clock.pass_minutes(3)
    at = hub.clock.now
    first.done(EditFields(item_id=lead, fields={"route_to": "Томск"}))
    hub.clock.pass_minutes(3)
    first.done(Comment(item_id=lead, text="позже"))
    mine = EditFields(item_id=lead, fields={"route_to": "Омск"}, base={"route_to": base})
    (result,) = late.do(mine)
    assert result.changed == {"route_to": Changed("marketer1", at)}


def test_a_late_move_says_where_the_card_stands_and_who_moved_it(hub: Hub) -> None:
    _, card = qualification(hub)
    marketer = hub.desk("marketer1")
    marketer.done(move(card, "hand_off", to="sales1"))
    hub.clock.pass_minutes(5)
    hub.desk("sales1").done(move(card, "return", comment="нет даты"))
    at = hub.clock.now
    (result,) = hub.desk("head").do(
        move(card, "return", seen_stage="handed", comment="и я так думаю")
    )
    assert (result.result, result.code) == ("conflict", "stale")
    assert result.theirs == {"stage": "returned"}
    assert result.changed == {"stage": Changed("sales1", at)}


def test_an_operation_of_an_older_build_is_brought_up_to_date() -> None:
    old: dict[str, object] = {"id": "x", "at": 1, "intent": {"do": "comment"}}
    assert upgraded(old) == {**old, "schema": SCHEMA, "after": []}


def test_an_operation_of_a_form_that_never_was_is_not_guessed_at(hub: Hub) -> None:
    for form in (0, SCHEMA + 1, "2", None, True, [1]):
        assert upgraded({"schema": form}) is None
    desk = hub.desk("operator1")
    strange = msgspec.to_builtins(desk.operation(new_lead()))
    strange["operation"]["schema"] = SCHEMA + 1
    pushed = read(desk.post("/v1/operations", {"operations": [strange]}), Pushed)
    assert [one.code for one in pushed.results] == ["broken_operation"]
