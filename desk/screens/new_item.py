"""The dialog for a new card: whose it is and what they want; works without the hub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from textual import on
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widget import Widget

from desk.domain.model import Person, Value
from desk.domain.operations import Create
from desk.domain.playbook import Field, Kind, Text
from desk.domain.refusals import Refusal
from desk.domain.rights import may_edit
from desk.screens.dialog import Dialog
from desk.screens.fields import FieldRow
from desk.screens.words import said, title_of
from desk.services.errors import DeskError, Refused
from desk.text import _, language

if TYPE_CHECKING:
    from desk.services.desk import Desk

_AUTOSAVE = 0.2
#: A dialog asks for the first few fields; the form has the rest.
_FIELDS = 6
_TITLE = Field(
    id="title",
    title=Text(ru="Название", en="Title"),
    hint=Text(
        ru="Так карточка называется на доске: компания и суть обращения.",
        en="What the card is called on the board: the company and what they want.",
    ),
    max_length=200,
)


class NewItem(Dialog["str | None"]):
    """Answers the id of the card that was created."""

    def __init__(
        self, kind: Kind, desk: Desk, people: Mapping[str, Person], draft: Mapping[str, str]
    ) -> None:
        super().__init__()
        self.heading = _("New card: {kind}").format(kind=title_of(kind))
        self.verb = _("Create")
        self.kind = kind
        self._desk = desk
        self._people = people
        self._draft = dict(draft)
        self._saving: Timer | None = None
        self._sent = False

    @property
    def form_name(self) -> str:
        """What its draft is kept under."""
        return f"new:{self.kind.id}"

    def body(self) -> Iterable[Widget]:
        yield self._row(_TITLE, self.kind.id, required=True)
        playbook, role = self._desk.playbook, self._desk.me.role
        for field in playbook.subject_fields.values():
            if may_edit(playbook, role, "subject", field.id):
                yield self._row(field, "subject")
        own = [
            field
            for field in self.kind.fields.values()
            if field.id not in ("junk_stage",)
            and not field.id.startswith("utm_")
            and may_edit(playbook, role, self.kind.id, field.id)
        ]
        for field in own[:_FIELDS]:
            yield self._row(field, self.kind.id)

    def _row(self, field: Field, owner: str, *, required: bool = False) -> FieldRow:
        key = f"subject.{field.id}" if owner == "subject" else field.id
        return FieldRow(
            field,
            None,
            owner=owner,
            people=self._people,
            required=required,
            text=self._draft.get(key),
        )

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        self.flush()
        row = next((one for one in event.widget.ancestors if isinstance(one, FieldRow)), None)
        hint = row.field.hint if row else None
        self.hint(hint.get(language()) if hint else "")

    @on(FieldRow.Edited)
    def _edited(self, event: FieldRow.Edited) -> None:
        self._check(event.row)
        if self._saving is None:
            self._saving = self.set_timer(_AUTOSAVE, self.flush)

    def _check(self, row: FieldRow) -> bool:
        value = row.value()
        wrong = isinstance(value, Refusal)
        row.complain(said(value, self._desk.playbook, self.kind.id) if wrong else "")
        return not wrong

    def flush(self) -> None:
        if self._saving is None:
            return
        self._saving.stop()
        self._saving = None
        typed = {row.key: row.text for row in self.query(FieldRow) if row.text}
        self.shell.keep_draft("", self.form_name, typed)

    def action_accept(self) -> None:
        """Create the card."""
        if self._sent:
            return
        wrong = [row for row in self.query(FieldRow) if not self._check(row)]
        title = self.query(FieldRow).first(FieldRow)
        if title.empty:
            title.complain(_("Fill this in."))
            wrong.insert(0, title)
        if wrong:
            wrong[0].focus_editor()
            return
        self._sent = True
        self.flush()
        self.shell.go(self._create())

    async def _create(self) -> None:
        shell = self.shell
        try:
            done = await shell.do(self._intent())
        except Refused as refused:
            self._sent = False
            self.complain(said(refused.refusal, self._desk.playbook, self.kind.id))
            return
        except DeskError as error:
            self._sent = False
            self.complain(shell.explain(error))
            return
        await shell.write(self._desk.drop_draft, "", self.form_name)
        if self.is_attached:
            self.dismiss(done.item_ids[0])

    def _intent(self) -> Create:
        title = ""
        fields: dict[str, Value] = {}
        subject: dict[str, Value] = {}
        for row in self.query(FieldRow):
            value = row.value()
            if row.empty or isinstance(value, Refusal):
                continue
            if row.field is _TITLE:
                title = str(value)
            elif row.owner == "subject":
                subject[row.field.id] = value
            else:
                fields[row.field.id] = value
        return Create(kind=self.kind.id, title=title, fields=fields, subject=subject)

    def action_cancel(self) -> None:
        """Leave; what was typed waits as a draft."""
        self.flush()
        if any(row.text for row in self.query(FieldRow)):
            self.notify(_("What you typed is kept and will be here next time."))
        self.dismiss(None)
