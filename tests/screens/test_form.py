"""The form: nothing typed is lost, and what is wrong is said beside the field."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from desk.domain.operations import EditFields
from desk.screens.fields import FieldRow
from desk.screens.form import FormScreen
from desk.screens.inbox import InboxScreen
from tests.screens.desks import StillApp, app_on, identifier
from tests.screens.steps import calm, on_screen, press, running, told, type_text

MakeApp = Callable[..., StillApp]
#: The qualification under the cursor when the board opens.
FIRST = identifier(2)


def row(app: StillApp, name: str) -> FieldRow:
    """The row of a field."""
    return next(one for one in app.screen.query(FieldRow) if one.field.id == name)


async def go_to(pilot: object, app: StillApp, name: str) -> None:
    """Put the cursor into a field."""
    row(app, name).focus_editor()
    await calm(pilot)  # type: ignore[arg-type]


async def test_what_was_typed_survives_a_kill(app: MakeApp, tmp_path: Path) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "need")
        await type_text(pilot, "20 т")
        await press(pilot, "tab")
        # The files as a killed process leaves them: nothing was closed.
        shutil.copytree(desk.profile, tmp_path / "killed")
    again = app_on(tmp_path / "killed")
    async with running(again) as pilot:
        await press(pilot, "enter", "e")
        assert row(again, "need").text == "20 т"
        assert "draft · 1" in on_screen(again)
        assert "here again" in told(again)


async def test_a_field_is_kept_without_leaving_it(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "next_step")
        await type_text(pilot, "позвонить")
        form = desk.screen
        assert isinstance(form, FormScreen)
        form.flush()  # What the timer does a fifth of a second later.
        await calm(pilot)
        assert desk.desk.draft(FIRST, "form")["next_step"] == "позвонить"


async def test_saving_makes_one_operation_and_ends_the_draft(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "monthly_volume")
        await type_text(pilot, "12")
        await press(pilot, "ctrl+s")
        item = desk.desk.card(FIRST).item
        assert item.fields["monthly_volume"] == 12
        assert desk.desk.draft(FIRST, "form") == {}
        assert desk.desk.status().pending == 1
        assert "Saved." in told(desk)
        assert not isinstance(desk.screen, FormScreen)


async def test_personal_data_and_fields_are_saved_apart(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "position")
        await type_text(pilot, "логист")
        await go_to(pilot, desk, "company")
        await press(pilot, "end")
        await type_text(pilot, " плюс")
        await press(pilot, "f2")
        card = desk.desk.card(FIRST)
        assert card.subject is not None
        assert card.subject.fields["position"] == "логист"
        assert card.item.fields["company"] == "ООО «Северный путь» плюс"
        assert desk.desk.status().pending == 2


async def test_a_wrong_value_is_told_at_once_and_never_saved(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "weight_t")
        await type_text(pilot, "много")
        assert row(desk, "weight_t").has_class("-wrong")
        assert "takes a number" in on_screen(desk)
        await press(pilot, "ctrl+s")
        assert isinstance(desk.screen, FormScreen)
        assert desk.desk.status().pending == 0


async def test_keys_of_the_form_work_in_a_field_of_several_lines(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "need")
        await type_text(pilot, "abc")
        await press(pilot, "f6")
        assert isinstance(desk.screen, InboxScreen)
        await press(pilot, "escape")
        assert row(desk, "need").text == "abc"
        await press(pilot, "f7")
        assert desk.desk.draft(FIRST, "form") == {}


async def test_leaving_keeps_the_draft_and_says_so(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "need")
        await type_text(pilot, "еженедельно")
        await press(pilot, "escape")
        assert "Your draft is kept" in told(desk)
        assert "draft" in on_screen(desk)
        await press(pilot, "e")
        assert row(desk, "need").text == "еженедельно"
        await press(pilot, "f7")
        assert desk.desk.draft(FIRST, "form") == {}


async def test_a_change_that_arrives_spares_what_is_typed(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "need")
        await type_text(pilot, "мое")
        desk.desk.do(EditFields(item_id=FIRST, fields={"need": "чужое", "route_to": "Пермь"}))
        await calm(pilot)
        assert row(desk, "need").text == "мое"
        assert row(desk, "route_to").text == "Пермь"


async def test_hints_say_for_what_a_field_is_needed(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "enter", "e")
        await go_to(pilot, desk, "target_direction")
        assert "Needed for: Target lead." in on_screen(desk)


async def test_a_field_the_role_may_not_change_is_only_shown(app: MakeApp) -> None:
    desk = app("sales1")
    async with running(desk) as pilot:
        desk._board.open_card(identifier(22))
        await calm(pilot)
        await press(pilot, "e")
        fixed = [one.field.id for one in desk.screen.query(FieldRow) if not one.editable]
        assert "phone" in fixed
