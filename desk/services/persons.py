"""The people of the local copy, apart from cards: one shown for a purpose, one looked up.

What is shown is what the hub gave this desk, so it is masked already; every look is journaled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection

from desk.domain.forms import is_empty
from desk.domain.model import Subject
from desk.services import lookup, search
from desk.services.errors import NoSuchPerson, NoSuchPurpose
from desk.services.rows import SUBJECTS
from desk.services.subjects import sealer_of

if TYPE_CHECKING:
    from desk.services.context import Context
    from desk.services.journal import Journal

#: The fewest characters of an id that stand for it.
_SHORTEST = 8
_MOST = 50


class PersonFound(msgspec.Struct, frozen=True, kw_only=True):
    """A person, and the ids of the cards here that speak of him."""

    subject: Subject
    items: list[str]


def show(context: Context, journal: Journal, identifier: str, purpose: str) -> PersonFound:
    """A person by his id or its beginning; ``purpose`` is an id or a title of the playbook's.

    Raises ``NoSuchPerson``, ``NoSuchPurpose``, ``DiskFull``.
    """
    stated = _purpose(context, purpose)
    found = consents(context, identifier)
    fields = [f"subject.{n}" for n, value in found.subject.fields.items() if not is_empty(value)]
    journal.note("read", subject_id=found.subject.id, fields=fields, via="show", purpose=stated)
    return found


def consents(context: Context, identifier: str) -> PersonFound:
    """The same for what he agreed to alone, which is no look at his data. Raises
    ``NoSuchPerson``."""
    with context.store.read() as connection:
        ids = _ids(connection, identifier)
        if len(ids) != 1:
            raise NoSuchPerson
        return _found(connection, ids)[0]


def find(context: Context, journal: Journal, contact: str) -> list[PersonFound]:
    """The people who have a whole phone or e-mail. Raises ``DiskFull``."""
    with context.store.read() as connection:
        ids = lookup.find(connection, sealer_of(connection), search.whole(contact))
        found = _found(connection, ids)
    if found:
        subjects = [one.subject.id for one in found]
        journal.note("search", subjects=subjects, count=len(found), via="find")
    return found


def _purpose(context: Context, stated: str) -> str:
    purposes = context.rulebook.playbook.purposes
    word = stated.strip().casefold()
    for one in purposes.values():
        if word in (one.id, one.title.ru.casefold(), one.title.en.casefold()):
            return one.id
    raise NoSuchPurpose(possible=", ".join(purposes))


def _ids(connection: Connection, identifier: str) -> list[str]:
    word = identifier.strip().lower()
    if len(word) < _SHORTEST:
        return []
    sql = "SELECT id FROM subject WHERE id >= ? AND id < ? LIMIT 2"
    return list(connection.exec_driver_sql(sql, (word, f"{word}g")).scalars())


def _found(connection: Connection, ids: list[str]) -> list[PersonFound]:
    sql = "SELECT id FROM item WHERE subject_id = ? ORDER BY id"
    return [
        PersonFound(
            subject=subject,
            items=list(connection.exec_driver_sql(sql, (subject.id,)).scalars()),
        )
        for subject in SUBJECTS.get(connection, ids[:_MOST])
    ]
