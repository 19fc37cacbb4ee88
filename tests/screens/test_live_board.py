"""Other people's changes on the board: the cursor stays, and what they changed bears a mark."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec
from textual.widgets import OptionList

from desk.screens.card import CardScreen
from desk.services.board import Board
from desk.services.rows import ITEMS
from desk.services.views import Progress, Status, StatusChanged
from tests.screens.desks import StillApp, identifier, replace
from tests.screens.others import arrive, fill_in, forget, item_of, move, rule
from tests.screens.steps import calm, line, on_screen, press, running, told, type_text

MakeApp = Callable[..., StillApp]
#: In the column of new ones: the first has the cursor when the board opens.
FIRST, SECOND = identifier(2), identifier(42)


def marked(app: StillApp) -> set[str]:
    """The cards with the mark of another's change."""
    return app._board.view._view.fresh


async def test_the_cursor_stays_on_its_card_when_everything_is_read_anew(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "j")
        assert desk._board.view.selected_id == SECOND
        item = item_of(desk.desk, SECOND)
        arrive(desk.desk, [msgspec.structs.replace(item, stage="in_work")], whole=True)
        await calm(pilot)
        assert desk._board.view.selected_id == SECOND
        assert desk._board.view.cursor[0] == 1


async def test_a_card_that_is_gone_leaves_the_cursor_at_its_place(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        with desk.desk.context.store.write() as connection:
            ITEMS.delete(connection, [FIRST])
        desk.desk.context.rows_changed(None)
        await calm(pilot)
        assert desk._board.view.cursor == (0, 0)
        assert desk._board.view.selected_id == SECOND


async def test_an_empty_column_keeps_the_cursor_that_was_put_there(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "l", "l", "l", "l")
        assert desk._board.view.cursor == (4, 0)
        assert desk._board.view.selected_id is None
        desk.desk.context.rows_changed(None)
        await calm(pilot)
        assert desk._board.view.cursor == (4, 0)


async def test_what_changes_while_the_board_is_read_is_on_it(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        read, go_on = threading.Event(), threading.Event()
        load = Board.load

        def slowly(board: Board) -> None:
            load(board)
            read.set()
            go_on.wait(10)

        Board.load = slowly  # type: ignore[method-assign]
        try:
            await pilot.press("s")
            while not read.is_set():
                await pilot.pause()
            move(desk.desk, SECOND, "accepted")
            while SECOND not in marked(desk):
                await pilot.pause()
        finally:
            Board.load = load  # type: ignore[method-assign]
            go_on.set()
        await calm(pilot)
        assert desk._board.board is not None
        assert desk._board.board.where(SECOND) == (4, 0)


async def test_a_change_of_another_board_paints_nothing_here(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        painted: list[int | None] = []
        view = desk._board.view
        forget_column = view._drawn.forget
        view._drawn.forget = lambda column=None: (painted.append(column), forget_column(column))[1]  # type: ignore[method-assign]
        fill_in(desk.desk, identifier(1), company="ООО «Иное»")
        await calm(pilot)
        assert painted == []
        fill_in(desk.desk, SECOND, company="ООО «Иное»")
        await calm(pilot)
        assert painted == [0]


async def test_anothers_change_bears_a_mark_until_the_cursor_has_been_there(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        before = on_screen(desk)
        assert "*" not in before
        fill_in(desk.desk, SECOND, company="ООО «Иное»")
        await calm(pilot)
        assert marked(desk) == {SECOND}
        assert on_screen(desk).count("*") == 1
        assert told(desk) == ""
        await press(pilot, "j")
        assert on_screen(desk).count("*") == 1
        await press(pilot, "k")
        assert "*" not in on_screen(desk)


async def test_opening_a_card_takes_its_mark_away(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        fill_in(desk.desk, FIRST, company="ООО «Иное»")
        await calm(pilot)
        assert marked(desk) == {FIRST}
        await press(pilot, "enter")
        assert isinstance(desk.screen, CardScreen)
        assert marked(desk) == set()
        fill_in(desk.desk, FIRST, company="ООО «Снова»")
        await calm(pilot)
        await press(pilot, "escape")
        assert marked(desk) == set()


async def test_a_list_of_found_cards_follows_and_keeps_its_cursor(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "f3")
        await type_text(pilot, "ООО")
        await press(pilot, "down", "down")
        listing = desk.screen.query_one(OptionList)
        here = listing.highlighted_option
        assert here is not None
        gone = listing.get_option_at_index(0).id
        assert gone is not None
        forget(desk.desk, gone)
        await calm(pilot)
        assert gone not in {option.id for option in listing.options}
        assert listing.highlighted_option is not None
        assert listing.highlighted_option.id == here.id


async def test_ones_own_work_and_the_hubs_answer_to_it_bear_no_mark(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "L")
        assert item_of(desk.desk, FIRST).stage == "in_work"
        answered = msgspec.structs.replace(item_of(desk.desk, FIRST), version=9, score=55)
        with desk.desk.context.store.write() as connection:
            connection.exec_driver_sql("DELETE FROM base_row")
            connection.exec_driver_sql("DELETE FROM queue")
        arrive(desk.desk, [answered])
        await calm(pilot)
        assert marked(desk) == set()
        fill_in(desk.desk, FIRST, company="ООО «Иное»")
        await calm(pilot)
        assert marked(desk) == {FIRST}


async def test_a_card_that_left_sight_keeps_no_mark(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        fill_in(desk.desk, SECOND, company="ООО «Иное»")
        await calm(pilot)
        forget(desk.desk, SECOND)
        await calm(pilot)
        assert marked(desk) == set()


async def test_another_role_brings_its_own_boards(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "3")
        rule(desk.desk, role="operator")
        await calm(pilot)
        assert desk._board.kind == "lead"
        assert "Deals" not in line(desk, "#board-line")
        await press(pilot, "3")
        assert desk._board.kind == "lead"


async def test_the_next_board_is_found_from_one_that_was_taken_away_this_moment(
    app: MakeApp,
) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "3")
        # The new role is known already, and the screens have not been told of it yet.
        rule(desk.desk, role="operator", ids=[])
        await press(pilot, "B")
        assert desk.return_code is None
        assert desk._board.kind == "lead"


async def test_a_role_the_playbook_does_not_know_breaks_nothing(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        rule(desk.desk, role="nobody")
        await press(pilot, "j", "n", "space")
        assert desk.return_code is None


async def test_a_filter_that_new_rules_do_not_know_is_taken_away_and_said(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        desk._board._filter('next_step = "x"')
        await calm(pilot)
        rule(desk.desk, old="next_step", new="next_move")
        await calm(pilot)
        assert desk._board.filter == ""
        assert "next_step" in told(desk)


async def test_a_first_load_says_how_much_is_here_and_can_be_stopped(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        asked: list[str] = []
        real, syncing = desk.desk.status, [Progress(3000, 100_000)]

        def status() -> Status:
            return replace(real(), cursor="", syncing=syncing[0] if syncing else None)

        desk.desk.status = status  # type: ignore[method-assign]
        desk.desk.cancel_sync = lambda: asked.append("stop")  # type: ignore[method-assign]
        desk.desk.context.events.emit(Progress(3000, 100_000))
        await calm(pilot)
        assert "loaded 3,000 of 100,000" in line(desk, "#board-line")
        await press(pilot, "ctrl+g")
        assert asked == ["stop"]
        syncing.clear()
        desk.desk.context.events.emit(StatusChanged())
        await calm(pilot)
        assert "F5" in line(desk, "#board-line")
        await press(pilot, "ctrl+g")
        assert asked == ["stop"]
        assert "Nothing is being loaded now." in told(desk)
