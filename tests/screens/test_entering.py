"""Signing in where the hub asks for more than a password; sessions and the password."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from desk.domain.model import Person
from desk.protocol.messages import SecondFactor
from desk.protocol.sessions import SessionInfo
from desk.screens.second_factor import SetUpSecondFactor, picture
from desk.screens.sessions import PasswordDialog, SessionsDialog
from desk.screens.sign_in import SignIn
from desk.services.desk import Desk
from desk.services.errors import CodeNeeded, DeskError, SecondFactorNeeded, WeakPassword, WrongCode
from tests.screens.desks import PASSPHRASE, StillApp
from tests.screens.steps import calm, on_screen, press, running, type_text
from tests.screens.test_opening import settled

URI = "otpauth://totp/operator1?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=Desk"
BEGUN = SecondFactor(
    secret="ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    uri=URI,
    recovery=[f"AAAA-BBBB-CCCC-000{n}" for n in range(8)],
)


class Door:
    """What the hub would answer to each sign-in, and what it was asked with."""

    def __init__(self, *answers: DeskError) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def sign_in(self, *_account: str, enrolment: str = "", code: str = "") -> Person:
        self.asked.append((enrolment, code))
        raise self.answers.pop(0)


def at_the_door(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "sign_in", door.sign_in)


def shown(app: StillApp) -> list[str]:
    screen = app.screen
    assert isinstance(screen, SignIn)
    return [str(one.id) for one in screen._inputs()]


async def test_codes_are_asked_for_only_where_the_hub_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(
        CodeNeeded(enrolment=True, totp=False),
        CodeNeeded(enrolment=False, totp=True),
        WrongCode(which="totp"),
        WrongCode(which="totp"),
    )
    at_the_door(door, monkeypatch)
    account = ("http://127.0.0.1:9", "vera", "demo")
    app = StillApp(tmp_path / "new", passphrase=PASSPHRASE, sign_in=account)
    async with app.run_test(notifications=True) as pilot:
        await settled(app, pilot)
        while not isinstance(app.screen, SignIn):
            await calm(pilot)
        assert shown(app) == ["hub", "user", "password"]
        app.screen.query_one("#password", Input).value = "demo"
        await press(pilot, "ctrl+s")
        await calm(pilot)
        assert shown(app) == ["hub", "user", "password", "code"]
        assert "code of your authenticator" in on_screen(app)
        await type_text(pilot, "123456")
        await press(pilot, "enter")
        await calm(pilot)
        assert door.asked == [("", ""), ("", ""), ("", "123456")]
        assert app.screen.query_one("#code", Input).value == ""
    app.close()


async def test_a_second_factor_that_is_needed_is_set_up_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(SecondFactorNeeded(), WrongCode(which="totp"))
    at_the_door(door, monkeypatch)
    monkeypatch.setattr(Desk, "begin_second_factor", lambda *_, **__: BEGUN)
    account = ("http://127.0.0.1:9", "vera", "demo")
    app = StillApp(tmp_path / "new", passphrase=PASSPHRASE, sign_in=account)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        # Signing in goes on meanwhile, so the application is never calm.
        while not isinstance(app.screen, SetUpSecondFactor) or not app.screen.query("#code"):
            await pilot.pause(0.01)
        text = on_screen(app)
        assert "ABCD EFGH" in text
        assert all(code in text for code in BEGUN.recovery)
        assert all(line in text for line in picture(URI).splitlines())
        assert "Confirm" in text
        await pilot.press(*"123456", "enter")
        while not isinstance(app.screen, SignIn):
            await calm(pilot)
        assert door.asked[-1] == ("", "123456")
    app.close()


def sessions_of(desk: Any) -> list[SessionInfo]:
    del desk
    made = {"created_at": 1_790_000_000_000, "renewed_at": 1_790_000_000_000}
    return [
        SessionInfo(id="1", device="d", device_name="Office\x1b[31m", current=True, **made),
        SessionInfo(id="2", device="e", device_name="[b]Laptop", current=False, **made),
    ]


async def test_sessions_are_ended_and_the_password_changed_from_one_place(
    app: Callable[..., StillApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    refusals: list[DeskError] = [WeakPassword("name")]
    typed: list[tuple[str, str]] = []

    def change(_desk: Desk, current: str, new: str) -> None:
        typed.append((current, new))
        if refusals:
            raise refusals.pop()

    monkeypatch.setattr(Desk, "sessions", sessions_of)
    monkeypatch.setattr(Desk, "end_session", lambda _desk, one: ended.append(one))
    monkeypatch.setattr(Desk, "change_password", change)
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "ctrl+b")
        await calm(pilot)
        assert isinstance(desk.screen, SessionsDialog)
        text = on_screen(desk)
        assert "This session: Office" in text
        assert "End: [b]Laptop" in text
        await press(pilot, "down", "enter")
        await calm(pilot)
        assert ended == ["2"]
        await press(pilot, "home", "enter")
        await calm(pilot)
        assert isinstance(desk.screen, PasswordDialog)
        for word in ("old one", "a new one", "another one"):
            await type_text(pilot, word)
            await press(pilot, "enter")
        assert "not the same" in on_screen(desk)
        desk.screen.query_one("#again", Input).value = "a new one"
        await press(pilot, "enter")
        await calm(pilot)
        assert "Your name stands in the password" in on_screen(desk)
        await press(pilot, "enter")
        await calm(pilot)
        assert isinstance(desk.screen, SessionsDialog)
        assert typed == [("old one", "a new one")] * 2
