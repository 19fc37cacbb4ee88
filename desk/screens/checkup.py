"""How the exchange with the hub stands: what waits and why, and a key for each repair."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from desk.screens.checkup_words import ADVICE, DOABLE, findings
from desk.screens.dialog import Dialog
from desk.text import _
from desk.widgets.safe import plain

if TYPE_CHECKING:
    from desk.services.views import Checkup


class CheckupDialog(Dialog["str | None"]):
    """Answers the code of the repair that was chosen."""

    DEFAULT_CSS = """
    CheckupDialog #body { max-height: 75vh; }
    CheckupDialog #about { margin-bottom: 0; }
    CheckupDialog #found { height: auto; }
    CheckupDialog .finding { height: auto; }
    CheckupDialog .finding-title { width: 20; padding-right: 1; color: $text-muted; }
    CheckupDialog .finding-value { width: 1fr; height: auto; }
    CheckupDialog #verdict { height: auto; margin-bottom: 1; text-style: bold; }
    CheckupDialog #verdict.-bad { color: $text-warning; }
    CheckupDialog OptionList { height: auto; margin-top: 1; padding: 0; background: $panel; }
    CheckupDialog OptionList, CheckupDialog OptionList:focus { border: none; }
    CheckupDialog OptionList.-empty { display: none; }
    CheckupDialog #hint { height: 0; margin-top: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.heading = _("State of the exchange")
        self.verb = _("Close")

    def body(self) -> Iterable[Widget]:
        yield Static(plain(_("Looking and asking the hub…")), id="verdict", markup=False)
        yield Vertical(id="found")
        yield OptionList(classes="-empty")

    def begin(self) -> None:
        super().begin()
        self.query_one("#no").display = False
        self.run_worker(self._examine())

    async def _examine(self) -> None:
        found = await asyncio.to_thread(self.shell.desk.examine)
        rows = findings(found, self.shell.now(), self.shell.explain)
        await self.query_one("#found").mount_all([_finding(title, text) for title, text in rows])
        self._judge(found)
        self._offer([code for code in found.repairs if code in DOABLE])

    def _judge(self, found: Checkup) -> None:
        sentences = [self.shell.explain(found.why)] if found.why else []
        sentences += [_(ADVICE[code]) for code in found.repairs if code in ADVICE]
        verdict = self.query_one("#verdict", Static)
        verdict.set_class(bool(sentences), "-bad")
        if sentences:
            verdict.update(plain("\n".join(f"‼ {one}" for one in sentences)))
        elif found.repairs:
            verdict.display = False
        else:
            verdict.update(plain(_("Everything is in order.")))

    def _offer(self, codes: list[str]) -> None:
        listing = self.query_one(OptionList)
        listing.add_options([Option(Content(f"→ {_(DOABLE[code])}"), code) for code in codes])
        listing.set_class(not codes, "-empty")
        if codes:
            listing.highlighted = 0
            listing.focus()
            self.query_one("#yes", Button).label = Content(_("Do it") + " · Enter")
            self.query_one("#no").display = True

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.action_accept()

    def action_accept(self) -> None:
        """Do what is chosen, or close where there is nothing to do."""
        option = self.query_one(OptionList).highlighted_option
        self.dismiss(option.id if option else None)


def _finding(title: str, text: str) -> Widget:
    return Horizontal(
        Static(plain(title), classes="finding-title"),
        Static(plain(text), classes="finding-value"),
        classes="finding",
    )
