"""Where columns and cards of a board lie on the screen: arithmetic alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

#: Below this a column no longer reads; 80 cells hold three.
MIN_COLUMN = 24
HEADER = 2
CARD = 3
#: With fewer lines cards touch each other, so that more of them are seen.
ROOMY_HEIGHT = 28


@dataclass(frozen=True)
class Span:
    """A column on the screen: its number, its first cell and its width with the scroll sign."""

    column: int
    x: int
    width: int


@dataclass(frozen=True)
class Grid:
    """A board of `columns` columns in `width` × `height` cells, the first shown being `first`."""

    width: int
    height: int
    columns: int
    first: int = 0

    @cached_property
    def shown(self) -> int:
        """How many columns are on the screen."""
        return max(1, min(self.columns, self.width // MIN_COLUMN))

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The columns on the screen, filling its whole width."""
        count = min(self.shown, self.columns)
        if not count:
            return ()
        each, left_over = divmod(self.width, count)
        spans: list[Span] = []
        x = 0
        for number in range(count):
            width = each + (number < left_over)
            spans.append(Span(self.first + number, x, width))
            x += width
        return tuple(spans)

    @cached_property
    def pitch(self) -> int:
        """Lines from one card to the next."""
        return CARD + (self.height >= ROOMY_HEIGHT)

    @cached_property
    def tight(self) -> bool:
        """Whether cards touch each other."""
        return self.pitch == CARD

    @cached_property
    def body(self) -> int:
        """Lines below the headers."""
        return max(0, self.height - HEADER)

    @cached_property
    def rows(self) -> int:
        """Cards that are seen whole in a column."""
        return max(1, (self.body + self.pitch - CARD) // self.pitch)

    @cached_property
    def rows_begun(self) -> int:
        """Cards of which at least a line is seen."""
        return -(-self.body // self.pitch)

    def span_of(self, column: int) -> Span | None:
        """The place of `column`, if it is on the screen."""
        number = column - self.first
        return self.spans[number] if 0 <= number < len(self.spans) else None

    def first_for(self, column: int) -> int:
        """The first column to show so that `column` is seen, moving as little as possible."""
        last = max(0, self.columns - self.shown)
        low = min(self.first, column)
        return max(0, min(max(low, column - self.shown + 1), last))

    def column_at(self, x: int) -> int | None:
        """The number of the column under the cell `x`."""
        return next((s.column for s in self.spans if s.x <= x < s.x + s.width), None)

    def row_at(self, y: int) -> int | None:
        """How many cards below the topmost one the line `y` is; `None` on headers and gaps."""
        line = y - HEADER
        if line < 0 or line % self.pitch >= CARD:
            return None
        return line // self.pitch


def keep_in_view(top: int, row: int, rows: int, count: int) -> int:
    """The topmost row to show, near `top`, so that `row` is among the `rows` shown."""
    top = min(max(top, row - rows + 1), row)
    return max(0, min(top, count - rows))


def thumb(top: int, rows: int, count: int, height: int) -> tuple[int, int]:
    """First line and length of the scroll sign in `height` lines; length 0 if all is seen."""
    if count <= rows or height <= 0:
        return 0, 0
    length = max(1, height * rows // count)
    return (height - length) * top // (count - rows), length
