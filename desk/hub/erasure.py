"""Erasing a person: what goes at once on the hub, what every desk is told, what stays as proof.

The rows are emptied and written to the change log in one transaction, with the list of the devices
that may hold them; then the keys are destroyed, so that no backup of the rows can be read either.
What was cut short in between, or came back with a backup, is mended when a hub starts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from desk.domain.journal import Access
from desk.domain.model import Entry, Item, Subject
from desk.domain.playbook import Playbook
from desk.hub import changes, journal, lookup, registry
from desk.hub.database import Database, insert_missing
from desk.hub.keystore import key_name, truncate_log
from desk.hub.playbooks import current
from desk.hub.sealing import personal_fields
from desk.hub.store import Families, Opened
from desk.schema import hub_tables as t

#: What goes of a person, by category; an act names them.
CATEGORIES = ("subject", "titles", "fields", "comments", "lookup", "evidence", "keys")

State: TypeAlias = Literal["pending", "confirmed", "wiped", "lapsed"]


class NoSubject(Exception):
    """There is no such subject."""


class Outstanding(msgspec.Struct, frozen=True, kw_only=True):
    """A device that may still hold an erased person, until ``lease_until`` (ms) at the latest."""

    device_id: str
    device_name: str
    user: str
    lease_until: int | None


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure that was carried out. ``number`` is the act's; ``by`` is nobody where the hub
    repeated it for a backup that was restored."""

    subject_id: str
    number: int
    at: int
    by: str | None
    reason: str
    categories: tuple[str, ...]


def erase(
    database: Database, subject_id: str, by: str | None, now: int, reason: str = ""
) -> Erased:
    """Erase a person; one who is erased already stays as he is. Raises `NoSubject`."""
    with database.write() as connection:
        done = erase_rows(connection, subject_id, by, now, reason)
        names = _key_names(connection, subject_id)
    destroy_keys(database, names, now)
    return done


def erase_rows(
    connection: Connection, subject_id: str, by: str | None, now: int, reason: str = ""
) -> Erased:
    """The part of it in a transaction of the caller's, who calls `finish` once it is committed.

    Nothing else may be written in it afterwards. Raises `NoSubject`.
    """
    # One act after another, so that their numbers are; then the rows, as an operation would.
    connection.execute(select(t.hub.c.one).with_for_update())
    Families(connection, _items_of(connection, subject_id))
    opened = Opened(connection)
    found = opened.subjects(select(t.subject).where(t.subject.c.id == subject_id).with_for_update())
    if not found:
        raise NoSubject
    known = of(connection, subject_id)
    if known is not None and found[0].stage == "erased":
        return known
    playbook = current(connection).playbook
    log = [_empty_subject(connection, found[0])]
    about = t.item.c.id.in_(_items_of(connection, subject_id))
    items = opened.items(select(t.item).where(about).order_by(t.item.c.id))
    log += _empty_items(connection, playbook, items, now)
    log += _empty_entries(connection, opened, [item.id for item in items])
    lookup.forget(connection, [subject_id])
    registry.forget(connection, subject_id, by, now)
    done = known or _record(connection, subject_id, by, now, reason)
    _await_devices(connection, subject_id, now)
    detail = {"number": str(done.number)}
    entry = Access(at=now, who=by, event="erase", subject_id=subject_id, detail=detail)
    journal.write(connection, [entry])
    changes.write(connection, log, at=now, who=by)
    return done


def finish(database: Database, subject_id: str, now: int) -> None:
    """Destroy the keys of an erased person, after the transaction that emptied his rows."""
    with database.read() as connection:
        names = _key_names(connection, subject_id)
    destroy_keys(database, names, now)


def mend(database: Database, now: int) -> int:
    """Erase again whom a restored backup brought back, and finish what was cut short; how many."""
    destroyed = database.keys.destroyed()
    with database.read() as connection:
        rows = connection.execute(select(t.erasure.c.subject_id)).scalars().all()
        unfinished = [one for one in rows if key_name(one) not in destroyed]
        back = [one for one in _living(connection) if key_name(one) in destroyed]
    for subject_id in unfinished:
        finish(database, subject_id, now)
    for subject_id in back:
        erase(database, subject_id, None, now)
    return len(unfinished) + len(back)


def of(connection: Connection, subject_id: str) -> Erased | None:
    """The erasure of a person, if there was one."""
    row = connection.execute(select(t.erasure).where(t.erasure.c.subject_id == subject_id)).first()
    if row is None:
        return None
    return Erased(
        subject_id=row.subject_id,
        number=row.number,
        at=row.at,
        by=row.by,
        reason=row.reason,
        categories=tuple(row.categories),
    )


def acknowledge(
    connection: Connection, device_id: str, subjects: Collection[str], now: int
) -> None:
    """A device says that it holds these erased people no more."""
    mine = (t.erasure_ack.c.device_id == device_id, t.erasure_ack.c.subject_id.in_(list(subjects)))
    connection.execute(
        update(t.erasure_ack)
        .where(*mine, t.erasure_ack.c.acked_at.is_(None))
        .values(state="confirmed", acked_at=now)
    )


