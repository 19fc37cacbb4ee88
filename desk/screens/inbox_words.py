"""What an entry of the inbox says in plain words: what was asked for, why not, whose value stands.

The card may have left sight since: then the entry speaks of what the person himself typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from desk.domain.model import Person, Value
from desk.domain.operations import (
    CloseTask,
    Comment,
    Create,
    EditFields,
    EditSubject,
    GiveConsent,
    Intent,
    Move,
    RequestErasure,
    WithdrawConsent,
)
from desk.domain.playbook import Kind, Playbook
from desk.domain.refusals import Refusal
from desk.screens.comparison import Compared
from desk.screens.fields import typed
from desk.screens.form import FORM
from desk.screens.words import (
    find_field,
    moment,
    person_name,
    said,
    shown,
    stage_title,
    title_of,
)
from desk.services.views import InboxEntry
from desk.text import N_, _

#: The pseudo-fields of an entry: its text, and the stage of a card that somebody moved first.
COMMENT, STAGE = "comment", "stage"

#: A sign and a few words for each result.
RESULTS: Mapping[str, tuple[str, str]] = {
    "conflict": ("≠", N_("somebody was first")),
    "rejected": ("✗", N_("refused")),
    "quarantined": ("!", N_("the hub could not process it")),
    "blocked": ("…", N_("waits for an earlier action")),
}


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells entries by the rules and people of this desk."""

    playbook: Playbook
    people: Mapping[str, Person]

    def what(self, entry: InboxEntry, kind: str) -> str:
        """What was asked for; `kind` is the card's, "" where it is gone."""
        intent = entry.intent
        if isinstance(intent, Move):
            owner = self.kind_of(intent, kind)
            return title_of(owner.transitions[intent.transition]) if owner else intent.transition
        words: dict[type[Intent], str] = {
            Create: _("New card"),
            EditFields: _("Change of fields"),
            EditSubject: _("Change of personal data"),
            Comment: _("Comment"),
            CloseTask: _("Task done"),
            GiveConsent: _("Consent given"),
            WithdrawConsent: _("Consent withdrawn"),
            RequestErasure: _("Erasure of personal data asked for"),
        }
        return words[type(intent)]

    def why(self, entry: InboxEntry, kind: str) -> str:
        """Why it was not carried out, and what to do."""
        return said(Refusal(entry.code, entry.args), self.playbook, kind or None)

    def compared(self, entry: InboxEntry, kind: str) -> list[Compared]:
        """The fields side by side, those that somebody else changed first."""
        contested = _contested(entry)
        names = [name for name in dict.fromkeys((*contested, *entry.mine)) if name != COMMENT]
        rows = [self._row(entry, kind, name, name in contested) for name in names]
        if isinstance(entry.intent, Move) and entry.intent.to:
            to = person_name(self.people, entry.intent.to)
            rows.append(Compared(_("Colleague"), to, clash=False))
        return rows

    def _row(self, entry: InboxEntry, kind: str, name: str, clash: bool) -> Compared:
        field = find_field(self.playbook, kind or None, name)
        title = _("Stage") if name == STAGE else title_of(field) if field else name
        theirs = ""
        if name in entry.theirs:
            theirs = self._value(entry, kind, name, entry.theirs[name])
        elif clash:
            theirs = _("not shown to you")
        elif entry.result == "conflict":
            theirs = _("nobody else changed it")
        return Compared(
            title,
            self._value(entry, kind, name, entry.mine[name]) if name in entry.mine else "",
            theirs,
            self._value(entry, kind, name, entry.base[name]) if name in entry.base else "",
            by=self._by(entry, name),
            clash=clash,
        )

    def _value(self, entry: InboxEntry, kind: str, name: str, value: Value) -> str:
        if name == STAGE:
            owner = self.kind_of(entry.intent, kind)
            stage = str(value) if value else None
            return stage_title(self.playbook, owner.id if owner else kind, stage)
        field = find_field(self.playbook, kind or None, name)
        return shown(field, value, self.people) if field else str(value)

    def _by(self, entry: InboxEntry, name: str) -> str:
        changed = entry.changed.get(name)
        if changed is None:
            return ""
        who = person_name(self.people, changed.who) if changed.who else _("the hub")
        return f"{who}\n{moment(changed.at)}"

    def kind_of(self, intent: Intent, kind: str) -> Kind | None:
        """The kind of the card an intent is about; of one that is gone, which has such a step."""
        if isinstance(intent, Create):
            return self.playbook.kind(intent.kind)
        known = self.playbook.kind(kind) if kind else None
        if not isinstance(intent, Move):
            return known
        kinds = [known] if known else self.playbook.kinds.values()
        return next((one for one in kinds if intent.transition in one.transitions), None)

    def draft_of(self, entry: InboxEntry) -> tuple[str, dict[str, str]] | None:
        """The form and the texts under which what was asked for can be sent anew."""
        intent = entry.intent
        if isinstance(intent, Comment):
            return COMMENT, {"text": intent.text}
        if isinstance(intent, CloseTask):
            return (f"task:{intent.task_id}", {"text": intent.comment}) if intent.comment else None
        if not isinstance(intent, EditFields | EditSubject | Move):
            return None
        prefix = "subject." if isinstance(intent, EditSubject) else ""
        texts: dict[str, str] = {}
        for name, value in intent.fields.items():
            field = find_field(self.playbook, None, name)
            if field:
                texts[f"{prefix}{name}"] = typed(field, value)
        if isinstance(intent, Move):
            texts |= {COMMENT: intent.comment} if intent.comment else {}
            return (f"transition:{intent.transition}", texts) if texts else None
        return FORM, texts

    def text_of(self, entry: InboxEntry) -> str:
        """All that the person typed, line by line."""
        words = words_of(entry.intent)
        lines = [words] if words else []
        if isinstance(entry.intent, Create):
            lines.append(entry.intent.title)
        for name, value in entry.mine.items():
            if name in (COMMENT, STAGE):
                continue
            field = find_field(self.playbook, None, name)
            title = title_of(field) if field else name
            lines.append(f"{title}: {shown(field, value, self.people) if field else value}")
        return "\n".join(lines)


