"""Who works at this workstation: each operator has a vault of his own to unlock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from desk.screens.menu import Line, Menu
from desk.screens.prompt import Prompt
from desk.services import operators
from desk.services.errors import BadOperatorName, UnusableProfile
from desk.services.operators import Operator
from desk.text import _

_NEW = "new"
#: The first nine have a key of their own.
_KEYS = 9


def chooser(known: Sequence[Operator]) -> Menu:
    """Answers the number of the chosen operator, or "new"."""
    lines = [
        Line(
            str(number),
            one.name or _("nobody has signed in yet"),
            str(number + 1) if number < _KEYS else "",
            _("Opens with this operator’s own passphrase or key."),
        )
        for number, one in enumerate(known)
    ]
    new = Line(
        _NEW, _("New operator"), "n", _("Somebody who has not worked at this workstation yet.")
    )
    about = _("Everybody has a desk of his own here, and opens no other.")
    return Menu(_("Who works?"), about, [*lines, new])


def newcomer(home: Path, use: Callable[[Path, str], None]) -> Prompt:
    """Asks for the name of a new operator; `use` gets his folder and his name."""
    made: list[Path] = []

    async def make(name: str) -> str:
        try:
            made.append(operators.make(home, name.strip().lower()))
        except BadOperatorName as error:
            return error.text(_)
        except OSError:
            return UnusableProfile(profile=str(home)).text(_)
        use(made[-1], name.strip().lower())
        return ""

    return Prompt(
        _("New operator"),
        _("The name you sign in with at the hub."),
        send=make,
        verb=_("Go on"),
        label=_("User"),
    )


def picked(known: Sequence[Operator], answer: str | None) -> Path | None:
    """The folder of the operator that was chosen; none for a new one, or where none was."""
    return known[int(answer)].folder if answer and answer.isdecimal() else None