def outstanding(connection: Connection, subject_id: str, now: int) -> list[Outstanding]:
    """The devices that have not confirmed and whose lease has not ended."""
    ack = t.erasure_ack.c
    query = (
        select(ack.device_id, t.device.c.name, t.device.c.user_id, ack.lease_until)
        .join(t.device, t.device.c.id == ack.device_id)
        .where(ack.subject_id == subject_id, *_unconfirmed(now))
        .order_by(t.device.c.user_id, ack.device_id)
    )
    return [
        Outstanding(device_id=row[0], device_name=row[1], user=row[2], lease_until=row[3])
        for row in connection.execute(query)
    ]


def is_overdue(connection: Connection, device_id: str, now: int) -> bool:
    """Whether a device has let the end of its lease pass without confirming an erasure: it gets
    no other lease before it has."""
    ack = t.erasure_ack.c
    query = select(ack.subject_id).where(
        ack.device_id == device_id, ack.acked_at.is_(None), ack.lease_until <= now
    )
    return connection.execute(query.limit(1)).first() is not None


def destroy_keys(database: Database, names: Collection[bytes], now: int) -> None:
    """Destroy keys that `erase_rows` left without anything to open, and on SQLite leave nothing of
    the emptied rows in the log of writes."""
    database.keys.destroy(names, now)
    if database.is_sqlite:
        truncate_log(database.engine)


def _unconfirmed(now: int) -> tuple[ColumnElement[bool], ...]:
    ack = t.erasure_ack.c
    return ack.acked_at.is_(None), or_(ack.lease_until.is_(None), ack.lease_until > now)


def _key_names(connection: Connection, subject_id: str) -> list[bytes]:
    """The subject's key, and those of his items: they may have had texts before he was known."""
    return [key_name(one) for one in (subject_id, *_items_of(connection, subject_id))]


def _items_of(connection: Connection, subject_id: str) -> list[str]:
    """The items that speak of him, and those of their families that speak of nobody."""
    mine = select(t.item.c.id).where(t.item.c.subject_id == subject_id)
    theirs = and_(t.item.c.subject_id.is_(None), t.item.c.parent_id.in_(mine))
    query = select(t.item.c.id).where(or_(t.item.c.subject_id == subject_id, theirs))
    return sorted(connection.execute(query).scalars())


def _living(connection: Connection) -> Iterable[str]:
    query = select(t.subject.c.id).where(t.subject.c.stage != "erased")
    return connection.execute(query).scalars().all()


def _empty_subject(connection: Connection, subject: Subject) -> changes.Change:
    version = subject.version + 1
    emptied: dict[str, Any] = {
        "version": version,
        "fields": {},
        "field_versions": {},
        "stage": "erased",
        "sealed": None,
    }
    connection.execute(update(t.subject).where(t.subject.c.id == subject.id).values(emptied))
    return changes.Change(kind="subject", id=subject.id, row_version=version, op="erase")


def _empty_items(
    connection: Connection, playbook: Playbook, items: Sequence[Item], now: int
) -> list[changes.Change]:
    personal = personal_fields(playbook)
    log: list[changes.Change] = []
    for item in items:
        gone = personal.get(item.kind, frozenset())
        after = msgspec.structs.replace(
            item,
            title="",
            version=item.version + 1,
            updated_at=max(now, item.updated_at),
            fields={name: value for name, value in item.fields.items() if name not in gone},
        )
        emptied = {
            "title": "",
            "version": after.version,
            "updated_at": after.updated_at,
            "fields": after.fields,
            "sealed": None,
        }
        connection.execute(update(t.item).where(t.item.c.id == item.id).values(emptied))
        log.append(changes.of_item(item, after))
    return log


def _empty_entries(
    connection: Connection, opened: Opened, items: Sequence[str]
) -> list[changes.Change]:
    # A backup of a hub that sealed nothing yet has them bare.
    some = or_(t.entry.c.sealed.is_not(None), t.entry.c.comment != "")
    said = and_(t.entry.c.item_id.in_(items), some)
    entries: list[Entry] = opened.entries(select(t.entry).where(said))
    emptied = {"comment": "", "sealed": None, "version": t.entry.c.version + 1}
    connection.execute(update(t.entry).where(said).values(emptied))
    return [
        changes.of_row("entry", one.id, one.version + 1, one.item_id, new=False) for one in entries
    ]


def _record(
    connection: Connection, subject_id: str, by: str | None, now: int, reason: str
) -> Erased:
    last = connection.execute(select(func.max(t.erasure.c.number))).scalar_one()
    done = Erased(
        subject_id=subject_id,
        number=(last or 0) + 1,
        at=now,
        by=by,
        reason=reason,
        categories=CATEGORIES,
    )
    row = {**msgspec.structs.asdict(done), "categories": list(CATEGORIES)}
    connection.execute(insert(t.erasure).values(row))
    return done


def _await_devices(connection: Connection, subject_id: str, now: int) -> None:
    """Every device that may open what it holds: it has a lease or a session that stands."""
    lease, session = t.lease.c, t.session.c
    query = (
        select(t.device.c.id, lease.expires_at, session.expires_at)
        .join_from(t.device, t.lease, lease.device_id == t.device.c.id, isouter=True)
        .join(t.session, session.device_id == t.device.c.id, isouter=True)
        .where(lease.wiped_at.is_(None), or_(lease.expires_at > now, session.expires_at > now))
    )
    for device_id, leased, signed_in in connection.execute(query).all():
        ends = [one for one in (leased, signed_in) if one is not None]
        row = {"subject_id": subject_id, "device_id": device_id, "state": "pending"}
        insert_missing(
            connection, t.erasure_ack, {**row, "lease_until": leased or max(ends), "acked_at": None}
        )
