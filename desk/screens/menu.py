"""A short list to choose from: the steps of a card, and whatever else has a few answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual import on
from textual.content import Content
from textual.events import Key
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from desk.domain.playbook import Playbook
from desk.screens.dialog import Dialog
from desk.screens.words import said, title_of
from desk.services.views import Card
from desk.text import _, language
from desk.widgets.safe import clean, plain


@dataclass(frozen=True, slots=True)
class Line:
    """One answer. With a `reason` it cannot be chosen now, and says why."""

    id: str
    title: str
    key: str = ""
    hint: str = ""
    reason: str = ""


class Menu(Dialog["str | None"]):
    """Answers the id of the chosen line."""

    DEFAULT_CSS = """
    Menu #body { max-height: 60vh; }
    Menu OptionList { height: auto; max-height: 60vh; padding: 0; background: $panel; }
    Menu OptionList, Menu OptionList:focus { border: none; }
    """

    def __init__(
        self, heading: str, about: str, lines: Sequence[Line], card: Card | None = None
    ) -> None:
        super().__init__()
        self.card = card
        self.heading = heading
        self.about = about
        self._lines = {line.id: line for line in lines}

    def body(self) -> Iterable[Widget]:
        yield OptionList(*(Option(self._prompt(line), line.id) for line in self._lines.values()))

    def _prompt(self, line: Line) -> Content:
        width = max((len(one.key) for one in self._lines.values()), default=0)
        key = f"{line.key:>{width}}  " if width else ""
        if line.reason:
            # Colour is never the only sign.
            title = f"{clean(line.title)}  ✗"
            return Content.assemble((key, "$text-disabled"), (title, "$text-disabled"))
        return Content.assemble((key, "bold"), plain(line.title, lines=False))

    def begin(self) -> None:
        listing = self.query_one(OptionList)
        possible = [n for n, line in enumerate(self._lines.values()) if not line.reason]
        listing.highlighted = possible[0] if possible else 0
        listing.focus()

    @on(OptionList.OptionHighlighted)
    def _pointed(self, event: OptionList.OptionHighlighted) -> None:
        line = self._lines[event.option_id or ""]
        self.complain("")
        self.hint(line.reason or line.hint)

    def on_key(self, event: Key) -> None:
        """A line's own key chooses it."""
        for number, line in enumerate(self._lines.values()):
            if line.key and line.key == event.key:
                event.stop()
                self.query_one(OptionList).highlighted = number
                self.action_accept()

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.action_accept()

    def action_accept(self) -> None:
        """Answer with the line under the cursor, or say why it cannot be chosen."""
        number = self.query_one(OptionList).highlighted
        if number is None:
            return
        line = list(self._lines.values())[number]
        if line.reason:
            self.hint("")
            self.complain(line.reason)
        else:
            self.dismiss(line.id)


def menu_of(card: Card, playbook: Playbook) -> Menu:
    """The menu of a card's transitions, those that are not possible now dimmed."""
    lines = [
        Line(
            id=one.transition.id,
            title=title_of(one.transition),
            key=one.transition.hotkey or "",
            hint=one.transition.hint.get(language()) if one.transition.hint else "",
            reason=said(one.refusal, playbook, card.item.kind) if one.refusal else "",
        )
        for one in card.possible
    ]
    lines.sort(key=lambda line: bool(line.reason))
    return Menu(_("What to do"), card.item.title, lines, card)
