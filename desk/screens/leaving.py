"""How the application ends: left, locked by a person or by the clock, or with its terminal."""

from __future__ import annotations

from pathlib import Path

from textual.events import Event, InputEvent, Paste
from textual.message import Message

from desk.screens import terminal
from desk.screens.everywhere import Everywhere
from desk.screens.sentry import WARNING_SECONDS, Clocks, Sentry, Watchword
from desk.services import lockdown
from desk.text import _

#: How often the clocks are looked at, and whether another process asks to lock, s.
_LOOK_SECONDS = 1.0
#: Why a desk is locked: by its person or another process, of idleness, at the end of the shift,
#: because it may not work without the hub any longer.
ASKED, IDLE, SHIFT, LEASE = "asked", "idle", "shift", "lease"


class HungUp(Message):
    """The terminal has gone."""


class Leaving(Everywhere):
    """The part of the application that knows when to stop. What was typed is kept each time."""

    def __init__(self, profile: Path, clocks: Clocks | None = None) -> None:
        super().__init__()
        self.profile = profile
        #: Why the process that follows has to ask for the passphrase; empty where none follows.
        self.locked_for = ""
        self.hung_up = False
        self._clocks = clocks or Clocks()
        self._sentry: Sentry | None = None

    def stand_guard(self) -> None:
        """Begin to look at the clocks: the vault is open."""
        lockdown.is_asked(self.profile)  # What was asked of an earlier one is done.
        self._sentry = Sentry(lockdown.rules(self.profile), self._clocks)
        self.set_interval(_LOOK_SECONDS, self.look_around)

    async def on_event(self, event: Event) -> None:
        """Any key and any move of the mouse says that somebody is there."""
        if self._sentry is not None and isinstance(event, InputEvent | Paste):
            self._sentry.touch()
        await super().on_event(event)

    def look_around(self) -> None:
        """Lock, or say that it is near."""
        if self._sentry is None:
            return
        said = self._sentry.look()
        if said is Watchword.IDLE:
            self.lock(IDLE)
        elif said is Watchword.SHIFT_OVER:
            self.lock(SHIFT)
        elif lockdown.is_asked(self.profile) and self.why_not("app.lock") is None:
            self.lock(ASKED)
        elif self.is_open and self.desk.lease.state in ("over", "clock_back"):
            self.lock(LEASE)
        elif said is Watchword.BACK:
            self.clear_notifications()
        elif said is not None:
            self._warn_of(said, self._sentry)

    def _warn_of(self, said: Watchword, sentry: Sentry) -> None:
        at = sentry.locks_at.strftime("%H:%M") if sentry.locks_at else ""
        sentence = {
            Watchword.IDLE_SOON: _(
                "Is anybody there? Desk locks in half a minute; what you typed is kept. Press an "
                "arrow key to go on."
            ),
            Watchword.SHIFT_ENDS: _(
                "The shift is over. Desk locks at {time}: end what you are at; what you typed is "
                "kept."
            ),
            Watchword.SHIFT_SOON: _(
                "The shift is over: Desk locks in half a minute. What you typed is kept."
            ),
        }[said]
        self.notify(sentence.format(time=at), severity="warning", timeout=WARNING_SECONDS)

    def lock(self, reason: str) -> None:
        """Drop the keys: the process ends and another one asks for the passphrase."""
        self.locked_for = reason
        self._leave()

    def action_lock(self) -> None:
        """Lock at once."""
        self.lock(ASKED)

    async def action_quit(self) -> None:
        """Leave the application; what was typed is on the disk first."""
        self._leave()

    def hang_up(self) -> None:
        """The terminal has gone, or the system ends the process; called in another thread."""
        self.hung_up = True
        terminal.deafen(self._driver)
        self.post_message(HungUp())

    def on_hung_up(self) -> None:
        """End in good order, though nobody sees it."""
        self._leave()

    def _leave(self) -> None:
        for screen in self.screen_stack:
            flush = getattr(screen, "flush", None)
            if flush is not None:
                flush()
        self.exit()
