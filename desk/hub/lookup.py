"""The blind index: finding a subject by a whole phone number or e-mail without storing either.

What is stored is an HMAC under a key of the key store, cut to 16 bytes.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from sqlalchemy import Connection, delete, insert, select

from desk.domain.model import Subject, Value
from desk.domain.playbook import Field, Playbook
from desk.hub.database import keys_of
from desk.schema.hub_tables import subject_lookup

Contact: TypeAlias = Literal["phone", "email"]

_KINDS: dict[str, Contact] = {
    "phone": "phone",
    "phones": "phone",
    "email": "email",
    "emails": "email",
}
_SIZE = 16


def find(connection: Connection, kind: Contact, value: str) -> list[str]:
    """The ids of subjects with this phone (E.164) or e-mail; who may see them is not asked here."""
    line = subject_lookup.c
    known = _digest(keys_of(connection).secret("lookup"), kind, value)
    query = select(line.subject_id).where(line.kind == kind, line.digest == known)
    return sorted(connection.execute(query).scalars())


def write(
    connection: Connection, playbook: Playbook, subjects: Iterable[Subject], *, new: bool
) -> None:
    """Make the index say what stands in the subjects; ``new``: none of them was there before."""
    secret = keys_of(connection).secret("lookup")
    fields = playbook.fields("subject")
    rows: list[dict[str, object]] = []
    ids: list[str] = []
    for subject in subjects:
        ids.append(subject.id)
        found = {(kind, _digest(secret, kind, value)) for kind, value in _contacts(fields, subject)}
        for contact, digest in sorted(found):
            rows.append({"kind": contact, "digest": digest, "subject_id": subject.id})
    if ids and not new:
        forget(connection, ids)
    if rows:
        connection.execute(insert(subject_lookup), rows)


def forget(connection: Connection, subjects: Collection[str]) -> None:
    """Take subjects out of the index."""
    mine = subject_lookup.c.subject_id.in_(list(subjects))
    connection.execute(delete(subject_lookup).where(mine))


def _contacts(fields: Mapping[str, Field], subject: Subject) -> Iterator[tuple[Contact, str]]:
    for name, value in subject.fields.items():
        kind = _KINDS.get(fields[name].type) if name in fields else None
        if kind is not None:
            for one in _texts(value):
                yield kind, one


def _texts(value: Value) -> list[str]:
    if isinstance(value, list):
        return [one for one in value if one]
    return [value] if isinstance(value, str) and value else []


def _digest(secret: bytes, kind: Contact, value: str) -> bytes:
    known = value.casefold() if kind == "email" else value
    return hmac.digest(secret, f"{kind}\0{known}".encode(), "sha256")[:_SIZE]