def words_of(intent: Intent) -> str:
    """The comment, reason or note that came with an intent."""
    if isinstance(intent, Comment):
        return intent.text
    if isinstance(intent, GiveConsent | WithdrawConsent):
        return intent.evidence
    if isinstance(intent, RequestErasure):
        return intent.note
    return intent.comment if isinstance(intent, Move | CloseTask) else ""


def _contested(entry: InboxEntry) -> tuple[str, ...]:
    """The fields that somebody else changed, as the hub named them."""
    named = entry.args.get("fields", "") if entry.result == "conflict" else ""
    names = [name.strip() for name in named.split(",")]
    return tuple(dict.fromkeys(name for name in (*names, *entry.theirs, *entry.changed) if name))


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry in the list: how deep it stands under those it builds on, how many build on it."""

    entry: InboxEntry
    depth: int
    #: Whether what it builds on is in the inbox too.
    held: bool
    #: How many entries build on it, also by way of others.
    above: int


def arranged(entries: Sequence[InboxEntry]) -> list[Placed]:
    """The entries in order, each followed by those that build on it."""
    here = {entry.id for entry in entries}
    children: dict[str, list[InboxEntry]] = {}
    for entry in entries:
        if entry.after in here and entry.after != entry.id:
            children.setdefault(entry.after, []).append(entry)
    rooted = {child.id for listed in children.values() for child in listed}

    def walk(entry: InboxEntry, depth: int) -> Iterable[Placed]:
        under = [one for child in children.get(entry.id, ()) for one in walk(child, depth + 1)]
        yield Placed(entry, depth, entry.id in rooted, len(under))
        yield from under

    return [one for entry in entries if entry.id not in rooted for one in walk(entry, 0)]
