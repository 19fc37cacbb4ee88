"""The sections of the officer's place, side by side on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.events import Click
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from desk.text import _

_GAP = 2


class Tabs(Widget, can_focus=False):
    """Titles, the chosen one marked; where they do not fit, those around the chosen one."""

    DEFAULT_CSS = """
    Tabs { height: 1; background: $surface; }
    Tabs .tabs--tab { color: $text-muted; background: $surface; }
    Tabs .tabs--chosen {
        color: $text-primary; background: $surface; text-style: bold underline;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tabs--tab", "tabs--chosen"}

    class Turned(Message):
        """A tab was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, titles: Sequence[str], chosen: int = 0) -> None:
        """``titles`` are msgids."""
        super().__init__()
        self._titles = titles
        self._chosen = chosen

    def choose(self, number: int) -> None:
        """Mark another tab."""
        self._chosen = number
        self.refresh()

    def _first(self, titles: Sequence[str], width: int) -> int:
        """The first tab that is shown, so that the chosen one is whole."""
        first = 0
        while first < self._chosen:
            shown = titles[first : self._chosen + 1]
            taken = sum(cell_len(one) + _GAP for one in shown) + (2 if first else 0)
            if taken <= width - 2:
                break
            first += 1
        return first

    def _placed(self) -> list[tuple[int, str]]:
        titles = [_(one) for one in self._titles]
        first = self._first(titles, self.size.width)
        return list(enumerate(titles))[first:]

    def render_line(self, y: int) -> Strip:
        """The whole line."""
        del y
        tab = self.get_component_rich_style("tabs--tab")
        chosen = self.get_component_rich_style("tabs--chosen")
        placed = self._placed()
        segments = [Segment("‹ " if placed[0][0] else " ", tab)]
        for number, title in placed:
            segments.append(Segment(title, chosen if number == self._chosen else tab))
            segments.append(Segment(" " * _GAP, tab))
        strip = Strip(segments)
        if strip.cell_length - _GAP > self.size.width:
            strip = Strip([*strip.crop(0, self.size.width - 2), Segment(" ›", tab)])
        return strip.adjust_cell_length(self.size.width, tab)

    def on_click(self, event: Click) -> None:
        """Turn to the tab under the mouse."""
        placed = self._placed()
        x = event.x - (2 if placed[0][0] else 1)
        for number, title in placed:
            if 0 <= x < cell_len(title):
                self.post_message(self.Turned(number))
                return
            x -= cell_len(title) + _GAP
