"""A board stays what loading it anew would give, whatever changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.domain.operations import Create, Move
from desk.protocol.messages import Forget
from desk.schema.desk_tables import metadata
from desk.services import arrivals
from desk.services.board import Board, Sort
from desk.services.desk import Desk
from desk.services.errors import BadCondition, UnknownKind
from tests.services.rooms import (
    NOW,
    a_lead,
    a_page,
    a_qualification,
    an_id,
    furnish,
    open_desk,
    ticking,
)

SORTS: tuple[Sort, ...] = ("urgent", "new", "old", "score")
STAGES = ("new", "in_work", "won", "nowhere")


def ids(board: Board) -> list[list[str]]:
    return [column.ids for column in board.columns]


def test_every_sort_orders_a_column_as_it_says(desk: Desk) -> None:
    furnish(
        desk,
        a_page(
            items=[
                a_lead(1, score=5, due_at=NOW + 2),
                a_lead(2, score=9, due_at=None),
                a_lead(3, score=5, due_at=NOW + 1),
                a_lead(4, score=1, due_at=None, created_at=NOW),
            ]
        ),
    )
    orders = {"urgent": (3, 1, 4, 2), "new": (4, 3, 2, 1), "old": (1, 2, 3, 4)}
    orders["score"] = (2, 3, 1, 4)
    for sort in SORTS:
        board = Board(desk, "lead", sort)
        board.load()
        column = next(c for c in board.columns if c.stage.id == "in_work")
        assert column.ids == [an_id(number) for number in orders[sort]], sort


def test_columns_are_the_stages_of_the_kind(desk: Desk) -> None:
    furnish(desk, a_page(items=[a_lead(1), a_qualification(2, a_lead(1))]))
    board = Board(desk, "qualification")
    board.load()
    stages = desk.playbook.kinds["qualification"].stages
    assert [column.stage for column in board.columns] == list(stages)
    assert [column.final for column in board.columns] == [stage.final for stage in stages]
    assert sum(board.count(number) for number in range(len(stages))) == 1


def test_a_card_shows_what_stands_in_its_item(desk: Desk) -> None:
    lead = a_lead(1, score=7, round=2, due_at=NOW)
    furnish(desk, a_page(items=[lead]))
    board = Board(desk, "lead")
    board.load()
    (card,) = board.cards([lead.id, "nothing"])
    assert (card.id, card.title, card.source) == (lead.id, "Lead 1", "site")
    assert (card.score, card.round, card.due_at, card.stage) == (7, 2, NOW, "in_work")
    assert (card.responsible, card.pending, card.version) == ("marketer1", False, 1)


def test_a_move_changes_two_columns_and_marks_the_card(desk: Desk) -> None:
    lead = a_lead(1)
    item = a_qualification(2, lead)
    furnish(desk, a_page(items=[lead, item]))
    board = Board(desk, "qualification")
    board.load()
    assert board.where(item.id) == (1, 0)
    assert not board.cards([item.id])[0].pending
    done = desk.do(Move(item_id=item.id, transition="hand_off", to="sales1"))
    assert board.update(done.item_ids) == {1, 2}
    assert board.where(item.id) == (2, 0)
    (card,) = board.cards([item.id])
    assert (card.stage, card.responsible, card.pending) == ("handed", "sales1", True)


def test_a_filter_leaves_what_meets_it_also_later(desk: Desk) -> None:
    furnish(desk, a_page(items=[a_lead(1), a_lead(2, responsible="marketer2")]))
    board = Board(desk, "lead", filter="responsible = me")
    board.load()
    assert ids(board)[1] == [an_id(1)]
    with desk.context.store.write() as connection:
        changed = [a_lead(1, responsible="marketer2"), a_lead(2)]
        arrivals.land(connection, [a_page(items=changed)])
    board.update([an_id(1), an_id(2)])
    assert ids(board)[1] == [an_id(2)]


def test_a_bad_filter_and_an_unknown_kind_are_said(desk: Desk) -> None:
    with pytest.raises(BadCondition) as raised:
        Board(desk, "lead", filter="scroe > 5").load()
    assert "score" in str(raised.value)
    with pytest.raises(UnknownKind):
        Board(desk, "visit")


def test_more_cards_than_are_kept_are_still_all_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.services.board._KEPT_CARDS", 3)
    furnish(desk, a_page(items=[a_lead(number) for number in range(1, 10)]))
    board = Board(desk, "lead", "old")
    board.load()
    wanted = ids(board)[1]
    assert [card.id for card in board.cards(wanted)] == wanted
    assert [card.id for card in board.cards(wanted[:2])] == wanted[:2]


def test_a_change_while_the_board_loads_is_not_missed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(desk, a_page(items=[a_lead(1)]))
    board = Board(desk, "lead")
    ordered = __import__("desk.services.board_rows", fromlist=["order"]).order

    def order_and_then(*given: Any) -> Any:
        read = list(ordered(*given))
        made = desk.do(Create(kind="lead", title="Пока грузится"))
        board.update(made.item_ids)
        return iter(read)

    monkeypatch.setattr("desk.services.board_rows.order", order_and_then)
    board.load()
    assert [len(column) for column in ids(board)][:2] == [1, 1]


@pytest.fixture(scope="module")
def board_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("board"), clock=ticking()) as desk:
        yield desk


changes = st.lists(
    st.tuples(
        st.integers(1, 8),
        st.sampled_from(STAGES),
        st.none() | st.integers(0, 3),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=20,
)


@settings(max_examples=40)
@given(changes=changes, sort=st.sampled_from(SORTS))
def test_following_changes_gives_the_board_that_loading_gives(
    board_desk: Desk, changes: list[Any], sort: Sort
) -> None:
    with board_desk.context.store.write() as connection:
        for table in metadata.tables.values():
            connection.execute(table.delete())
    furnish(board_desk, a_page(items=[a_lead(number) for number in range(1, 5)]))
    board = Board(board_desk, "lead", sort, filter="score < 3")
    board.load()
    for number, stage, due, score, gone in changes:
        page = a_page(items=[a_lead(number, stage=stage, due_at=due, score=score)])
        if gone:
            forget = [Forget(kind="item", id=an_id(number))]
            page = msgspec.structs.replace(a_page(), forget=forget)
        with board_desk.context.store.write() as connection:
            arrivals.land(connection, [page])
        board.update([an_id(number)])
    again = Board(board_desk, "lead", sort, filter="score < 3")
    again.load()
    assert ids(board) == ids(again)
    for number, column in enumerate(board.columns):
        for row, item_id in enumerate(column.ids):
            assert board.where(item_id) == (number, row)
