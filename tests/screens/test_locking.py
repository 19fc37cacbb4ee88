"""A desk that locks by itself: of idleness, at the end of the shift, and what is said before."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from desk.screens.sentry import Clocks, Sentry, Watchword
from desk.screens.unlock import Unlock
from desk.services import lockdown
from desk.services.desk import Desk
from desk.services.lockdown import Rules
from tests.screens.desks import PASSPHRASE, StillApp, identifier
from tests.screens.steps import calm, on_screen, press, running, type_text

MakeProfile = Callable[..., Path]
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHIFT = Rules(idle_minutes=10, shift_ends=(18, 0))


@dataclass
class Hands:
    """The hands of both clocks, moved by the test."""

    at: datetime = MORNING

    def go(self, **away: float) -> None:
        self.at += timedelta(**away)

    @property
    def seconds(self) -> float:
        return self.at.timestamp()


def clocks_of(hands: Hands) -> Clocks:
    return Clocks(lambda: hands.seconds, lambda: hands.at)


def test_an_idle_desk_warns_half_a_minute_before_and_once() -> None:
    hands = Hands()
    sentry = Sentry(Rules(idle_minutes=5), clocks_of(hands))
    hands.go(minutes=4, seconds=29)
    assert sentry.look() is None
    hands.go(seconds=1)
    assert sentry.look() is Watchword.IDLE_SOON
    assert sentry.look() is None
    hands.go(seconds=30)
    assert sentry.look() is Watchword.IDLE


def test_whoever_comes_back_in_time_goes_on_and_is_warned_anew_the_next_time() -> None:
    hands = Hands()
    sentry = Sentry(Rules(idle_minutes=5), clocks_of(hands))
    hands.go(minutes=4, seconds=45)
    assert sentry.look() is Watchword.IDLE_SOON
    sentry.touch()
    assert sentry.look() is Watchword.BACK
    hands.go(minutes=4, seconds=45)
    assert sentry.look() is Watchword.IDLE_SOON


def test_a_key_pressed_too_late_does_not_open_what_is_over() -> None:
    hands = Hands()
    sentry = Sentry(Rules(), clocks_of(hands))
    hands.go(hours=8)  # the machine slept, and nobody looked at the clock
    sentry.touch()
    assert sentry.look() is Watchword.IDLE


def test_a_shift_ends_with_some_minutes_of_grace() -> None:
    hands = Hands(MORNING.replace(hour=17, minute=59))
    sentry = Sentry(SHIFT, clocks_of(hands))
    assert sentry.look() is None
    hands.go(minutes=1)
    assert [sentry.look(), sentry.look()] == [Watchword.SHIFT_ENDS, None]
    for said in (None, Watchword.SHIFT_SOON, Watchword.SHIFT_OVER):
        hands.go(minutes=4) if said is None else hands.go(seconds=30)
        sentry.touch()
        assert sentry.look() is said


def test_whoever_unlocks_after_the_shift_may_work_until_the_next_one_ends() -> None:
    hands = Hands(MORNING.replace(hour=18, minute=20))
    assert Sentry(SHIFT, clocks_of(hands)).look() is None


def guarded(folder: Path, hands: Hands) -> StillApp:
    app = StillApp(folder, passphrase=PASSPHRASE, clocks=clocks_of(hands))
    app.animation_level = "none"
    return app


@asynccontextmanager
async def opened(app: StillApp) -> AsyncGenerator[Pilot[None]]:
    """The application on its board, to be ended by the test; closed as `desk.app.run` does."""
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        while app._desk is None or app._board.board is None:
            await calm(pilot)
        yield pilot
    app.close()


async def test_what_was_typed_is_a_draft_when_an_idle_desk_locks(profile: MakeProfile) -> None:
    folder, hands = profile(), Hands()
    app = guarded(folder, hands)
    async with opened(app) as pilot:
        app.open_card(identifier(2))
        await press(pilot, "c")
        for letter in "later":
            await pilot.press(letter)
        hands.go(minutes=9, seconds=45)
        app.look_around()
        await calm(pilot)
        assert "Desk locks in half a minute" in on_screen(app)
        hands.go(seconds=20)
        app.look_around()
    assert app.locked_for == "idle"
    with Desk.open(folder, PASSPHRASE) as desk:
        assert desk.draft(identifier(2), "comment") == {"text": "later"}


@pytest.mark.parametrize("touch", ["key", "mouse"])
async def test_a_key_or_the_mouse_keeps_it_open_and_takes_the_warning_away(
    profile: MakeProfile, touch: str
) -> None:
    hands = Hands()
    app = guarded(profile(), hands)
    async with running(app) as pilot:
        hands.go(minutes=9, seconds=45)
        app.look_around()
        await calm(pilot)
        await _touch(pilot, touch)
        app.look_around()
        await calm(pilot)
        assert "half a minute" not in on_screen(app)
        hands.go(minutes=9)
        app.look_around()
        assert app.locked_for == ""


async def _touch(pilot: Pilot[None], touch: str) -> None:
    if touch == "key":
        await press(pilot, "down")
    else:
        await pilot.hover(offset=(5, 5))
        await calm(pilot)


async def test_the_end_of_the_shift_is_said_and_locks_a_few_minutes_later(
    profile: MakeProfile,
) -> None:
    folder, hands = profile(), Hands(MORNING.replace(hour=17))
    lockdown.keep_rules(folder, SHIFT)
    app = guarded(folder, hands)
    async with opened(app) as pilot:
        for _ in range(12):  # an hour of work
            hands.go(minutes=5)
            await press(pilot, "down")
        app.look_around()
        await calm(pilot)
        assert "Desk locks at 18:05" in on_screen(app).replace("\n", " ")
        hands.go(minutes=5)
        await press(pilot, "down")
        app.look_around()
    assert app.locked_for == "shift"


async def test_a_desk_that_locked_itself_says_why_and_asks_for_the_passphrase(
    profile: MakeProfile,
) -> None:
    app = StillApp(profile(), locked_for="idle")
    async with app.run_test(notifications=True) as pilot:
        await calm(pilot)
        assert isinstance(app.screen, Unlock)
        assert "Nobody was at the keyboard" in on_screen(app)
        await type_text(pilot, PASSPHRASE)
        await press(pilot, "enter")
        assert app.screen is app._board
    app.close()


async def test_a_desk_of_the_keyring_alone_stays_shut_until_it_is_asked_to_open(
    profile: MakeProfile,
) -> None:
    folder = profile()
    kept = json.loads((folder / "local.key").read_bytes())
    app = StillApp(folder, locked_for="shift")
    (folder / "local.key").write_text(json.dumps({**kept, "factors": ["keyring"]}))
    async with app.run_test(notifications=True) as pilot:
        await calm(pilot)
        assert isinstance(app.screen, Unlock)
        assert not app.is_open
        assert "It opens with the key of your system" in on_screen(app)
        (folder / "local.key").write_text(json.dumps(kept))
        await press(pilot, "enter")
        assert "The desk is locked" in on_screen(app)
    app.close()
