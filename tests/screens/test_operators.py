"""Several operators on one workstation, and what the lock screen says is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from desk.screens.menu import Menu
from desk.screens.sign_in import SignIn
from desk.screens.unlock import Unlock
from desk.services import operators
from desk.services.desk import Desk
from desk.services.errors import HubNeeded, LeaseOver
from tests.screens.desks import PASSPHRASE, StillApp
from tests.screens.steps import calm, on_screen, press, type_text

Filled = Callable[[str, bool], Path]


@pytest.fixture
def home(filled: Filled, tmp_path: Path) -> Path:
    """A workstation of two operators."""
    first = tmp_path / "home"
    shutil.copytree(filled("marketer1", False), first)
    operators.remember(first, "marketer1")
    second = operators.make(first, "sales1")
    shutil.copytree(filled("sales1", False), second, dirs_exist_ok=True)
    return first


async def test_the_operator_is_chosen_first_and_opens_his_own_desk(home: Path) -> None:
    app = StillApp(home)
    async with app.run_test(notifications=True) as pilot:
        await calm(pilot)
        assert isinstance(app.screen, Menu)
        assert "marketer1" in on_screen(app)
        await press(pilot, "2")
        assert "Desk is locked: sales1" in on_screen(app)
        await type_text(pilot, PASSPHRASE)
        await press(pilot, "enter")
        assert app.screen is app._board
        assert app.desk.me.id == "sales1"
        assert app.profile == home / "operators" / "sales1"
    app.close()


async def test_from_the_lock_screen_another_operator_is_chosen(home: Path) -> None:
    app = StillApp(home, locked_for="idle")
    async with app.run_test(notifications=True) as pilot:
        await calm(pilot)
        assert isinstance(app.screen, Unlock)
        assert "F7" in on_screen(app)
        await press(pilot, "f7", "2")
        assert "Desk is locked: sales1" in on_screen(app)
        assert "Nobody was at the keyboard" not in on_screen(app)
    app.close()


async def test_a_new_operator_gets_a_desk_of_his_own(home: Path) -> None:
    app = StillApp(home)
    async with app.run_test(notifications=True) as pilot:
        await calm(pilot)
        await press(pilot, "n")
        await type_text(pilot, "../x")
        await press(pilot, "enter")
        assert "Latin letters" in on_screen(app)
        await press(pilot, "ctrl+u")
        await type_text(pilot, "operator1")
        await press(pilot, "enter")
        assert isinstance(app.screen, SignIn)
        assert "operator1" in on_screen(app)
        assert app.profile == home / "operators" / "operator1"
    app.close()


@pytest.mark.parametrize("missing", [HubNeeded, LeaseOver])
async def test_what_is_missing_is_said_and_can_be_tried_again(
    filled: Filled, tmp_path: Path, missing: type[HubNeeded | LeaseOver]
) -> None:
    folder = tmp_path / "one"
    shutil.copytree(filled("marketer1", False), folder)
    answers: list[Exception | None] = [missing(hub="https://hub.example"), None]

    class Waiting(StillApp):
        def open_desk(self, passphrase: str | None) -> Desk:
            answer = answers.pop(0)
            if answer is not None:
                raise answer
            return super().open_desk(passphrase)

    app = Waiting(folder, passphrase=PASSPHRASE)
    async with app.run_test(notifications=True) as pilot:
        await calm(pilot)
        assert isinstance(app.screen, Unlock)
        assert "https://hub.example" in on_screen(app)
        await type_text(pilot, PASSPHRASE)
        await press(pilot, "enter")
        assert app.screen is app._board
    app.close()
