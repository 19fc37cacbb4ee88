"""What tests of screens do over and over: wait for the application to be calm, press, type."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.widgets import Static

from tests.screens.desks import StillApp

_ROUNDS = 3
_NAMES = {" ": "space", ".": "full_stop", ",": "comma", "-": "minus", "+": "plus", "@": "at"}
_NAMES |= {"=": "equals_sign", "_": "underscore", ">": "greater_than_sign", '"': "quotation_mark"}


@asynccontextmanager
async def running(app: StillApp, size: tuple[int, int] = (80, 24)) -> AsyncGenerator[Pilot[None]]:
    """The application on its board; closed at the end, as `desk.app.run` does."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await calm(pilot)
        while app._desk is None or app._board.board is None:
            await calm(pilot)
        yield pilot
        await calm(pilot)
    app.close()


async def calm(pilot: Pilot[None]) -> None:
    """Wait until nothing is being done: no worker, no message, several times in a row.

    Textual's own pause looks at the processor's time, which says nothing on a busy machine.
    """
    quiet = 0
    while quiet < _ROUNDS:
        await pilot.app.workers.wait_for_complete()
        await pilot._wait_for_screen()
        quiet = quiet + 1 if _is_quiet(pilot) else 0


def _is_quiet(pilot: Pilot[None]) -> bool:
    app = pilot.app
    pumps = [app, *app.screen.walk_children(with_self=True)]
    return (
        all(pump._message_queue.empty() and not pump._next_callbacks for pump in pumps)
        and all(worker.is_finished for worker in app.workers)
        and not app.screen._callbacks
    )


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after another, each when the one before has had its effect."""
    for key in keys:
        await pilot.press(key)
        await calm(pilot)


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Type a text into what has the focus."""
    await pilot.press(*(_NAMES.get(character, character) for character in text))
    await calm(pilot)


def on_screen(app: StillApp) -> str:
    """Everything that is painted, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def told(app: StillApp) -> str:
    """What the toasts say."""
    return "\n".join(notification.message for notification in app._notifications)


def line(app: StillApp, selector: str) -> str:
    """The text of a line of the screen."""
    return str(app.screen.query_one(selector, Static).content)
