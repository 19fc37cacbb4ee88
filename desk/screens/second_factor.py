"""Setting up an authenticator: a QR code with the key, the recovery codes, and the first code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from desk.screens.dialog import Dialog
from desk.text import _
from desk.widgets.safe import plain

if TYPE_CHECKING:
    from desk.protocol.messages import SecondFactor

#: Two modules of the picture, one above the other, as one character.
_BLOCKS = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}


class SetUpSecondFactor(Dialog["str | None"]):
    """Answers the first code of the authenticator, or nothing."""

    DEFAULT_CSS = """
    SetUpSecondFactor #dialog { width: 78; }
    SetUpSecondFactor #body { max-height: 80vh; }
    SetUpSecondFactor #picture { width: auto; height: auto; color: white; background: black; }
    SetUpSecondFactor #beside { width: 1fr; height: auto; padding-left: 2; }
    SetUpSecondFactor #sheet { height: auto; }
    SetUpSecondFactor Input { background: $surface; margin-top: 1; }
    SetUpSecondFactor #hint { height: 0; margin-top: 0; }
    SetUpSecondFactor #keys { margin-top: 0; }
    """

    def __init__(self, begun: SecondFactor) -> None:
        super().__init__()
        self.heading = _("Second factor")
        self.verb = _("Confirm")
        self._begun = begun

    def body(self) -> Iterable[Widget]:
        begun = self._begun
        codes = "\n".join(begun.recovery)
        key = " ".join(begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4))
        told = _(
            "Scan it with the authenticator, or type the key:\n{key}\nWrite down: each of these"
            " lets you in once without it.\n{codes}"
        ).format(key=key, codes=codes)
        with Horizontal(id="sheet"):
            yield Static(picture(begun.uri), id="picture", markup=False)
            with Vertical(id="beside"):
                yield Static(plain(told), markup=False)
                yield Input(compact=True, id="code", placeholder=_("The code it shows now"))

    def action_accept(self) -> None:
        """Answer what was typed."""
        code = self.query_one("#code", Input).value.strip()
        if not code:
            self.complain(_("Write the code that the authenticator shows."))
            return
        self.dismiss(code)

    def on_input_submitted(self) -> None:
        """Enter in the field is the button."""
        self.action_accept()


def picture(uri: str) -> str:
    """The QR code in half blocks, light on dark as terminals are."""
    import segno

    rows = [tuple(row) for row in segno.make(uri, error="l").matrix_iter(border=1)]
    if len(rows) % 2:
        rows.append((0,) * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join(
        "".join(_BLOCKS[bool(top), bool(low)] for top, low in zip(upper, lower, strict=True))
        for upper, lower in pairs
    )
