"""Values of fields side by side: what a person wanted, what stands on the hub, what it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from desk.text import _
from desk.widgets.safe import plain


@dataclass(frozen=True, slots=True)
class Compared:
    """One field. An empty text is a column with nothing to say; `by` is who put `theirs` there."""

    title: str
    mine: str
    theirs: str = ""
    base: str = ""
    by: str = ""
    #: Whether somebody else has changed it.
    clash: bool = False


class Comparison(Vertical):
    """A small table; a long value wraps within its column, an unused column is left out."""

    DEFAULT_CSS = """
    Comparison { height: auto; }
    Comparison Horizontal { height: auto; padding: 0 1; }
    Comparison .head { color: $text-muted; border-bottom: solid $panel; height: 2; }
    Comparison .-odd { background: $surface; }
    Comparison .title { width: 19; padding-right: 1; color: $text-muted; }
    Comparison .value { width: 1fr; padding-right: 1; }
    Comparison .value:last-child { padding-right: 0; }
    Comparison Static { height: auto; }
    """

    def __init__(self, rows: Sequence[Compared]) -> None:
        super().__init__()
        self._rows = rows

    def compose(self) -> ComposeResult:
        columns = [
            (head, name)
            for head, name in (
                (_("you wanted"), "mine"),
                (_("on the hub"), "theirs"),
                (_("it was"), "base"),
            )
            if any(getattr(row, name) for row in self._rows)
        ]
        with Horizontal(classes="head"):
            yield Static(classes="title")
            for head, __ in columns:
                yield Static(Content(head), classes="value")
        for number, row in enumerate(self._rows):
            with Horizontal(classes="-odd" if number % 2 else ""):
                yield from self._cells(row, [name for __, name in columns])

    def _cells(self, row: Compared, columns: Iterable[str]) -> Iterable[Widget]:
        mark = ("≠ ", "$text-warning bold") if row.clash else ("  ", "")
        yield Static(Content.assemble(mark, plain(row.title, lines=False)), classes="title")
        for name in columns:
            text = plain(getattr(row, name))
            if name == "theirs" and row.by:
                by = plain(row.by).stylize("$text-muted")
                text = Content.assemble(text, "\n", by) if row.theirs else by
            elif name == "theirs" and not row.clash:
                text = text.stylize("$text-muted")
            yield Static(text, classes="value")
