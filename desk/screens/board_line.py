"""The line over a board: the boards there are, how this one is ordered, how much of it is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from desk.text import _, format_number, language
from desk.widgets.safe import plain

if TYPE_CHECKING:
    from desk.domain.playbook import Kind
    from desk.services.views import Status


@dataclass(frozen=True, slots=True)
class Told:
    """What the line says."""

    kinds: Sequence[Kind]
    #: The id of the kind that is shown.
    here: str
    counts: Mapping[str, int]
    order: str
    mine: bool
    filter: str
    #: What there is to say of a first load, at length and in short.
    loaded: tuple[str, ...] = field(default=())


class BoardLine(Static):
    """One line; the least needed words go first."""

    DEFAULT_CSS = """
    BoardLine { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__(id="board-line", markup=False)

    def tell(self, told: Told) -> None:
        """Say as much of it as there is room for."""
        width = self.size.width or self.screen.size.width
        content = Content("")
        for boards in ("counted", "named", "here"):
            for ordered, length in ((True, 0), (False, 0), (False, 1)):
                loaded = told.loaded[length : length + 1]
                content = Content.assemble(
                    *_boards(told, boards),
                    *((f"  ⇅ {words}", "$text-accent") for words in loaded),
                    *_marks(told, ordered),
                )
                if content.cell_length <= width:
                    self.update(content)
                    return
        self.update(content)


def _boards(told: Told, which: str) -> Iterable[tuple[str, str]]:
    for number, kind in enumerate(told.kinds, start=1):
        here = kind.id == told.here
        if which == "here" and not here:
            continue
        count = told.counts.get(kind.id) if which == "counted" or here else None
        words = [str(number), kind.titles.get(language())]
        if count:
            words.append(format_number(count))
        yield f" {' '.join(words)} ", "bold $text on $primary" if here else "$text-muted"


def _marks(told: Told, ordered: bool) -> Iterable[Content | tuple[str, str]]:
    marks = [told.order] if ordered else []
    if told.mine:
        marks.append(_("mine"))
    if marks:
        yield f"  {' · '.join(marks)}", "$text-muted"
    if told.filter:
        yield "  " + _("filter") + ": ", "$text-warning"
        yield plain(told.filter, lines=False)


def loaded(status: Status, count: int) -> tuple[str, ...]:
    """What there is to say of a first load, at length and in short; nothing once it is whole.

    `count` is how many cards are here.
    """
    if status.cursor:
        return ()
    if status.syncing is None:
        stopped = _("Not everything is loaded: F5 goes on.")
        return (stopped, _("not whole: F5")) if count else ()
    done, total = format_number(status.syncing.done), format_number(status.syncing.total)
    if not status.syncing.total:
        short = _("loaded {done}").format(done=done)
    else:
        short = _("loaded {done} of {total}").format(done=done, total=total)
    return _("{loaded}, the rest is coming").format(loaded=short), short
