"""Unlocking the desk with its passphrase."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from desk.screens.dialog import Dialog
from desk.text import _

#: Tries the passphrase; answers what is wrong, or nothing.
Try = Callable[[str], Awaitable[str]]


class Unlock(Dialog[None]):
    """Stays until the passphrase is right, or the person leaves the application."""

    DEFAULT_CSS = """
    Unlock #dialog { width: 60; }
    Unlock Input { background: $surface; }
    """

    def __init__(self, attempt: Try) -> None:
        super().__init__()
        self.heading = _("Desk is locked")
        self.about = _("The passphrase of this desk:")
        self.verb = _("Unlock")
        self._attempt = attempt
        self._trying = False

    def body(self) -> Iterable[Widget]:
        yield Input(password=True, compact=True, id="passphrase")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        # Clearing the field after a wrong passphrase is no typing: what was wrong stays said.
        if event.value:
            self.complain("")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_accept()

    def action_accept(self) -> None:
        """Try the passphrase."""
        passphrase = self.query_one(Input).value
        if self._trying or not passphrase:
            return
        self._trying = True
        self.hint(_("Unlocking…"))
        self.shell.go(self._try(passphrase))

    async def _try(self, passphrase: str) -> None:
        wrong = await self._attempt(passphrase)
        if not wrong:
            self.dismiss(None)
            return
        self._trying = False
        self.hint("")
        self.complain(wrong)
        self.query_one(Input).value = ""
        self.query_one(Input).focus()

    def action_cancel(self) -> None:
        """Leave the application."""
        self.app.exit()
