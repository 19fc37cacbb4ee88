"""Help: what the playbook says of this place, and every key that works here right now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from textual import events
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from desk.screens.dialog import Dialog
from desk.text import _
from desk.widgets.action_table import GROUPS
from desk.widgets.actions import Live
from desk.widgets.keynames import show_key
from desk.widgets.safe import clean

_KEYS = 18
_WIDTH, _FRAME = 84, 7  # the dialog; what its border, padding and scrollbar take


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
            groups.setdefault(one.group or _group(one), []).append(one)
        for number, (title, lines) in enumerate(groups.items()):
            yield Static(
                Content(title), classes="help-group -first" if not number else "help-group"
            )
            yield _Lines(lines, self.app.size.width)

    def begin(self) -> None:
        body = self.query_one("#body", VerticalScroll)
        body.can_focus = True
        body.focus()
        self.query_one("#no").display = False

    def on_resize(self, event: events.Resize) -> None:
        for lines in self.query(_Lines):
            lines.lay_out(event.size.width)

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)


class _Lines(Static):
    """The keys of one group, and beside them what they do, in a column of its own."""

    def __init__(self, lines: Sequence[Live], screen: int) -> None:
        super().__init__()
        self._lines = lines
        self.lay_out(screen)

    def lay_out(self, screen: int) -> None:
        """Break the lines for a screen of this width."""
        width = min(_WIDTH, screen * 96 // 100) - _FRAME - _KEYS - 1
        self.update(Content("\n").join(_line(one, width) for one in self._lines))


def _line(one: Live, width: int) -> Content:
    keys = f"{', '.join(show_key(key) for key in one.keys[:3]):<{_KEYS}} "
    told = " ".join(clean(text) for text in (one.help or one.title, one.reason) if text)
    text = ("\n" + " " * len(keys)).join(wrap(told, max(width, 20)))
    if one.reason:
        return Content.styled(f"{keys}{text}", "$text-disabled")
    return Content.assemble((keys, "$text-accent"), text)


def _group(one: Live) -> str:
    # What the playbook gives a key to: a step of the card, or a board to go to.
    board = GROUPS["board"]
    return _(board) if one.action.startswith("kind(") else _("This card")
