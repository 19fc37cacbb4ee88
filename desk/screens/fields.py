"""Editors of fields as the playbook declares them: one row with a title, an editor and a line for
what is wrong with the value. Forms and dialogs are made of these rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, OptionList, Select, SelectionList, Static, TextArea

from desk.domain.forms import is_empty, parse_value
from desk.domain.model import Person, Value
from desk.domain.playbook import Field
from desk.domain.refusals import Refusal
from desk.screens.words import date, phone, shown, title_of
from desk.text import _, language
from desk.widgets.safe import plain

if TYPE_CHECKING:
    from textual.events import Key

REQUIRED = "◆"


def typed(field: Field, value: Value) -> str:
    """A value as one would type it; the inverse of `desk.domain.forms.parse_value`."""
    if value is None:
        return ""
    if isinstance(value, list):
        parts = map(phone, value) if field.type == "phones" else map(str, value)
        return ", ".join(parts)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return _number(value / 100 if field.type == "money" else value)
    if field.type == "phone":
        return phone(value)
    return date(value) if field.type == "date" else value


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return text.replace(".", ",") if language() == "ru" else text


class Notes(TextArea):
    """A few lines of text. Tab leaves it; Enter begins a new line, or sends where `sends`."""

    class Sent(Message):
        """Enter was pressed in an area that sends."""

    def __init__(self, text: str = "", *, sends: bool = False, **kwargs: Any) -> None:
        super().__init__(
            text, tab_behavior="focus", show_line_numbers=False, compact=True, **kwargs
        )
        self._sends = sends
        # Textual selects text with them; here they are the inbox and the draft, as in every field.
        for key in ("f6", "f7"):
            self._bindings.key_to_bindings.pop(key, None)

    async def _on_key(self, event: Key) -> None:
        if self._sends and event.key in ("enter", "ctrl+j", "shift+enter", "alt+enter"):
            event.stop()
            event.prevent_default()
            if event.key == "enter":
                self.post_message(self.Sent())
            else:
                self.insert("\n")
            return
        await super()._on_key(event)


class FieldRow(Vertical):
    """One field: its title, an editor fit for its type, and what is wrong with what was typed."""

    DEFAULT_CSS = """
    FieldRow { height: auto; margin: 0; }
    FieldRow > Horizontal { height: auto; }
    FieldRow .field-title { width: 24; padding-right: 1; color: $text-muted; }
    FieldRow:focus-within .field-title { color: $text-primary; text-style: bold; }
    FieldRow .field-editor { width: 1fr; }
    FieldRow Input.field-editor { background: $surface; }
    FieldRow TextArea.field-editor { height: auto; min-height: 2; max-height: 5; }
    FieldRow TextArea.field-editor { background: $surface; }
    FieldRow SelectionList.field-editor { height: auto; max-height: 6; border: none; padding: 0; }
    FieldRow SelectCurrent { background: $surface; }
    FieldRow .field-editor:focus, FieldRow .field-editor:focus > SelectCurrent {
        background: $primary 30%;
    }
    FieldRow .field-fixed { width: 1fr; }
    FieldRow .field-error { display: none; color: $text-error; padding-left: 24; height: auto; }
    FieldRow.-wrong .field-error { display: block; }
    FieldRow .field-note { display: none; color: $text-warning; padding-left: 24; height: auto; }
    FieldRow.-noted .field-note { display: block; }
    """

    class Edited(Message):
        """What stands in the editor is not what stood there before."""

        def __init__(self, row: FieldRow) -> None:
            super().__init__()
            self.row = row

        @property
        def control(self) -> FieldRow:
            return self.row

    class Sent(Message):
        """Enter was pressed in the editor."""

    def __init__(
        self,
        field: Field,
        value: Value,
        *,
        owner: str,
        people: Mapping[str, Person],
        required: bool = False,
        editable: bool = True,
        text: str | None = None,
    ) -> None:
        """`text` is what was typed before and not saved; `owner` is a kind or "subject"."""
        super().__init__(id=f"row-{owner}-{field.id}")
        self.field = field
        self.owner = owner
        self.required = required
        self.editable = editable
        self.saved = typed(field, value)
        self.text = self.saved if text is None else text
        #: Somebody changed the field after the person had begun to type into it.
        self.overtaken = False
        self._value = value
        self._people = people

    @property
    def key(self) -> str:
        """The field's name in a draft: subject fields apart from the item's."""
        return f"subject.{self.field.id}" if self.owner == "subject" else self.field.id

    @property
    def changed(self) -> bool:
        """Whether something else stands here than was saved."""
        return self.text != self.saved

    def value(self) -> Value | Refusal:
        """What was typed, as a value, or why it is none."""
        return parse_value(self.field, self.text)

    @property
    def empty(self) -> bool:
        value = self.value()
        return not isinstance(value, Refusal) and is_empty(value)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._title(), classes="field-title")
            yield self._editor()
        yield Static(classes="field-note", markup=False)
        yield Static(classes="field-error", markup=False)

    def _title(self) -> Content:
        title = title_of(self.field)
        if self.required:
            return Content.assemble((f"{REQUIRED} ", "$text-warning"), title)
        return Content(title)

    def _editor(self) -> Widget:
        if not self.editable:
            return Static(self._fixed(), classes="field-fixed")
        make = {
            "long": self._long,
            "choice": self._choice,
            "choices": self._choices,
            "bool": self._bool,
            "user": self._user,
        }.get(self.field.type, self._line)
        editor = make()
        editor.add_class("field-editor")
        return editor

    def _fixed(self) -> Content:
        return plain(shown(self.field, self._value, self._people))

    def _line(self) -> Widget:
        return Input(
            self.text, compact=True, max_length=self.field.max_length, select_on_focus=False
        )

    def _long(self) -> Widget:
        return Notes(self.text)

    def _choice(self) -> Widget:
        return self._select([(title_of(one), one.id) for one in self.field.choices])

    def _user(self) -> Widget:
        people = sorted(self._people.values(), key=lambda one: one.name)
        return self._select([(one.name, one.id) for one in people if one.active])

    def _select(self, options: Sequence[tuple[str, str]]) -> Widget:
        known = {identifier for __, identifier in options}
        return Select(
            [(plain(title, lines=False), identifier) for title, identifier in options],
            prompt=_("not chosen"),
            value=self.text if self.text in known else Select.NULL,
            compact=True,
        )

    def _choices(self) -> Widget:
        chosen = {part.strip() for part in self.text.split(",")}
        return SelectionList[str](
            *((Content(title_of(one)), one.id, one.id in chosen) for one in self.field.choices),
            compact=True,
        )

    def _bool(self) -> Widget:
        return self._select([(_("yes"), "1"), (_("no"), "0")])

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed)
    @on(SelectionList.SelectedChanged)
    def _typed(self, event: Message) -> None:
        event.stop()
        text = self._read(event)
        if text == self.text:
            return
        self.text = text
        if not self.changed:
            self._note(overtaken=False)
        self.post_message(self.Edited(self))

    def _read(self, event: Message) -> str:
        if isinstance(event, Input.Changed):
            return event.value
        if isinstance(event, TextArea.Changed):
            return event.text_area.text
        if isinstance(event, Select.Changed):
            return "" if event.value is Select.NULL else str(event.value)
        assert isinstance(event, SelectionList.SelectedChanged)
        order = [one.id for one in self.field.choices]
        return ", ".join(sorted(event.selection_list.selected, key=order.index))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Sent())

    def follow(self, value: Value) -> bool:
        """Take over what stands on the card now; what was typed stays, with a note beside it.

        Answers whether the row looks different.
        """
        text = typed(self.field, value)
        if text == self.saved:
            return False
        typed_before = self.changed
        self.saved, self._value = text, value
        if typed_before:
            self._note(overtaken=self.changed)
            return True
        self.text = text
        # Not the person's doing, so nothing that begins a draft.
        with self.prevent(
            Input.Changed, TextArea.Changed, Select.Changed, SelectionList.SelectedChanged
        ):
            self._put(self.query(".field-editor, .field-fixed").first(), text)
        return True

    def adopt(self, field: Field | None, *, required: bool) -> None:
        """Go by new rules with the editor that stands here; no field: it may not be changed."""
        self.field = field or self.field
        self.required = required
        self.editable = field is not None
        self.query_one(".field-title", Static).update(self._title())

    def _put(self, editor: Widget, text: str) -> None:
        """Write into the editor; a cursor in it stays where it is."""
        if isinstance(editor, Input):
            editor.value = text
        elif isinstance(editor, TextArea):
            place = editor.cursor_location
            editor.text = text
            editor.move_cursor(place)
        elif isinstance(editor, Select):
            listing = editor.query_one("SelectOverlay", OptionList)
            place = listing.highlighted
            known = {value for __, value in editor._options}  # pyright: ignore[reportPrivateUsage]
            editor.value = text if text in known else Select.NULL
            if editor.expanded:
                listing.highlighted = place
        elif isinstance(editor, SelectionList):
            chosen = {part.strip() for part in text.split(",")}
            editor.deselect_all()
            for one in self.field.choices:
                if one.id in chosen:
                    editor.select(one.id)
        elif isinstance(editor, Static):
            editor.update(self._fixed())

    def note_theirs(self) -> None:
        """Say beside the typed text what somebody else has put on the card since."""
        self._note(overtaken=True)

    def _note(self, *, overtaken: bool) -> None:
        self.overtaken = overtaken
        self.set_class(overtaken, "-noted")
        if overtaken:
            theirs = shown(self.field, self._value, self._people)
            sentence = _("on the hub now: {value}").format(value=theirs)
            self.query_one(".field-note", Static).update(plain(sentence))

    def complain(self, sentence: str) -> None:
        """Show `sentence` under the editor; an empty one takes the complaint away."""
        self.set_class(bool(sentence), "-wrong")
        self.query_one(".field-error", Static).update(plain(sentence))

    def focus_editor(self) -> None:
        """Put the cursor into the editor."""
        editor = self.query(".field-editor")
        if editor:
            editor.first().focus()
