"""Help: what the playbook says of this place, and every key that works here right now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from desk.screens.dialog import Dialog
from desk.text import _
from desk.widgets.actions import Live
from desk.widgets.keynames import show_key
from desk.widgets.safe import clean

_KEYS = 18


class Help(Dialog[None]):
    """Keys by group, the nearest to the cursor first; what is not possible now says why."""

    DEFAULT_CSS = """
    Help #dialog { width: 84; }
    Help #body { max-height: 58vh; }
    Help .help-group { color: $text-primary; text-style: bold; margin-top: 1; }
    Help .help-group.-first { margin-top: 0; }
    Help #hint { display: none; }
    """

    def __init__(self, here: str, lines: Sequence[Live]) -> None:
        super().__init__()
        self.heading = _("Help")
        self.about = here
        self.verb = _("Close")
        self._lines = lines

    def body(self) -> Iterable[Widget]:
        groups: dict[str, list[Live]] = {}
        for one in self._lines:
            groups.setdefault(one.group or _("This card"), []).append(one)
        for number, (title, lines) in enumerate(groups.items()):
            yield Static(
                Content(title), classes="help-group -first" if not number else "help-group"
            )
            yield Static(Content("\n").join(self._line(one) for one in lines))

    def _line(self, one: Live) -> Content:
        keys = f"{', '.join(show_key(key) for key in one.keys[:3]):<{_KEYS}} "
        told = clean(one.help or one.title)
        if one.reason:
            return Content.assemble(
                (f"{keys}{told}", "$text-disabled"),
                (f" {clean(one.reason)}", "$text-disabled italic"),
            )
        return Content.assemble((keys, "$text-accent"), told)

    def begin(self) -> None:
        body = self.query_one("#body", VerticalScroll)
        body.can_focus = True
        body.focus()
        self.query_one("#no").display = False

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)
