"""Which fields a form has, in which order, and what may be done with each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desk.domain.model import Value
from desk.domain.playbook import Field, FormSection, Kind, Playbook
from desk.domain.rights import may_edit
from desk.screens.words import title_of
from desk.services.views import Card

SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Spec:
    """One field of a form; `owner` is the kind or "subject"."""

    owner: str
    field: Field
    required: bool
    editable: bool

    @property
    def key(self) -> str:
        """The field's name in a draft: subject fields apart from the item's."""
        return f"{SUBJECT}.{self.field.id}" if self.owner == SUBJECT else self.field.id


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a form that has something to show."""

    section: FormSection
    specs: tuple[Spec, ...]


def plan(card: Card, kind: Kind, playbook: Playbook, role: str) -> list[Part]:
    """The form of a card as `role` may see it, by these rules."""
    wanted = wanted_by(kind, card.item.stage)
    parts = [
        Part(section, tuple(_specs(section, card, kind, playbook, role, wanted)))
        for section in kind.form
    ]
    return [part for part in parts if part.specs]


def _specs(
    section: FormSection,
    card: Card,
    kind: Kind,
    playbook: Playbook,
    role: str,
    wanted: Mapping[str, list[str]],
) -> Iterable[Spec]:
    owner = SUBJECT if section.subject else kind.id
    there = owner != SUBJECT or card.subject is not None
    declared = playbook.fields(owner)
    for name in section.fields:
        if name in declared and playbook.mask(role, owner, name) != "none":
            required = name in wanted and owner != SUBJECT
            editable = there and may_edit(playbook, role, owner, name)
            yield Spec(owner, declared[name], required, editable)


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


def values_of(card: Card, owner: str) -> Mapping[str, Value]:
    """The values of the item's fields, or of its subject's."""
    if owner != SUBJECT:
        return card.item.fields
    return card.subject.fields if card.subject else {}
