"""A look at what is masked on a card, and a call, by key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Digits

from desk.domain.model import Item
from desk.screens.card import CardScreen
from desk.screens.looking import NumberShown
from desk.services.errors import NeedsHub, NoDialer
from desk.services.views import Calling
from tests.screens.desks import StillApp
from tests.screens.steps import calm, on_screen, press, running, told

App = Callable[..., StillApp]
SECRET = "+79990001122"
SHOWN = "+7 999 000-11-22"


def a_card(app: StillApp) -> Item:
    """A card with a person that the user has in sight."""
    rows = app.desk.rows("qualification", sort="created_at")
    return next(row.item for row in rows if row.item.subject_id)


def replaced(monkeypatch: pytest.MonkeyPatch, app: StillApp, name: str, answer: Any) -> list[Any]:
    """Let the desk answer so; the questions it is asked."""
    asked: list[Any] = []

    def answering(*arguments: Any) -> Any:
        asked.append(arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(app.desk, name, answering)
    return asked


def screen_of(app: StillApp) -> Screen[Any]:
    return app.screen


async def test_a_masked_field_is_shown_for_a_stated_purpose_and_masked_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = app("sales1")
    async with running(one) as pilot:
        asked = replaced(monkeypatch, one, "reveal", {"subject.phone": SECRET})
        item = a_card(one)
        one.open_card(item.id)
        await calm(pilot)
        card = screen_of(one)
        assert isinstance(card, CardScreen)
        await press(pilot, "V", "enter", "enter")
        assert asked == [(item.id, ["subject.phone"], "processing")]
        assert SHOWN in on_screen(one)
        card.hide()
        await calm(pilot)
        assert SHOWN not in on_screen(one)
        await press(pilot, "V", "enter", "enter")
        assert SHOWN in on_screen(one)
        await press(pilot, "f1", "escape")
        assert SHOWN not in on_screen(one)
        assert card.revealed == {}


async def test_a_look_that_was_given_up_asks_nothing_of_the_hub(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = app("sales1")
    async with running(one) as pilot:
        asked = replaced(monkeypatch, one, "reveal", {"subject.phone": SECRET})
        one.open_card(a_card(one).id)
        await calm(pilot)
        await press(pilot, "V", "enter", "escape")
        assert asked == []


async def test_a_look_without_the_hub_says_what_it_needs(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = app("sales1")
    async with running(one) as pilot:
        replaced(monkeypatch, one, "reveal", NeedsHub())
        one.open_card(a_card(one).id)
        await calm(pilot)
        await press(pilot, "V", "enter", "enter")
        assert "by the hub alone" in told(one)


async def test_whoever_sees_everything_has_nothing_to_look_at(app: App) -> None:
    one = app("marketer1")
    async with running(one) as pilot:
        one.open_card(a_card(one).id)
        await calm(pilot)
        await press(pilot, "V")
        assert "Nothing on this card is masked" in told(one)


@pytest.mark.parametrize(
    ("answer", "said"),
    [(Calling(), "Calling…"), (NoDialer(), "No dialler is set")],
    ids=["dialled", "no_dialler"],
)
async def test_a_masked_number_is_dialled_and_not_shown(
    app: App, monkeypatch: pytest.MonkeyPatch, answer: Any, said: str
) -> None:
    one = app("sales1")
    async with running(one) as pilot:
        (one.profile / "settings.toml").write_text('dial = ["softphone"]\n', "utf-8")
        asked = replaced(monkeypatch, one, "call", answer)
        item = a_card(one)
        one.open_card(item.id)
        await calm(pilot)
        await press(pilot, "D")
        assert asked == [(("softphone",), item.id, "subject.phone", 0)]
        assert said in told(one)


async def test_a_number_that_is_dialled_by_hand_is_shown_large(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = app("marketer1")
    async with running(one) as pilot:
        replaced(monkeypatch, one, "call", Calling(number=SECRET))
        one.open_card(a_card(one).id)
        await calm(pilot)
        await press(pilot, "D")
        assert isinstance(screen_of(one), NumberShown)
        assert one.screen.query_one(Digits).value == SECRET
        assert SHOWN in on_screen(one)
        await press(pilot, "enter")
        assert SECRET[-4:] not in on_screen(one)


async def test_what_is_copied_from_a_card_is_journaled(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = app("marketer1")
    async with running(one) as pilot:
        noted = replaced(monkeypatch, one, "note_copy", None)
        one.copy_to_clipboard("a title on the board")
        await calm(pilot)
        assert noted == []
        one.open_card(a_card(one).id)
        await calm(pilot)
        one.copy_to_clipboard("Иван")
        await calm(pilot)
        assert [card.item.id for (card,) in noted] == [a_card(one).id]
