"""Other people's changes under open cards, forms and dialogs: nothing typed or pointed at moves."""

from __future__ import annotations

from collections.abc import Callable

from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList, Select

from desk.domain.model import Entry
from desk.domain.operations import EditFields
from desk.screens.card import CardScreen
from desk.screens.fields import FieldRow
from desk.screens.form import FormScreen
from desk.screens.menu import Menu
from desk.screens.new_item import NewItem
from desk.screens.prompt import Prompt
from desk.screens.transition_dialog import TransitionDialog
from tests.screens.desks import NOW, StillApp, identifier
from tests.screens.others import arrive, fill_in, forget, move, rule
from tests.screens.steps import calm, on_screen, press, running, told, type_text

MakeApp = Callable[..., StillApp]
FIRST, HANDED, RETURNED = identifier(2), identifier(22), identifier(32)
WHO_AND_WHEN = "* Ирина Савицкая · 12:03 · Accepted by sales"


def row(app: StillApp, name: str) -> FieldRow:
    """The row of a field."""
    return next(one for one in app.screen.query(FieldRow) if one.field.id == name)


async def test_a_card_that_somebody_took_says_who_and_when(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter")
        move(desk.desk, FIRST, "accepted", responsible="sales2")
        await calm(pilot)
        assert WHO_AND_WHEN in on_screen(desk)
        assert told(desk) == ""


async def test_a_card_whose_fields_somebody_changed_names_them(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter")
        fill_in(desk.desk, FIRST, need="чужое", monthly_volume=7)
        await calm(pilot)
        assert "* changed on the hub · fields: Trips a month, Need" in on_screen(desk)


async def test_ones_own_changes_are_no_news(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "w", "e")
        row(desk, "need").focus_editor()
        await type_text(pilot, "мое")
        await press(pilot, "ctrl+s")
        assert isinstance(desk.screen, CardScreen)
        assert not desk.screen.query_one("#card-news").display
        fill_in(desk.desk, FIRST, need="чужое")
        await calm(pilot)
        assert "* changed on the hub · fields: Need" in on_screen(desk)


async def test_the_next_card_begins_without_news(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter")
        fill_in(desk.desk, FIRST, need="чужое")
        await calm(pilot)
        await press(pilot, "J")
        assert not desk.screen.query_one("#card-news").display


async def test_the_list_of_tasks_keeps_its_cursor_on_the_task(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        desk._board.open_card(RETURNED)
        await calm(pilot)
        links = desk.screen.query_one("#links", OptionList)
        links.focus()
        await press(pilot, "end")
        chosen = links.highlighted_option
        item = desk.desk.card(RETURNED).item
        desk.desk.do(EditFields(item_id=RETURNED, fields={"need": "x"}))
        forget(desk.desk, "none")
        arrive(desk.desk, [item])
        await calm(pilot)
        assert links.highlighted_option is not None
        assert chosen is not None
        assert links.highlighted_option.id == chosen.id


async def test_what_one_reads_in_the_history_stays_when_a_line_comes(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        lines = [
            Entry(
                id=identifier(6000 + number),
                item_id=FIRST,
                at=NOW - number,
                who="marketer1",
                event="comment",
                comment=f"заметка {number}",
            )
            for number in range(30)
        ]
        arrive(desk.desk, entries=lines)
        await press(pilot, "enter")
        history = desk.screen.query_one("#history", VerticalScroll)
        history.scroll_to(y=20, animate=False)
        await calm(pilot)
        height = history.virtual_size.height
        came = Entry(id=identifier(7000), item_id=FIRST, at=NOW, who="sales2", event="comment")
        arrive(desk.desk, entries=[came])
        await calm(pilot)
        assert history.virtual_size.height > height
        assert history.scroll_y == 20 + history.virtual_size.height - height


async def test_a_card_that_left_sight_is_emptied_and_left_to_the_person(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter")
        name = desk.desk.card(FIRST).item.title.partition(",")[0]
        assert name in on_screen(desk)
        item = desk.desk.card(FIRST).item
        forget(desk.desk, FIRST)
        await calm(pilot)
        assert isinstance(desk.screen, CardScreen)
        assert name not in on_screen(desk)
        assert "* This card is not yours to see any more." in on_screen(desk)
        await press(pilot, "e")
        assert isinstance(desk.screen, CardScreen)
        assert "not yours to see" in told(desk)
        arrive(desk.desk, [item])
        await calm(pilot)
        assert name in on_screen(desk)
        forget(desk.desk, FIRST)
        await press(pilot, "escape")
        assert desk.screen is desk._board


async def test_a_form_over_a_card_that_left_sight_keeps_what_was_typed(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "need").focus_editor()
        await type_text(pilot, "мое")
        forget(desk.desk, FIRST)
        await calm(pilot)
        await type_text(pilot, " слово")
        assert isinstance(desk.screen, FormScreen)
        assert row(desk, "need").text == "мое слово"
        assert row(desk, "company").text == ""
        assert "Северный путь" not in on_screen(desk)
        assert "* This card is not yours to see any more." in on_screen(desk)
        await press(pilot, "ctrl+s")
        assert isinstance(desk.screen, FormScreen)
        await press(pilot, "escape")
        assert desk.desk.draft(FIRST, "form")["need"] == "мое слово"
        assert "Северный" not in str(desk.desk.draft(FIRST, "form"))


async def test_dialogs_over_a_card_that_left_sight_stay_open(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "c")
        await type_text(pilot, "думаю")
        forget(desk.desk, FIRST)
        await calm(pilot)
        assert isinstance(desk.screen, Prompt)
        assert "думаю" in on_screen(desk)
        assert "* This card is not yours to see any more." in on_screen(desk)
        assert "Северный путь" not in on_screen(desk)
        await press(pilot, "enter")
        assert "not yours to see" in on_screen(desk)
        assert desk.desk.draft(FIRST, "comment") == {"text": "думаю"}


async def test_a_form_tells_who_moved_its_card_and_moves_nothing(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "need").focus_editor()
        await type_text(pilot, "мое")
        before = row(desk, "need").region
        move(desk.desk, FIRST, "accepted")
        await calm(pilot)
        assert WHO_AND_WHEN in on_screen(desk)
        assert row(desk, "need").region == before
        assert row(desk, "need").has_focus_within


async def test_typed_text_stays_and_theirs_is_told_beside_it(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "need").focus_editor()
        await type_text(pilot, "мое")
        fill_in(desk.desk, FIRST, need="чужое", start_when="week")
        await calm(pilot)
        assert row(desk, "need").text == "мое"
        assert "on the hub now: чужое" in on_screen(desk)
        assert row(desk, "start_when").text == "week"
        assert not row(desk, "start_when").overtaken
        await press(pilot, *["backspace"] * 3)
        await type_text(pilot, "чужое")
        assert "on the hub now" not in on_screen(desk)
        assert not row(desk, "need").changed


async def test_a_field_overtaken_is_saved_when_the_person_says_so_twice(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "need").focus_editor()
        await type_text(pilot, "мое")
        fill_in(desk.desk, FIRST, need="чужое")
        await calm(pilot)
        await press(pilot, "ctrl+s")
        assert isinstance(desk.screen, FormScreen)
        assert "Save once more to keep yours." in " ".join(on_screen(desk).split())
        assert desk.desk.status().pending == 0
        await press(pilot, "ctrl+s")
        assert desk.desk.card(FIRST).item.fields["need"] == "мое"
        assert desk.desk.status().pending == 1


async def test_a_draft_taken_up_again_tells_what_changed_since(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "need").focus_editor()
        await type_text(pilot, "мое")
        await press(pilot, "escape")
        fill_in(desk.desk, FIRST, need="чужое")
        await calm(pilot)
        await press(pilot, "e")
        assert row(desk, "need").text == "мое"
        assert "on the hub now: чужое" in on_screen(desk)


async def test_a_value_that_arrives_leaves_the_cursor_in_the_text(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "company").focus_editor()
        await press(pilot, "home", "right", "right")
        fill_in(desk.desk, FIRST, company="ООО «Иное»")
        await calm(pilot)
        editor = desk.focused
        assert isinstance(editor, Input)
        assert (editor.value, editor.cursor_position) == ("ООО «Иное»", 2)
        assert desk.desk.draft(FIRST, "form") == {}


async def test_an_open_list_of_choices_stays_open_at_its_line(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "start_when").focus_editor()
        await press(pilot, "enter", "down", "down")
        chooser = row(desk, "start_when").query_one(Select)
        listing = chooser.query_one("SelectOverlay", OptionList)
        before = listing.highlighted
        fill_in(desk.desk, FIRST, start_when="later")
        await calm(pilot)
        assert chooser.expanded
        assert listing.highlighted == before


async def test_a_value_the_playbook_does_not_know_breaks_nothing(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        fill_in(desk.desk, FIRST, start_when="someday", source="nowhere")
        await calm(pilot)
        assert isinstance(desk.screen, FormScreen)
        assert row(desk, "start_when").query_one(Select).value is Select.NULL


async def test_a_step_that_became_impossible_is_said_in_its_dialog(app: MakeApp) -> None:
    desk = app("sales1")
    async with running(desk) as pilot:
        desk._board.open_card(HANDED)
        await calm(pilot)
        await press(pilot, "b")
        await type_text(pilot, "нет объёма")
        move(desk.desk, HANDED, "accepted")
        await calm(pilot)
        assert isinstance(desk.screen, TransitionDialog)
        assert WHO_AND_WHEN in on_screen(desk)
        assert "is not possible at the stage “Accepted by sales”" in " ".join(
            on_screen(desk).replace("│", "").split()
        )
        assert "нет объёма" in on_screen(desk)


async def test_a_card_moved_meanwhile_is_moved_on_when_the_person_says_so_twice(
    app: MakeApp,
) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "p")
        move(desk.desk, FIRST, "in_work", who="marketer2")
        await calm(pilot)
        assert "* Олег Крылов · 12:03 · With marketing" in on_screen(desk)
        await press(pilot, "ctrl+s")
        assert isinstance(desk.screen, TransitionDialog)
        assert "Somebody moved this card" in on_screen(desk)
        await press(pilot, "ctrl+s")
        assert desk.desk.card(FIRST).item.stage == "handed"


async def test_a_menu_stays_open_and_judges_anew(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "space")
        move(desk.desk, FIRST, "accepted")
        await calm(pilot)
        assert isinstance(desk.screen, Menu)
        assert WHO_AND_WHEN in on_screen(desk)
        await press(pilot, "w")
        assert "is not possible at the stage" in told(desk)
        assert desk.desk.status().pending == 0


async def test_a_new_card_that_is_being_typed_outlives_everything(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "n")
        await type_text(pilot, "ООО Луч")
        forget(desk.desk, FIRST)
        rule(desk.desk, old='titles = { ru = "Лиды"', new='titles = { ru = "Заявки"')
        await calm(pilot)
        assert isinstance(desk.screen, NewItem)
        assert "ООО Луч" in on_screen(desk)


async def test_another_role_lays_the_form_out_around_the_field_in_use(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "next_step").focus_editor()
        await type_text(pilot, "звонок")
        await press(pilot, "left")
        rule(desk.desk, role="sales")
        await calm(pilot)
        await type_text(pilot, "-")
        assert row(desk, "next_step").text == "звоно-к"
        assert not row(desk, "company").editable
        assert "utm_campaign" not in {one.field.id for one in desk.screen.query(FieldRow)}
        await press(pilot, "ctrl+s")
        assert desk.desk.card(FIRST).item.fields["next_step"] == "звоно-к"


async def test_text_in_a_field_that_was_taken_away_is_the_persons(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        row(desk, "need").focus_editor()
        await type_text(pilot, "мое")
        row(desk, "next_step").focus_editor()
        await calm(pilot)
        await type_text(pilot, "звонок")
        rule(desk.desk, role="sales")
        await calm(pilot)
        assert row(desk, "need").text == "мое"
        assert "This field is not yours to change any more." in on_screen(desk)
        await press(pilot, "ctrl+s")
        assert isinstance(desk.screen, FormScreen)
        assert desk.desk.draft(FIRST, "form")["need"] == "мое"
        await press(pilot, *["backspace"] * 3, "ctrl+s")
        assert not isinstance(desk.screen, FormScreen)
        assert desk.desk.card(FIRST).item.fields["next_step"] == "звонок"
        assert "need" not in desk.desk.card(FIRST).item.fields


async def test_a_new_field_of_the_playbook_appears_in_the_open_form(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        rule(desk.desk, old='"quality", "next_step"]', new='"quality", "next_step", "junk_stage"]')
        await calm(pilot)
        names = [one.field.id for one in desk.screen.query(FieldRow)]
        assert names.index("junk_stage") == names.index("next_step") + 1
