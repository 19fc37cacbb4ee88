"""The application in a real terminal, doing something that would carry data out of it.

`python -m tests.screens.exits_run PROFILE WAY`
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

import desk.app
from desk.screens.prompt import Prompt
from tests.screens.desks import PASSPHRASE, StillApp

#: What must not be found anywhere afterwards. It is made in parts: a source line may be printed.
CANARY = "Канарейка" + "Тайнова" + str(7 * 1_234_567)


class Attempted(StillApp):
    """The application that does one thing when its board is open."""

    way = ""
    at_the_end: Callable[[], None] = staticmethod(lambda: None)

    def close(self) -> None:
        super().close()
        self.at_the_end()

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._attempt())

    async def _attempt(self) -> None:
        pilot = Pilot(self)
        await _until_open(pilot, self)
        await WAYS[self.way](self, pilot)


async def _until_open(pilot: Pilot[None], app: StillApp) -> None:
    while app._desk is None or app._board.board is None:
        await pilot._wait_for_screen()


async def _crash(app: StillApp, _pilot: Pilot[None]) -> None:
    def handler() -> None:
        held = {"name": CANARY, "key": CANARY.encode()}
        raise RuntimeError(f"no such thing: {held['name']}")

    app.call_later(handler)


def _work(held: str) -> None:
    raise RuntimeError(f"no such thing: {held}")


def _in_thread() -> None:
    thread = threading.Thread(target=_work, args=(CANARY,))
    thread.start()
    thread.join()


async def _thread(app: StillApp, _pilot: Pilot[None]) -> None:
    await asyncio.to_thread(_in_thread)
    app.exit()


async def _late(app: StillApp, _pilot: Pilot[None]) -> None:
    """When the terminal is the shell's again."""
    assert isinstance(app, Attempted)
    app.at_the_end = _in_thread
    app.exit()


async def _task(app: StillApp, _pilot: Pilot[None]) -> None:
    async def work(held: str) -> None:
        raise RuntimeError(f"no such thing: {held}")

    task = asyncio.create_task(work(CANARY))
    await asyncio.wait([task])
    del task
    app.exit()


async def _copy(app: StillApp, pilot: Pilot[None]) -> None:
    await app.push_screen(_field())
    await pilot._wait_for_screen()
    field = app.screen.query_one(Input)
    field.focus()
    field.select_all()
    field.action_copy()
    app.copy_to_clipboard(CANARY)
    app.exit()


def _field() -> Prompt:
    return Prompt("", "", send=_send, value="copied")


async def _send(_text: str) -> str:
    return ""


async def _screenshot(app: StillApp, _pilot: Pilot[None]) -> None:
    for action in ("screenshot", "app.screenshot"):
        await app.run_action(action)
    app.exit()


async def _print(app: StillApp, _pilot: Pilot[None]) -> None:
    app.log(CANARY)
    sys.stdout.write(CANARY)  # what a library would print
    app.exit()


WAYS: Mapping[str, Callable[[StillApp, Pilot[None]], Awaitable[None]]] = {
    "crash": _crash,
    "thread": _thread,
    "late": _late,
    "task": _task,
    "copy": _copy,
    "screenshot": _screenshot,
    "print": _print,
}


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    Attempted.way = sys.argv[2]
    desk.app.DeskApp = Attempted
    sys.exit(desk.app.run(Path(sys.argv[1]), passphrase=PASSPHRASE))
