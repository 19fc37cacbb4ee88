"""What a card says of its person's consents: each with a sign, and what is stopped."""

from __future__ import annotations

from collections.abc import Iterable

from desk.domain.consents import OBJECTION, may_contact, processing_stopped
from desk.domain.model import Item, Standing, Subject
from desk.domain.playbook import Playbook, Purpose
from desk.screens.facts import Fact
from desk.screens.pd_words import channel_told, standing
from desk.text import _, format_date, language


def facts(playbook: Playbook, subject: Subject | None) -> Iterable[Fact]:
    """How each consent stands; whoever may not see the data sees that they exist."""
    if subject is None or not playbook.purposes:
        return
    yield Fact(_("Consents"), "", "heading")
    for purpose in playbook.purposes.values():
        one = subject.consents.get(purpose.id)
        taken = one is not None and one.withdrawn_at is not None
        yield Fact(purpose.title.get(language()), _told(purpose, one), "wanted" if taken else "")
    for identifier, one in subject.consents.items():
        if identifier not in playbook.purposes:
            yield Fact(identifier, f"{standing(one)} {_when(one)}")


def _told(purpose: Purpose, one: Standing | None) -> str:
    if one is None:
        return "○ " + _("not asked for")
    told = f"{standing(one)} {_when(one)}"
    outdated = one.withdrawn_at is None and one.text_version < purpose.version
    return "\n".join((told, _("to an earlier text"))) if outdated else told


def _when(one: Standing) -> str:
    if one.withdrawn_at is not None:
        return format_date(one.withdrawn_at)
    return f"{format_date(one.given_at)}, {channel_told(one.channel)}"


def stopped(playbook: Playbook, item: Item, subject: Subject | None) -> str:
    """What may not be done with the person any more, in one line; "" where all may be."""
    if subject is None and item.subject_id is None:
        return ""
    # A card always comes with its person, unless he was erased.
    if subject is None or subject.stage == "erased":
        return "∅ " + _("The person’s data is erased: the card can only be closed.")
    if subject.stage == "erasure_requested":
        return "‼ " + _("Erasure is requested: the card can only be closed.")
    if processing_stopped(playbook, subject):
        return "‼ " + _("Consent to processing is withdrawn: the card can only be closed.")
    parts: list[str] = []
    if may_contact(playbook, subject, "calls") is not None:
        parts.append(_("Do not call."))
    if _mails_stopped(playbook, subject):
        parts.append(_("Do not send mailings."))
    return "✗ " + " ".join(parts) if parts else ""


def _mails_stopped(playbook: Playbook, subject: Subject) -> bool:
    """Whether mailings were taken back; never agreed to needs no warning on every card."""
    return any(
        one.withdrawn_at is not None
        for identifier, one in subject.consents.items()
        if (purpose := playbook.purposes.get(identifier)) and "mailings" in purpose.stops
    )


def stands(one: Standing | None) -> bool:
    """Whether a consent is in force."""
    return one is not None and one.withdrawn_at is None and one.text_version > OBJECTION
