"""Unlocking the desk with its passphrase."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from desk.screens.dialog import Dialog
from desk.text import N_, _
from desk.widgets.actions import bindings
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

    ACTION_GROUPS = ("dialog", "lock")
    BINDINGS: ClassVar[list[BindingType]] = bindings("lock")

    def __init__(
        self,
        attempt: Try,
        *,
        secret: bool = True,
        locked_for: str = "",
        wrong: str = "",
        who: str = "",
        other: Callable[[], None] | None = None,
    ) -> None:
        """``secret`` is whether a passphrase opens the desk, beside the system's keyring;

        ``wrong`` says what hindered it already, ``who`` whose desk it is, and ``other`` lets
        another operator be chosen.
        """
        super().__init__()
        self.heading = _("Desk is locked: {who}").format(who=who) if who else _("Desk is locked")
        why = _WHY.get(locked_for)
        self.about = _(why) if why else ""
        self.verb = _("Unlock")
        self._attempt = attempt
        self._secret = secret
        self._trying = False
        self._locked_for = locked_for
        self._wrong = wrong
        self._other = other

    def begin(self) -> None:
        super().begin()
        self.complain(self._wrong)
        self._offer()

    def _offer(self) -> None:
        self.hint(_("F7: another operator") if self._other else "")

    def why_not(self, action: str) -> str | None:
        """Another operator is chosen where there is a place for him."""
        if action == "lock.other" and self._other is None:
            return _("This desk is for one operator.")
        return None

    def action_other(self) -> None:
        """Let another operator unlock his own desk."""
        if self._other is not None and not self._trying:
            self.dismiss(None)
            self._other()

    def body(self) -> Iterable[Widget]:
        if self._secret:
            yield Static(plain(_("The passphrase of this desk:")))
            yield Input(password=True, compact=True, id="passphrase")
        elif self._locked_for:
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
        self._offer()
        self.complain(wrong)
        for field in self.query(Input):
            field.value = ""
            field.focus()

    def action_cancel(self) -> None:
        """Leave the application."""
        self.app.exit()
