"""The frame every dialog has: a title, a body, what is wrong, and the keys at the bottom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Static

from desk.screens.fields import FieldRow, Notes
from desk.screens.news import MARK, Watch, emptied, gone
from desk.screens.shell import Shell, card_in_sight
from desk.services.views import Card
from desk.text import _
from desk.widgets.actions import Acting, bindings
from desk.widgets.safe import plain

_T = TypeVar("_T")


def _app_bindings() -> list[Binding]:
    ours = [one for one in bindings("app") if isinstance(one, Binding)]
    return [replace(one, action=f"app.{one.action}") for one in ours]


class Dialog(Acting, ModalScreen[_T], Generic[_T]):
    """A question over the screen behind it. Enter says yes, Esc leaves; letters say neither."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog #dialog {
        width: 76; max-width: 96%; height: auto; max-height: 94%;
        background: $panel; border: round $primary; padding: 0 2;
        border-title-color: $text-primary; border-title-style: bold;
        border-subtitle-color: $text-warning; border-subtitle-style: bold;
    }
    Dialog #body { height: auto; max-height: 50vh; scrollbar-size-vertical: 1; }
    Dialog #about { color: $text-muted; height: auto; margin-bottom: 1; }
    Dialog #about.-empty { display: none; }
    Dialog #hint { color: $text-muted; height: 2; margin-top: 1; }
    Dialog #wrong { color: $text-error; height: auto; display: none; }
    Dialog #wrong.-shown { display: block; }
    Dialog #keys { height: 1; margin-top: 1; align-horizontal: right; }
    Dialog #keys Button { margin-left: 2; min-width: 12; padding: 0 1; }
    """
    ACTION_GROUPS = ("dialog",)
    # A dialog hides the keys of the application behind it; these two are wanted everywhere.
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("dialog"),
        *(one for one in _app_bindings() if one.id in ("app.help", "app.quit")),
    ]
    AUTO_FOCUS = ""

    #: What stands in the frame's upper edge.
    heading: str = ""
    #: What the dialog is about, under the heading.
    about: str = ""
    #: The word on the button that Enter presses.
    verb: str = ""
    #: The card the dialog is about; what others do with it meanwhile is told in the lower edge.
    card: Card | None = None
    #: Whether it left sight meanwhile.
    gone: bool = False
    _watch: Watch | None = None

    @property
    def shell(self) -> Shell:
        return cast("Shell", self.app)

    def body(self) -> Iterable[Widget]:
        """The dialog's own widgets."""
        return ()

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as frame:
            frame.border_title = plain(self.heading, lines=False)
            yield Static(plain(self.about), id="about", classes="" if self.about else "-empty")
            with VerticalScroll(id="body", can_focus=False):
                yield from self.body()
            yield Static(id="wrong", markup=False)
            yield Static(id="hint", markup=False)
            with Horizontal(id="keys"):
                yield Button(
                    Content((self.verb or _("OK")) + " · Enter"),
                    variant="primary",
                    compact=True,
                    id="yes",
                )
                yield Button(Content(_("Cancel") + " · Esc"), compact=True, id="no")

    def on_mount(self) -> None:
        # Textual calls `on_mount` of every class of a widget, so dialogs override `begin` instead.
        if self.card is not None:
            self._watch = Watch(self.card, self.shell.desk.me.id, self.shell.asked)
        self.begin()

    def begin(self) -> None:
        """Put the cursor where the person begins."""
        first = self.query("#body .field-editor, #body Input, #body TextArea")
        (first.first() if first else self.query_one("#yes")).focus()

    def complain(self, sentence: str) -> None:
        """Say what is wrong, above the keys; an empty sentence takes it away."""
        line = self.query_one("#wrong", Static)
        line.set_class(bool(sentence), "-shown")
        line.update(plain(sentence))

    def hint(self, sentence: str) -> None:
        """Say what helps with the field in use."""
        self.query_one("#hint", Static).update(plain(sentence))

    # Following changes

    def rows_changed(self, ids: frozenset[str] | None) -> None:
        """Tell what others did with the card; nothing typed is touched, nothing is closed."""
        if self.card is None or self._watch is None:
            return
        if ids is not None and self.card.item.id not in ids:
            return
        shell, kind = self.shell, self.card.item.kind
        card = card_in_sight(shell, self.card.item.id)
        self.gone = card is None
        self.card = card or emptied(self.card)
        if card is None:
            self._tell(_("This card is not yours to see any more."))
        else:
            self._watch.look(card)
            self._tell(self._watch.line(shell.playbook, kind, shell.people, shell.now()))
        self.query_one("#about", Static).update(plain(gone() if self.gone else self.about))
        self.card_changed(self.card)

    def _tell(self, news: str) -> None:
        # In the edge of the frame: nothing that one is reading or typing moves.
        frame = self.query_one("#dialog")
        frame.border_subtitle = plain(f"{MARK} {news}", lines=False) if news else None

    def card_changed(self, card: Card) -> None:
        """The card is another now; of one that left sight nothing is left in it."""

    @on(FieldRow.Sent)
    @on(Notes.Sent)
    def _enter(self) -> None:
        self.action_accept()

    @on(Button.Pressed, "#yes")
    def _yes(self) -> None:
        self.action_accept()

    @on(Button.Pressed, "#no")
    def _no(self) -> None:
        self.action_cancel()

    def action_accept(self) -> None:
        """What Enter does."""
        raise NotImplementedError

    def action_cancel(self) -> None:
        """What Esc does."""
        self.dismiss(None)
