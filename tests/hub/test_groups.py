"""Operations that share a transaction are answered as if each had one of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from sqlalchemy import func, select, text

from desk.domain.decide import settle
from desk.domain.ids import derive_id
from desk.domain.operations import Comment, Create, EditFields, Operation
from desk.hub import operations
from desk.hub.errors import HubProblem
from desk.protocol.messages import Changed, Numbered, Pushed
from desk.schema import hub_tables as t
from tests.hub.hubs import (
    Desk,
    Hub,
    move,
    new_lead,
    problem,
    qualification,
    sent,
    session,
)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What is said of operations; a warning where a group was undone."""
    told = Mock()
    monkeypatch.setattr(operations, "_log", told)
    return told


def count(hub: Hub, table: Any) -> int:
    with hub.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def push(hub: Hub, desk: Desk, group: Sequence[Numbered], judge: Any = settle) -> Pushed:
    asked = [sent(one) for one in group]
    return operations.push(hub.database, session(hub, desk), asked, hub.clock, judge)


def before_judging(look: Callable[[Operation], object]) -> Any:
    """The rules, with a look at each operation before it is judged."""

    def judge(scene: Any, operation: Operation, *rest: Any) -> Any:
        look(operation)
        return settle(scene, operation, *rest)

    return judge


def failing_at(poison: Numbered) -> Any:
    def look(operation: Operation) -> None:
        if operation.id == poison.operation.id:
            raise RuntimeError("яд")

    return before_judging(look)


def a_day(desk: Desk, leads: int = 3) -> list[Numbered]:
    """What a desk queued: leads, and for each an edit and a note that build on it."""
    queued: list[Numbered] = []
    for number in range(leads):
        made = desk.operation(new_lead(f"ООО {number}", name="Анна"))
        lead = made.operation.id
        queued += [
            made,
            desk.operation(EditFields(item_id=lead, fields={"route_to": "Омск"})),
            desk.operation(Comment(item_id=lead, text="перезвонить")),
        ]
    return queued


def results(pushed: Pushed) -> list[str]:
    return [one.result for one in pushed.results]


def test_operations_of_a_group_happen_at_once(hub: Hub) -> None:
    desk = hub.desk("operator1")
    seen: list[int] = []
    judge = before_judging(lambda _: seen.append(count(hub, t.operation)))
    queued = a_day(desk)
    assert results(push(hub, desk, queued, judge)) == ["applied"] * 9
    assert seen == [0] * 9
    assert (count(hub, t.operation), count(hub, t.item), count(hub, t.entry)) == (9, 3, 6)


def test_a_desk_that_pulls_gets_what_a_group_did(hub: Hub) -> None:
    desk, other = hub.desk("operator1"), hub.desk("marketer1")
    other.bootstrap()
    other_cursor = other.cursor
    push(hub, desk, a_day(desk))
    other.pull()
    assert other.cursor != other_cursor
    assert other.rows == other.fresh()
    versions = [item.version for item in other.rows["item"].values()]
    assert versions == [3] * 3
    with hub.database.read() as connection:
        lines = select(t.change.c.row_version).where(t.change.c.kind == "item")
        assert sorted(connection.execute(lines).scalars()) == [1] * 3 + [2] * 3 + [3] * 3


def test_a_poison_operation_in_the_middle_harms_no_neighbour(hub: Hub) -> None:
    desk = hub.desk("operator1")
    queued = a_day(desk)
    judge = failing_at(queued[4])
    pushed = push(hub, desk, queued, judge)
    assert (results(pushed), pushed.last_op) == (["applied"] * 4, 4)
    with hub.database.read() as connection:
        assert connection.execute(select(t.crash.c.crashes)).scalar_one() == 1
    for _ in range(operations.CRASHES - 2):
        with pytest.raises(HubProblem):
            push(hub, desk, queued[4:], judge)
    assert results(push(hub, desk, queued[4:], judge)) == ["quarantined"] + ["applied"] * 4
    assert (
        results(push(hub, desk, queued, judge))
        == ["applied"] * 4 + ["quarantined"] + ["applied"] * 4
    )
    assert (count(hub, t.item), count(hub, t.entry), count(hub, t.crash)) == (3, 6, 0)


