"""A dialog of a few fields that ends in one call: filters, requests, incidents, consents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from textual import on
from textual.timer import Timer
from textual.widget import Widget

from desk.domain.model import Value
from desk.domain.playbook import Choice, Field, Text, ValueType
from desk.domain.refusals import Refusal
from desk.screens.dialog import Dialog
from desk.screens.fields import FieldRow
from desk.screens.words import said, title_of
from desk.services.views import Card
from desk.text import _, local_time

#: Does something with what was filled in; answers what is wrong with it, or nothing.
Send = Callable[[Mapping[str, Value]], Awaitable[str]]
_OWNER = "asked"
_AUTOSAVE = 0.2
#: More fields than these stand without a blank line between them.
_ROOMY = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of the dialog, its value at first, and whether it must be filled in."""

    field: Field
    value: Value = None
    required: bool = False


def field(
    identifier: str,
    title: str,
    type: ValueType = "text",  # noqa: A002 - the word of a playbook
    *,
    choices: Mapping[str, str] | None = None,
    hint: str = "",
    max_length: int = 400,
) -> Field:
    """A field that no playbook declares; ``title``, ``choices`` and ``hint`` are translated."""
    return Field(
        id=identifier,
        title=_same(title),
        type=type,
        hint=_same(hint) if hint else None,
        choices=tuple(Choice(id=one, title=_same(words)) for one, words in (choices or {}).items()),
        max_length=max_length,
    )


def _same(text: str) -> Text:
    # What is said here is translated already.
    return Text(ru=text, en=text)


class FormDialog(Dialog[bool]):
    """Stays while ``send`` finds something wrong; answers True when it is done."""

    DEFAULT_CSS = """
    FormDialog FieldRow { margin-bottom: 1; }
    FormDialog.-dense FieldRow { margin-bottom: 0; }
    FormDialog #body { max-height: 55vh; }
    """

    def __init__(
        self,
        heading: str,
        about: str,
        verb: str,
        asked: Sequence[Asked],
        send: Send,
        *,
        card: Card | None = None,
        draft: tuple[str, str] | None = None,
    ) -> None:
        """``draft`` names the item and the form under which it is kept until it is sent."""
        super().__init__()
        self.heading = heading
        self.about = about
        self.verb = verb
        self.card = card
        self._asked = asked
        self.set_class(len(asked) > _ROOMY, "-dense")
        self._send = send
        self._sending = False
        self._draft = draft
        self._typed: dict[str, str] = {}
        self._saving: Timer | None = None

    def body(self) -> Iterable[Widget]:
        if self._draft:
            self._typed = dict(self.shell.desk.draft(*self._draft))
        for one in self._asked:
            yield FieldRow(
                one.field,
                one.value,
                owner=_OWNER,
                people={},
                required=one.required,
                text=self._typed.get(one.field.id),
            )

    def begin(self) -> None:
        super().begin()
        rows = [row for row in self.query(FieldRow) if row.empty]
        wanted = [row for row in rows if row.required] or rows or list(self.query(FieldRow))
        wanted[0].focus_editor()

    def on_descendant_focus(self) -> None:
        """Say what helps with the field in use."""
        focused = self.focused
        rows = [one for one in focused.ancestors if isinstance(one, FieldRow)] if focused else []
        hint = rows[0].field.hint if rows else None
        self.hint(hint.ru if hint else "")

    @on(FieldRow.Edited)
    def _edited(self, event: FieldRow.Edited) -> None:
        event.row.complain("")
        self.complain("")
        self._typed[event.row.field.id] = event.row.text
        if self._draft and self._saving is None:
            self._saving = self.set_timer(_AUTOSAVE, self.flush)

    def flush(self) -> None:
        """Put what was typed on the disk."""
        if self._saving is None or self._draft is None:
            return
        self._saving.stop()
        self._saving = None
        values = self._typed if any(self._typed.values()) else {}
        self.shell.keep_draft(*self._draft, values)

    def action_cancel(self) -> None:
        """Leave; what was typed for a card is kept."""
        self.flush()
        if self._draft and any(self._typed.values()):
            self.notify(_("What you typed is kept and will be here next time."))
        self.dismiss(None)

    def action_accept(self) -> None:
        """Hand it on, or say beside the field what is missing."""
        if self._sending:
            return
        values: dict[str, Value] = {}
        wrong: list[FieldRow] = []
        for row in self.query(FieldRow):
            value = row.value()
            if isinstance(value, Refusal):
                # No playbook knows these fields: the title goes in the place of the id.
                named = Refusal(value.code, {**value.args, "field": title_of(row.field)})
                row.complain(said(named, self.shell.playbook))
                wrong.append(row)
            elif row.required and row.empty:
                row.complain(_("Fill this in."))
                wrong.append(row)
            else:
                values[row.field.id] = value
        if wrong:
            wrong[0].focus_editor()
            return
        self.flush()
        self._sending = True
        self.hint(_("Asking the hub…") if self.card is None else "")
        self.shell.go(self._hand_on(values))

    async def _hand_on(self, values: Mapping[str, Value]) -> None:
        wrong = await self._send(values)
        self._sending = False
        if not wrong and self._draft:
            await self.shell.write(self.shell.desk.drop_draft, *self._draft)
        if not self.is_attached:
            return
        self.hint("")
        if wrong:
            self.complain(wrong)
        else:
            self.dismiss(True)


def begin_of(value: Value) -> int | None:
    """The first moment of a local day ``YYYY-MM-DD``, ms; none where there is none."""
    if not isinstance(value, str) or not value:
        return None
    noon = datetime.combine(date.fromisoformat(value), time(12))
    zone = local_time(round(noon.timestamp() * 1000)).tzinfo
    return round(noon.replace(hour=0, tzinfo=zone).timestamp() * 1000)


def end_of(value: Value) -> int | None:
    """The last moment of a local day, ms."""
    if not isinstance(value, str) or not value:
        return None
    following = date.fromisoformat(value) + timedelta(days=1)
    begins = begin_of(following.isoformat())
    return begins - 1 if begins is not None else None


def day_of(ms: int | None) -> str | None:
    """The local day ``YYYY-MM-DD`` of a moment."""
    return local_time(ms).date().isoformat() if ms is not None else None


def chosen(value: Value) -> str:
    """A choice or a text; "" where nothing was chosen."""
    return value if isinstance(value, str) else ""
