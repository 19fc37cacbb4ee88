"""How the screens look: in both languages, in a small terminal and in a usual one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from desk import text
from desk.services.desk import Desk
from tests.screens.desks import StillApp, identifier
from tests.screens.officers import FakeOfficer
from tests.screens.steps import calm, press

MakeApp = Callable[..., StillApp]
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
#: Who looks, which card is open (none: the board), and what is pressed then.
VIEWS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "board": ("marketer1", "", ()),
    "card": ("marketer1", identifier(32), ()),
    "form": ("marketer1", identifier(32), ("e",)),
    "hand-off": ("marketer1", identifier(32), ("p",)),
    "return": ("sales1", identifier(22), ("b", "enter")),
    "junk": ("marketer1", identifier(2), ("x",)),
    "consents": ("marketer1", identifier(32), ("P",)),
    "officer-requests": ("officer", "", ("ctrl+o", "right", "right", "right")),
    "officer-person": ("officer", "", ("ctrl+o", "enter")),
}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("language", text.LANGUAGES)
@pytest.mark.parametrize("view", VIEWS)
def test_it_looks_as_it_did(
    app: MakeApp,
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
    view: str,
    language: str,
    size: tuple[int, int],
) -> None:
    text.use(language)
    monkeypatch.setattr(Desk, "officer", property(lambda _desk: FakeOfficer()))
    user, item, keys = VIEWS[view]
    shown = app(user)

    async def go(pilot: Pilot[None]) -> None:
        while shown._desk is None or shown._board.board is None:
            await calm(pilot)
        if item:
            shown._board.open_card(item)
            await calm(pilot)
        await press(pilot, *keys)
        for widget in shown.screen.query("Input, TextArea"):
            assert isinstance(widget, Input | TextArea)
            widget.cursor_blink = False
        await calm(pilot)

    assert snap_compare(shown, terminal_size=size, run_before=go)
    shown.close()
