"""The form of a card: every field of the playbook's sections, kept as it is typed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widgets import Static

from desk.domain.model import Value
from desk.domain.operations import EditFields, EditSubject
from desk.domain.playbook import Field, FormSection, Kind
from desk.domain.refusals import Refusal
from desk.domain.rights import may_edit
from desk.screens.fields import FieldRow
from desk.screens.shell import DeskScreen
from desk.screens.words import said, stage_title, title_of
from desk.services.drafts import SEEN
from desk.services.errors import DeskError, Refused
from desk.services.views import Card
from desk.text import _, language
from desk.widgets.actions import bindings
from desk.widgets.safe import plain

FORM = "form"
_AUTOSAVE = 0.2
_SUBJECT = "subject."


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    version: int
    value: Value


def wanted_by(kind: Kind, stage: str) -> dict[str, list[str]]:
    """For each field, the titles of the steps from `stage` that need it filled."""
    wanted: dict[str, list[str]] = {}
    for transition in kind.transitions.values():
        if stage not in transition.sources:
            continue
        target = kind.stage(transition.target) if transition.target else None
        for name in dict.fromkeys((*transition.required, *(target.required if target else ()))):
            wanted.setdefault(name, []).append(title_of(transition))
    return wanted


class FormScreen(DeskScreen[bool]):
    """Fields to fill in. Each change is on the disk within a moment; Ctrl+S makes it an operation.

    Answers whether something was saved.
    """

    DEFAULT_CSS = """
    FormScreen #form-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    FormScreen #fields { padding: 0 2; scrollbar-size-vertical: 1; }
    FormScreen .section { margin-top: 1; color: $text-primary; text-style: bold; }
    FormScreen #form-hint { height: 3; padding: 0 2; border-top: solid $panel; color: $text-muted; }
    """
    ACTION_GROUPS = ("form",)
    BINDINGS = bindings("form")
    AUTO_FOCUS = ""

    def __init__(self, card: Card, draft: Mapping[str, str]) -> None:
        super().__init__()
        self.card = card
        self._draft = dict(draft)
        self._saving: Timer | None = None
        self._ending = False
        #: What the person saw when he began to change a field: the row's version and the value.
        self._seen: dict[str, _Seen] = {
            name.removeprefix(SEEN): msgspec.json.decode(seen, type=_Seen)
            for name, seen in draft.items()
            if name.startswith(SEEN)
        }

    @property
    def kind(self) -> Kind:
        return self.shell.playbook.kinds[self.card.item.kind]

    def compose(self) -> ComposeResult:
        yield Static(id="form-title", markup=False)
        with VerticalScroll(id="fields", can_focus=False):
            wanted = wanted_by(self.kind, self.card.item.stage)
            for section in self.kind.form:
                rows = self._rows(section, wanted)
                if rows:
                    yield Static(Content(section.title.get(language())), classes="section")
                    yield from rows
        yield Static(id="form-hint", markup=False)
        yield from self.shell.frame()

    def _rows(self, section: FormSection, wanted: Mapping[str, list[str]]) -> list[FieldRow]:
        owner = "subject" if section.subject else self.kind.id
        declared = self.shell.playbook.fields(owner)
        values = self._values(owner)
        return [
            self._row(declared[name], owner, values.get(name), name in wanted)
            for name in section.fields
            if name in declared and self._level(owner, name) != "none"
        ]

    def _row(self, field: Field, owner: str, value: Value, wanted: bool) -> FieldRow:
        desk = self.shell.desk
        editable = may_edit(desk.playbook, desk.me.role, owner, field.id) and not (
            owner == "subject" and self.card.subject is None
        )
        key = f"{_SUBJECT}{field.id}" if owner == "subject" else field.id
        return FieldRow(
            field,
            value,
            owner=owner,
            people=self.shell.people,
            required=wanted and owner != "subject",
            editable=editable,
            text=self._draft.get(key) if editable else None,
        )

    def _values(self, owner: str) -> Mapping[str, Value]:
        if owner != "subject":
            return self.card.item.fields
        return self.card.subject.fields if self.card.subject else {}

    def _level(self, owner: str, name: str) -> str:
        desk = self.shell.desk
        return desk.playbook.mask(desk.me.role, owner, name)

    @property
    def rows(self) -> list[FieldRow]:
        """The fields of the form, from top to bottom."""
        return list(self.query(FieldRow))

    def on_mount(self) -> None:
        self._entitle()
        editable = [row for row in self.rows if row.editable]
        for row in editable:
            if row.changed:
                self._check(row)
        if editable:
            first = next((row for row in editable if row.required and row.empty), editable[0])
            first.focus_editor()
        if any(row.changed for row in editable):
            self.notify(_("What you typed before is here again. Ctrl+S saves it."))

    def _entitle(self) -> None:
        item = self.card.item
        changed = sum(row.changed for row in self.rows)
        draft = _("draft")
        mark = (f"  {draft} · {changed}", "$text-warning") if changed else ""
        self.query_one("#form-title", Static).update(
            Content.assemble(
                plain(item.title, lines=False),
                (f"  {stage_title(self.shell.playbook, item.kind, item.stage)}", "$text-muted"),
                mark,
            )
        )

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        self.flush()
        row = next((one for one in event.widget.ancestors if isinstance(one, FieldRow)), None)
        self.query_one("#form-hint", Static).update(plain(self._hint(row) if row else ""))

    def _hint(self, row: FieldRow) -> str:
        hint = row.field.hint.get(language()) if row.field.hint else ""
        steps = wanted_by(self.kind, self.card.item.stage).get(row.field.id, [])
        if row.owner == "subject" or not steps:
            return hint
        needed = _("Needed for: {steps}.").format(steps=", ".join(steps))
        return f"{hint}\n{needed}" if hint else needed

    @on(FieldRow.Edited)
    def _edited(self, event: FieldRow.Edited) -> None:
        row = event.row
        if row.changed and row.key not in self._seen:
            self._seen[row.key] = self._see(row)
        self._check(row)
        self._entitle()
        if self._saving is None:
            self._saving = self.set_timer(_AUTOSAVE, self.flush)

    @on(FieldRow.Sent)
    def _next(self) -> None:
        self.focus_next()

    def _see(self, row: FieldRow) -> _Seen:
        holder = self.card.subject if row.owner == "subject" else self.card.item
        if holder is None:
            return _Seen(0, None)
        return _Seen(holder.version, holder.fields.get(row.field.id))

    def _check(self, row: FieldRow) -> bool:
        value = row.value()
        wrong = isinstance(value, Refusal)
        row.complain(said(value, self.shell.playbook, self.kind.id) if wrong else "")
        if wrong and row.has_focus_within:
            # The complaint stands under the editor, which may be the last line in sight.
            self.call_after_refresh(row.scroll_visible, animate=False)
        return not wrong

    def flush(self) -> None:
        """Put what was typed on the disk now, if it is not there yet."""
        if self._saving is None:
            return
        self._saving.stop()
        self._saving = None
        self.shell.keep_draft(self.card.item.id, FORM, self._typed())

    def _typed(self) -> dict[str, str]:
        changed = [row for row in self.rows if row.changed]
        texts = {row.key: row.text for row in changed}
        seen = {f"{SEEN}{row.key}": self._seen.get(row.key) or self._see(row) for row in changed}
        return texts | {key: msgspec.json.encode(one).decode() for key, one in seen.items()}

    def action_save(self) -> None:
        """Check everything and make it operations; what is wrong is shown beside its field."""
        wrong = [row for row in self.rows if row.editable and not self._check(row)]
        if wrong:
            wrong[0].focus_editor()
            return
        if self._ending:
            return
        self._ending = True
        self.flush()
        self.shell.go(self._save())

    async def _save(self) -> None:
        shell, item = self.shell, self.card.item
        try:
            for intent in self._intents():
                await shell.do(intent)
        except Refused as refused:
            self._ending = False
            self._refused(refused.refusal)
            return
        except DeskError as error:
            self._ending = False
            shell.warn(error, item.kind)
            return
        await shell.write(shell.desk.drop_draft, item.id, FORM)
        shell.notify(_("Saved."))
        if self.is_attached:
            self.dismiss(True)

    def _intents(self) -> list[EditFields | EditSubject]:
        item = self.card.item.id
        intents: list[EditFields | EditSubject] = []
        for make, subject in ((EditFields, False), (EditSubject, True)):
            rows = [row for row in self.rows if row.changed and (row.owner == "subject") is subject]
            fields = {row.field.id: row.value() for row in rows}
            seen = {row.field.id: self._seen.get(row.key) or self._see(row) for row in rows}
            base = {name: one.version for name, one in seen.items()}
            was = {name: one.value for name, one in seen.items()}
            if fields:
                intents.append(make(item_id=item, fields=_checked(fields), base=base, was=was))
        return intents

    def _refused(self, refusal: Refusal) -> None:
        sentence = said(refusal, self.shell.playbook, self.kind.id)
        row = next((one for one in self.rows if one.field.id == refusal.args.get("field")), None)
        if row is None:
            self.notify(sentence, severity="warning")
            return
        row.complain(sentence)
        row.focus_editor()

    def action_close(self) -> None:
        """Leave; what was typed stays as a draft."""
        self.flush()
        if any(row.changed for row in self.rows):
            self.notify(_("Your draft is kept. It is here when you open the form again."))
        self.dismiss(False)

    def action_revert(self) -> None:
        """Throw the draft away and show the card as it is."""
        if self._saving is not None:
            self._saving.stop()
            self._saving = None
        self.shell.go(self._revert())

    async def _revert(self) -> None:
        shell, item = self.shell, self.card.item
        await shell.write(shell.desk.drop_draft, item.id, FORM)
        shell.notify(_("The draft is thrown away."))
        if self.is_attached:
            self.dismiss(False)

    def action_hint(self) -> None:
        """Explain the field under the cursor at length."""
        row = self._row_in_use()
        if row:
            hint = self._hint(row) or _("This field has no hint.")
            self.notify(hint, title=title_of(row.field), timeout=10)

    def help_here(self) -> str:
        """What the playbook says of the field under the cursor."""
        row = self._row_in_use()
        return f"{title_of(row.field)}. {self._hint(row)}" if row else ""

    def _row_in_use(self) -> FieldRow | None:
        if self.focused is None:
            return None
        return next((one for one in self.focused.ancestors if isinstance(one, FieldRow)), None)

    def rows_changed(self, ids: frozenset[str] | None) -> None:
        """Follow the card where nothing was typed; typed text stays as it is."""
        if ids is not None and self.card.item.id not in ids:
            return
        try:
            self.card = self.desk.card(self.card.item.id)
        except DeskError:
            return
        for row in self.rows:
            row.follow(self._values(row.owner).get(row.field.id))
        self._entitle()


def _checked(values: Mapping[str, Value | Refusal]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if not isinstance(value, Refusal)}
