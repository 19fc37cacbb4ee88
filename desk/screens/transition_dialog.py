"""One dialog for every transition of every playbook: what it asks for is in the playbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Select, Static, TextArea

from desk.domain.model import Item, Person, Value
from desk.domain.operations import Move
from desk.domain.playbook import Kind, Transition
from desk.domain.refusals import Conflict, Refusal
from desk.screens.dialog import Dialog
from desk.screens.fields import REQUIRED, FieldRow, Notes
from desk.screens.transitions import refusal_of
from desk.screens.words import said, title_of
from desk.services.errors import DeskError, Refused
from desk.services.views import Card, Done
from desk.text import _, language
from desk.widgets.safe import plain

_AUTOSAVE = 0.2
_COMMENT = "comment"
_TO = "to"
_FIELD_CODES = frozenset(
    {
        "not_a_number",
        "not_a_choice",
        "not_yes_no",
        "not_a_date",
        "not_a_phone",
        "not_an_email",
        "not_a_user",
        "not_text",
        "too_long",
        "number_range",
    }
)
_CHOICE_CODES = frozenset({"choose_user", "user_unknown", "user_wrong_role", "nobody_present"})


def asks(kind: Kind, transition: Transition) -> bool:
    """Whether a person must see the dialog: something is asked for, or the step is a large one."""
    target = kind.stage(transition.target) if transition.target else None
    return bool(
        transition.form
        or transition.choose
        or transition.comment == "required"
        or transition.undoes
        or transition.target_from
        or (target and target.final)
    )


def colleagues(transition: Transition, item: Item, people: Mapping[str, Person]) -> list[Person]:
    """Who can be chosen: the one chosen last time first, then those at work, then the rest."""
    choose = transition.choose
    if choose is None:
        return []
    able = [one for one in people.values() if one.active and one.role in choose.roles]
    last = item.last_chosen if choose.prefer_last else None
    return sorted(able, key=lambda one: (one.id != last, not one.present, one.name))


class TransitionDialog(Dialog[Done | None]):
    """Asks what the transition needs, carries it out, and answers what was done."""

    DEFAULT_CSS = """
    TransitionDialog .block { height: auto; margin-bottom: 1; }
    TransitionDialog .block-title { width: 24; padding-right: 1; color: $text-muted; }
    TransitionDialog .block:focus-within .block-title { color: $text-primary; text-style: bold; }
    TransitionDialog .block .field-editor:focus { background: $primary 30%; }
    TransitionDialog .block .field-editor:focus > SelectCurrent { background: $primary 30%; }
    TransitionDialog .block Select { width: 1fr; }
    TransitionDialog .block Notes { width: 1fr; height: 4; background: $surface; }
    TransitionDialog .block-error { display: none; height: auto; padding-left: 24; }
    TransitionDialog .block-error { color: $text-error; }
    TransitionDialog .block.-wrong .block-error { display: block; }
    TransitionDialog FieldRow { margin-bottom: 1; }
    """

    def __init__(
        self,
        card: Card,
        kind: Kind,
        transition: Transition,
        people: Mapping[str, Person],
        draft: Mapping[str, str],
    ) -> None:
        super().__init__()
        self.card = card
        #: The card as the person saw it when he began.
        self.item = card.item
        self.kind = kind
        self.transition = transition
        self.heading = title_of(transition)
        self.about = card.item.title
        self.verb = title_of(transition)
        self.form_name = f"transition:{transition.id}"
        self._people = people
        self._draft = dict(draft)
        self._typed = dict(draft)
        self._saving: Timer | None = None
        self._sent = False

    def body(self) -> Iterable[Widget]:
        choices = colleagues(self.transition, self.item, self._people)
        if self.transition.choose:
            yield self._chooser(choices)
        for name in self.transition.form:
            field = self.kind.fields.get(name)
            if field:
                yield FieldRow(
                    field,
                    self.item.fields.get(name),
                    owner=self.kind.id,
                    people=self._people,
                    required=name in self._required,
                    text=self._draft.get(name),
                )
        if self.transition.comment != "none":
            yield self._commenter()

    @property
    def _required(self) -> frozenset[str]:
        target = self.kind.stage(self.transition.target) if self.transition.target else None
        return frozenset((*self.transition.required, *(target.required if target else ())))

    def _chooser(self, choices: list[Person]) -> Widget:
        choose = self.transition.choose
        assert choose is not None
        options = [(self._colleague(one), one.id) for one in choices]
        known = {one.id for one in choices}
        drafted = self._draft.get(_TO, "")
        prompt = _("by the hub: present, least busy") if choose.route else None
        select = Select(
            options,
            prompt=prompt or _("not chosen"),
            value=drafted if drafted in known else Select.NULL,
            compact=True,
            id="to",
        )
        select.add_class("field-editor")
        return _Block(_("Colleague"), select, required=not choose.route)

    def _colleague(self, person: Person) -> Content:
        mark = ("● ", "$text-success") if person.present else ("○ ", "$text-muted")
        presence = _("at work") if person.present else _("not at work")
        last = ", " + _("the previous one") if person.id == self.item.last_chosen else ""
        return Content.assemble(mark, plain(person.name, lines=False), f" · {presence}{last}")

    def _commenter(self) -> Widget:
        required = self.transition.comment == "required"
        title = _("Reason") if required else _("Comment")
        notes = Notes(self._draft.get(_COMMENT, ""), sends=True, id=_COMMENT)
        notes.add_class("field-editor")
        return _Block(title, notes, required=required)

    def begin(self) -> None:
        super().begin()
        self._hint_of(None)
        first = next((row for row in self.query(FieldRow) if row.required and row.empty), None)
        if first:
            first.focus_editor()
        elif self.transition.comment == "required":
            self.query_one(f"#{_COMMENT}").focus()
        elif not self.transition.form and not self._must_choose:
            self.query_one("#yes").focus()

    @property
    def _must_choose(self) -> bool:
        return bool(self.transition.choose and not self.transition.choose.route)

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        row = next((one for one in event.widget.ancestors if isinstance(one, FieldRow)), None)
        self._hint_of(row)
        self.flush()

    def _hint_of(self, row: FieldRow | None) -> None:
        if row and row.field.hint:
            self.hint(row.field.hint.get(language()))
        elif isinstance(self.focused, Notes):
            self.hint(_("Enter sends, Ctrl+J begins a new line."))
        else:
            self.hint(self.transition.hint.get(language()) if self.transition.hint else "")

    @on(FieldRow.Edited)
    def _edited(self, event: FieldRow.Edited) -> None:
        row = event.row
        self._keep(row.key, row.text)
        value = row.value()
        row.complain(self._said(value) if isinstance(value, Refusal) else "")

    @on(TextArea.Changed, f"#{_COMMENT}")
    def _commented(self, event: TextArea.Changed) -> None:
        self._keep(_COMMENT, event.text_area.text)
        self._block(_COMMENT).complain("")

    @on(Select.Changed, f"#{_TO}")
    def _chosen(self, event: Select.Changed) -> None:
        self._keep(_TO, "" if event.value is Select.NULL else str(event.value))
        self._block(_TO).complain("")

    def _keep(self, name: str, text: str) -> None:
        if self._typed.get(name, "") == text:
            return
        self._typed[name] = text
        if self._saving is None:
            self._saving = self.set_timer(_AUTOSAVE, self.flush)

    def flush(self) -> None:
        if self._saving is None:
            return
        self._saving.stop()
        self._saving = None
        self.shell.keep_draft(self.item.id, self.form_name, dict(self._typed))

    def card_changed(self, card: Card) -> None:
        """Follow the fields where nothing was typed; say at once if the step is impossible now."""
        for row in self.query(FieldRow):
            row.follow(card.item.fields.get(row.field.id))
        if not self.gone and not self._sent:
            refusal = refusal_of(card, self.transition.id)
            self.complain(self._said(refusal) if refusal else "")

    def action_accept(self) -> None:
        """Carry the transition out, or say beside the field what is missing."""
        if self._sent or not self._complete():
            return
        self._sent = True
        self.flush()
        self.shell.go(self._carry_out(self._intent()))

    def action_cancel(self) -> None:
        """Leave; what was typed waits as a draft."""
        self.flush()
        if any(self._typed.values()) and self._typed != self._draft:
            self.notify(_("What you typed is kept and will be here next time."))
        self.dismiss(None)

    def _complete(self) -> bool:
        wrong: list[Widget] = []
        for row in self.query(FieldRow):
            value = row.value()
            missing = row.required and row.empty
            sentence = self._said(value) if isinstance(value, Refusal) else ""
            row.complain(_("Fill this in.") if missing else sentence)
            if sentence or missing:
                wrong.append(row)
        if self._must_choose and not self._typed.get(_TO):
            wrong.append(self._block(_TO).complain(_("Choose a colleague.")))
        if self.transition.comment == "required" and not self._typed.get(_COMMENT, "").strip():
            wrong.append(self._block(_COMMENT).complain(_("Write the reason.")))
        if wrong:
            wrong[0].query(".field-editor").first().focus()
        return not wrong

    def _intent(self) -> Move:
        fields: dict[str, Value] = {}
        for row in self.query(FieldRow):
            value = row.value()
            if not isinstance(value, Refusal) and (row.changed or row.required):
                fields[row.field.id] = value
        return Move(
            item_id=self.item.id,
            transition=self.transition.id,
            seen_stage=self.item.stage,
            fields=fields,
            comment=self._typed.get(_COMMENT, "").strip(),
            to=self._typed.get(_TO) or None,
        )

    async def _carry_out(self, intent: Move) -> None:
        shell = self.shell
        try:
            done = await shell.do(intent)
        except Refused as refused:
            self._sent = False
            self._refused(refused.refusal)
            return
        except DeskError as error:
            self._sent = False
            self.complain(shell.explain(error))
            return
        await shell.write(shell.desk.drop_draft, self.item.id, self.form_name)
        if self.is_attached:
            self.dismiss(done)

    def _refused(self, refusal: Refusal | Conflict) -> None:
        sentence = self._said(refusal)
        if refusal.code == "stale" and self.card is not None:
            # Whoever confirms once more has read where the card is now.
            self.item = self.card.item
        if refusal.code in _FIELD_CODES:
            for row in self.query(FieldRow):
                if row.field.id == refusal.args.get("field"):
                    row.complain(sentence)
                    row.focus_editor()
                    return
        if refusal.code in _CHOICE_CODES and self.transition.choose:
            self._block(_TO).complain(sentence)
            return
        self.complain(sentence)

    def _said(self, refusal: Refusal | Conflict) -> str:
        return said(refusal, self.shell.playbook, self.kind.id)

    def _block(self, editor: str) -> _Block:
        blocks = (one for one in self.query_one(f"#{editor}").ancestors if isinstance(one, _Block))
        return next(blocks)


class _Block(Vertical):
    """An editor that is not a field's, laid out like one."""

    def __init__(self, title: str, editor: Widget, *, required: bool) -> None:
        super().__init__(classes="block")
        self._title = title
        self._editor = editor
        self._required = required

    def compose(self) -> ComposeResult:
        mark = (f"{REQUIRED} ", "$text-warning") if self._required else ""
        row = Horizontal(
            Static(Content.assemble(mark, self._title), classes="block-title"), self._editor
        )
        row.styles.height = "auto"
        yield row
        yield Static(classes="block-error", markup=False)

    def complain(self, sentence: str) -> _Block:
        """Show what is wrong under the editor."""
        self.set_class(bool(sentence), "-wrong")
        self.query_one(".block-error", Static).update(plain(sentence))
        return self
