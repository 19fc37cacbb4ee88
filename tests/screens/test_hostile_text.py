"""Names that would drive the terminal are shown as they are, on every screen."""

from __future__ import annotations

import importlib
import pkgutil
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from textual.screen import Screen

import desk.screens
from tests.screens import siege
from tests.screens.desks import (
    ALL_ATTACKS,
    PEOPLE_HERE,
    StillApp,
    besieged,
    fill,
    identifier,
)
from tests.screens.steps import calm, on_screen, press, running
from tests.widgets import terminals
from tests.widgets.test_terminal import OWN

MakeApp = Callable[..., StillApp]

SCREENS = {
    "board": (),
    "card": ("enter",),
    "form": ("enter", "e"),
    "hand-off": ("enter", "p"),
    "comment": ("enter", "c"),
    "menu": ("space",),
    "step taken": ("enter", "w"),
    "linked": ("enter", "o"),
    "search": ("f3", "Р", "о", "м", "а", "ш"),
}


@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS.keys())
async def test_hostile_text_is_only_text(app: MakeApp, keys: tuple[str, ...]) -> None:
    desk = app(is_hostile=True)
    async with running(desk, (120, 40)) as pilot:
        await press(pilot, *keys)
        text = on_screen(desk)
        assert "[b]Ромашка[/b]" in text
        assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")]
        await click_everywhere(pilot, desk)
        assert desk.is_running
        assert desk._exception is None


async def click_everywhere(pilot: object, desk: StillApp) -> None:
    """Click on each place that shows the action hidden in the name."""
    for y, line in enumerate(on_screen(desk).split("\n")):
        x = line.find("click=")
        if x >= 0:
            await pilot.click(offset=(x, y))  # type: ignore[attr-defined]
            await calm(pilot)  # type: ignore[arg-type]
            return


async def test_a_hostile_reason_stands_in_the_history(app: MakeApp) -> None:
    desk = app(is_hostile=True)
    async with running(desk, (120, 40)) as pilot:
        desk._board.open_card(identifier(32))
        await calm(pilot)
        assert "«ООО «[b]Ромашка" in on_screen(desk)


@terminals.needs_terminal
@pytest.mark.parametrize("user", siege.WAYS)
def test_no_byte_of_foreign_text_steers_the_terminal_on_any_screen(
    user: str, tmp_path: Path
) -> None:
    profile, report = tmp_path / "profile", tmp_path / "report.txt"
    profile.mkdir()
    people = tuple(msgspec.structs.replace(one, name=ALL_ATTACKS) for one in PEOPLE_HERE)
    fill(profile, besieged(), user, people=people, company=ALL_ATTACKS)

    with terminals.running("tests.screens.siege", str(profile), str(report), user) as terminal:
        assert terminal.until_the_end(120) == 0, terminal.raw[-2000:]

    assert report.read_text(encoding="utf-8").split("\n") == list(siege.WAYS[user])
    written = terminal.raw.decode("utf-8")
    rest = OWN.sub("", written)
    unwanted = {c for c in rest if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}
    assert unwanted - {"\n"} == set(), _around(rest, unwanted - {"\n"})
    assert not re.search("[\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", rest)
    assert "\x1b[31m" not in written
    assert rest.count("[31mB") > len(siege.WAYS[user]), "the text itself is shown"


def _around(text: str, unwanted: set[str]) -> list[str]:
    return [repr(text[max(0, (at := text.index(c)) - 40) : at + 40]) for c in sorted(unwanted)]


def test_every_screen_there_is_stands_under_siege() -> None:
    """A new screen is to be added to `siege.WAYS`, with the way to it."""
    assert set(_screens()) == {name for ways in siege.WAYS.values() for name in ways}


_BUILT_UPON = {"Dialog", "DeskScreen", "Looking"}


def _screens() -> Iterator[str]:
    """The screens of the application, without those that are only built upon."""
    for module in pkgutil.iter_modules(desk.screens.__path__):
        importlib.import_module(f"desk.screens.{module.name}")
    waiting = list(Screen.__subclasses__())
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        is_ours = one.__module__.startswith("desk.screens.")
        if is_ours and one.__name__ not in _BUILT_UPON:
            yield one.__name__
