"""The form of a card: every field of the playbook's sections, kept as it is typed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widgets import Static

from desk.domain.model import Value
from desk.domain.operations import EditFields, EditSubject
from desk.domain.refusals import Conflict, Refusal
from desk.screens.fields import FieldRow
from desk.screens.form_pane import FieldsPane
from desk.screens.form_plan import SUBJECT, Part, Spec, plan, values_of, wanted_by
from desk.screens.news import MARK, Watch, emptied
from desk.screens.shell import DeskScreen, card_in_sight
from desk.screens.words import said, stage_title, title_of
from desk.services.drafts import SEEN
from desk.services.errors import DeskError, Refused
from desk.services.views import Card
from desk.text import _, language
from desk.widgets.actions import bindings
from desk.widgets.safe import plain

FORM = "form"
_AUTOSAVE = 0.2


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    version: int
    value: Value


class FormScreen(DeskScreen[bool]):
    """Fields to fill in. Each change is on the disk within a moment; Ctrl+S makes it an operation.

    Answers whether something was saved.
    """

    DEFAULT_CSS = """
    FormScreen #form-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    FormScreen #form-title { text-wrap: nowrap; text-overflow: ellipsis; }
    FormScreen #form-hint { height: 3; padding: 0 2; border-top: solid $panel; color: $text-muted; }
    FormScreen #form-hint { border-title-color: $text-warning; border-title-style: bold; }
    """
    ACTION_GROUPS = ("form",)
    BINDINGS = bindings("form")
    AUTO_FOCUS = ""

    def __init__(self, card: Card, draft: Mapping[str, str]) -> None:
        super().__init__()
        self.card = card
        #: Whether the card left sight while the form was open.
        self.gone = False
        self.kind = self.shell.playbook.kinds[card.item.kind]
        self._draft = dict(draft)
        self._saving: Timer | None = None
        self._ending = False
        self._plan: list[Part] = []
        self._watch = Watch(card, self.desk.me.id, self.shell.asked)
        #: What the person saw when he began to change a field: the row's version and the value.
        self._seen: dict[str, _Seen] = {
            name.removeprefix(SEEN): msgspec.json.decode(seen, type=_Seen)
            for name, seen in draft.items()
            if name.startswith(SEEN)
        }

    def compose(self) -> ComposeResult:
        yield Static(id="form-title", markup=False)
        self._plan = self._planned()
        yield FieldsPane(self._plan, self._row, id="fields", can_focus=False)
        yield Static(id="form-hint", markup=False)
        yield from self.shell.frame()

    def _planned(self) -> list[Part]:
        desk = self.desk
        return plan(self.card, self.kind, desk.playbook, desk.me.role)

    def _row(self, spec: Spec) -> FieldRow:
        return FieldRow(
            spec.field,
            values_of(self.card, spec.owner).get(spec.field.id),
            owner=spec.owner,
            people=self.shell.people,
            required=spec.required,
            editable=spec.editable,
            text=self._draft.get(spec.key) if spec.editable else None,
        )

    @property
    def rows(self) -> list[FieldRow]:
        """The fields of the form, from top to bottom."""
        return self._pane.rows

    @property
    def _pane(self) -> FieldsPane:
        return self.query_one(FieldsPane)

    def on_mount(self) -> None:
        self._entitle()
        editable = [row for row in self.rows if row.editable]
        for row in editable:
            if row.changed:
                self._check(row)
                seen = self._seen.get(row.key)
                if seen is not None and seen.value != self._see(row).value:
                    row.note_theirs()
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
                mark,
                ("" if self.gone else f"  {self._stage}", "$text-muted"),
            )
        )

    @property
    def _stage(self) -> str:
        return stage_title(self.shell.playbook, self.card.item.kind, self.card.item.stage)

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        self.flush()
        row = next((one for one in event.widget.ancestors if isinstance(one, FieldRow)), None)
        self.query_one("#form-hint", Static).update(plain(self._hint(row) if row else ""))

    def _hint(self, row: FieldRow) -> str:
        hint = row.field.hint.get(language()) if row.field.hint else ""
        steps = wanted_by(self.kind, self.card.item.stage).get(row.field.id, [])
        if row.owner == SUBJECT or not steps:
            return hint
        needed = _("Needed for: {steps}.").format(steps=", ".join(steps))
        return f"{hint}\n{needed}" if hint else needed

    @on(FieldRow.Edited)
    def _edited(self, event: FieldRow.Edited) -> None:
        row = event.row
        if not row.changed:
            self._seen.pop(row.key, None)
        elif row.key not in self._seen:
            self._seen[row.key] = self._see(row)
        self._check(row)
        self._entitle()
        if self._saving is None:
            self._saving = self.set_timer(_AUTOSAVE, self.flush)

    @on(FieldRow.Sent)
    def _next(self) -> None:
        self.focus_next()

    def _see(self, row: FieldRow) -> _Seen:
        holder = self.card.subject if row.owner == SUBJECT else self.card.item
        if holder is None:
            return _Seen(0, None)
        return _Seen(holder.version, holder.fields.get(row.field.id))

    def _check(self, row: FieldRow) -> bool:
        if not row.editable:
            lost = row.changed and bool(row.text)
            row.complain(
                _("This field is not yours to change any more. Copy your text and clear it.")
                if lost
                else ""
            )
            return not lost
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
        wrong = [row for row in self.rows if not self._check(row)]
        wrong = wrong or self._overtaken()
        if wrong:
            wrong[0].focus_editor()
            return
        if self._ending:
            return
        self._ending = True
        self.flush()
        self.shell.go(self._save())

    def _overtaken(self) -> list[FieldRow]:
        """The typed fields that somebody else changed meanwhile; said once, they are saved next."""
        rows = [row for row in self.rows if row.changed and row.overtaken]
        fresh = [row for row in rows if self._seen.get(row.key) != self._see(row)]
        for row in fresh:
            # The person decides with both values before his eyes.
            self._seen[row.key] = self._see(row)
            row.complain(_("Somebody changed this field meanwhile. Save once more to keep yours."))
        if fresh:
            self.call_after_refresh(fresh[0].scroll_visible, animate=False)
        return fresh

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
        changed = [row for row in self.rows if row.changed and row.editable]
        for make, subject in ((EditFields, False), (EditSubject, True)):
            rows = [row for row in changed if (row.owner == SUBJECT) is subject]
            fields = {row.field.id: row.value() for row in rows}
            seen = {row.field.id: self._seen.get(row.key) or self._see(row) for row in rows}
            base = {name: one.version for name, one in seen.items()}
            was = {name: one.value for name, one in seen.items()}
            if fields:
                intents.append(make(item_id=item, fields=_checked(fields), base=base, was=was))
        return intents

    def _refused(self, refusal: Refusal | Conflict) -> None:
        sentence = said(refusal, self.shell.playbook, self.kind.id)
        named = refusal.args.get("field") or refusal.args.get("fields", "").partition(",")[0]
        row = next((one for one in self.rows if one.field.id == named), None)
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
        row = self._pane.in_use
        if row:
            hint = self._hint(row) or _("This field has no hint.")
            self.notify(hint, title=title_of(row.field), timeout=10)

    def help_here(self) -> str:
        """What the playbook says of the field under the cursor."""
        row = self._pane.in_use
        return f"{title_of(row.field)}. {self._hint(row)}" if row else ""

    def why_not(self, action: str) -> str | None:
        """Nothing can be saved to a card that is not there."""
        if action == "form.save" and self.gone:
            return _("This card is not yours to see any more.")
        return None

    # Following changes

    def rows_changed(self, ids: frozenset[str] | None) -> None:
        """Follow the card where nothing was typed; typed text stays as it is."""
        if ids is not None and self.card.item.id not in ids:
            return
        card = card_in_sight(self.shell, self.card.item.id)
        if card is None:
            self._lose()
            return
        self.card, self.gone = card, False
        self.kind = self.shell.playbook.kinds[card.item.kind]
        self._watch.look(card)
        shell = self.shell
        self._tell(self._watch.line(shell.playbook, self.kind.id, shell.people, shell.now()))
        if [part.specs for part in self._planned()] == [part.specs for part in self._plan]:
            self._follow()
        else:
            self._draft = self._typed()
            self._plan = self._planned()
            self.run_worker(self._arrange(), group="arrange", exclusive=True)

    async def _arrange(self) -> None:
        for row in await self._pane.lay_out(self._plan):
            self._check(row)
        self._follow()

    def _lose(self) -> None:
        """The card left sight: what the hub had said of it goes, what was typed stays."""
        self.gone = True
        self.card = emptied(self.card)
        self._seen.clear()
        self._follow()
        self._tell(_("This card is not yours to see any more. What you typed is kept."))
        self.refresh_bindings()

    def _tell(self, news: str) -> None:
        # In the edge of the hint's box: nothing that one is reading or typing moves.
        hint = self.query_one("#form-hint", Static)
        hint.border_title = plain(f" {MARK} {news} ", lines=False) if news else None

    def _follow(self) -> None:
        before = [row.overtaken for row in self.rows]
        for row in self.rows:
            row.follow(values_of(self.card, row.owner).get(row.field.id))
            if not row.changed:
                self._seen.pop(row.key, None)
        in_use = self._pane.in_use
        if in_use is not None and before != [row.overtaken for row in self.rows]:
            # A note takes a line: what is being typed stays in sight.
            self.call_after_refresh(in_use.scroll_visible, animate=False)
        self._entitle()


def _checked(values: Mapping[str, Value | Refusal]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if not isinstance(value, Refusal)}
