"""The floor: the least a Textual application does for a start, a key, and a key that writes.

`python -m bench.floor_app` shows one Static; with the argument `list`, lines with a highlight that
`j` moves; with the path of a database, `L` also changes a row there and queues an operation.
"""

from __future__ import annotations

import sys

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

MARK = "floor is painted"
_HERE = Style(reverse=True)


class StaticApp(App[None]):
    """One text."""

    def compose(self) -> ComposeResult:
        yield Static(MARK)


class Lines(Widget, can_focus=True):
    """As many lines as fit, one of them highlighted."""

    BINDINGS = [Binding("j", "down"), Binding("L", "write")]  # noqa: RUF012 - as Textual reads it
    row = 0

    def __init__(self, database: str | None) -> None:
        super().__init__()
        self._moves = None
        if database:
            from bench.plain import Moves

            self._moves = Moves(database)

    def action_down(self) -> None:
        before, self.row = self.row, (self.row + 1) % (self.size.height - 1)
        width = self.size.width
        self.refresh(Region(0, before, width, 1), Region(0, self.row, width, 1))

    def action_write(self) -> None:
        if self._moves:
            self._moves.move_one()
        self.action_down()

    def render_line(self, y: int) -> Strip:
        style = _HERE if y == self.row else None
        return Strip([Segment(f"{MARK} {y}".ljust(self.size.width), style)])


class LinesApp(App[None]):
    """A highlight that keys move."""

    def __init__(self, database: str | None) -> None:
        super().__init__()
        self._database = database

    def compose(self) -> ComposeResult:
        yield Lines(self._database)

    def on_mount(self) -> None:
        self.query_one(Lines).focus()


if __name__ == "__main__":
    what = sys.argv[1:]
    app: App[None] = LinesApp(what[1] if len(what) > 1 else None) if what else StaticApp()
    app.run()
