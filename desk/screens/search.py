"""Finding a card by title, name, phone, e-mail or number."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from desk.screens.dialog import Dialog
from desk.screens.words import person_name, stage_title
from desk.services.errors import DeskError
from desk.text import _, ngettext, titled
from desk.widgets.safe import plain

if TYPE_CHECKING:
    from desk.services.views import Row

_SHORTEST = 2
_LIMIT = 50


class Search(Dialog["str | None"]):
    """Answers the id of the chosen card. Finds while one types."""

    DEFAULT_CSS = """
    Search Input { background: $surface; margin-bottom: 1; }
    Search #body { max-height: 60vh; }
    Search OptionList { height: 40vh; border: none; padding: 0; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.heading = _("Search")
        self.about = _("Part of a title, name, phone, e-mail or number.")
        self.verb = _("Open")
        self._rows: list[Row] = []
        self._text = ""
        #: The text whose cards are listed.
        self._shown_for = ""

    def body(self) -> Iterable[Widget]:
        yield Input(compact=True, id="text")
        yield OptionList()

    def begin(self) -> None:
        super().begin()
        self.query_one(OptionList).can_focus = False

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        # Exclusive: a newer text ends the wait for an older answer.
        self._text = event.value.strip()
        self.run_worker(self._find(self._text), group="search", exclusive=True)

    async def _find(self, text: str) -> None:
        rows: list[Row] = []
        if len(text) >= _SHORTEST:
            try:
                rows = await asyncio.to_thread(self.shell.desk.find, text, _LIMIT)
            except DeskError as error:
                self.complain(self.shell.explain(error))
                return
        listing = self.query_one(OptionList)
        here = listing.highlighted_option
        ids = [row.item.id for row in rows]
        self._rows = rows
        listing.clear_options()
        listing.add_options([Option(self._line(row), row.item.id) for row in rows])
        if rows:
            same = here.id if here is not None and text == self._shown_for else None
            listing.highlighted = ids.index(same) if same in ids else 0
        self._shown_for = text
        self.hint(self._found(text))
        if rows:
            self.shell.journal(lambda: self.shell.desk.note_rows(rows, "search"))

    def rows_changed(self, ids: frozenset[str] | None) -> None:
        """Find again where what is listed has changed; the cursor stays on its card."""
        if ids is None or any(row.item.id in ids for row in self._rows):
            self.run_worker(self._find(self._text), group="search", exclusive=True)

    def _found(self, text: str) -> str:
        if len(text) < _SHORTEST:
            return ""
        count = len(self._rows)
        if not count:
            return _("Nothing found.")
        if count == _LIMIT:
            return _("The first {n} are shown. Type more.").format(n=count)
        return ngettext("{n} card found.", "{n} cards found.", count).format(n=count)

    def _line(self, row: Row) -> Content:
        item, playbook = row.item, self.shell.playbook
        kind = playbook.kind(item.kind)
        about = " · ".join(
            (
                kind.title.get(_language()) if kind else item.kind,
                stage_title(playbook, item.kind, item.stage),
                person_name(self.shell.people, item.responsible),
            )
        )
        return Content.assemble(
            plain(titled(item.title), lines=False), (f"  {about}", "$text-muted")
        )

    def on_key(self, event: Key) -> None:
        """Arrows move in the list while one types."""
        listing = self.query_one(OptionList)
        moves = {
            "down": listing.action_cursor_down,
            "up": listing.action_cursor_up,
            "pagedown": listing.action_page_down,
            "pageup": listing.action_page_up,
        }
        move = moves.get(event.key)
        if move:
            event.stop()
            move()

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _submitted(self) -> None:
        self.action_accept()

    def action_accept(self) -> None:
        """Open the card under the cursor."""
        number = self.query_one(OptionList).highlighted
        if number is not None and self._rows:
            self.dismiss(self._rows[number].item.id)


def _language() -> str:
    from desk.text import language

    return language()
