"""The lines of a board as they are now: headers, cards and scroll signs of the columns seen."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from rich.segment import Segment

from desk.text import _
from desk.widgets.board_grid import CARD, HEADER, Grid, Span, thumb
from desk.widgets.board_paint import Line, Look, Painter
from desk.widgets.board_viewport import Viewport

_GHOSTS = 4
#: The skeleton shows as many columns as a pipeline usually has.
_USUAL_COLUMNS = 5


class State(Enum):
    """What the board has to show."""

    LOADING = "loading"
    WHOLE = "whole"
    #: A filter hides cards.
    FILTERED = "filtered"


class Sheet:
    """Keeps the lines of each column until `forget`; a line of the board joins those seen."""

    def __init__(self, view: Viewport, painter: Painter, now: Callable[[], int]) -> None:
        self._view = view
        self._paint = painter
        self._now = now
        self._columns: dict[int, list[Line]] = {}

    def forget(self, column: int | None = None) -> None:
        """Paint a column, or all of them, anew."""
        if column is None:
            self._columns.clear()
        else:
            self._columns.pop(column, None)

    def part(
        self, y: int, left: int, right: int, state: State, focused: bool
    ) -> tuple[Line, int, int]:
        """The segments of line `y` in the columns between `left` and `right`, and the cells where
        those columns begin and end."""
        if state is State.FILTERED and y >= HEADER and self._view.is_empty:
            return self._nothing_found(y), 0, self._view.grid.width
        segments: Line = []
        touched = [
            span for span in self._view.grid.spans if span.x < right and span.x + span.width > left
        ]
        for span in touched:
            lines = self._columns.get(span.column)
            if lines is None:
                loading = state is State.LOADING
                lines = self._header(span, loading)
                lines += self._ghosts(span) if loading else self._body(span, focused)
                self._columns[span.column] = lines
            segments.extend(lines[y])
        if not touched:
            return segments, left, left
        return segments, touched[0].x, touched[-1].x + touched[-1].width

    def outline(self, y: int, width: int, height: int) -> Line:
        """A line of the skeleton while not even the columns are known."""
        paint = self._paint
        line: Line = []
        for span in Grid(width, height, _USUAL_COLUMNS).spans:
            inner = span.width - 1
            number, part = divmod(y - HEADER, CARD + 1)
            if y >= HEADER and part < CARD and number < _GHOSTS:
                line.extend(paint.ghost(inner, span.column + number)[part])
            elif y == HEADER - 1:
                line.append(Segment("─" * inner, paint.styles["rule"]))
            else:
                line.extend(paint.gap(inner))
            line.extend(paint.gap(1))
        return line

    def _header(self, span: Span, loading: bool) -> list[Line]:
        view, grid = self._view, self._view.grid
        assert view.model is not None
        hidden = (
            grid.first if span == grid.spans[0] else 0,
            grid.columns - grid.first - grid.shown if span == grid.spans[-1] else 0,
        )
        here = not loading and span.column == view.column
        column = view.model.columns[span.column]
        return self._paint.header(column, span.width, here, hidden, loading)

    def _ghosts(self, span: Span) -> list[Line]:
        gap, margin = self._paint.gap(span.width), self._paint.gap(1)
        lines: list[Line] = []
        for number in range(_GHOSTS):
            ghost = self._paint.ghost(span.width - 1, span.column + number)
            lines += [*(part + margin for part in ghost), gap]
        return self._to_height(lines, gap)

    def _body(self, span: Span, focused: bool) -> list[Line]:
        view, grid, paint = self._view, self._view.grid, self._paint
        width = span.width - 1
        gap = paint.gap(width)
        lines: list[Line] = []
        for card in self._cards(span.column, width, focused):
            lines.extend(card)
            lines.extend([gap] * (grid.pitch - CARD))
        lines = self._to_height(lines or [paint.empty(width)], gap)
        start, length = thumb(view.tops[span.column], grid.rows, view.count(span.column), grid.body)
        if not length:
            margin = paint.gap(1)
            return [line + margin for line in lines]
        on = Segment("┃", paint.styles["thumb"])
        track = Segment("│", paint.styles["track"])
        return [
            [*line, on if start <= y < start + length else track] for y, line in enumerate(lines)
        ]

    def _to_height(self, lines: list[Line], gap: Line) -> list[Line]:
        height = self._view.grid.body
        return lines[:height] + [gap] * (height - len(lines))

    def _cards(self, column: int, width: int, focused: bool) -> list[tuple[Line, ...]]:
        view, paint, now = self._view, self._paint, self._now()
        assert view.model is not None
        top = view.tops[column]
        ids = view.model.columns[column].ids[top : top + view.grid.rows_begun]
        found = {card.id: card for card in view.model.cards(ids)}
        here = view.selected if column == view.column else None
        selected = Look.SELECTED if focused else Look.BLURRED
        lines: list[tuple[Line, ...]] = []
        for row, item_id in enumerate(ids, top):
            look = Look.ODD if view.grid.tight and row % 2 else Look.PLAIN
            card = found.get(item_id)
            if card is None:
                lines.append(paint.ghost(width, row))
            else:
                look = selected if item_id == here else look
                fresh = item_id in view.fresh
                lines.append(paint.card(card, width, look, now, fresh=fresh))
        return lines

    def _nothing_found(self, y: int) -> Line:
        width = self._view.grid.width
        middle = HEADER + self._view.grid.body // 2 - 1
        if y == middle:
            return self._paint.middle(_("Nothing matches the filter"), width, strong=True)
        if y == middle + 1:
            hint = _("Change the filter or clear it to see the cards again")
            return self._paint.middle(hint, width, strong=False)
        return self._paint.gap(width)
