"""A dialog with one thing to read, or one question to answer."""

from __future__ import annotations

from desk.screens.dialog import Dialog
from desk.text import _


class Notice(Dialog[None]):
    """Says something and waits for Enter or Esc."""

    def __init__(self, heading: str, about: str) -> None:
        super().__init__()
        self.heading = heading
        self.about = about
        self.verb = _("Close")

    def begin(self) -> None:
        super().begin()
        self.query_one("#no").display = False

    def action_accept(self) -> None:
        """It was read."""
        self.dismiss(None)


class Question(Dialog[bool]):
    """Asks before something that cannot be taken back: Enter does it, Esc does not."""

    def __init__(self, heading: str, about: str, verb: str) -> None:
        super().__init__()
        self.heading = heading
        self.about = about
        self.verb = verb

    def action_accept(self) -> None:
        """Yes."""
        self.dismiss(True)
