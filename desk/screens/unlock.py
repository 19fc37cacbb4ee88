"""Unlocking the desk with its passphrase."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from desk.screens.dialog import Dialog
from desk.text import N_, _
from desk.widgets.safe import plain

#: Tries the passphrase, if one is needed; answers what is wrong, or nothing.
Try = Callable[[str | None], Awaitable[str]]
_WHY = {
    "idle": N_("Nobody was at the keyboard, so Desk has locked itself. What you typed is kept."),
    "shift": N_("The shift is over, so Desk has locked itself. What you typed is kept."),
    "lease": N_(
        "Desk was without the hub for too long, or the clock was set back, so it has locked "
        "itself. What you typed is kept."
    ),
}


class Unlock(Dialog[None]):
    """Stays until the passphrase is right, or the person leaves the application."""

    DEFAULT_CSS = """
    Unlock #dialog { width: 60; }
    Unlock Input { background: $surface; }
    """

    def __init__(self, attempt: Try, *, secret: bool = True, locked_for: str = "") -> None:
        """``secret`` is whether a passphrase opens the desk, beside the system's keyring."""
        super().__init__()
        self.heading = _("Desk is locked")
        why = _WHY.get(locked_for)
        self.about = _(why) if why else ""
        self.verb = _("Unlock")
        self._attempt = attempt
        self._secret = secret
        self._trying = False

    def body(self) -> Iterable[Widget]:
        if self._secret:
            yield Static(plain(_("The passphrase of this desk:")))
            yield Input(password=True, compact=True, id="passphrase")
        else:
            yield Static(
                plain(_("It opens with the key of your system session: lock the session, too."))
            )

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
        passphrase = self.query_one(Input).value if self._secret else None
        if self._trying or passphrase == "":
            return
        self._trying = True
        self.hint(_("Unlocking…"))
        self.shell.go(self._try(passphrase))

    async def _try(self, passphrase: str | None) -> None:
        wrong = await self._attempt(passphrase)
        if not wrong:
            self.dismiss(None)
            return
        self._trying = False
        self.hint("")
        self.complain(wrong)
        for field in self.query(Input):
            field.value = ""
            field.focus()

    def action_cancel(self) -> None:
        """Leave the application."""
        self.app.exit()
