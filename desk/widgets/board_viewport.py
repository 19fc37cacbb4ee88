"""What part of a board is seen and where its cursor is; knows nothing of Textual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from desk.widgets.board_grid import Grid, keep_in_view
from desk.widgets.board_model import BoardModel, Titled


class Moved(NamedTuple):
    """What a move of the cursor changed on the screen."""

    #: Other columns are seen now.
    sideways: bool
    #: The cursor's column scrolled.
    scrolled: bool


class Viewport:
    """The cursor and the scroll offsets of a board's columns.

    The cursor belongs to a card: `follow` brings it back after the model changed. So do the topmost
    cards of scrolled columns, or the lists would jump under the eyes.
    """

    def __init__(self) -> None:
        self.model: BoardModel | None = None
        self.grid = Grid(0, 0, 0)
        self.column = 0
        self.row = 0
        #: The id of the card under the cursor.
        self.selected: str | None = None
        #: For each column, the row of the topmost card seen.
        self.tops: list[int] = []
        self._top_ids: list[str | None] = []
        #: Cards that somebody else has changed and the cursor has not been on since.
        self.fresh: set[str] = set()
        #: Whether the person has put the cursor where it is, on this board.
        self._placed = False

    def take(self, model: BoardModel | None) -> None:
        """Look at `model`; of the same board read anew, everything stays where it is."""
        same = _titles(model) == _titles(self.model)
        self._placed = self._placed and same
        self.model = model
        columns = len(model.columns) if model else 0
        if not same or columns != len(self.tops):
            self.tops = [0] * columns
            self._top_ids = [None] * columns
        self.column = min(self.column, max(0, columns - 1))
        self.resize(self.grid.width, self.grid.height)

    def resize(self, width: int, height: int) -> None:
        """Fit the screen area; the cursor stays in view."""
        self.grid = Grid(width, height, len(self.tops), self.grid.first)
        self._slide()
        if self.tops:
            self._scroll()

    def count(self, column: int) -> int:
        """How many cards the column has."""
        return len(self._ids(column))

    @property
    def is_empty(self) -> bool:
        """Whether no column has a card."""
        return not any(self.count(column) for column in range(len(self.tops)))

    def go(self, column: int, row: int) -> Moved:
        """Put the cursor on a row of a column, or as near as there is one."""
        self._placed = True
        self.column = column
        self.row = max(0, min(row, self.count(column) - 1))
        self._select()
        sideways = self._slide()
        return Moved(sideways, self._scroll())

    def across(self, step: int) -> tuple[int, int] | None:
        """Column and row `step` columns away, at the same height on the screen."""
        column = self.column + step
        if not 0 <= column < len(self.tops):
            return None
        height = self.row - self.tops[self.column]
        return column, self.tops[column] + (height if 0 <= height < self.grid.rows else 0)

    def wheel(self, column: int, step: int) -> bool:
        """Scroll a column without its cursor; true if it moved."""
        top = max(0, min(self.tops[column] + step, self.count(column) - self.grid.rows))
        return self._set_top(column, top)

    def at(self, x: int, y: int) -> tuple[int | None, int | None]:
        """The column and the row under a cell; the row is `None` beside the cards."""
        column, row = self.grid.column_at(x), self.grid.row_at(y)
        if column is None or row is None:
            return column, None
        row += self.tops[column]
        return column, row if row < self.count(column) else None

    def follow(self) -> bool:
        """Bring cursor and topmost cards back to their cards; true if other columns are seen now.

        Where the card under the cursor is gone, the cursor stays at its row; was it the last of
        its column, it goes to the nearest column with cards. It stays on an empty column only
        where the person has put it.
        """
        model = self.model
        if model is None or not self.tops:
            return False
        before = self.column
        height = self.row - self.tops[before]
        seen = 0 <= height < self.grid.rows
        for column, top_id in enumerate(self._top_ids):
            place = model.where(top_id) if top_id else None
            top = place[1] if place and place[0] == column else self.tops[column]
            self._set_top(column, max(0, min(top, self.count(column) - self.grid.rows)))
        place = model.where(self.selected) if self.selected else None
        if place is not None:
            if place[0] == before and self.tops[before] and seen:
                # The card stays at its height although others came or went above it.
                self._set_top(before, max(0, place[1] - height))
            self.column, self.row = place
        elif self.selected is not None or not self._placed:
            self.column = self._nearest_with_cards()
        self.row = max(0, min(self.row, self.count(self.column) - 1))
        self._select()
        sideways = self._slide()
        if seen or self.column != before:
            # A list that was wheeled away from the cursor is being read: it stays.
            self._scroll()
        return sideways

    def _nearest_with_cards(self) -> int:
        """The cursor's column if it has cards, else the nearest that has, the left one first."""
        full = [column for column in range(len(self.tops)) if self.count(column)]
        return min(full, key=lambda one: (abs(one - self.column), one), default=self.column)

    def _ids(self, column: int) -> Sequence[str]:
        columns = self.model.columns if self.model else ()
        return columns[column].ids if 0 <= column < len(columns) else ()

    def _select(self) -> None:
        ids = self._ids(self.column)
        self.selected = ids[self.row] if self.row < len(ids) else None

    def _slide(self) -> bool:
        """Bring the cursor's column into view; true if other columns are seen now."""
        first = self.grid.first_for(self.column)
        if first == self.grid.first:
            return False
        self.grid = replace(self.grid, first=first)
        return True

    def _scroll(self) -> bool:
        """Bring the cursor's row into view; true if its column scrolled."""
        column = self.column
        count = self.count(column)
        top = keep_in_view(self.tops[column], self.row, self.grid.rows, count)
        return self._set_top(column, top)

    def _set_top(self, column: int, top: int) -> bool:
        ids = self._ids(column)
        self._top_ids[column] = ids[top] if 0 < top < len(ids) else None
        moved = top != self.tops[column]
        self.tops[column] = top
        return moved


def _titles(model: BoardModel | None) -> list[Titled]:
    return [column.title for column in model.columns] if model else []
