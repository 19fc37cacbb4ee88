"""Whose sessions there are, how they end, and passwords, whose change ends them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, select, update

from desk.hub import changes, enrolment, passwords, throttle, tokens, totp
from desk.hub.accounts import Session
from desk.hub.database import Database
from desk.hub.errors import HubProblem, SetupError
from desk.hub.playbooks import current
from desk.protocol.sessions import NewPassword, SessionInfo
from desk.schema import hub_tables as t


def listed(connection: Connection, session: Session, now: int) -> list[SessionInfo]:
    """The sessions of whoever asks, the latest used first."""
    query = (
        select(t.session, t.device.c.name)
        .join(t.device, t.device.c.id == t.session.c.device_id)
        .where(t.session.c.user_id == session.actor.id, t.session.c.expires_at > now)
        .order_by(t.session.c.renewed_at.desc(), t.session.c.id)
    )
    return [
        SessionInfo(
            id=row.id,
            device=row.device_id,
            device_name=row.name,
            created_at=row.created_at,
            renewed_at=row.renewed_at,
            current=row.id == session.id,
        )
        for row in connection.execute(query)
    ]


def revoke(database: Database, session: Session, identifier: str) -> None:
    """End one of one's own sessions. Raises `HubProblem` ``no_such_session``."""
    mine = (t.session.c.id == identifier) & (t.session.c.user_id == session.actor.id)
    with database.write() as connection:
        if not tokens.end(connection, mine):
            raise HubProblem(404, "no_such_session")


def change_password(database: Database, session: Session, asked: NewPassword, now: int) -> None:
    """Take another password and end every other session of its owner.

    Raises `HubProblem` ``wrong_password``, ``weak_password``, ``throttled``.
    """
    user = session.actor.id
    targets: list[throttle.Target] = [("password", user)]
    with database.write() as connection:
        throttle.count(connection, targets, now)
        query = select(t.account.c.password_hash, t.person.c.name).join(
            t.person, t.person.c.id == t.account.c.user_id
        )
        row = connection.execute(query.where(t.account.c.user_id == user)).one()
    current = asked.current[: passwords.LONGEST + 1]
    if not passwords.matches(row.password_hash, current):
        raise HubProblem(403, "wrong_password")
    with database.write() as connection:
        throttle.forgive(connection, targets)
    why = passwords.weakness(asked.new, user, row.name)
    if why or asked.new == asked.current:
        raise HubProblem(422, "weak_password", {"why": why or "same"})
    others = (t.session.c.user_id == user) & (t.session.c.id != session.id)
    _set_password(database, user, asked.new, lambda connection: tokens.end(connection, others))


def give_password(database: Database, user: str, password: str) -> list[str]:
    """Give a user another password, which ends all his sessions; their devices.

    Raises `SetupError` ``no_such_user``, ``weak_password``.
    """
    with database.read() as connection:
        name = _name(connection, user)
    check_password(password, user, name)
    ended: list[str] = []
    theirs = t.session.c.user_id == user
    _set_password(
        database, user, password, lambda connection: ended.extend(tokens.end(connection, theirs))
    )
    return ended


def check_password(password: str, user: str, name: str) -> None:
    """Raise `SetupError` ``weak_password`` where the rules do not allow it."""
    why = passwords.weakness(password, user, name)
    if why:
        raise SetupError("weak_password", {"why": why})


def let_in(database: Database, user: str, *, active: bool, now: int) -> bool:
    """Let a user in or keep him out, whose sessions end then; whether that is a change.

    Raises `SetupError` ``no_such_user``.
    """
    with database.write() as connection:
        _name(connection, user)
        mine = t.person.c.id == user
        row = connection.execute(select(t.person).where(mine).with_for_update()).one()
        if row.active == active:
            return False
        version = row.version + 1
        connection.execute(update(t.person).where(mine).values(active=active, version=version))
        policy = update(t.account).where(t.account.c.user_id == user)
        connection.execute(policy.values(policy_version=t.account.c.policy_version + 1))
        if not active:
            tokens.end(connection, t.session.c.user_id == user)
        changes.write(connection, [changes.of_person(user, version)], at=now)
    return True


class Demanded(msgspec.Struct, frozen=True):
    """What a sign-in needs beside the password: of a new device, and of which roles."""

    enrolment: enrolment.Mode
    totp: list[str]


def demand(database: Database, mode: enrolment.Mode | None, roles: list[str] | None) -> Demanded:
    """Change what is not None; what stands then. ``roles`` may be "all" or "none".

    Raises `SetupError` ``unknown_role``.
    """
    with database.write() as connection:
        if mode is not None:
            enrolment.choose(connection, mode)
        if roles is not None:
            wanted = [] if roles == ["none"] else roles
            known = [*current(connection).playbook.roles, totp.ALL]
            for role in wanted:
                if role not in known:
                    raise SetupError("unknown_role", {"role": role, "possible": ", ".join(known)})
            totp.require(connection, wanted)
        row = connection.execute(select(t.hub.c.enrolment, t.hub.c.totp)).one()
    return Demanded(row.enrolment, [role for role in row.totp.split(",") if role])


def _set_password(
    database: Database, user: str, password: str, end: Callable[[Connection], object]
) -> None:
    hashed = passwords.hash_password(password)
    with database.write() as connection:
        mine = update(t.account).where(t.account.c.user_id == user)
        connection.execute(mine.values(password_hash=hashed))
        end(connection)


def _name(connection: Connection, user: str) -> str:
    query = select(t.person.c.name).join(t.account, t.account.c.user_id == t.person.c.id)
    name = connection.execute(query.where(t.person.c.id == user)).scalar_one_or_none()
    if name is None:
        raise SetupError("no_such_user", {"user": user})
    return name
