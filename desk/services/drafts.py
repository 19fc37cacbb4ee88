"""What a person has typed into forms and not sent: on the disk as it is typed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from desk.schema.desk_tables import draft
from desk.services.context import Context
from desk.services.views import DraftInfo

#: A form keeps under such names what the person saw, beside what he typed.
SEEN = "seen:"

_decoder = msgspec.json.Decoder(dict[str, str])


def save(context: Context, item_id: str, form: str, values: Mapping[str, str]) -> None:
    """Keep a form's texts; they are on the disk when this returns."""
    with context.store.write(durable=True) as connection:
        connection.execute(delete(draft).where(draft.c.item_id == item_id, draft.c.form == form))
        connection.execute(
            insert(draft).values(
                item_id=item_id,
                form=form,
                body=msgspec.json.encode(dict(values)).decode(),
                saved_at=context.clock(),
            )
        )


def load(context: Context, item_id: str, form: str) -> dict[str, str]:
    """A form's texts; empty where nothing was typed."""
    query = select(draft.c.body).where(draft.c.item_id == item_id, draft.c.form == form)
    with context.store.read() as connection:
        body = connection.execute(query).scalar_one_or_none()
    return _decoder.decode(body) if body else {}


def all_drafts(context: Context) -> list[DraftInfo]:
    """Every draft, the latest first."""
    with context.store.read() as connection:
        rows = connection.execute(select(draft).order_by(draft.c.saved_at.desc()))
        return [
            DraftInfo(row.item_id, row.form, row.saved_at, _decoder.decode(row.body))
            for row in rows
        ]


def forget_seen(connection: Connection, gone: ColumnElement[bool]) -> None:
    """Drop what the drafts ``gone`` hold of the hub's values; what the person typed stays."""
    for row in connection.execute(select(draft).where(gone)).all():
        typed = {
            name: text
            for name, text in _decoder.decode(row.body).items()
            if not name.startswith(SEEN)
        }
        mine = (draft.c.item_id == row.item_id, draft.c.form == row.form)
        body = msgspec.json.encode(typed).decode()
        connection.execute(update(draft).where(*mine).values(body=body))


def drop(context: Context, item_id: str, form: str) -> None:
    """Forget a form's texts, because they were sent or the person said so."""
    with context.store.write(durable=True) as connection:
        connection.execute(delete(draft).where(draft.c.item_id == item_id, draft.c.form == form))
