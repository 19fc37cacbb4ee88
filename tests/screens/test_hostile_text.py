"""Names that would drive the terminal are shown as they are, on every screen."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest

from tests.screens.desks import StillApp, identifier
from tests.screens.steps import calm, on_screen, press, running

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
