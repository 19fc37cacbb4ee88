"""Who is at work: what a person said, or the heartbeat of his desk.

The mirrored row of a person shows it to everybody, and changes of it travel like any other. The
hand-off asks `people` instead, which is never behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, and_, func, not_, or_, select, update

from desk.domain.model import Person
from desk.domain.playbook import Playbook
from desk.hub import changes
from desk.hub.database import Database
from desk.schema.hub_tables import account, item, person

#: Without a request for so long a person is away, ms.
AWAY_AFTER = 5 * 60_000
#: The heartbeat is written at most this often, ms.
HEARTBEAT = 60_000


def is_present(said: str, seen_at: int | None, now: int) -> bool:
    """Whether a person counts as being at work."""
    if said != "auto":
        return said == "present"
    return seen_at is not None and now - seen_at < AWAY_AFTER


def heartbeat(database: Database, user: str, seen_at: int | None, now: int) -> bool:
    """Note a request of the user; return whether colleagues now see him at work."""
    if seen_at is not None and now - seen_at < HEARTBEAT:
        return False
    with database.write() as connection:
        connection.execute(update(account).where(account.c.user_id == user).values(seen_at=now))
        return _mirror(connection, now, user)


def say(database: Database, user: str, presence: str, now: int) -> bool:
    """A person said "auto", "present" or "away"; return whether colleagues see a difference."""
    with database.write() as connection:
        connection.execute(
            update(account).where(account.c.user_id == user).values(presence=presence, seen_at=now)
        )
        return _mirror(connection, now, user)


def refresh(database: Database, now: int) -> bool:
    """Show as away whoever is not heard of any more; return whether anybody changed."""
    with database.read() as connection:
        if not _changed(connection, now, None):
            return False
    with database.write() as connection:
        return _mirror(connection, now, None)


def people(connection: Connection, now: int) -> list[Person]:
    """All users, as present as they are at this moment; loads are not counted."""
    return [true for _, true in _both(connection, now, None)]


def with_load(
    connection: Connection, everybody: Iterable[Person], playbook: Playbook
) -> list[Person]:
    """The people with the number of open items each is responsible for."""
    listed = list(everybody)
    final = [
        and_(item.c.kind == kind.id, item.c.stage.in_([s.id for s in kind.stages if s.final]))
        for kind in playbook.kinds.values()
    ]
    query = (
        select(item.c.responsible, func.count())
        .where(item.c.responsible.in_([one.id for one in listed]), not_(or_(*final)))
        .group_by(item.c.responsible)
    )
    load: Mapping[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return [msgspec.structs.replace(one, load=load.get(one.id, 0)) for one in listed]


def _mirror(connection: Connection, now: int, user: str | None) -> bool:
    log: list[changes.Change] = []
    for true in _changed(connection, now, user):
        version = true.version + 1
        row = update(person).where(person.c.id == true.id)
        connection.execute(row.values(present=true.present, version=version))
        log.append(changes.of_person(true.id, version))
    if log:
        changes.write(connection, log, at=now)
    return bool(log)


def _changed(connection: Connection, now: int, user: str | None) -> list[Person]:
    """People whose mirrored presence is not what it should be."""
    both = _both(connection, now, user)
    return [true for mirrored, true in both if mirrored.present != true.present]


def _both(connection: Connection, now: int, user: str | None) -> list[tuple[Person, Person]]:
    """People as their mirrored rows have them, and as present as they are."""
    query = select(person, account.c.presence, account.c.seen_at).join(
        account, account.c.user_id == person.c.id
    )
    if user is not None:
        query = query.where(person.c.id == user)
    found: list[tuple[Person, Person]] = []
    for row in connection.execute(query.order_by(person.c.id)):
        mirrored = Person(
            id=row.id,
            name=row.name,
            role=row.role,
            active=row.active,
            present=row.present,
            version=row.version,
        )
        present = is_present(row.presence, row.seen_at, now)
        found.append((mirrored, msgspec.structs.replace(mirrored, present=present)))
    return found
