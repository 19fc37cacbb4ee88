"""Where the cursor is and what is seen, whatever happens to the cards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.widgets.board_grid import CARD, HEADER, Grid, keep_in_view, thumb
from desk.widgets.board_viewport import Viewport
from tests.widgets.boards import MemoryBoard, card


def view_of(board: MemoryBoard, width: int = 80, height: int = 20) -> Viewport:
    view = Viewport()
    view.take(board)
    view.resize(width, height)
    view.follow()
    return view


@pytest.mark.parametrize(
    ("width", "columns", "shown"), [(80, 5, 3), (120, 5, 5), (200, 5, 5), (23, 5, 1), (160, 9, 6)]
)
def test_as_many_columns_are_shown_as_fit(width: int, columns: int, shown: int) -> None:
    grid = Grid(width, 20, columns)
    assert len(grid.spans) == shown
    assert sum(span.width for span in grid.spans) == width


@given(st.integers(1, 400), st.integers(3, 100), st.integers(1, 12), st.integers(0, 11))
def test_columns_cover_the_width_without_gaps(
    width: int, height: int, columns: int, column: int
) -> None:
    column = min(column, columns - 1)
    grid = Grid(width, height, columns)
    grid = Grid(width, height, columns, grid.first_for(column))
    ends = [span.x + span.width for span in grid.spans]
    assert [span.x for span in grid.spans] == [0, *ends[:-1]]
    assert ends[-1] == width
    assert grid.span_of(column) is not None
    assert all(grid.column_at(span.x) == span.column for span in grid.spans)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 20), st.integers(1, 60))
def test_the_cursor_is_always_in_view(top: int, row: int, rows: int, count: int) -> None:
    row = min(row, count - 1)
    kept = keep_in_view(top, row, rows, count)
    assert kept <= row < kept + rows
    assert 0 <= kept <= max(0, count - rows)


@given(st.integers(0, 100_000), st.integers(1, 20), st.integers(0, 100_000), st.integers(1, 60))
def test_the_scroll_sign_stays_in_its_column(top: int, rows: int, count: int, height: int) -> None:
    top = min(top, max(0, count - rows))
    start, length = thumb(top, rows, count, height)
    assert 0 <= start <= start + length <= height
    assert (length > 0) == (count > rows)
    if length and top == count - rows:
        assert start + length == height


def test_a_line_of_the_screen_belongs_to_a_card_or_to_none() -> None:
    grid = Grid(80, 40, 3)
    assert grid.row_at(0) is None
    assert [grid.row_at(HEADER + y) for y in range(grid.pitch)] == [0] * CARD + [None]
    assert grid.row_at(HEADER + grid.pitch) == 1


def test_the_next_column_is_entered_at_the_same_height() -> None:
    view = view_of(MemoryBoard((30, 30)))
    view.go(0, 10)
    height = view.row - view.tops[0]
    place = view.across(+1)
    assert place == (1, height)
    assert view.across(-1) is None


def test_the_cursor_stays_on_its_card_when_others_come_above_it() -> None:
    board = MemoryBoard((30,))
    view = view_of(board)
    view.go(0, 12)
    selected, height = view.selected, view.row - view.tops[0]
    for number in range(5):
        board.put(card(f"0-0003-{number}"), 0)
    view.follow()
    assert view.selected == selected
    assert view.row == 17
    assert view.row - view.tops[0] == height


def test_the_cursor_follows_its_card_into_another_column() -> None:
    board = MemoryBoard()
    view = view_of(board)
    view.go(0, 4)
    board.put(board.rows["0-0004"], 4)
    assert view.follow() is True
    assert (view.column, view.selected) == (4, "0-0004")
    assert view.grid.span_of(4) is not None


def test_the_cursor_stays_at_its_row_when_the_card_is_gone() -> None:
    board = MemoryBoard()
    view = view_of(board)
    view.go(0, 3)
    board.take("0-0003")
    view.follow()
    assert (view.column, view.row, view.selected) == (0, 3, "0-0004")


def test_where_the_last_card_of_a_column_goes_the_cursor_goes_to_the_nearest_card() -> None:
    board = MemoryBoard((1, 0, 1, 1))
    view = view_of(board)
    view.go(2, 0)
    board.take("2-0000")
    view.follow()
    assert (view.column, view.row, view.selected) == (3, 0, "3-0000")
    board.take("3-0000")
    view.follow()
    assert (view.column, view.selected) == (0, "0-0000")
    board.take("0-0000")
    view.follow()
    assert (view.column, view.row, view.selected) == (0, 0, None)


def test_the_cursor_begins_at_the_first_card_that_comes() -> None:
    board = MemoryBoard((0, 0, 0))
    view = view_of(board)
    board.put(card("2-0000"), 2)
    view.follow()
    assert (view.column, view.selected) == (2, "2-0000")


def test_the_cursor_stays_on_an_empty_column_where_the_person_has_put_it() -> None:
    board = MemoryBoard((1, 0, 1))
    view = view_of(board)
    view.go(1, 0)
    board.put(card("2-0001"), 2)
    view.follow()
    assert (view.column, view.selected) == (1, None)


def test_a_scrolled_column_does_not_jump_when_cards_come_above() -> None:
    board = MemoryBoard((30, 30))
    view = view_of(board)
    for _step in range(7):
        view.wheel(1, +1)
    top = board.columns[1].ids[view.tops[1]]
    board.put(card("1-0000-9"), 1)
    view.follow()
    assert board.columns[1].ids[view.tops[1]] == top


def test_a_list_wheeled_away_from_the_cursor_stays_where_it_is_read() -> None:
    board = MemoryBoard((30,))
    view = view_of(board)
    for _step in range(20):
        view.wheel(0, +1)
    top = board.columns[0].ids[view.tops[0]]
    board.put(card("0-0000-9"), 0)
    view.follow()
    assert board.columns[0].ids[view.tops[0]] == top
    assert view.selected == "0-0000"


def test_a_column_seen_from_its_top_shows_what_comes_first() -> None:
    board = MemoryBoard((30, 30))
    view = view_of(board)
    board.put(card("1-"), 1)
    view.follow()
    assert view.tops[1] == 0


_EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("go"), st.integers(0, 4), st.integers(0, 40)),
        st.tuples(st.just("put"), st.integers(0, 4), st.integers(0, 40)),
        st.tuples(st.just("take"), st.integers(0, 4), st.integers(0, 12)),
        st.tuples(st.just("wheel"), st.integers(0, 4), st.integers(-3, 3)),
        st.tuples(st.just("resize"), st.integers(1, 160), st.integers(3, 50)),
    ),
    max_size=30,
)


@given(_EVENTS)
def test_the_cursor_is_on_the_board_after_anything(events: list[tuple[str, int, int]]) -> None:
    board = MemoryBoard((8, 3, 0, 12, 2))
    view = view_of(board)
    for name, one, two in events:
        before = view.selected
        if name == "go":
            view.go(one, two)
        elif name == "put":
            board.put(card(f"{two % 5}-{two:04}"), one)
            view.follow()
        elif name == "take":
            board.take(f"{one}-{two:04}")
            view.follow()
        elif name == "wheel":
            view.wheel(one, two)
        else:
            view.resize(one, two)
        if name != "go" and before is not None and board.where(before):
            assert view.selected == before
        ids = board.columns[view.column].ids
        assert view.selected == (ids[view.row] if ids else None)
        assert view.grid.span_of(view.column) is not None
        for column, top in enumerate(view.tops):
            assert 0 <= top <= max(0, view.count(column) - 1)
        if name in ("go", "resize"):
            assert 0 <= view.row - view.tops[view.column] < view.grid.rows
