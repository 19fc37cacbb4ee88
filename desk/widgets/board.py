"""The board: columns of cards in one widget.

There is no widget per card: a hundred thousand items are ids in arrays, and what is on the screen
is painted line by line. A key press repaints two cards and never lays anything out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import ClassVar, Literal

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from desk.text import _
from desk.widgets.actions import Acting, bindings
from desk.widgets.board_grid import CARD, HEADER, Grid, Span, keep_in_view, thumb
from desk.widgets.board_model import BoardModel, Names
from desk.widgets.board_paint import PARTS, Line, Look, Painter

Phase = Literal["loading", "ready"]

_AGES_SECONDS = 30
_GHOSTS = 4


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


class BoardView(Acting, Widget, can_focus=True):
    """Columns of three-line cards with one cursor.

    The cursor stays on its card: `changed` moves it along with the card, and where the card is gone
    it stays at the row. What the keys ask for is posted as a message; the screen decides.
    """

    ACTION_GROUPS = ("cards",)
    BINDINGS = bindings("cards")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"board--{part}" for part in PARTS}

    DEFAULT_CSS = """
    BoardView {
        height: 1fr;
        background: $background;
        & > .board--header { color: $text-muted; text-style: bold; }
        & > .board--header-here { color: $text-primary; text-style: bold; }
        & > .board--count { color: $text-muted; }
        & > .board--rule { color: $foreground 25%; }
        & > .board--rule-here { color: $primary; }
        & > .board--more { color: $text-accent; text-style: bold; }
        & > .board--track { color: $foreground 15%; }
        & > .board--thumb { color: $foreground 55%; }
        & > .board--empty { color: $text-muted; text-style: italic; }
        & > .board--ghost { background: $foreground 10%; }
        & > .board--card { background: $surface; }
        & > .board--title { color: $foreground; background: $surface; text-style: bold; }
        & > .board--meta { color: $text-muted; background: $surface; }
        & > .board--score { color: $text-accent; background: $surface; }
        & > .board--due { color: $text-warning; background: $surface; }
        & > .board--overdue { color: $text-error; background: $surface; text-style: bold; }
        & > .board--pending { color: $text-accent; background: $surface; text-style: bold; }
        & > .board--edge { color: $primary 60%; background: $surface; }
        & > .board--cursor {
            color: $block-cursor-foreground; background: $block-cursor-background;
        }
        & > .board--cursor-title {
            color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
        }
        & > .board--cursor-meta {
            color: $block-cursor-foreground; background: $block-cursor-background;
        }
        & > .board--cursor-edge { color: $accent; background: $block-cursor-background; }
        & > .board--cursor-blurred { background: $primary 25%; }
    }
    """

    class Selected(Message):
        """The cursor went to another card; `id` is `None` in an empty column."""

        def __init__(self, id: str | None) -> None:  # noqa: A002
            self.id = id
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            """Only the last of a burst matters."""
            return isinstance(message, BoardView.Selected)

    class Opened(Message):
        """A card is to be opened."""

        def __init__(self, id: str) -> None:  # noqa: A002
            self.id = id
            super().__init__()

    class MoveAsked(Message):
        """A card is to go to the stage on the left (`direction` -1) or on the right (+1)."""

        def __init__(self, id: str, direction: int) -> None:  # noqa: A002
            self.id = id
            self.direction = direction
            super().__init__()

    def __init__(
        self,
        names: Names | None = None,
        now: Callable[[], int] = _wall_clock,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """`names` writes sources and people; `now` gives UTC milliseconds."""
        super().__init__(id=id)
        self._names = names or Names()
        self._now = now
        self._model: BoardModel | None = None
        self._phase: Phase = "loading"
        self._filtered = False
        self._grid = Grid(0, 0, 0)
        self._column = 0
        self._row = 0
        self._selected: str | None = None
        self._tops: list[int] = []
        self._top_ids: list[str | None] = []
        self._painter: Painter | None = None
        self._painted: dict[int, list[Line]] = {}

    # What the screen does with it

    def show_loading(self, model: BoardModel | None = None) -> None:
        """Show the outline of a board; with the column titles where `model` knows them."""
        self._model = model
        self._phase = "loading"
        self._lay_grid()
        self._repaint()

    def show(self, model: BoardModel, *, filtered: bool = False) -> None:
        """Show a loaded board; `filtered` if a filter hides cards.

        The cursor stays on its card if the board has it, else at its row.
        """
        fresh = len(model.columns) != len(self._tops) or self._phase == "loading"
        self._model = model
        self._phase = "ready"
        self._filtered = filtered
        if fresh:
            self._tops = [0] * len(model.columns)
            self._top_ids = [None] * len(model.columns)
        self._lay_grid()
        self._follow()
        self._repaint()

    def changed(self, columns: Iterable[int] | None = None) -> None:
        """Repaint after the model changed: these columns, or all of them.

        The cursor and the topmost cards stay where they are on the screen.
        """
        if self._model is None or self._phase != "ready":
            return
        if self._follow():
            self._repaint()
            return
        for column in set(columns) if columns is not None else set(range(len(self._tops))):
            self._repaint_column(column)

    def forget_looks(self) -> None:
        """Repaint everything: a name, the language or the theme changed."""
        self._painter = None
        self._repaint()

    @property
    def selected_id(self) -> str | None:
        """The id of the card under the cursor."""
        return self._selected

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor."""
        return self._column, self._row

    def select(self, item_id: str) -> bool:
        """Put the cursor on a card; false if the board does not have it."""
        place = self._model.where(item_id) if self._model else None
        if place is None:
            return False
        self._go(*place)
        return True

    def why_not(self, action: str) -> str | None:
        """Without a card under the cursor there is nothing to open or to move."""
        if self._selected is None and action in (
            "cards.open",
            "cards.move_left",
            "cards.move_right",
        ):
            return _("There is no card under the cursor")
        return None

    # Keys

    def action_up(self) -> None:
        self._go(self._column, self._row - 1)

    def action_down(self) -> None:
        self._go(self._column, self._row + 1)

    def action_left(self) -> None:
        self._go_across(-1)

    def action_right(self) -> None:
        self._go_across(+1)

    def action_page_up(self) -> None:
        self._go(self._column, self._row - self._grid.rows)

    def action_page_down(self) -> None:
        self._go(self._column, self._row + self._grid.rows)

    def action_top(self) -> None:
        self._go(self._column, 0)

    def action_bottom(self) -> None:
        self._go(self._column, self._count(self._column) - 1)

    def action_open(self) -> None:
        if self._selected is not None:
            self.post_message(self.Opened(self._selected))

    def action_move_left(self) -> None:
        self._ask_move(-1)

    def action_move_right(self) -> None:
        self._ask_move(+1)

    def _ask_move(self, direction: int) -> None:
        if self._selected is not None:
            self.post_message(self.MoveAsked(self._selected, direction))

    # Mouse

    def on_click(self, event: events.Click) -> None:
        column, row = self._at(event.x, event.y)
        if column is None:
            return
        event.stop()
        if row is None or not 0 <= row < self._count(column):
            self._go(column, min(self._tops[column], self._count(column) - 1))
            return
        self._go(column, row)
        if event.chain == 2:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, +1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _at(self, x: int, y: int) -> tuple[int | None, int | None]:
        if self._phase != "ready":
            return None, None
        column, row = self._grid.column_at(x), self._grid.row_at(y)
        if column is None or row is None:
            return column, None
        return column, self._tops[column] + row

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        event.stop()
        column, _row = self._at(event.x, HEADER)
        if column is None:
            return
        last = max(0, self._count(column) - self._grid.rows)
        top = max(0, min(self._tops[column] + step, last))
        if top != self._tops[column]:
            self._set_top(column, top)
            self._repaint_column(column)

    # The cursor

    def _count(self, column: int) -> int:
        columns = self._model.columns if self._model else ()
        return len(columns[column].ids) if 0 <= column < len(columns) else 0

    def _go_across(self, step: int) -> None:
        """To the next column, at the same height on the screen."""
        column = self._column + step
        if self._phase == "ready" and 0 <= column < len(self._tops):
            height = self._row - self._tops[self._column]
            if not 0 <= height < self._grid.rows:
                height = 0
            self._go(column, self._tops[column] + height)

    def _go(self, column: int, row: int) -> None:
        if self._phase != "ready" or self._model is None or not self._tops:
            return
        old_column, old_row = self._column, self._row
        count = self._count(column)
        row = max(0, min(row, count - 1))
        self._column, self._row = column, row
        self._take_selected()
        first = self._grid.first_for(column)
        if first != self._grid.first:
            self._grid = Grid(self._grid.width, self._grid.height, self._grid.columns, first)
            self._scroll_to_cursor()
            self._repaint()
            return
        scrolled = self._scroll_to_cursor()
        if old_column != column:
            self._repaint_header(old_column)
            self._repaint_header(column)
            self._repaint_rows(old_column, old_row)
        if scrolled:
            self._repaint_column(column)
        elif (old_column, old_row) != (column, row):
            self._repaint_rows(column, row, old_row if old_column == column else row)

    def _take_selected(self) -> None:
        ids = self._model.columns[self._column].ids if self._model else ()
        selected = ids[self._row] if self._row < len(ids) else None
        if selected != self._selected:
            self._selected = selected
            self.post_message(self.Selected(selected))

    def _scroll_to_cursor(self) -> bool:
        """Bring the cursor's row into view; true if the column scrolled."""
        column = self._column
        count = self._count(column)
        top = keep_in_view(self._tops[column], self._row, self._grid.rows, count)
        if top == self._tops[column]:
            return False
        self._set_top(column, top)
        return True

    def _set_top(self, column: int, top: int) -> None:
        self._tops[column] = top
        ids = self._model.columns[column].ids if self._model else ()
        self._top_ids[column] = ids[top] if 0 < top < len(ids) else None

    def _follow(self) -> bool:
        """After a change: cursor and topmost cards back to their cards; true if columns moved."""
        model = self._model
        if model is None or not self._tops:
            return False
        before = (self._column, self._grid.first)
        height = self._row - self._tops[self._column]
        for column, top_id in enumerate(self._top_ids):
            place = model.where(top_id) if top_id else None
            top = place[1] if place and place[0] == column else self._tops[column]
            self._set_top(column, max(0, min(top, self._count(column) - self._grid.rows)))
        place = model.where(self._selected) if self._selected else None
        if place is not None:
            if place[0] == self._column and self._tops[place[0]]:
                # The card stays at its height although others came or went above it.
                self._set_top(place[0], max(0, place[1] - height))
            self._column, self._row = place
        self._column = min(self._column, len(self._tops) - 1)
        self._row = max(0, min(self._row, self._count(self._column) - 1))
        self._take_selected()
        first = self._grid.first_for(self._column)
        self._grid = Grid(self._grid.width, self._grid.height, self._grid.columns, first)
        self._scroll_to_cursor()
        return (self._column, first) != before

    # Painting

    def _lay_grid(self) -> None:
        columns = len(self._model.columns) if self._model else 0
        grid = Grid(self.size.width, self.size.height, columns, self._grid.first)
        first = grid.first_for(min(self._column, max(0, columns - 1)))
        self._grid = Grid(grid.width, grid.height, columns, first)

    def on_mount(self) -> None:
        self.set_interval(_AGES_SECONDS, self._repaint)

    def on_resize(self) -> None:
        self._lay_grid()
        if self._phase == "ready" and self._tops:
            self._scroll_to_cursor()
        self._repaint()

    def on_focus(self) -> None:
        self._repaint_rows(self._column, self._row)

    def on_blur(self) -> None:
        self._repaint_rows(self._column, self._row)

    def notify_style_update(self) -> None:
        """Take the new theme's colours."""
        super().notify_style_update()
        self._painter = None
        self._painted.clear()

    def _repaint(self) -> None:
        self._painted.clear()
        self.refresh(self.size.region)

    def _repaint_column(self, column: int) -> None:
        self._painted.pop(column, None)
        span = self._grid.span_of(column)
        if span:
            self.refresh(Region(span.x, 0, span.width, self._grid.height))

    def _repaint_header(self, column: int) -> None:
        self._painted.pop(column, None)
        span = self._grid.span_of(column)
        if span:
            self.refresh(Region(span.x, 0, span.width, HEADER))

    def _repaint_rows(self, column: int, *rows: int) -> None:
        self._painted.pop(column, None)
        span = self._grid.span_of(column)
        if span and self._tops:
            top, pitch = self._tops[column], self._grid.pitch
            regions = {
                Region(span.x, HEADER + (row - top) * pitch, span.width, CARD) for row in rows
            }
            screen = Size(self._grid.width, self._grid.height).region
            self.refresh(*(region.intersection(screen) for region in regions))

    @property
    def _paint(self) -> Painter:
        if self._painter is None:
            self._painter = Painter(
                lambda part: self.get_component_rich_style(f"board--{part}"), self._names
            )
        return self._painter

    def render_line(self, y: int) -> Strip:
        """One line of the board: that line of every column on the screen."""
        width = self._grid.width
        spans = self._grid.spans
        if not spans or width != self.size.width:
            return Strip(self._outline(y, self.size.width), self.size.width)
        if self._phase == "ready" and self._nothing_found:
            said = self._nothing_found_line(y)
            if said:
                return Strip(said, width)
        segments: list[Segment] = []
        for span in spans:
            lines = self._painted.get(span.column)
            if lines is None:
                lines = self._painted[span.column] = self._column_lines(span)
            segments.extend(lines[y])
        return Strip(segments, width)

    def _column_lines(self, span: Span) -> list[Line]:
        """All lines of a column, its scroll sign at the right of each."""
        lines = self._header_lines(span)
        body = self._body_lines(span)
        rows, count = self._grid.rows, self._count(span.column)
        top = self._tops[span.column] if self._phase == "ready" else 0
        start, length = thumb(top, rows, count if self._phase == "ready" else 0, self._grid.body)
        paint = self._paint
        off = Segment(" ", paint.styles["gap"])
        on = Segment("┃", paint.styles["thumb"])
        track = Segment("│", paint.styles["track"]) if length else off
        for y, line in enumerate(body):
            lines.append([*line, on if start <= y < start + length else track])
        return lines

    def _header_lines(self, span: Span) -> list[Line]:
        assert self._model is not None
        grid = self._grid
        hidden = (
            grid.first if span.column == grid.first else 0,
            grid.columns - grid.first - grid.shown if span == grid.spans[-1] else 0,
        )
        here = self._phase == "ready" and span.column == self._column
        column = self._model.columns[span.column]
        return self._paint.header(column, span.width, here, hidden)

    def _body_lines(self, span: Span) -> list[Line]:
        width, grid, paint = span.width - 1, self._grid, self._paint
        gap = paint.gap(width)
        lines: list[Line] = []
        if self._phase == "loading":
            for number in range(_GHOSTS):
                lines.extend(paint.ghost(width, span.column + number))
                lines.extend([gap] * (grid.pitch - CARD or 1))
        else:
            for card in self._cards(span.column, width):
                lines.extend(card)
                lines.extend([gap] * (grid.pitch - CARD))
            if not lines:
                lines.append(paint.empty(width))
        lines.extend([gap] * (grid.body - len(lines)))
        return lines[: grid.body]

    def _cards(self, column: int, width: int) -> list[tuple[Line, ...]]:
        assert self._model is not None
        top = self._tops[column]
        ids = self._model.columns[column].ids[top : top + self._grid.rows_begun]
        found = {card.id: card for card in self._model.cards(ids)}
        now = self._now()
        look = Look.SELECTED if self.has_focus else Look.BLURRED
        selected = self._selected if column == self._column else None
        return [
            self._paint.card(
                found[item_id], width, look if item_id == selected else Look.PLAIN, now
            )
            if item_id in found
            else self._paint.ghost(width, number)
            for number, item_id in enumerate(ids)
        ]

    @property
    def _nothing_found(self) -> bool:
        return (
            self._filtered
            and self._model is not None
            and not any(column.ids for column in self._model.columns)
        )

    def _nothing_found_line(self, y: int) -> Line | None:
        middle = HEADER + self._grid.body // 2 - 1
        if y == middle:
            return self._paint.middle(_("Nothing matches the filter"), self._grid.width, True)
        if y == middle + 1:
            hint = _("Change the filter or clear it to see the cards again")
            return self._paint.middle(hint, self._grid.width, False)
        return self._paint.gap(self._grid.width) if y >= HEADER else None

    def _outline(self, y: int, width: int) -> Line:
        """A line of the skeleton while not even the columns are known."""
        spans = Grid(width, self.size.height, 5).spans
        if not spans:
            return [Segment(" " * width)]
        line: Line = []
        for span in spans:
            inner = span.width - 1
            number, part = divmod(y - HEADER, CARD + 1)
            if y >= HEADER and part < CARD and number < _GHOSTS:
                line.extend(self._paint.ghost(inner, span.column + number)[part])
            elif y == 1:
                line.append(Segment("─" * inner, self._paint.styles["rule"]))
            else:
                line.extend(self._paint.gap(inner))
            line.extend(self._paint.gap(1))
        return line
