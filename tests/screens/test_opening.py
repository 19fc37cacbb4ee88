"""Opening, locking and what goes wrong on the way: one clear line, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desk.app import DeskApp
from desk.screens.notice import Notice
from desk.screens.sign_in import SignIn
from desk.screens.unlock import Unlock
from tests.screens.desks import NOW, PASSPHRASE, StillApp, app_on
from tests.screens.steps import calm, on_screen, press, type_text

MakeProfile = Callable[..., Path]


async def settled(app: DeskApp, pilot: object) -> None:
    """Wait until opening has come to its end."""
    while not app.is_open and len(app.screen_stack) == 1:
        await calm(pilot)  # type: ignore[arg-type]
    await calm(pilot)  # type: ignore[arg-type]


async def test_a_wrong_passphrase_is_told_and_the_right_one_opens(profile: MakeProfile) -> None:
    app = StillApp(profile())
    async with app.run_test(notifications=True) as pilot:
        await settled(app, pilot)
        assert isinstance(app.screen, Unlock)
        await type_text(pilot, "wrong")
        await press(pilot, "enter")
        assert isinstance(app.screen, Unlock)
        assert "The passphrase is wrong" in on_screen(app)
        await type_text(pilot, PASSPHRASE)
        await press(pilot, "enter")
        assert app.screen is app._board
        assert app._board.board is not None
    app.close()


async def test_a_new_desk_asks_for_hub_name_password_and_passphrase(tmp_path: Path) -> None:
    app = StillApp(tmp_path / "new")
    async with app.run_test(notifications=True) as pilot:
        await settled(app, pilot)
        assert isinstance(app.screen, SignIn)
        assert "New passphrase" in on_screen(app)
        await press(pilot, "ctrl+s")
        assert "hub’s address" in on_screen(app)
    app.close()


async def test_two_passphrases_must_agree(tmp_path: Path) -> None:
    app = StillApp(tmp_path / "new")
    async with app.run_test(notifications=True) as pilot:
        await settled(app, pilot)
        for text in ("127.0.0.1:9", "vera", "demo", "long enough", "long"):
            await type_text(pilot, text)
            await press(pilot, "enter")
        assert "The two passphrases are not the same." in on_screen(app)
        assert not (tmp_path / "new" / "local.db").exists()
    app.close()


async def test_a_hub_that_does_not_answer_is_told_in_place(tmp_path: Path) -> None:
    app = StillApp(
        tmp_path / "new", passphrase=PASSPHRASE, sign_in=("http://127.0.0.1:9", "vera", "demo")
    )
    async with app.run_test(notifications=True) as pilot:
        await settled(app, pilot)
        while not isinstance(app.screen, SignIn):
            await calm(pilot)
        assert "does not answer" in on_screen(app)
    app.close()


async def test_a_damaged_file_is_left_alone_and_named(profile: MakeProfile) -> None:
    folder = profile()
    damaged = (folder / "local.db").read_bytes()[:100] + b"x" * 4096
    (folder / "local.db").write_bytes(damaged)
    app = app_on(folder)
    async with app.run_test(notifications=True) as pilot:
        await settled(app, pilot)
        assert isinstance(app.screen, Notice)
        assert "local.db" in on_screen(app).replace("\n", "")
        await press(pilot, "enter")
    assert app.return_code == 4
    assert (folder / "local.db").read_bytes() == damaged
    app.close()


async def test_a_crash_says_one_line_and_writes_no_values(
    profile: MakeProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on(profile())
    secret = "+7 912 000-01-00"

    def fail() -> None:
        phone = secret
        raise ValueError(phone)

    monkeypatch.setattr(app, "action_theme", fail)
    with pytest.raises(ValueError, match="912"):  # noqa: PT012 - it comes when the application ends
        async with app.run_test(notifications=True) as pilot:
            await settled(app, pilot)
            await pilot.press("f4")
    printed = "".join(str(one) for one in app._exit_renderables)
    left = "".join(path.read_text() for path in app.profile.glob("crash-*.txt"))
    assert "test_opening.py" in left
    assert "ValueError" in left
    assert "912" not in printed + left
    app.close()


async def test_theme_and_language_are_remembered(profile: MakeProfile) -> None:
    folder = profile()
    app = app_on(folder)
    async with app.run_test(notifications=True) as pilot:
        await settled(app, pilot)
        await calm(pilot)
        await press(pilot, "f4", "f11")
        assert "Квалификации" in on_screen(app)
    app.close()
    assert (folder / "settings.toml").read_text() == 'theme = "desk-light"\nlanguage = "ru"\n'
    assert app_on(folder).theme == "desk-light"


async def test_nothing_goes_to_the_terminals_clipboard(profile: MakeProfile) -> None:
    app = app_on(profile())
    async with app.run_test() as pilot:
        await settled(app, pilot)
        written: list[str] = []
        assert app._driver is not None
        app._driver.write = written.append  # type: ignore[method-assign]
        app.copy_to_clipboard("+7 912 000-01-00")
        assert app.clipboard == "+7 912 000-01-00"
        assert not any("52;" in text for text in written)
    app.close()


def test_the_clock_of_these_tests_stands_still() -> None:
    assert StillApp(Path()).now() == NOW
