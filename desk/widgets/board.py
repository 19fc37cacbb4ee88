"""The board: columns of cards in one widget.

There is no widget per card: a hundred thousand items are ids in arrays, and what is on the screen
is painted line by line. A key press repaints two cards and never lays anything out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import ClassVar

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from desk.text import _
from desk.widgets.actions import Acting, bindings
from desk.widgets.board_grid import CARD, HEADER
from desk.widgets.board_model import BoardModel, Names
from desk.widgets.board_paint import PARTS, Painter
from desk.widgets.board_sheet import Sheet, State
from desk.widgets.board_viewport import Viewport

_NEEDS_CARD = ("cards.open", "cards.move_left", "cards.move_right")
_AGES_SECONDS = 30


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
        & > .board--ghost { color: $foreground 20%; background: $surface; }
        & > .board--card { background: $surface; }
        & > .board--odd { background: $block-hover-background; }
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
        & > .board--cursor-edge {
            color: $block-cursor-foreground; background: $block-cursor-background;
        }
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
        self._view = Viewport()
        self._state = State.LOADING
        self._empty = False
        self._sheet: Sheet | None = None

    # What the screen does with it

    def show_loading(self, model: BoardModel | None = None) -> None:
        """Show the outline of a board; with the column titles where `model` knows them."""
        self._state = State.LOADING
        self._view.take(model)
        self._repaint()

    def show(self, model: BoardModel, *, filtered: bool = False) -> None:
        """Show a loaded board; `filtered` if a filter hides cards.

        The cursor stays on its card if the board has it, else at its row.
        """
        self._state = State.FILTERED if filtered else State.WHOLE
        before = self.selected_id
        self._view.take(model)
        self._view.follow()
        self._empty = self._view.is_empty
        self._tell_selected(before)
        self._repaint()

    def changed(self, columns: Iterable[int] | None = None, fresh: Collection[str] = ()) -> None:
        """Repaint after the model changed: these columns, or all of them.

        The cursor and the topmost cards stay where they are on the screen. `fresh` are cards that
        somebody else has changed: they bear a mark until the cursor has been on them.
        """
        self._view.fresh.update(fresh)
        if self._state is State.LOADING:
            return
        before, place, empty = self.selected_id, self.cursor, self._empty
        sideways = self._view.follow()
        self._tell_selected(before)
        self._empty = self._view.is_empty
        emptied = self._state is State.FILTERED and empty != self._empty
        if sideways or columns is None or emptied:
            self._repaint()
            return
        moved = {place[0], self._view.column} if place != self.cursor else set[int]()
        for column in moved.union(columns):
            self._repaint_column(column)

    def seen(self, item_id: str) -> None:
        """The person has looked at a card: it bears no mark any more."""
        if item_id in self._view.fresh:
            self._view.fresh.discard(item_id)
            place = self._view.model.where(item_id) if self._view.model else None
            if place is not None:
                self._repaint_column(place[0])

    def forget_looks(self) -> None:
        """Repaint everything: a name, the language or the theme changed."""
        self._sheet = None
        self._repaint()

    @property
    def selected_id(self) -> str | None:
        """The id of the card under the cursor."""
        return self._view.selected

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor."""
        return self._view.column, self._view.row

    def select(self, item_id: str) -> bool:
        """Put the cursor on a card; false if the board does not have it."""
        place = self._view.model.where(item_id) if self._view.model else None
        if place is None:
            return False
        self._go(*place)
        return True

    def why_not(self, action: str) -> str | None:
        """Without a card under the cursor there is nothing to open or to move."""
        if self.selected_id is None and action in _NEEDS_CARD:
            return _("There is no card under the cursor")
        return None

    # Keys

    def action_up(self) -> None:
        self._go(self._view.column, self._view.row - 1)

    def action_down(self) -> None:
        self._go(self._view.column, self._view.row + 1)

    def action_left(self) -> None:
        self._go_across(-1)

    def action_right(self) -> None:
        self._go_across(+1)

    def action_page_up(self) -> None:
        self._go(self._view.column, self._view.row - self._view.grid.rows)

    def action_page_down(self) -> None:
        self._go(self._view.column, self._view.row + self._view.grid.rows)

    def action_top(self) -> None:
        self._go(self._view.column, 0)

    def action_bottom(self) -> None:
        self._go(self._view.column, self._view.count(self._view.column) - 1)

    def action_open(self) -> None:
        if self.selected_id is not None:
            self.post_message(self.Opened(self.selected_id))

    def action_move_left(self) -> None:
        self._ask_move(-1)

    def action_move_right(self) -> None:
        self._ask_move(+1)

    def _ask_move(self, direction: int) -> None:
        if self.selected_id is not None:
            self.post_message(self.MoveAsked(self.selected_id, direction))

    def _go_across(self, step: int) -> None:
        place = self._view.across(step)
        if place:
            self._go(*place)

    def _go(self, column: int, row: int) -> None:
        view = self._view
        if self._state is State.LOADING or not view.tops:
            return
        old_column, old_row = self.cursor
        before = self.selected_id
        moved = view.go(column, row)
        self._tell_selected(before)
        if moved.sideways:
            self._repaint()
            return
        if old_column != column:
            self._repaint_header(old_column)
            self._repaint_header(column)
            self._repaint_rows(old_column, old_row)
        if moved.scrolled:
            self._repaint_column(column)
        elif (old_column, old_row) != self.cursor:
            self._repaint_rows(column, view.row, old_row if old_column == column else view.row)

    def _tell_selected(self, before: str | None) -> None:
        if self.selected_id != before:
            if before is not None:
                self._view.fresh.discard(before)
            self.post_message(self.Selected(self.selected_id))

    # Mouse

    def on_click(self, event: events.Click) -> None:
        if self._state is State.LOADING:
            return
        column, row = self._view.at(event.x, event.y)
        if column is None:
            return
        event.stop()
        self._go(column, self._view.tops[column] if row is None else row)
        if row is not None and event.chain == 2:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, +1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        event.stop()
        column = self._view.grid.column_at(event.x)
        if (
            self._state is not State.LOADING
            and column is not None
            and self._view.wheel(column, step)
        ):
            self._repaint_column(column)

    # Painting

    def on_mount(self) -> None:
        self.set_interval(_AGES_SECONDS, self._repaint)

    def on_resize(self) -> None:
        self._view.resize(self.size.width, self.size.height)
        self._repaint()

    def on_focus(self) -> None:
        self._repaint_rows(*self.cursor)

    def on_blur(self) -> None:
        self._repaint_rows(*self.cursor)

    def notify_style_update(self) -> None:
        """Take the new theme's colours."""
        super().notify_style_update()
        self._sheet = None

    def _repaint(self) -> None:
        self._drawn.forget()
        self.refresh(self.size.region)

    def _repaint_column(self, column: int) -> None:
        self._drawn.forget(column)
        span = self._view.grid.span_of(column)
        if span:
            self.refresh(Region(span.x, 0, span.width, self._view.grid.height))

    def _repaint_header(self, column: int) -> None:
        self._drawn.forget(column)
        span = self._view.grid.span_of(column)
        if span:
            self.refresh(Region(span.x, 0, span.width, HEADER))

    def _repaint_rows(self, column: int, *rows: int) -> None:
        self._drawn.forget(column)
        span = self._view.grid.span_of(column)
        if span:
            top, pitch = self._view.tops[column], self._view.grid.pitch
            regions = {
                Region(span.x, HEADER + (row - top) * pitch, span.width, CARD) for row in rows
            }
            screen = Size(self._view.grid.width, self._view.grid.height).region
            self.refresh(*(region.intersection(screen) for region in regions))

    @property
    def _drawn(self) -> Sheet:
        if self._sheet is None:
            painter = Painter(
                lambda part: self.get_component_rich_style(f"board--{part}"), self._names
            )
            self._sheet = Sheet(self._view, painter, self._now)
        return self._sheet

    def render_line(self, y: int) -> Strip:
        """One line of the board: that line of every column on the screen."""
        return self._line(y, 0, self.size.width)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines within `crop`, of the columns that it touches alone.

        A scroll changes one column; Textual would put whole lines together, filter them and cut
        the column out. What it would add to them (borders, padding, links) a board does not have.
        """
        background = self.background_colors[1]
        filters = self.get_line_filters()
        strips: list[Strip] = []
        for y in crop.line_range:
            strip = self._line(y, crop.x, crop.right)
            for one in filters:
                strip = strip.apply_filter(one, background)
            strips.append(strip)
        return strips

    def _line(self, y: int, left: int, right: int) -> Strip:
        """The cells of line `y` from `left` to before `right`."""
        width, height = self.size
        if self._view.grid.width != width or not self._view.tops:
            line, begin, end = self._drawn.outline(y, width, height), 0, width
        else:
            line, begin, end = self._drawn.part(y, left, right, self._state, self.has_focus)
        strip = Strip(line, end - begin)
        return strip if (begin, end) == (left, right) else strip.crop(left - begin, right - begin)
