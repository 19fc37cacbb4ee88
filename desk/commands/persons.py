"""People of the local copy: `pd show`, `pd find`, `pd consents`, and what they say of these."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from desk.commands import output
from desk.commands.failure import DONE
from desk.commands.session import open_desk
from desk.domain.forms import is_empty
from desk.screens import words
from desk.text import N_, _, format_datetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from desk.domain.model import Standing, Subject
    from desk.domain.operations import Intent
    from desk.domain.playbook import Playbook
    from desk.services.desk import Desk
    from desk.services.persons import PersonFound

_STAGES = {
    "active": N_("Active"),
    "erasure_requested": N_("Erasure requested"),
    "erased": N_("Erased"),
}


def show(options: Namespace) -> int:
    """One person, for a purpose that stands in the journal. JSON: id, stage, fields, consents (by
    purpose: given_at, text_version, channel, withdrawn_at), items (ids)."""
    with open_desk(options) as desk:
        found = desk.show_person(options.subject, options.purpose)
        book, people = desk.playbook, desk.people()
    if options.json:
        subject = found.subject
        output.put_json({**_json(found), "fields": subject.fields, "consents": subject.consents})
        return DONE
    subject = found.subject
    output.put_pairs(
        [
            ("ID", subject.id),
            (_("Stage"), _(_STAGES[subject.stage])),
            *(
                (words.title_of(field), words.shown(field, subject.fields.get(name), people))
                for name, field in book.subject_fields.items()
                if not is_empty(subject.fields.get(name))
            ),
            (_("Cards"), ", ".join(found.items)),
        ]
    )
    return DONE


def find(options: Namespace) -> int:
    """People by a whole phone or e-mail; `-` reads it from stdin. JSON: array of id, stage, name,
    items (ids)."""
    contact = sys.stdin.readline() if options.contact == "-" else options.contact
    with open_desk(options) as desk:
        found = desk.find_people(contact.strip())
        book = desk.playbook
    if options.json:
        output.put_json([{**_json(one), "name": _name(book, one.subject)} for one in found])
        return DONE
    output.put_table(
        ["ID", _("Name"), _("Stage"), _("Cards")],
        [
            (
                one.subject.id,
                _name(book, one.subject),
                _(_STAGES[one.subject.stage]),
                ", ".join(one.items),
            )
            for one in found
        ],
    )
    return DONE


def consents(options: Namespace) -> int:
    """What a person agreed to. JSON: id, stage, items, consents (array of purpose, title, state:
    given, withdrawn or none, given_at, text_version, channel, withdrawn_at)."""
    with open_desk(options) as desk:
        found = desk.consents_of(options.subject)
        book = desk.playbook
    rows = [_standing(book, found.subject, purpose) for purpose in book.purposes]
    if options.json:
        output.put_json({**_json(found), "consents": rows})
        return DONE
    output.put_table(
        [_("Purpose"), _("State"), _("Given"), _("Taken back")],
        [
            (row["title"], _(_STATES[state]), _at(row["given_at"]), _at(row["withdrawn_at"]))
            for row in rows
            if (state := row["state"])
        ],
    )
    return DONE


def give(options: Namespace) -> int:
    """A consent to the text in force, through a card of the person; JSON as of `do`."""
    from desk.domain.operations import GiveConsent

    def said(desk: Desk, item: str) -> Intent:
        purpose = desk.playbook.purposes.get(options.purpose)
        return GiveConsent(
            item_id=item,
            purpose=options.purpose,
            text_version=purpose.version if purpose else 0,
            channel=options.channel,
            evidence=options.evidence,
        )

    return _say(options, said)


def withdraw(options: Namespace) -> int:
    """A consent taken back, through a card of the person; JSON as of `do`."""
    from desk.domain.operations import WithdrawConsent

    def said(_desk: Desk, item: str) -> Intent:
        return WithdrawConsent(
            item_id=item,
            purpose=options.purpose,
            channel=options.channel,
            evidence=options.evidence,
        )

    return _say(options, said)


def demand(options: Namespace) -> int:
    """A demand of erasure, through a card of the person; JSON as of `do`."""
    from desk.domain.operations import RequestErasure

    return _say(
        options,
        lambda _desk, item: RequestErasure(
            item_id=item, channel=options.channel, note=options.evidence
        ),
    )


def _say(options: Namespace, said: Callable[[Desk, str], Intent]) -> int:
    from desk.commands import saying
    from desk.commands.cards import resolve
    from desk.commands.work import send

    with open_desk(options) as desk:
        item = desk.card(resolve(desk, options.id)).item
        with saying.refusals(desk.playbook, item.kind):
            done = desk.do(said(desk, item.id))
        return send(desk, done, item.kind, options)


_STATES = {"given": N_("given"), "withdrawn": N_("taken back"), "none": N_("not asked")}


def _json(found: PersonFound) -> dict[str, Any]:
    return {"id": found.subject.id, "stage": found.subject.stage, "items": found.items}


def _standing(book: Playbook, subject: Subject, purpose: str) -> dict[str, Any]:
    standing: Standing | None = subject.consents.get(purpose)
    title = words.title_of(book.purposes[purpose])
    if standing is None:
        nothing = dict.fromkeys(("given_at", "text_version", "channel", "withdrawn_at"))
        return {"purpose": purpose, "title": title, "state": "none", **nothing}
    return {
        "purpose": purpose,
        "title": title,
        "state": "given" if standing.withdrawn_at is None else "withdrawn",
        "given_at": standing.given_at,
        "text_version": standing.text_version,
        "channel": standing.channel,
        "withdrawn_at": standing.withdrawn_at,
    }


def _name(book: Playbook, subject: Subject) -> str:
    first = next(iter(book.subject_fields), "")
    return str(subject.fields.get(first) or "")


def _at(moment: int | None) -> str:
    return "—" if moment is None else format_datetime(moment)
