"""What a card tells of itself: its fields by section, personal data as the role may see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from desk.domain.forms import is_empty
from desk.domain.model import Person, Value
from desk.domain.playbook import Field, FormSection, Playbook
from desk.domain.rights import MASK
from desk.screens.fields import REQUIRED
from desk.screens.form_plan import wanted_by
from desk.screens.words import shown, title_of
from desk.services.views import Card
from desk.text import _, language
from desk.widgets.safe import plain


@dataclass(frozen=True, slots=True)
class Fact:
    """A title and a value beside it; a heading has no value."""

    title: str
    value: str
    tone: Literal["", "wanted", "revealed", "heading"] = ""


def widget_of(fact: Fact) -> Widget:
    """What shows a fact."""
    if fact.tone == "heading":
        return Static(plain(fact.title), classes="section -later")
    return Horizontal(
        Static(plain(fact.title), classes="fact-title"),
        Static(plain(fact.value), classes="fact-value"),
        classes=f"fact -{fact.tone}" if fact.tone else "fact",
    )


def facts_of(
    card: Card,
    playbook: Playbook,
    role: str,
    people: Mapping[str, Person],
    revealed: Mapping[str, Value],
) -> list[Fact]:
    """Filled fields and those the next steps need, in the order of the form, then the others.

    Masked fields ("subject.phone") that are ``revealed`` for a moment are shown in full.
    """
    return list(_Reader(card, playbook, role, people, revealed).facts())


@dataclass(frozen=True, slots=True)
class _Reader:
    card: Card
    playbook: Playbook
    role: str
    people: Mapping[str, Person]
    revealed: Mapping[str, Value]

    def facts(self) -> Iterable[Fact]:
        item = self.card.item
        kind = self.playbook.kinds[item.kind]
        wanted = wanted_by(kind, item.stage)
        placed: set[str] = set()
        for section in kind.form:
            if not section.subject:
                placed.update(section.fields)
            yield from _headed(section.title.get(language()), self._section(section, wanted))
        rest = tuple(name for name in kind.fields if name not in placed)
        yield from _headed(_("Other"), self._rows(kind.id, rest, item.fields, {}))
        if self.card.subject and not any(section.subject for section in kind.form):
            names = tuple(self.playbook.subject_fields)
            rows = self._rows("subject", names, self.card.subject.fields, {})
            yield from _headed(_("Personal data"), rows)

    def _section(self, section: FormSection, wanted: Mapping[str, list[str]]) -> Iterable[Fact]:
        item = self.card.item
        if not section.subject:
            return self._rows(item.kind, section.fields, item.fields, wanted)
        values = self.card.subject.fields if self.card.subject else {}
        return self._rows("subject", section.fields, values, {})

    def _rows(
        self,
        owner: str,
        names: Iterable[str],
        values: Mapping[str, Value],
        wanted: Mapping[str, list[str]],
    ) -> Iterable[Fact]:
        declared = self.playbook.fields(owner)
        for name in names:
            field = declared.get(name)
            level = self.playbook.mask(self.role, owner, name)
            if field is None or level == "none":
                continue
            value = values.get(name)
            full_name = f"{owner}.{name}"
            if full_name in self.revealed:
                seen = shown(field, self.revealed[full_name], self.people)
                yield Fact(title_of(field), f"{seen}  ◉", "revealed")
            elif not is_empty(value):
                yield Fact(title_of(field), self._value(level, field, value))
            elif name in wanted:
                yield Fact(title_of(field), REQUIRED + " " + _("to fill in"), "wanted")

    def _value(self, level: str, field: Field, value: Value) -> str:
        if level == "exists" or value == MASK:
            return _("there is one")
        return str(value) if level == "masked" else shown(field, value, self.people)


def _headed(title: str, rows: Iterable[Fact]) -> Iterable[Fact]:
    """The rows under their heading; no rows, no heading."""
    listed = list(rows)
    return [Fact(title, "", "heading"), *listed] if listed else listed
