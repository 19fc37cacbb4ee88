"""What the hub itself writes into the journal, by what happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from sqlalchemy import Connection, select

from desk.domain.journal import Access, Event, pack
from desk.hub import journal
from desk.hub.accounts import Session
from desk.hub.database import Database
from desk.hub.projection import Reader
from desk.protocol.messages import Page
from desk.schema import hub_tables as t


def of_session(session: Session, event: Event, now: int, **more: Any) -> Access:
    """An entry of whoever works at a desk; ``more`` are further values of the entry."""
    actor = session.actor
    return Access(
        at=now, who=actor.id, role=actor.role, device=session.device_id, event=event, **more
    )


def of_administrator(event: Event, now: int, **detail: str) -> Access:
    """An entry of whoever runs the hub: he is nobody by name."""
    return Access(at=now, event=event, detail=detail)


def deliver(
    database: Database,
    session: Session,
    reader: Reader,
    page: Page,
    via: Literal["changes", "snapshot", "urgent"],
) -> Page:
    """The page, once it stands in the journal whose data goes to the desk with it.

    Written after the page was made, for its view of the database is one of reading only, and
    before it is sent: that a page is lost on its way is no harm.
    """
    there = {item.id: item.subject_id for item in page.items}
    subjects = {one for one in there.values() if one} | {subject.id for subject in page.subjects}
    told = {entry.item_id for entry in page.entries if entry.comment} - there.keys()
    if not subjects and not told:
        return page
    role = reader.playbook.roles.get(session.actor.role)
    with database.write() as connection:
        subjects |= _subjects_of(connection, told)
        if subjects:
            entry = of_session(
                session,
                "deliver",
                reader.now,
                purpose=role.purpose if role else "",
                subjects=pack(subjects),
                count=len(subjects),
                detail={"via": via, "playbook": str(reader.playbook_version)},
            )
            journal.write(connection, [entry])
    return page


def _subjects_of(connection: Connection, items: Iterable[str]) -> set[str]:
    """Whom items speak of, whose comments go out without them."""
    wanted = sorted(items)
    if not wanted:
        return set()
    query = select(t.item.c.subject_id).where(
        t.item.c.id.in_(wanted), t.item.c.subject_id.is_not(None)
    )
    return set(connection.execute(query).scalars())
