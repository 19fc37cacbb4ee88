"""Setting up a hub: its database, its first playbook, its people."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError

from desk.domain.clean import clean
from desk.domain.ids import make_id
from desk.domain.journal import Access
from desk.domain.model import Person
from desk.domain.playbook_loader import load
from desk.hub import changes, erasure, journal, rowsecurity
from desk.hub.database import Database, upgrade
from desk.hub.errors import SetupError
from desk.hub.passwords import hash_password
from desk.hub.playbooks import current
from desk.hub.resealing import seal_rows
from desk.schema import hub_tables as t

_USER_NAME = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_NAME_LIMIT = 200


def milliseconds() -> int:
    """Now: UTC milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def init(
    database: Database,
    playbook_source: str,
    *,
    playbook_name: str = "playbook",
    now: int | None = None,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """Create the tables, the hub's lasting id, and version 1 of the playbook; return the id.

    The keys are made beside it, and on SQLite the master key where there is none.
    ``playbook_name`` is what errors call the playbook. Raises `SetupError` ``already_set_up``,
    ``unreachable`` and those of ``KeyStore.create`` and ``rowsecurity.install``, and
    `PlaybookError` before anything is written.
    """
    playbook = load(playbook_source, playbook_name)
    moment = milliseconds() if now is None else now
    try:
        if database.is_set_up() and _is_there(database):
            raise SetupError("already_set_up")
        database.keys.prepare()
        upgrade(database.engine)
        with database.write() as connection:
            if connection.execute(select(t.hub.c.id)).first() is not None:
                raise SetupError("already_set_up")
            hub = make_id(moment, random_bytes)
            database.keys.create(hub)
            row = {"one": 1, "id": hub, "created_at": moment, "sealed_at": moment}
            connection.execute(insert(t.hub).values(row))
            changes.start_epoch(connection, make_id(moment, random_bytes))
            connection.execute(
                insert(t.playbook).values(version=1, source=playbook_source, installed_at=moment)
            )
            rowsecurity.install(connection, playbook)
    except DBAPIError as error:
        raise SetupError("unreachable") from error
    return hub


def bring_up(database: Database, now: int | None = None) -> None:
    """Bring a hub that was set up to this version: its tables, its keys, what has to be sealed.

    Does nothing where that is done. Raises `SetupError` ``not_set_up``, ``unreachable``, and those
    of ``KeyStore.check`` and ``rowsecurity.install``; then nothing was written but the tables' new
    form.
    """
    if not database.is_set_up():
        raise SetupError("not_set_up")
    try:
        upgrade(database.engine)
        with database.read() as connection:
            hub = connection.execute(select(t.hub.c.id, t.hub.c.sealed_at)).first()
        if hub is None:
            raise SetupError("not_set_up")
        moment = milliseconds() if now is None else now
        if hub.sealed_at is None:
            database.keys.prepare()
            database.keys.create(hub.id)
        database.keys.check(hub.id)
        # Before the sealing: a backup may hold bare what there is no key for any more.
        erasure.mend(database, moment)
        if hub.sealed_at is None:
            seal_rows(database)
        with database.write() as connection:
            rowsecurity.install(connection, current(connection).playbook)
            if hub.sealed_at is None:
                connection.execute(update(t.hub).values(sealed_at=moment))
    except DBAPIError as error:
        raise SetupError("unreachable") from error


def add_user(
    database: Database,
    user: str,
    *,
    name: str,
    role: str,
    password: str = "",
    password_hash: str = "",
    loopback_only: bool = False,
    present: bool = False,
) -> Person:
    """Add a user, whose sign-in name is lower-case Latin; give a password or its hash.

    A hash made once (``passwords.hash_password``) saves time where many demo users share one
    password. With ``present`` the person counts as being at work until he says otherwise. Raises
    `SetupError`: ``not_set_up``, ``bad_user_name``, ``unknown_role``, ``user_exists``,
    ``unreachable``.
    """
    if not _USER_NAME.fullmatch(user):
        raise SetupError("bad_user_name")
    if not database.is_set_up():
        raise SetupError("not_set_up")
    hashed = password_hash or hash_password(password)
    person = Person(id=user, name=clean(name, _NAME_LIMIT) or user, role=role, present=present)
    try:
        with database.write() as connection:
            _insert(connection, person, hashed, loopback_only)
            now = milliseconds()
            given = {"what": "user", "user": person.id, "role": person.role}
            journal.write(connection, [Access(at=now, event="rights", detail=given)])
            joined = [changes.of_person(person.id, person.version)]
            changes.write(connection, joined, at=now)
    except DBAPIError as error:
        raise SetupError("unreachable") from error
    return person


def _is_there(database: Database) -> bool:
    with database.read() as connection:
        return connection.execute(select(t.hub.c.id)).first() is not None


def _insert(connection: Connection, person: Person, hashed: str, loopback_only: bool) -> None:
    roles = current(connection).playbook.roles
    if person.role not in roles:
        raise SetupError("unknown_role", {"role": person.role, "possible": ", ".join(roles)})
    known = select(t.account.c.user_id).where(t.account.c.user_id == person.id)
    if connection.execute(known).first() is not None:
        raise SetupError("user_exists", {"user": person.id})
    connection.execute(
        insert(t.account).values(
            user_id=person.id,
            password_hash=hashed,
            loopback_only=loopback_only,
            presence="present" if person.present else "auto",
            policy_version=1,
        )
    )
    connection.execute(
        insert(t.person).values(
            id=person.id,
            name=person.name,
            role=person.role,
            active=person.active,
            present=person.present,
            version=person.version,
        )
    )