def test_a_resend_that_overlaps_half_of_a_group_does_the_rest(hub: Hub) -> None:
    desk = hub.desk("operator1")
    queued = a_day(desk)
    first = push(hub, desk, queued[:5])
    pushed = push(hub, desk, queued[2:])
    assert pushed.results[:3] == first.results[2:]
    assert (results(pushed), pushed.last_op) == (["applied"] * 7, 9)
    assert (count(hub, t.item), count(hub, t.entry)) == (3, 6)


def test_an_operation_that_comes_twice_in_a_group_has_one_effect(hub: Hub) -> None:
    desk = hub.desk("operator1")
    one = desk.operation(new_lead())
    again = msgspec.structs.replace(one, number=2)
    pushed = push(hub, desk, [one, again])
    assert (results(pushed), pushed.last_op) == (["applied"] * 2, 2)
    assert (count(hub, t.item), count(hub, t.entry)) == (1, 1)


def test_a_gap_in_the_middle_of_a_group_is_where_the_answers_end(hub: Hub) -> None:
    desk = hub.desk("operator1")
    queued = a_day(desk)
    pushed = push(hub, desk, queued[:4] + queued[5:])
    assert (results(pushed), pushed.last_op) == (["applied"] * 4, 4)
    refused = desk.send(*queued[5:])
    assert problem(refused) == (409, "gap", {"expected": "5", "given": "6"})


def test_another_body_in_the_middle_of_a_group_is_refused(hub: Hub) -> None:
    desk = hub.desk("operator1")
    queued = a_day(desk)
    push(hub, desk, queued[:2])
    changed = msgspec.structs.replace(queued[1].operation, intent=new_lead("Иное"))
    queued[1] = msgspec.structs.replace(queued[1], operation=changed)
    pushed = push(hub, desk, queued)
    assert (results(pushed), pushed.last_op) == (["applied"], 2)
    assert problem(desk.send(*queued[1:]))[:2] == (409, "number_used")


def test_the_same_groups_on_two_connections_at_once_have_one_effect(hub: Hub) -> None:
    desk = hub.desk("operator1")
    queued = a_day(desk, 12)
    start = threading.Barrier(3)

    def send(_: int) -> Pushed:
        start.wait()
        return push(hub, desk, queued)

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(send, range(3)))
    assert [one.results for one in answers] == [answers[0].results] * 3
    assert results(answers[0]) == ["applied"] * 36
    assert (count(hub, t.item), count(hub, t.entry)) == (12, 24)


def test_groups_over_the_same_cards_in_opposite_orders_wait_and_do_not_fail(
    hub: Hub, log: Mock
) -> None:
    maker = hub.desk("operator1")
    leads = [one.id for one in maker.do(*[new_lead() for _ in range(12)])]
    desks = [hub.desk("operator1"), hub.desk("marketer1")]
    for round_ in range(5):
        groups = [
            [desk.operation(Comment(item_id=lead, text=f"раз {round_}")) for lead in order]
            for desk, order in zip(desks, (leads, leads[::-1]), strict=True)
        ]
        start = threading.Barrier(2)

        def send(desk: Desk, group: list[Numbered], start: threading.Barrier = start) -> Pushed:
            start.wait()
            return push(hub, desk, group)

        with ThreadPoolExecutor(2) as threads:
            for pushed in threads.map(send, desks, groups):
                assert results(pushed) == ["applied"] * 12
    assert log.warning.call_args_list == []
    assert count(hub, t.entry) == 12 + 5 * 24


def test_a_conflict_over_a_row_that_the_group_changed_still_says_who_was_first(hub: Hub) -> None:
    lead, _ = qualification(hub)
    desk = hub.desk("operator1")
    desk.bootstrap()
    base = desk.rows["item"][lead].version
    hub.clock.pass_minutes(3)
    at = hub.clock.now
    hub.desk("marketer1").done(EditFields(item_id=lead, fields={"route_to": "Томск"}))
    hub.clock.pass_minutes(3)
    edited, late, said = desk.do(
        EditFields(item_id=lead, fields={"route_from": "Ижевск"}, base={"route_from": base}),
        EditFields(item_id=lead, fields={"route_to": "Омск"}, base={"route_to": base}),
        Comment(item_id=lead, text="и ещё"),
    )
    assert [one.result for one in (edited, late, said)] == ["merged", "conflict", "applied"]
    assert late.theirs == {"route_to": "Томск"}
    assert late.changed == {"route_to": Changed("marketer1", at)}


