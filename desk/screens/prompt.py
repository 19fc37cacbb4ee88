"""A dialog that asks for one text: a comment, a condition, a word to search for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from textual import on
from textual.events import Unmount
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from desk.screens.dialog import Dialog
from desk.screens.fields import Notes
from desk.services.views import Card
from desk.text import _
from desk.widgets.safe import plain

_AUTOSAVE = 0.2
#: Does something with the text; answers what is wrong with it, or nothing.
Send = Callable[[str], Awaitable[str]]


class Prompt(Dialog["str | None"]):
    """Asks for a text and hands it to `send`; stays open while `send` finds something wrong.

    `draft` names the item and the form under which the text is kept until it is sent.
    """

    DEFAULT_CSS = """
    Prompt .prompt-label { color: $text-muted; }
    Prompt Input, Prompt Notes { background: $surface; }
    Prompt Notes { height: 5; }
    """

    def __init__(
        self,
        heading: str,
        about: str,
        *,
        send: Send,
        verb: str = "",
        value: str = "",
        label: str = "",
        help: str = "",  # noqa: A002 - the word people use
        lines: bool = False,
        may_be_empty: bool = False,
        draft: tuple[str, str] | None = None,
        card: Card | None = None,
    ) -> None:
        super().__init__()
        self.card = card
        self.heading = heading
        self.about = about
        self.verb = verb
        self._value = value
        self._label = label
        self._help = help
        self._lines = lines
        self._may_be_empty = may_be_empty
        self._draft = draft
        self._send = send
        self._sending = False
        self._saving: Timer | None = None

    def body(self) -> Iterable[Widget]:
        if self._label:
            yield Static(plain(self._label), classes="prompt-label")
        text = self._value
        if self._draft:
            text = self.shell.desk.draft(*self._draft).get("text", text)
        self._value = text
        if self._lines:
            yield Notes(text, sends=True, id="text")
        else:
            yield Input(text, compact=True, id="text", select_on_focus=True)

    def begin(self) -> None:
        super().begin()
        self.hint(
            self._help or (_("Enter sends, Ctrl+J begins a new line.") if self._lines else "")
        )

    @on(TextArea.Changed, "#text")
    @on(Input.Changed, "#text")
    def _typed(self, event: TextArea.Changed | Input.Changed) -> None:
        text = event.value if isinstance(event, Input.Changed) else event.text_area.text
        if text == self._value:
            return
        self._value = text
        self.complain("")
        if self._draft and self._saving is None:
            self._saving = self.set_timer(_AUTOSAVE, self.flush)

    def flush(self) -> None:
        if self._saving is None or self._draft is None:
            return
        self._saving.stop()
        self._saving = None
        values = {"text": self._value} if self._value.strip() else {}
        self.shell.keep_draft(*self._draft, values)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_accept()

    def action_accept(self) -> None:
        """Hand the text on."""
        if self._sending:
            return
        if not self._value.strip() and not self._may_be_empty:
            self.complain(_("Write something first."))
            return
        self.flush()
        self._sending = True
        self.shell.go(self._hand_on())

    async def _hand_on(self) -> None:
        text = self._value.strip()
        wrong = await self._send(text)
        if wrong:
            self._sending = False
            self.complain(wrong)
            return
        if self._draft:
            await self.shell.write(self.shell.desk.drop_draft, *self._draft)
        if self.is_attached:
            self.dismiss(text)

    def action_cancel(self) -> None:
        """Leave; a text with a draft is kept."""
        self.flush()
        if self._draft and self._value.strip():
            self.notify(_("What you typed is kept and will be here next time."))
        self.dismiss(None)

    @on(Unmount)
    def _gone(self) -> None:
        self.flush()
