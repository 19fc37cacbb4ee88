"""The command palette: any action that works here, found by its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.content import Content
from textual.events import Key
from textual.fuzzy import Matcher
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from desk.screens.dialog import Dialog
from desk.text import _
from desk.widgets.actions import Live
from desk.widgets.keynames import show_key
from desk.widgets.safe import clean


class Palette(Dialog["Live | None"]):
    """Answers the chosen action."""

    DEFAULT_CSS = """
    Palette Input { background: $surface; margin-bottom: 1; }
    Palette #body { max-height: 60vh; }
    Palette OptionList { height: 40vh; border: none; padding: 0; background: $panel; }
    """

    def __init__(self, lines: Sequence[Live]) -> None:
        super().__init__()
        self.heading = _("Commands")
        self.about = ""
        self.verb = _("Do it")
        self._lines = list(lines)
        self._shown = self._lines

    def body(self) -> Iterable[Widget]:
        yield Input(compact=True, id="text")
        yield OptionList()

    def begin(self) -> None:
        super().begin()
        self.query_one(OptionList).can_focus = False
        self._list("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._list(event.value.strip())

    def _list(self, text: str) -> None:
        self._shown = _matching(self._lines, text) if text else self._lines
        listing = self.query_one(OptionList)
        listing.clear_options()
        listing.add_options([Option(_line(one)) for one in self._shown])
        listing.highlighted = 0 if self._shown else None
        if not self._shown:
            self.hint(_("Nothing found."))

    @on(OptionList.OptionHighlighted)
    def _pointed(self, event: OptionList.OptionHighlighted) -> None:
        one = self._shown[event.option_index]
        self.hint(one.reason or one.help)

    def on_key(self, event: Key) -> None:
        """Arrows move in the list while one types."""
        listing = self.query_one(OptionList)
        moves = {"down": listing.action_cursor_down, "up": listing.action_cursor_up}
        move = moves.get(event.key)
        if move:
            event.stop()
            move()

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _submitted(self) -> None:
        self.action_accept()

    def action_accept(self) -> None:
        """Do what is under the cursor, or say why it is not possible."""
        number = self.query_one(OptionList).highlighted
        if number is None:
            return
        one = self._shown[number]
        if one.reason:
            self.complain(one.reason)
        else:
            self.dismiss(one)


def _matching(lines: Sequence[Live], text: str) -> list[Live]:
    matcher = Matcher(text)
    scored = [(matcher.match(f"{one.title} {one.help}"), one) for one in lines]
    return [one for score, one in sorted(scored, key=lambda pair: -pair[0]) if score > 0]


def _line(one: Live) -> Content:
    keys = show_key(one.keys[0])
    tone = "$text-disabled" if one.reason else "$text"
    return Content.assemble(
        (f"{keys:>10}  ", "$text-accent" if not one.reason else tone), (clean(one.title), tone)
    )
