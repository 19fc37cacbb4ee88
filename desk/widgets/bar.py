"""One line at the edge of the screen, painted by hand: it is never laid out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from desk.widgets.safe import cells


class Piece(NamedTuple):
    """Text in the style of one of the bar's component classes."""

    text: str
    part: str


class Bar(Widget, can_focus=False):
    """A line of pieces at the left and at the right; repainted only when they differ."""

    DEFAULT_CSS = """
    Bar { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[list[Piece], list[Piece]] = ([], [])
        self._strip: Strip | None = None

    def pieces(self, width: int) -> tuple[list[Piece], list[Piece]]:
        """What stands at the left and at the right of `width` cells."""
        raise NotImplementedError

    def renew(self) -> None:
        """Take what there is to show now; repaint if that looks different."""
        shown = self.pieces(self.size.width)
        if shown != self._shown:
            self._shown = shown
            self._strip = None
            self.refresh(self.size.region)

    def on_resize(self) -> None:
        self._strip = None
        self.renew()

    def notify_style_update(self) -> None:
        """Take the new theme's colours."""
        super().notify_style_update()
        self._strip = None

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        """The whole bar."""
        if self._strip is None or self._strip.cell_length != self.size.width:
            self._strip = self._paint(self.size.width)
        return self._strip

    def _paint(self, width: int) -> Strip:
        left, right = self._shown
        used = width_of(left) + width_of(right)
        if used > width:
            left = [
                Piece(cells("".join(piece.text for piece in left), width - width_of(right)), "")
            ]
            used = width_of(left) + width_of(right)
        segments = [self._segment(piece) for piece in left]
        segments.append(Segment(" " * max(0, width - used), self.rich_style))
        segments += [self._segment(piece) for piece in right]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _segment(self, piece: Piece) -> Segment:
        if not piece.part:
            return Segment(piece.text, self.rich_style)
        return Segment(piece.text, self.get_component_rich_style(piece.part))


def width_of(pieces: Sequence[Piece]) -> int:
    """How many cells the pieces take."""
    return sum(cell_len(piece.text) for piece in pieces)
