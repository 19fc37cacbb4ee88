"""What whoever runs a hub does to it: roles, tokens, playbooks, epochs, and looking at the log.

Nothing here needs the hub to stand still but where it is said; desks learn of it by themselves.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from desk.domain.ids import make_id
from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.hub import accesses, changes, journal, registry, rowsecurity, tokens
from desk.hub.changes import Change
from desk.hub.database import Database
from desk.hub.errors import SetupError
from desk.hub.playbooks import current
from desk.hub.resealing import seal_items
from desk.hub.sealing import personal_fields
from desk.hub.setup import bring_up
from desk.schema import hub_tables as t

#: The most lines of the log that are given at once.
LOG_LIMIT = 1000
#: How many stages an error names.
_NAMED = 10


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A user's role, and the one he had before."""

    user: str
    role: str
    was: str


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """The devices whose sessions are ended."""

    user: str
    devices: list[str]


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """The version of the playbook in force, and the one before; the same if nothing changed."""

    version: int
    was: int


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """The epoch of the log, and the one before."""

    epoch: str
    was: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log. ``who`` is nobody where the hub or its administrator did it; ``at`` is
    in ms."""

    seq: int
    kind: str
    id: str
    item: str | None
    op: str
    version: int
    who: str | None
    at: int


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the log: ``next`` is where to go on if there is more, and the log is kept after
    ``floor``."""

    lines: list[Line]
    next: int | None
    floor: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One profile of a user. ``seen_at`` is the last the hub knows of it, ms."""

    id: str
    user: str
    name: str
    last_op: int
    signed_in: bool
    seen_at: int


@contextmanager
def opened(url: str) -> Generator[Database]:
    """The hub's database, with its tables brought to this version.

    Raises `SetupError` ``unsupported_url``, and those of ``setup.bring_up``.
    """
    with Database(url) as database:
        bring_up(database)
        try:
            yield database
        except DBAPIError as error:
            raise SetupError("unreachable") from error


def change_role(database: Database, user: str, role: str, now: int) -> Role:
    """Give a user another role: his desk compares its rows with what he may see from now on.

    Raises `SetupError` ``no_such_user``, ``unknown_role``.
    """
    with database.write() as connection:
        mine = t.person.c.id == user
        row = connection.execute(
            select(t.person.c.role, t.person.c.version).where(mine).with_for_update()
        ).first()
        if row is None:
            raise SetupError("no_such_user", {"user": user})
        roles = current(connection).playbook.roles
        if role not in roles:
            raise SetupError("unknown_role", {"role": role, "possible": ", ".join(roles)})
        if role != row.role:
            version = row.version + 1
            connection.execute(update(t.person).where(mine).values(role=role, version=version))
            connection.execute(
                update(t.account)
                .where(t.account.c.user_id == user)
                .values(policy_version=t.account.c.policy_version + 1)
            )
            changed = accesses.of_administrator(
                "rights", now, what="role", user=user, was=row.role, role=role
            )
            journal.write(connection, [changed])
            changes.write(connection, [changes.of_person(user, version)], at=now)
    return Role(user=user, role=role, was=row.role)


def revoke(database: Database, holder: str, now: int) -> Revoked:
    """End the sessions of a user, or that of one device by its id.

    The next request of such a desk is refused, and its stream of hints ends within a minute; it
    keeps its rows and what waits to be sent. Raises `SetupError` ``no_such_holder``.
    """
    with database.write() as connection:
        known = select(t.account.c.user_id).where(t.account.c.user_id == holder)
        if connection.execute(known).first() is not None:
            user, theirs = holder, t.session.c.user_id == holder
        else:
            owner = select(t.device.c.user_id).where(t.device.c.id == holder)
            user = connection.execute(owner).scalar_one_or_none()
            if user is None:
                raise SetupError("no_such_holder", {"holder": holder})
            theirs = t.session.c.device_id == holder
        devices = tokens.end(connection, theirs)
        ended = accesses.of_administrator("rights", now, what="session", holder=holder)
        journal.write(connection, [ended])
    return Revoked(user=user, devices=devices)


def install_playbook(database: Database, source: str, name: str, now: int) -> Installed:
    """Put a changed playbook in force as the next version; every desk compares its rows then.

    Refused where cards stand at stages, or people have roles, that it does not have. An operation
    that is being judged at this very moment is judged by the old one: choose a quiet minute for
    taking a stage away. ``name`` is what errors call the playbook. Raises `PlaybookError`, and
    `SetupError` ``stages_in_use``, ``roles_in_use`` or ``text_changed``.
    """
    playbook = load(source, name)
    with database.write() as connection:
        # Its tables cannot be waited for with another lock in hand.
        rowsecurity.lock(connection)
        # The lock of all writers first: what was being written is then either done or waits. But
        # the journal's goes before it here as everywhere.
        journal.lock(connection)
        changes.write(connection, [], at=now)
        before = current(connection)
        if source == before.source:
            return Installed(version=before.version, was=before.version)
        _check_stages(connection, playbook)
        _check_roles(connection, playbook)
        registry.keep_texts(connection, before.playbook, now)
        registry.keep_texts(connection, playbook, now)
        version = before.version + 1
        connection.execute(
            insert(t.playbook).values(version=version, source=source, installed_at=now)
        )
        rowsecurity.install(connection, playbook)
        changed = accesses.of_administrator(
            "rights", now, what="playbook", was=str(before.version), version=str(version)
        )
        journal.write(connection, [changed])
        # No row of a desk changes, but it has to hear of it.
        line = Change(kind="playbook", id=str(version), row_version=version, op="insert")
        changes.write(connection, [line], at=now)
    # What is written from now on is sealed by the new one; rows of before may lie barer.
    known, wanted = personal_fields(before.playbook), personal_fields(playbook)
    kinds = frozenset(kind for kind in wanted if wanted[kind] - known.get(kind, frozenset()))
    if kinds:
        seal_items(database, kinds)
    return Installed(version=version, was=before.version)


def new_epoch(
    database: Database, now: int, random_bytes: Callable[[int], bytes] = os.urandom
) -> Epoch:
    """Tell every desk that this database is not the one it knew: a backup was restored."""
    epoch = make_id(now, random_bytes)
    with database.write() as connection:
        was = changes.head(connection).epoch
        lost = journal.note_restored(connection, now)
        changes.start_epoch(connection, epoch)
        line = Change(kind="epoch", id=epoch, row_version=1, op="insert")
        changes.write(connection, [line], at=now)
    journal.accept(database, lost)
    return Epoch(epoch=epoch, was=was)


def log(database: Database, since: int, limit: int = LOG_LIMIT) -> Log:
    """At most ``limit`` lines of the change log after the number ``since``, the oldest first."""
    count = max(1, min(limit, LOG_LIMIT))
    line = t.change.c
    query = (
        select(line.seq, line.kind, line.id, line.item_id.label("item"), line.op,
               line.row_version.label("version"), line.who, line.at)
        .where(line.seq > since)
        .order_by(line.seq)
        .limit(count + 1)
    )  # fmt: skip
    with database.read() as connection:
        floor = changes.head(connection).floor
        rows = connection.execute(query).mappings().all()
    lines = [Line(**row) for row in rows[:count]]
    return Log(lines=lines, next=lines[-1].seq if len(rows) > count else None, floor=floor)


def devices(database: Database, user: str | None, now: int) -> list[Device]:
    """The devices of a user, or of everybody. Raises `SetupError` ``no_such_user``."""
    query = select(t.device).order_by(t.device.c.user_id, t.device.c.created_at, t.device.c.id)
    if user is not None:
        query = query.where(t.device.c.user_id == user)
    with database.read() as connection:
        accounts = connection.execute(select(t.account.c.user_id, t.account.c.seen_at)).all()
        heard = {row.user_id: row.seen_at for row in accounts}
        if user is not None and user not in heard:
            raise SetupError("no_such_user", {"user": user})
        rows = connection.execute(query).all()
        standing = select(t.session).where(t.session.c.expires_at > now)
        sessions = {row.device_id: row for row in connection.execute(standing)}
        worked = select(t.operation.c.device_id, func.max(t.operation.c.received_at))
        grouped = worked.group_by(t.operation.c.device_id)
        last_work = {row[0]: row[1] for row in connection.execute(grouped)}
    signed_in = Counter(one.user_id for one in sessions.values())
    found: list[Device] = []
    for row in rows:
        signs = [row.created_at, last_work.get(row.id)]
        if row.id in sessions:
            # A heartbeat is a user's: with one device it can only be that one's.
            alone = signed_in[row.user_id] == 1
            signs += [sessions[row.id].renewed_at, heard[row.user_id] if alone else None]
        found.append(
            Device(
                id=row.id,
                user=row.user_id,
                name=row.name,
                last_op=row.last_op,
                signed_in=row.id in sessions,
                seen_at=max(sign for sign in signs if sign is not None),
            )
        )
    return found


def _check_stages(connection: Connection, playbook: Playbook) -> None:
    query = select(t.item.c.kind, t.item.c.stage, func.count()).group_by(
        t.item.c.kind, t.item.c.stage
    )
    lost: list[str] = []
    for kind, stage, count in connection.execute(query.order_by(t.item.c.kind, t.item.c.stage)):
        known = playbook.kind(kind)
        if known is None or known.stage(stage) is None:
            lost.append(f"{kind}.{stage} ({count})")
    if lost:
        raise SetupError("stages_in_use", {"stages": _listed(lost)})


def _check_roles(connection: Connection, playbook: Playbook) -> None:
    query = select(t.person.c.role, func.count()).group_by(t.person.c.role)
    rows = connection.execute(query.order_by(t.person.c.role))
    lost = [f"{role} ({count})" for role, count in rows if role not in playbook.roles]
    if lost:
        raise SetupError("roles_in_use", {"roles": _listed(lost)})


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_NAMED]) + (", …" if len(listed) > _NAMED else "")
