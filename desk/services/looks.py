"""Seeing and calling: what a card shows of a person, a look at what is masked, and a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.domain.forms import is_empty
from desk.domain.rights import SUBJECT

if TYPE_CHECKING:
    from desk.services.context import Context
    from desk.services.views import Card


def fields_shown(context: Context, card: Card) -> list[str]:
    """The names of the filled fields of personal data that the person sees in full on a card."""
    book = context.rulebook
    playbook, role = book.playbook, book.actor.role
    kind = card.item.kind
    personal = [name for name, field in playbook.fields(kind).items() if field.personal]
    subject = card.subject.fields if card.subject else {}
    held = {f"{SUBJECT}.{name}": value for name, value in subject.items()}
    held |= {f"{kind}.{name}": card.item.fields.get(name) for name in personal}
    shown: list[str] = []
    for name, value in held.items():
        owner, _, field = name.partition(".")
        if not is_empty(value) and playbook.mask(role, owner, field) == "full":
            shown.append(name)
    return shown
