"""Users, their devices and tokens: who is asking."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from desk.domain.ids import is_id
from desk.domain.model import Actor, Person, Unspoken
from desk.hub import devices, passwords, store, tokens
from desk.hub.database import Database, insert_missing
from desk.hub.errors import HubProblem
from desk.hub.tokens import Issued
from desk.protocol.messages import NewDevice, Refresh, Registered, SignIn
from desk.schema.hub_tables import account, failed_sign_in, person
from desk.schema.hub_tables import session as t_session

#: After this many failures in a row the next attempts have to wait.
FREE_FAILURES = 5
#: The longest wait, and how long a failure is remembered, ms.
LONGEST_WAIT = 15 * 60_000
_PASSWORD = 1024


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in user on one device, as one access token lets him in until ``expires_at``."""

    id: str
    actor: Actor
    device_id: str
    policy_version: int
    token_hash: bytes
    expires_at: int
    seen_at: int | None


class Arrival(msgspec.Struct, frozen=True):
    """Where a request came from: ``is_local`` if it can only be this machine."""

    address: str
    is_local: bool


class Entered(Unspoken, frozen=True, kw_only=True):
    """A sign-in that succeeded."""

    tokens: Issued
    person: Person
    last_op: int


def is_loopback(host: str) -> bool:
    """Whether an address or host name means this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sign_in(
    database: Database,
    asked: SignIn,
    arrival: Arrival,
    now: int,
    random_bytes: Callable[[int], bytes],
) -> Entered:
    """Check the password, register the device, give it a new token in place of its old one.

    That the request is signed by the key in it was seen before (`devices.prove`). Raises
    `HubProblem`: ``bad_request``, ``throttled``, ``wrong_password``, ``loopback_only``,
    ``device_of_another``, ``other_key``. An unknown or inactive user gets the answer and the work
    of a wrong password.
    """
    # PostgreSQL takes no zero characters, and no name has one.
    if not is_id(asked.device) or "\0" in asked.user:
        raise HubProblem(400, "bad_request")
    key = hashlib.sha256(f"{asked.user}\0{arrival.address}".encode()).digest()
    with database.write() as connection:
        _count_attempt(connection, key, now)
    with database.read() as connection:
        row = connection.execute(
            select(account.c.password_hash, account.c.loopback_only, person)
            .join(person, person.c.id == account.c.user_id)
            .where(account.c.user_id == asked.user, person.c.active)
        ).first()
    hashed = row.password_hash if row else None
    if len(asked.password) > _PASSWORD or not passwords.matches(hashed, asked.password) or not row:
        raise HubProblem(401, "wrong_password")
    with database.write() as connection:
        connection.execute(delete(failed_sign_in).where(failed_sign_in.c.hash == key))
    if row.loopback_only and not arrival.is_local:
        raise HubProblem(403, "loopback_only")
    with database.write() as connection:
        last_op = devices.register(
            connection, asked.user, asked.device, asked.device_name, asked.key, now
        )
        issued = tokens.begin(connection, asked.user, asked.device, now, random_bytes)
        mine = select(person).where(person.c.id == asked.user)
        row = connection.execute(mine).one()
    return Entered(tokens=issued, person=store.person_of(row), last_op=last_op)


def authenticate(database: Database, text: str, arrival: Arrival, now: int) -> Session:
    """Whose token this is; raises `HubProblem` ``not_signed_in`` or ``loopback_only``."""
    hashed = tokens.digest(text)
    with database.read() as connection:
        row = connection.execute(tokens.entered(hashed, now)).first()
    if row is None:
        raise HubProblem(401, "not_signed_in")
    if row.loopback_only and not arrival.is_local:
        raise HubProblem(403, "loopback_only")
    if row.retry_until is not None:
        tokens.note_used(database, row.session_id)
    return _session(row, hashed)


def renewed(connection: Connection, session: Session, now: int) -> Session | None:
    """The session with the rights its user has now; None where it would not be let in any more."""
    row = connection.execute(tokens.entered(session.token_hash, now)).first()
    return _session(row, session.token_hash) if row else None


def refresh(
    database: Database,
    asked: Refresh,
    request: devices.Request,
    arrival: Arrival,
    now: int,
    random_bytes: Callable[[int], bytes],
) -> Issued:
    """The tokens that follow those of a session.

    Raises `HubProblem` ``not_signed_in`` (the session has ended, by this very request where its
    token is in two hands), ``proof_stale``, ``loopback_only``.
    """
    holder = tokens.holder(database, asked, now)
    if holder is None:
        raise HubProblem(401, "not_signed_in")
    if holder.loopback_only and not arrival.is_local:
        raise HubProblem(403, "loopback_only")
    try:
        devices.prove(database, request, holder.device_id, holder.key or b"", now)
    except HubProblem as problem:
        if problem.code != "proof_missing":
            raise
        tokens.leaked(database, asked)
        raise HubProblem(401, "not_signed_in") from None
    issued = tokens.renew(database, asked, now, random_bytes)
    if issued is None:
        raise HubProblem(401, "not_signed_in")
    return issued


def sign_out(database: Database, session: Session) -> None:
    """End the session."""
    with database.write() as connection:
        tokens.end(connection, t_session.c.id == session.id)


def _session(row: Row[Any], hashed: bytes) -> Session:
    return Session(
        id=row.session_id,
        actor=Actor(id=row.id, role=row.role),
        device_id=row.device_id,
        policy_version=row.policy_version,
        token_hash=hashed,
        expires_at=row.expires_at,
        seen_at=row.seen_at,
    )


def register_device(
    database: Database,
    session: Session,
    asked: NewDevice,
    now: int,
    random_bytes: Callable[[int], bytes],
) -> Registered:
    """A device of its own for a copy of the session's, which stays as it is.

    Raises `HubProblem`: ``bad_request``, ``device_of_another``, ``other_key``.
    """
    if not is_id(asked.device):
        raise HubProblem(400, "bad_request")
    user = session.actor.id
    with database.write() as connection:
        last_op = devices.register(
            connection, user, asked.device, asked.device_name, asked.key, now
        )
        issued = tokens.begin(connection, user, asked.device, now, random_bytes)
    return Registered(
        token=issued.token,
        refresh=issued.refresh,
        expires_in=issued.expires_in,
        last_op=last_op,
    )


def _count_attempt(connection: Connection, key: bytes, now: int) -> None:
    """Count a failure before the password is looked at; a success takes it back.

    Counted afterwards, guesses that are sent all at once would all be heard.
    """
    old = failed_sign_in.c.last_at < now - LONGEST_WAIT
    connection.execute(delete(failed_sign_in).where(old))
    insert_missing(connection, failed_sign_in, {"hash": key, "failures": 0, "last_at": now})
    mine = failed_sign_in.c.hash == key
    row = connection.execute(select(failed_sign_in).where(mine).with_for_update()).one()
    if row.failures >= FREE_FAILURES:
        wait = min(LONGEST_WAIT, 1000 * 2 ** min(row.failures - FREE_FAILURES, 20))
        left = row.last_at + wait - now
        if left > 0:
            seconds = str(-(-left // 1000))
            raise HubProblem(429, "throttled", {"seconds": seconds}, {"Retry-After": seconds})
    counted = update(failed_sign_in).where(mine)
    connection.execute(counted.values(failures=row.failures + 1, last_at=now))
