"""Who works here, whether the hub is reached, and what waits to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from desk.text import _, format_number, ngettext
from desk.widgets.bar import Bar, Piece, width_of
from desk.widgets.safe import clean

if TYPE_CHECKING:
    from desk.domain.model import Person
    from desk.services.views import Progress, Status


class StatusLine(Bar):
    """One line that fits any width: the least important words go first.

    The state of the network and what needs a person's attention stay to the last.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--who",
        "status--dim",
        "status--good",
        "status--off",
        "status--alarm",
    }
    DEFAULT_CSS = """
    StatusLine {
        background: $panel;
        & > .status--who { color: $foreground; text-style: bold; }
        & > .status--dim { color: $text-muted; }
        & > .status--good { color: $text-success; }
        & > .status--off { color: $text-warning; text-style: bold; }
        & > .status--alarm { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._status: Status | None = None
        self._who = ""
        self._role = ""

    def show(self, status: Status, people: Mapping[str, Person], role: str = "") -> None:
        """Show `status`; `role` is the title of the person's role, which `people` do not know."""
        self._status = status
        person = people.get(status.user or "")
        self._who = clean(person.name if person else status.user or "")
        self._role = clean(role or status.role or "")
        self.renew()

    def pieces(self, width: int) -> tuple[list[Piece], list[Piece]]:
        """The fullest form that fits `width`."""
        if self._status is None:
            return [Piece(" " + _("Opening…"), "status--dim")], []
        for fullness in range(_FULLEST, -1, -1):
            left, right = self._left(fullness), self._right(self._status, fullness)
            if width_of(left) + width_of(right) <= width:
                return left, right
        return [], self._right(self._status, 0)

    def _left(self, fullness: int) -> list[Piece]:
        left: list[Piece] = []
        if fullness >= _WITH_NAME and self._who:
            left.append(Piece(f" {self._who} ", "status--who"))
        if fullness >= _WITH_ROLE and self._role:
            left.append(Piece(f"· {self._role} ", "status--dim"))
        return left

    def _right(self, status: Status, fullness: int) -> list[Piece]:
        words = fullness >= _WITH_WORDS
        right: list[Piece] = []
        if status.syncing:
            right.append(Piece(_progress(status.syncing, words), "status--dim"))
        if status.conflicts:
            n = status.conflicts
            long = ngettext("‼ {n} in the inbox", "‼ {n} in the inbox", n)
            short = "‼ {n}"
            right.append(_counted(long if words else short, n, "status--alarm"))
        if status.pending:
            n = status.pending
            long = ngettext("● {n} to be sent", "● {n} to be sent", n)
            short = "● {n}"
            right.append(_counted(long if words else short, n, "status--off"))
        right.append(_network(status, fullness))
        return right


# From a bare sign of the network to everything there is to say.
_WITH_NETWORK, _WITH_NAME, _WITH_WORDS, _WITH_ROLE, _WITH_HUB = range(1, 6)
_FULLEST = _WITH_HUB


def _counted(form: str, n: int, part: str) -> Piece:
    return Piece(f" {form.format(n=format_number(n))} ", part)


def _progress(progress: Progress, words: bool) -> str:
    if not progress.total:
        return f" ⇅ {format_number(progress.done)} "
    percent = f"{progress.done * 100 // progress.total} %"
    if not words:
        return f" ⇅ {percent} "
    done, total = format_number(progress.done), format_number(progress.total)
    return " ⇅ " + _("{done} of {total}").format(done=done, total=total) + f" · {percent} "


def _network(status: Status, fullness: int) -> Piece:
    if status.offline_by_choice:
        sign, words, part = "◌", _("offline (your choice)"), "status--off"
    elif status.online:
        sign, words, part = "◉", _("online"), "status--good"
    else:
        sign, words, part = "○", _("no connection"), "status--off"
    if fullness < _WITH_NETWORK:
        return Piece(f" {sign} ", part)
    if fullness >= _WITH_HUB and status.hub:
        words = f"{words} · {clean(status.hub.removeprefix('http://').removeprefix('https://'))}"
    return Piece(f" {sign} {words} ", part)