def test_one_s_own_change_in_the_same_group_is_named_as_the_first(hub: Hub) -> None:
    lead, _ = qualification(hub)
    first, late = hub.desk("operator1").do(
        EditFields(item_id=lead, fields={"route_to": "Томск"}),
        EditFields(item_id=lead, fields={"route_to": "Омск"}, base={"route_to": 1}),
    )
    assert (first.result, late.result) == ("applied", "conflict")
    assert late.changed["route_to"].who == "operator1"


def test_hand_offs_of_one_group_go_to_the_least_loaded_in_turn(hub: Hub, log: Mock) -> None:
    cards = [qualification(hub)[1] for _ in range(4)]
    for user in ("sales1", "sales2"):
        hub.desk(user).post("/v1/presence", {"presence": "present"})
    marketer = hub.desk("marketer1")
    pushed = push(hub, marketer, [marketer.operation(move(card, "hand_off")) for card in cards])
    assert results(pushed) == ["applied"] * 4
    assert log.warning.call_args_list == []
    marketer.bootstrap()
    chosen = [marketer.rows["item"][card].responsible for card in cards]
    assert sorted(chosen) == ["sales1", "sales1", "sales2", "sales2"]


def test_what_was_done_one_after_another_stands_so_on_the_timeline(hub: Hub) -> None:
    """The clock stands still, and the desk's own went back between the two."""
    desk = hub.desk("operator1")
    made = desk.operation(new_lead())
    lead = made.operation.id
    first = desk.operation(Comment(item_id=lead, text="сперва"))
    hub.clock.pass_minutes(-60)
    then = desk.operation(Comment(item_id=lead, text="потом"))
    hub.clock.pass_minutes(60)
    push(hub, desk, [made, first, then])
    desk.bootstrap()
    entries = sorted(desk.rows["entry"].values(), key=lambda one: (one.at, one.id))
    assert [one.comment for one in entries] == ["", "сперва", "потом"]


def test_a_row_of_an_id_that_the_group_has_made_already_takes_nothing_s_place(hub: Hub) -> None:
    desk = hub.desk("operator1")
    lead = desk.done(new_lead())
    last = hub.new_id()
    # The card that a robot makes of it will get one of these.
    foreign = [desk.operation(new_lead(), derive_id(last, 1000 + number)) for number in range(8)]
    assign = desk.operation(move(lead, "assign", to="marketer1"), last)
    pushed = push(hub, desk, [*foreign, assign])
    assert results(pushed) == ["applied"] * 8
    with hub.database.read() as connection:
        kinds = connection.execute(select(t.item.c.kind)).scalars().all()
    assert kinds == ["lead"] * 9


def test_a_longer_queue_goes_on_with_the_next_group(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, log: Mock
) -> None:
    monkeypatch.setattr(operations, "TOGETHER", 4)
    desk = hub.desk("operator1")
    seen: list[int] = []
    judge = before_judging(lambda _: seen.append(count(hub, t.operation)))
    pushed = push(hub, desk, a_day(desk), judge)
    assert (results(pushed), pushed.last_op) == (["applied"] * 9, 9)
    assert seen == [0] * 4 + [4] * 4 + [8]
    assert log.warning.call_args_list == []


def test_connections_that_the_database_cut_cost_nothing(hub: Hub, backend: str) -> None:
    if backend == "sqlite":
        pytest.skip("has no connections that could be cut")
    desk = hub.desk("operator1")
    queued = a_day(desk)
    push(hub, desk, queued[:2])
    cut(hub)
    assert results(push(hub, desk, queued[2:4])) == ["applied"] * 2
    cuts = iter([True])

    def look(_: Operation) -> None:
        if next(cuts, False):
            cut(hub)

    assert results(push(hub, desk, queued[4:], before_judging(look))) == ["applied"] * 5
    assert (count(hub, t.item), count(hub, t.entry)) == (3, 6)


def cut(hub: Hub) -> None:
    """End all connections to this database, as its restart would."""
    ended = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with hub.database.read() as connection:
        connection.execute(ended)


def test_a_new_card_of_an_id_that_is_a_subject_s_is_a_new_card(hub: Hub) -> None:
    desk = hub.desk("operator1")
    lead = desk.operation(new_lead(name="Анна"))
    push(hub, desk, [lead])
    note = desk.operation(Comment(item_id=lead.operation.id, text="к нему"))
    odd = desk.operation(Create(kind="lead", title="Странная"), derive_id(lead.operation.id, 0))
    assert results(push(hub, desk, [note, odd])) == ["applied"] * 2
    assert count(hub, t.item) == 2
