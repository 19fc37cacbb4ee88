"""Operations are judged once, in order, whatever happens to the answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import TimeoutError as PoolTimeout

from desk.domain.decide import settle
from desk.domain.operations import Comment, EditFields, EditSubject
from desk.hub import operations
from desk.hub.errors import HubProblem
from desk.protocol.messages import Pushed
from desk.schema import hub_tables as t
from tests.hub.hubs import (
    Desk,
    Hub,
    move,
    new_lead,
    problem,
    qualification,
    read,
    sent,
    session,
)


def count(hub: Hub, table: Any) -> int:
    with hub.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_operation_sent_again_gets_the_same_answer_and_has_one_effect(hub: Hub) -> None:
    desk = hub.desk("operator1")
    operation = desk.operation(new_lead())
    first = read(desk.send(operation), Pushed)
    again = read(desk.send(operation), Pushed)
    assert again == first
    assert first.results[0].result == "applied"
    assert (count(hub, t.item), count(hub, t.entry)) == (1, 1)


def test_a_rejected_operation_sent_again_is_rejected_for_the_same_reason(hub: Hub) -> None:
    desk = hub.desk("operator1")
    operation = desk.operation(new_lead(title=""))
    first = read(desk.send(operation), Pushed)
    assert first.results[0].code == "empty_title"
    assert read(desk.send(operation), Pushed) == first


def test_another_operation_under_a_used_number_is_refused(hub: Hub) -> None:
    desk = hub.desk("operator1")
    desk.do(new_lead())
    desk.number = 0
    refused = desk.send(desk.operation(new_lead()))
    assert problem(refused) == (409, "number_used", {"expected": "2", "given": "1"})


def test_another_body_under_the_same_id_is_refused(hub: Hub) -> None:
    desk = hub.desk("operator1")
    desk.send(first := desk.operation(new_lead()))
    changed = msgspec.structs.replace(first.operation, intent=new_lead(title="Иное"))
    refused = desk.send(msgspec.structs.replace(first, operation=changed))
    assert problem(refused)[:2] == (409, "number_used")


def test_a_desk_updated_before_it_had_its_answer_gets_it(hub: Hub) -> None:
    desk = hub.desk("operator1")
    new = msgspec.to_builtins(desk.operation(new_lead()))
    old = {**new, "operation": {k: new["operation"][k] for k in ("id", "at", "intent")}}
    assert set(new["operation"]) > set(old["operation"])
    first = read(desk.post("/v1/operations", {"operations": [old]}), Pushed)
    assert read(desk.post("/v1/operations", {"operations": [new]}), Pushed) == first
    assert first.results[0].result == "applied"


def test_a_gap_is_refused_with_the_number_expected(hub: Hub) -> None:
    desk = hub.desk("operator1")
    desk.number = 2
    refused = desk.send(desk.operation(new_lead()))
    assert problem(refused) == (409, "gap", {"expected": "1", "given": "3"})
    assert count(hub, t.item) == 0


def test_the_answers_before_a_gap_are_given(hub: Hub) -> None:
    desk = hub.desk("operator1")
    first = desk.operation(new_lead())
    desk.number += 1
    pushed = read(desk.send(first, desk.operation(new_lead())), Pushed)
    assert [one.number for one in pushed.results] == [1]
    assert pushed.last_op == 1


def test_the_same_operation_on_two_connections_at_once_has_one_effect(hub: Hub) -> None:
    _, card = qualification(hub)
    desk = hub.desk("marketer1")
    operation = sent(desk.operation(move(card, "hand_off", to="sales1")))
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(
                lambda _: operations.push(hub.database, session(hub, desk), [operation], hub.clock),
                range(4),
            )
        )
    assert [one.results[0].result for one in answers] == ["applied"] * 4
    with hub.database.read() as connection:
        handed = select(func.count()).where(t.tally.c.event == "handed")
        assert connection.execute(handed).scalar_one() == 1
        round_ = select(t.item.c.round).where(t.item.c.id == card)
        assert connection.execute(round_).scalar_one() == 1


def test_a_device_registered_anew_sends_its_queue_again_without_a_second_effect(hub: Hub) -> None:
    old = hub.desk("operator1")
    operation = old.operation(new_lead())
    first = read(old.send(operation), Pushed)
    new = hub.desk("operator1")
    again = read(new.send(operation), Pushed)
    assert again == first
    assert count(hub, t.item) == 1


def test_an_item_out_of_sight_is_no_item(hub: Hub) -> None:
    lead, _ = qualification(hub)
    sales = hub.desk("sales1")
    results = sales.do(Comment(item_id=lead, text="?"), Comment(item_id=hub.new_id(), text="?"))
    assert [(one.result, one.code) for one in results] == [("rejected", "no_item")] * 2


def test_an_unreadable_operation_is_answered_and_does_not_stop_the_queue(hub: Hub) -> None:
    desk = hub.desk("operator1")
    broken = {"number": 1, "operation": {"id": hub.new_id(), "at": 1, "intent": {"do": "fly"}}}
    good = msgspec.to_builtins(desk.operation(new_lead()))
    good["number"] = 2
    pushed = read(desk.post("/v1/operations", {"operations": [broken, good]}), Pushed)
    assert [one.code for one in pushed.results] == ["broken_operation", ""]
    assert pushed.last_op == 2


def test_unknown_fields_of_an_operation_are_ignored(hub: Hub) -> None:
    desk = hub.desk("operator1")
    operation = msgspec.to_builtins(desk.operation(new_lead()))
    operation["operation"]["mood"] = "new"
    operation["operation"]["intent"]["colour"] = {"of": ["the future"]}
    body = {"operations": [operation], "batch": 17}
    assert read(desk.post("/v1/operations", body), Pushed).results[0].result == "applied"


def test_an_operation_that_crashes_the_hub_is_set_aside_and_the_next_go_on(hub: Hub) -> None:
    desk = hub.desk("operator1")
    poison, good = desk.operation(new_lead(title="яд")), desk.operation(new_lead())

    def crashing(scene: Any, operation: Any, *rest: Any) -> Any:
        if operation.id == poison.operation.id:
            raise RuntimeError("яд")
        return settle(scene, operation, *rest)

    def push() -> Pushed:
        both = [sent(poison), sent(good)]
        return operations.push(hub.database, session(hub, desk), both, hub.clock, crashing)

    for _ in range(operations.CRASHES - 1):
        with pytest.raises(HubProblem) as failed:
            push()
        assert (failed.value.status, failed.value.code) == (500, "failed")
    pushed = push()
    assert [one.result for one in pushed.results] == ["quarantined", "applied"]
    assert push() == pushed
    assert count(hub, t.item) == 1
    assert count(hub, t.crash) == 0


def test_a_hub_too_busy_to_judge_blames_no_operation(hub: Hub) -> None:
    desk = hub.desk("operator1")

    def busy(*_: Any) -> Any:
        raise PoolTimeout

    one = [sent(desk.operation(new_lead()))]
    for _ in range(operations.CRASHES + 1):
        with pytest.raises(HubProblem) as failed:
            operations.push(hub.database, session(hub, desk), one, hub.clock, busy)
        assert failed.value.code == "unavailable"
    assert count(hub, t.crash) == 0
    pushed = operations.push(hub.database, session(hub, desk), one, hub.clock)
    assert pushed.results[0].result == "applied"


def test_of_a_very_long_push_the_first_operations_are_answered(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "AT_ONCE", 2)
    desk = hub.desk("operator1")
    sent_at_once = [desk.operation(new_lead()) for _ in range(3)]
    pushed = read(desk.send(*sent_at_once), Pushed)
    assert ([one.number for one in pushed.results], pushed.last_op) == ([1, 2], 2)


def test_a_failure_within_an_operation_leaves_nothing_of_it(hub: Hub) -> None:
    desk = hub.desk("operator1")
    changes = count(hub, t.change)

    def half(scene: Any, *rest: Any) -> Any:
        outcome: Any = settle(scene, *rest)
        # The second row of the same id cannot be written, after the first one was.
        return msgspec.structs.replace(outcome, entries=outcome.entries * 2)

    one = [sent(desk.operation(new_lead()))]
    with pytest.raises(HubProblem):
        operations.push(hub.database, session(hub, desk), one, hub.clock, half)
    assert (count(hub, t.item), count(hub, t.operation)) == (0, 0)
    assert count(hub, t.change) == changes
    with hub.database.read() as connection:
        assert connection.execute(select(func.max(t.device.c.last_op))).scalar_one() == 0


def test_a_conflict_shows_what_stands_there_as_far_as_it_may_be_read(hub: Hub) -> None:
    lead, card = qualification(hub, name="Анна", phone="+79123456789")
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    sales = hub.desk("sales1")
    sales.bootstrap()
    version = sales.rows["item"][lead].version
    mine = EditFields(item_id=lead, fields={"route_to": "Омск"}, base={"route_to": version}, was={})
    hub.desk("marketer1").done(EditFields(item_id=lead, fields={"route_to": "Томск"}))
    (result,) = sales.do(mine)
    assert (result.result, result.code) == ("conflict", "field_conflict")
    assert result.theirs == {"route_to": "Томск"}


def test_a_conflict_of_personal_data_shows_the_subject(hub: Hub) -> None:
    lead, _ = qualification(hub, name="Анна")
    one, other = hub.desk("marketer1"), hub.desk("operator1")
    one.done(EditSubject(item_id=lead, fields={"name": "Анна Белова"}))
    late = EditSubject(item_id=lead, fields={"name": "Аня"}, base={"name": 1}, was={"name": "Анна"})
    (result,) = other.do(late)
    assert (result.result, result.theirs) == ("conflict", {"name": "Анна Белова"})


def test_edits_of_different_fields_merge(hub: Hub) -> None:
    lead, _ = qualification(hub)
    one, other = hub.desk("marketer1"), hub.desk("operator1")
    one.bootstrap()
    base = one.rows["item"][lead].version
    other.done(EditFields(item_id=lead, fields={"route_to": "Томск"}, base={"route_to": base}))
    (result,) = one.do(
        EditFields(item_id=lead, fields={"route_from": "Омск"}, base={"route_from": base})
    )
    assert result.result == "merged"
    one.pull()
    fields = one.rows["item"][lead].fields
    assert (fields["route_from"], fields["route_to"]) == ("Омск", "Томск")


def test_a_hand_off_goes_to_the_least_loaded_of_those_present(hub: Hub) -> None:
    marketer = hub.desk("marketer1")
    for user in ("sales1", "sales2"):
        hub.desk(user).post("/v1/presence", {"presence": "present"})
    chosen: list[str] = []
    for _ in range(4):
        _, card = qualification(hub)
        marketer.done(move(card, "hand_off"))
        marketer.bootstrap()
        chosen.append(marketer.rows["item"][card].responsible)
    assert sorted(chosen) == ["sales1", "sales1", "sales2", "sales2"]


def test_a_hand_off_with_nobody_present_is_rejected(hub: Hub) -> None:
    _, card = qualification(hub)
    (result,) = hub.desk("marketer1").do(move(card, "hand_off"))
    assert (result.result, result.code) == ("rejected", "nobody_present")


def test_two_people_moving_one_card_at_once_leave_one_move(hub: Hub) -> None:
    _, card = qualification(hub)
    marketer = hub.desk("marketer1")
    marketer.done(move(card, "hand_off", to="sales1"))
    desks = [hub.desk("sales1"), hub.desk("head")]
    wanted = [
        sent(desk.operation(move(card, name, comment="нет груза")))
        for desk, name in zip(desks, ("accept", "return"), strict=True)
    ]

    def push(desk: Desk, one: operations.Sent) -> Pushed:
        return operations.push(hub.database, session(hub, desk), [one], hub.clock)

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(push, desks, wanted))
    results = [one.results[0].result for one in answers]
    assert results.count("applied") == 1
