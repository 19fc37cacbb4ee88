"""Moving a card: by hotkey, by dialog, across the board; and why it is not possible."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets import Select

from desk.screens.card import CardScreen
from desk.screens.menu import Menu
from desk.screens.transition_dialog import TransitionDialog
from tests.screens.desks import StillApp, identifier
from tests.screens.steps import calm, on_screen, press, running, told, type_text

MakeApp = Callable[..., StillApp]
NEW, HANDED, RETURNED = identifier(2), identifier(22), identifier(32)


async def test_a_step_that_asks_for_nothing_is_taken_at_once(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "w")
        assert desk.desk.card(NEW).item.stage == "in_work"
        assert "Take to work" in told(desk)
        assert "not sent yet" in on_screen(desk)


async def test_a_hand_off_without_a_choice_is_left_to_the_hub(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "p")
        assert isinstance(desk.screen, TransitionDialog)
        await press(pilot, "enter")
        item = desk.desk.card(NEW).item
        assert (item.stage, item.responsible, item.round) == ("handed", None, 1)


async def test_the_previous_manager_and_those_at_work_are_offered_first(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        desk._board.open_card(RETURNED)
        await calm(pilot)
        await press(pilot, "p")
        offered = [value for _, value in desk.screen.query_one("#to", Select)._options[1:]]
        assert offered == ["sales1", "sales2"]
        desk.screen.query_one("#to", Select).value = "sales2"
        await calm(pilot)
        await press(pilot, "ctrl+s")
        assert desk.desk.card(RETURNED).item.responsible == "sales2"


async def test_a_return_needs_a_reason(app: MakeApp) -> None:
    desk = app("sales1")
    async with running(desk) as pilot:
        desk._board.open_card(HANDED)
        await calm(pilot)
        await press(pilot, "b", "enter")
        assert isinstance(desk.screen, TransitionDialog)
        assert "Write the reason." in on_screen(desk)
        await type_text(pilot, "нет объёма")
        await press(pilot, "enter")
        card = desk.desk.card(HANDED)
        assert card.item.stage == "returned"
        assert card.entries[-1].comment == "нет объёма"
        assert desk.desk.draft(HANDED, "transition:return") == {}


async def test_a_reason_begun_is_there_again_after_escape(app: MakeApp) -> None:
    desk = app("sales1")
    async with running(desk) as pilot:
        desk._board.open_card(HANDED)
        await calm(pilot)
        await press(pilot, "b")
        await type_text(pilot, "клиент")
        await press(pilot, "escape")
        assert "What you typed is kept" in told(desk)
        await press(pilot, "b")
        assert "клиент" in on_screen(desk)


async def test_accepting_is_one_confirmation(app: MakeApp) -> None:
    desk = app("sales1")
    async with running(desk) as pilot:
        desk._board.open_card(HANDED)
        await calm(pilot)
        await press(pilot, "a", "enter")
        assert desk.desk.card(HANDED).item.stage == "accepted"


async def test_closing_as_junk_asks_for_the_stage(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "x", "ctrl+s")
        assert "Fill this in." in on_screen(desk)
        await press(pilot, "enter", "down", "down", "enter", "ctrl+s")
        card = desk.desk.card(NEW)
        assert card.item.stage == "junk"
        assert card.linked[0].stage.startswith("junk_")


async def test_a_target_lead_says_which_fields_are_missing(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "t", "ctrl+s")
        assert on_screen(desk).count("Fill this in.") == 2
        assert desk.desk.status().pending == 0


async def test_a_card_moves_across_the_board(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "L")
        assert desk.desk.card(NEW).item.stage == "in_work"
        assert desk._board.view.cursor[0] == 1


async def test_a_refused_move_says_why_in_one_line_and_opens_nothing(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "l", "H")
        assert desk.screen is desk._board
        assert "Possible now:" in told(desk)
        await press(pilot, "h", "H")
        assert "There is no stage further on." in told(desk)
        assert desk.desk.status().pending == 0


async def test_the_menu_dims_what_is_not_possible_and_says_why(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "space", "b")
        assert isinstance(desk.screen, Menu)
        assert "Your role may not" in on_screen(desk)
        await press(pilot, "w")
        assert desk.desk.card(NEW).item.stage == "in_work"


async def test_a_hotkey_that_is_not_possible_says_why(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "b")
        assert isinstance(desk.screen, CardScreen)
        assert "Your role may not" in told(desk)


async def test_a_comment_and_a_task_done_stand_in_the_history(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        desk._board.open_card(RETURNED)
        await calm(pilot)
        await press(pilot, "c")
        await type_text(pilot, "звонил")
        await press(pilot, "enter")
        assert "звонил" in on_screen(desk)
        assert "Call back and clarify" in on_screen(desk)
        desk.screen.query_one("#links").focus()
        await press(pilot, "home", "enter", "enter")
        assert all(task.closed_at for task in desk.desk.card(RETURNED).tasks)


async def test_enter_on_a_linked_card_opens_it(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "o")
        assert isinstance(desk.screen, CardScreen)
        assert desk.screen.item.kind == "lead"
        await press(pilot, "escape")
        assert desk.screen.item.kind == "qualification"


async def test_with_several_linked_cards_the_first_of_them_is_chosen(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "t", "enter", "down", "enter", "tab")
        await type_text(pilot, "4")
        await press(pilot, "ctrl+s")
        assert isinstance(desk.screen, CardScreen)
        assert len(desk.screen.card.linked) > 1
        await press(pilot, "o", "enter")
        assert isinstance(desk.screen, CardScreen)
        assert desk.screen.item.kind == "lead"
