"""The board and what belongs to it: filter, search, new cards, changes that arrive, keys."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets import Static

from desk.domain.model import Item
from desk.domain.operations import Move
from desk.screens.board import BoardScreen
from desk.screens.card import CardScreen
from desk.screens.help import Help
from desk.screens.palette import Palette
from desk.screens.prompt import Prompt
from tests.screens.desks import StillApp, identifier
from tests.screens.steps import calm, on_screen, press, running, told, type_text

MakeApp = Callable[..., StillApp]
NEW, OTHER = identifier(2), identifier(42)


def shown(board: BoardScreen) -> int:
    """How many cards the board has."""
    assert board.board is not None
    return sum(len(column.ids) for column in board.board.columns)


async def test_a_role_begins_at_its_own_board(app: MakeApp) -> None:
    desk = app()
    async with running(desk):
        assert desk._board.kind == "qualification"
        assert "2 Qualifications" in on_screen(desk)


async def test_numbers_and_a_capital_b_change_the_board(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "1")
        assert desk._board.kind == "lead"
        await press(pilot, "B")
        assert desk._board.kind == "qualification"


async def test_a_filter_hides_cards_and_an_empty_one_shows_them_again(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "f")
        await type_text(pilot, "score > 30")
        await press(pilot, "enter")
        assert shown(desk._board) == 3
        assert "filter: score > 30" in on_screen(desk)
        await press(pilot, "f", "backspace", "enter")
        assert shown(desk._board) == 6


async def test_a_filter_that_cannot_be_read_says_what_and_where(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "f")
        await type_text(pilot, "nosuch > 3")
        assert "nosuch" in on_screen(desk)
        await press(pilot, "enter")
        assert isinstance(desk.screen, Prompt)


async def test_only_ones_own_cards(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "m")
        assert shown(desk._board) == 5
        await press(pilot, "m")
        assert shown(desk._board) == 6


async def test_searching_finds_by_name_and_opens(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "f3")
        await type_text(pilot, "Балтснаб")
        assert "cards found" in on_screen(desk)
        await press(pilot, "enter")
        assert isinstance(desk.screen, CardScreen)
        assert "Балтснаб" in desk.screen.item.title


async def test_a_new_card_is_made_without_a_hub(app: MakeApp) -> None:
    desk = app("operator1")
    async with running(desk) as pilot:
        before = desk.desk.count(kind="lead")
        await press(pilot, "n")
        await type_text(pilot, "ООО Луч, 5 т")
        await press(pilot, "enter")
        assert "Created." in told(desk)
        assert desk.desk.count(kind="lead") == before + 1


async def test_changes_arrive_under_the_cursor_and_leave_it_where_it_is(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        assert desk._board.view.selected_id == NEW
        desk.desk.do(Move(item_id=OTHER, transition="start", seen_stage="new"))
        await calm(pilot)
        assert desk._board.board is not None
        assert desk._board.board.where(OTHER) is not None
        assert desk._board.board.where(OTHER)[0] == 1  # type: ignore[index]
        assert desk._board.view.selected_id == NEW


async def test_a_change_that_arrives_closes_no_dialog(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "c")
        await type_text(pilot, "думаю")
        desk.desk.do(Move(item_id=NEW, transition="start", seen_stage="new"))
        await calm(pilot)
        assert "думаю" in on_screen(desk)
        await press(pilot, "escape")
        assert "With marketing" in on_screen(desk)


async def test_keys_work_by_position_on_a_russian_layout(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "о")
        assert desk._board.view.cursor == (0, 1)
        await press(pilot, "у")
        assert isinstance(desk.screen, CardScreen)
        await press(pilot, "ц")
        item: Item = desk.screen.item
        assert desk.desk.card(item.id).item.stage == "in_work"
        await press(pilot, "с")
        await type_text(pilot, "цех")
        assert "цех" in on_screen(desk)


async def test_help_lists_the_live_keys_and_the_hint_of_the_stage(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "f1")
        assert isinstance(desk.screen, Help)
        text = on_screen(desk)
        assert "Open the selected card." in text
        assert "New." in text


async def test_the_palette_does_what_is_chosen(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "ctrl+p")
        assert isinstance(desk.screen, Palette)
        assert "Screenshot" not in on_screen(desk)
        await type_text(pilot, "only mine")
        await press(pilot, "enter")
        assert desk._board.mine


async def test_the_network_is_switched_off_by_its_owner(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "f9")
        assert desk.desk.status().offline_by_choice
        assert "offline (your choice)" in on_screen(desk)


async def test_stepping_through_the_cards_of_a_stage(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "J")
        assert isinstance(desk.screen, CardScreen)
        assert desk.screen.item.id == OTHER
        await press(pilot, "J")
        assert "no further card" in told(desk)


async def test_help_keeps_what_a_key_does_in_its_column(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "f1")
        blocks = [str(one.content) for one in desk.screen.query("#body Static").results(Static)]
        lines = "\n".join(blocks).splitlines()
        broken = [line for line in lines if line.startswith(" " * 19)]
        assert broken
        assert all(len(line) <= 69 for line in lines)
        assert "This card" not in blocks
