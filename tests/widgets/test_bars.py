"""The two lines at the bottom: who and what waits, and the keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.app import ComposeResult
from textual.widgets import Static

from desk.domain.model import Person
from desk.services.views import Progress, Status
from desk.widgets.actions import Acting, ActionApp, bindings
from desk.widgets.footer import KeyFooter
from desk.widgets.safe import GuardedApp
from desk.widgets.status_line import StatusLine

STATUS = Status(
    user="marketer1",
    role="marketer",
    hub="http://hub.example:8765",
    online=True,
    offline_by_choice=False,
    pending=3,
    conflicts=2,
    cursor="",
    syncing=None,
    last_error="",
)
PEOPLE = {"marketer1": Person(id="marketer1", name="Ирина Петрова", role="marketer")}


class Place(Acting, Static, can_focus=True):
    ACTION_GROUPS = ("cards",)
    BINDINGS = bindings("cards")
    reason: str | None = None

    def why_not(self, action: str) -> str | None:
        return self.reason if action == "cards.open" else None

    def action_open(self) -> None:
        assert isinstance(self.app, BarsApp)
        self.app.opened += 1

    def action_down(self) -> None:
        """A hot key."""


class BarsApp(Acting, GuardedApp, ActionApp):
    ENABLE_COMMAND_PALETTE = False
    ACTION_GROUPS = ("app",)
    BINDINGS = bindings("app")
    CSS = "Place { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0

    def compose(self) -> ComposeResult:
        yield Place()
        yield StatusLine()
        yield KeyFooter()

    def line(self, kind: type[StatusLine | KeyFooter]) -> str:
        return self.query_one(kind).render_line(0).text


async def status_at(width: int, status: Status = STATUS) -> str:
    app = BarsApp()
    async with app.run_test(size=(width, 10)):
        app.query_one(StatusLine).show(status, PEOPLE, "Marketing manager")
        line = app.line(StatusLine)
        assert len(line) == width
        return line


async def test_a_wide_line_tells_everything() -> None:
    line = await status_at(120)
    for word in ("Ирина Петрова", "Marketing manager", "2 in the inbox", "3 to be sent", "online"):
        assert word in line
    assert "hub.example:8765" in line


async def test_the_least_important_goes_first() -> None:
    assert "hub.example" not in await status_at(80)
    line = await status_at(44)
    assert "Marketing manager" not in line
    assert "Ирина Петрова" in line
    line = await status_at(22)
    assert "Ирина" not in line
    assert "‼ 2" in line
    assert "● 3" in line
    assert "◉" in line


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (replace(STATUS, online=False), "○ no connection"),
        (replace(STATUS, offline_by_choice=True), "◌ offline (your choice)"),
        (replace(STATUS, syncing=Progress(4500, 20_000)), "⇅ 4,500 of 20,000 · 22 %"),
        (replace(STATUS, syncing=Progress(4500, 0)), "⇅ 4,500"),
    ],
)
async def test_the_network_is_told_in_words_and_signs(status: Status, said: str) -> None:
    assert said in await status_at(120, status)


async def test_nothing_is_said_of_what_is_not() -> None:
    line = await status_at(120, replace(STATUS, pending=0, conflicts=0))
    assert "inbox" not in line
    assert "sent" not in line


async def test_before_the_desk_is_open_the_line_says_so() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 10)):
        assert "Opening…" in app.line(StatusLine)


async def test_the_footer_shows_keys_with_their_actions_and_always_help() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one(Place).focus()
        await pilot.pause()
        line = app.line(KeyFooter)
        assert line.startswith(" Enter Open ")
        assert line.endswith(" F1 Help ")
        await pilot.resize_terminal(24, 10)
        await pilot.pause()
        assert app.line(KeyFooter).endswith(" F1 Help ")


async def test_remapped_keys_show_in_the_footer() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one(Place).focus()
        app.set_keymap({"cards.open": "f7"})
        await pilot.pause()
        assert " F7 Open " in app.line(KeyFooter)


async def test_what_is_not_possible_is_dimmed_and_says_why_when_clicked() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 10)) as pilot:
        place = app.query_one(Place)
        place.reason = "Nothing to open"
        place.focus()
        await pilot.pause()
        segment = next(s for s in app.query_one(KeyFooter).render_line(0) if s.text == "Enter")
        assert segment.style is not None
        assert segment.style.strike
        await pilot.click(KeyFooter, offset=(3, 0))
        assert app.opened == 0
        assert [notice.message for notice in app._notifications] == ["Nothing to open"]
        place.reason = None
        app.screen.refresh_bindings()
        await pilot.pause()
        await pilot.click(KeyFooter, offset=(3, 0))
        assert app.opened == 1


async def test_a_hot_key_does_not_touch_the_footer(monkeypatch: pytest.MonkeyPatch) -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.query_one(Place).focus()
        await pilot.pause()
        touched: list[bool] = []
        monkeypatch.setattr(app.query_one(KeyFooter), "renew", lambda: touched.append(True))
        await pilot.press("j", "j", "о")
        assert touched == []
