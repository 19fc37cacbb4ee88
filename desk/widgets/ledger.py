"""A table of many lines: columns that fit the width, a cursor, and more lines as one goes down.

Line API: a frame costs what is seen, however many lines there are. It holds cells as plain text;
they pass `safe` as they are painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from textual.events import Click, MouseScrollDown, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from desk.widgets.actions import Acting, bindings
from desk.widgets.safe import fill

#: So many lines before the end more are asked for.
_AHEAD = 30
_GAP = 2
Tone = Literal["", "muted", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and how wide it is: in cells, with its part of the width that is left over."""

    title: str
    width: int
    share: int = 0
    #: Left out where the width is less than this.
    from_width: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its id, a text for each column, and a tone. Colour is never the only sign."""

    id: str
    cells: tuple[str, ...]
    tone: Tone = ""


class Ledger(Acting, ScrollView, can_focus=True, inherit_bindings=False):
    """Lines under a heading that stays in sight."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "ledger--head",
        "ledger--line",
        "ledger--muted",
        "ledger--warning",
        "ledger--error",
        "ledger--cursor",
        "ledger--cursor-blurred",
    }
    DEFAULT_CSS = """
    Ledger { height: 1fr; background: $background; scrollbar-size-vertical: 1; }
    Ledger .ledger--head { color: $text-muted; background: $background; text-style: bold; }
    Ledger .ledger--line { color: $foreground; background: $background; }
    Ledger .ledger--muted { color: $text-muted; background: $background; }
    Ledger .ledger--warning { color: $text-warning; background: $background; }
    Ledger .ledger--error { color: $text-error; background: $background; text-style: bold; }
    Ledger .ledger--cursor {
        color: $block-cursor-foreground; background: $block-cursor-background;
    }
    Ledger .ledger--cursor-blurred {
        color: $block-cursor-blurred-foreground; background: $block-cursor-blurred-background;
    }
    """
    ACTION_GROUPS = ("table",)
    BINDINGS = bindings("table")

    class Pointed(Message):
        """The cursor is on another line, or on none."""

    class Chosen(Message):
        """The line under the cursor was clicked once more, or Enter was pressed on it."""

    class NearEnd(Message):
        """Soon there are no more lines to show."""

    def __init__(self, columns: Sequence[Column] = ()) -> None:
        super().__init__()
        self._columns = tuple(columns)
        self._rows: list[Row] = []
        self._cursor = 0
        self._widths: tuple[int, ...] = ()

    # What it holds

    @property
    def rows(self) -> Sequence[Row]:
        """The lines that are here."""
        return self._rows

    @property
    def chosen(self) -> Row | None:
        """The line under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    def show(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Other lines; the cursor stays on its line where that is among them."""
        before = self.chosen.id if self.chosen else None
        self._columns, self._rows = tuple(columns), list(rows)
        ids = [row.id for row in rows]
        self._cursor = ids.index(before) if before in ids else 0
        self._lay_out()
        self._follow_cursor()
        self.post_message(self.Pointed())

    def extend(self, rows: Sequence[Row]) -> None:
        """More lines at the end."""
        self._rows.extend(rows)
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self.virtual_size = Size(width, len(self._rows) + 1)
        self._widths = _widths(self._columns, width)
        self.refresh()

    def on_resize(self, event: Resize) -> None:
        del event
        self._lay_out()
        self._follow_cursor()

    # Painting

    def render_line(self, y: int) -> Strip:
        """The heading, and below it the lines from where one has scrolled to."""
        width = self.scrollable_content_region.width
        if y == 0:
            titles = tuple(column.title for column in self._columns)
            return self._strip(titles, "ledger--head", width)
        number = self.scroll_offset.y + y - 1
        if number >= len(self._rows):
            return Strip.blank(width, self.get_component_rich_style("ledger--line"))
        row = self._rows[number]
        part = f"ledger--{row.tone or 'line'}"
        if number == self._cursor:
            part = "ledger--cursor" if self.has_focus else "ledger--cursor-blurred"
        return self._strip(row.cells, part, width)

    def _strip(self, texts: Sequence[str], part: str, width: int) -> Strip:
        style = self.get_component_rich_style(part)
        shown = [fill(text, wide) for text, wide in zip(texts, self._widths, strict=False) if wide]
        text = " " + (" " * _GAP).join(shown)
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    def notify_style_update(self) -> None:
        """Take the new theme's colours."""
        super().notify_style_update()
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # Going through it

    def why_not(self, action: str) -> str | None:
        """Everything is possible; at an end the cursor stays."""
        del action
        return None

    def go(self, number: int) -> None:
        """Put the cursor on the line of that number, or on the nearest there is."""
        if not self._rows:
            return
        number = max(0, min(number, len(self._rows) - 1))
        if number != self._cursor:
            self._cursor = number
            self.refresh()
            self.post_message(self.Pointed())
        self._follow_cursor()
        self._look_ahead()

    def _look_ahead(self) -> None:
        last_seen = max(self._cursor, int(self.scroll_y) + self.size.height)
        if last_seen > len(self._rows) - _AHEAD:
            self.post_message(self.NearEnd())

    def _follow_cursor(self) -> None:
        height = max(1, self.scrollable_content_region.height - 1)
        top = int(self.scroll_y)
        if self._cursor < top:
            top = self._cursor
        elif self._cursor >= top + height:
            top = self._cursor - height + 1
        self.scroll_to(y=top, animate=False)

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 2)

    def action_up(self) -> None:
        """The line above."""
        self.go(self._cursor - 1)

    def action_down(self) -> None:
        """The line below."""
        self.go(self._cursor + 1)

    def action_page_up(self) -> None:
        """One page up."""
        self.go(self._cursor - self._page)

    def action_page_down(self) -> None:
        """One page down."""
        self.go(self._cursor + self._page)

    def action_top(self) -> None:
        """The first line."""
        self.go(0)

    def action_bottom(self) -> None:
        """The last line that is here."""
        self.go(len(self._rows) - 1)

    def action_open(self) -> None:
        """Open what is under the cursor."""
        if self._rows:
            self.post_message(self.Chosen())

    def on_click(self, event: Click) -> None:
        """A click points; on the line under the cursor it opens."""
        number = int(self.scroll_y) + event.y - 1
        if event.y < 1 or number >= len(self._rows):
            return
        if number == self._cursor:
            self.action_open()
        else:
            self.go(number)

    def _on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        super()._on_mouse_scroll_down(event)
        self._look_ahead()


def _widths(columns: Sequence[Column], width: int) -> tuple[int, ...]:
    """How wide each column is in `width` cells; 0 is left out."""
    shown = [column for column in columns if width >= column.from_width]
    room = width - 2 - _GAP * max(0, len(shown) - 1)
    spare = max(0, room - sum(column.width for column in shown))
    shares = sum(column.share for column in shown) or 1
    return tuple(
        column.width + spare * column.share // shares if column in shown else 0
        for column in columns
    )
