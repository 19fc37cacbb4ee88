"""One's own sessions at the hub, each with its end, and a way to another password."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from desk.screens.dialog import Dialog
from desk.screens.sign_in import Line
from desk.services.errors import DeskError
from desk.text import _, format_datetime
from desk.widgets.safe import plain

if TYPE_CHECKING:
    from desk.protocol.sessions import SessionInfo

_PASSWORD = "password"  # noqa: S105 - the name of an option


class SessionsDialog(Dialog[None]):
    """A list of sessions; the chosen one is ended, except this one's."""

    DEFAULT_CSS = """
    SessionsDialog OptionList { height: auto; padding: 0; background: $panel; }
    SessionsDialog OptionList, SessionsDialog OptionList:focus { border: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.heading = _("Sessions and password")
        self.about = _("Enter ends the session that is chosen; its desk keeps its cards.")
        self.verb = _("Choose")

    def body(self) -> Iterable[Widget]:
        yield OptionList()
        yield Static(plain(_("Asking the hub…")), id="asking", markup=False)

    def begin(self) -> None:
        self.query_one(OptionList).focus()
        self.shell.go(self._load())

    async def _load(self) -> None:
        try:
            found = await asyncio.to_thread(self.shell.desk.sessions)
        except DeskError as error:
            self.complain(self.shell.explain(error))
            found = []
        if not self.is_attached:
            return
        self.query_one("#asking").display = False
        listing = self.query_one(OptionList)
        listing.clear_options()
        change = _("Change the password…")
        listing.add_option(Option(Content(f"→ {change}"), _PASSWORD))
        listing.add_options([Option(Content(_told(one)), one.id, one.current) for one in found])
        listing.highlighted = 0

    def action_accept(self) -> None:
        """Do what the chosen line says."""
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id == _PASSWORD:
            self.app.push_screen(PasswordDialog())
        elif event.option_id:
            self.shell.go(self._end(event.option_id))

    async def _end(self, session_id: str) -> None:
        self.complain("")
        try:
            await asyncio.to_thread(self.shell.desk.end_session, session_id)
        except DeskError as error:
            self.complain(self.shell.explain(error))
        await self._load()


class PasswordDialog(Dialog[None]):
    """The old password, and the new one twice."""

    DEFAULT_CSS = """
    PasswordDialog #dialog { width: 66; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.heading = _("Change the password")
        self.about = _("At least 10 characters. Your other sessions end.")
        self.verb = _("Change")
        self._trying = False

    def body(self) -> Iterable[Widget]:
        yield Line(_("Password"), "current", secret=True)
        yield Line(_("New password"), "new", secret=True)
        yield Line(_("Once more"), "again", secret=True)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        inputs = list(self.query(Input))
        number = inputs.index(event.input)
        if number + 1 < len(inputs):
            inputs[number + 1].focus()
        else:
            self.action_accept()

    def action_accept(self) -> None:
        """Ask the hub for it."""
        current, new, again = (one.value for one in self.query(Input))
        if self._trying:
            return
        if not current or not new:
            self.complain(_("Write the old password and the new one."))
        elif new != again:
            self.complain(_("The two new passwords are not the same."))
        else:
            self._trying = True
            self.complain("")
            self.shell.go(self._change(current, new))

    async def _change(self, current: str, new: str) -> None:
        try:
            await asyncio.to_thread(self.shell.desk.change_password, current, new)
        except DeskError as error:
            self._trying = False
            if self.is_attached:
                self.complain(self.shell.explain(error))
            return
        self.app.notify(_("The password is changed. Your other sessions are ended."))
        self.dismiss(None)


def _told(one: SessionInfo) -> str:
    seen = format_datetime(one.renewed_at)
    if one.current:
        return _("This session: {device}, {when}").format(
            device=plain(one.device_name, lines=False).plain, when=seen
        )
    return _("End: {device}, last seen {when}").format(
        device=plain(one.device_name, lines=False).plain, when=seen
    )
