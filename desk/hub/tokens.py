"""Sessions and their tokens: an access token for minutes, a refresh token that is used once.

A session begins with a sign-in on a device and lives while its refresh tokens follow one another.
Tokens that follow are derived from the one that is sent and from a salt that the hub draws then and
keeps: an answer that was lost can be given again, though no token is stored. Whatever else is done
with a used token ends the session: it is in two hands.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, select, update

from desk.domain.ids import make_id
from desk.domain.model import Unspoken
from desk.hub.database import Database
from desk.protocol.messages import Refresh
from desk.schema.hub_tables import account, device, person, session, token

ACCESS_LIFE = 10 * 60_000
#: A session whose tokens are not renewed for so long has ended.
SESSION_LIFE = 30 * 24 * 3_600_000
#: For so long an answer that was lost is given again, unless it was used: then it was not lost.
RETRY_LIFE = 3_600_000
_SECRET = 32
_RETRY = 100

_log = structlog.get_logger("desk.hub.tokens")


class Issued(Unspoken, frozen=True, kw_only=True):
    """The tokens of a session; ``expires_in`` is the access token's life in ms."""

    token: str
    refresh: str
    expires_in: int = ACCESS_LIFE


class Holder(msgspec.Struct, frozen=True):
    """Whose refresh token it seems to be: nothing of it is proven yet."""

    session_id: str
    device_id: str
    key: bytes | None
    loopback_only: bool


def begin(
    connection: Connection,
    user: str,
    device_id: str,
    now: int,
    random_bytes: Callable[[int], bytes],
) -> Issued:
    """A session in place of the device's old one; what has expired goes, too."""
    end(connection, (session.c.device_id == device_id) | (session.c.expires_at <= now))
    connection.execute(delete(token).where(token.c.expires_at <= now))
    identifier = make_id(now, random_bytes)
    issued = Issued(
        token=_text(random_bytes(_SECRET)),
        refresh=_text(uuid.UUID(identifier).bytes + random_bytes(_SECRET)),
    )
    connection.execute(
        insert(session).values(
            id=identifier,
            user_id=user,
            device_id=device_id,
            created_at=now,
            renewed_at=now,
            expires_at=now + SESSION_LIFE,
            refresh_hash=digest(issued.refresh),
        )
    )
    _admit(connection, identifier, issued.token, now)
    return issued


def end(connection: Connection, which: ColumnElement[bool]) -> list[str]:
    """End the sessions that meet the condition; their devices."""
    gone = delete(session).where(which).returning(session.c.id, session.c.device_id)
    rows = connection.execute(gone).all()
    connection.execute(delete(token).where(token.c.session_id.in_([row.id for row in rows])))
    return sorted(row.device_id for row in rows)


def holder(database: Database, asked: Refresh, now: int) -> Holder | None:
    """Whose refresh token this would be, by the session it names; None where there is none."""
    parts = _parts(asked.refresh)
    if parts is None:
        return None
    query = (
        select(session.c.device_id, device.c.public_key, account.c.loopback_only)
        .join(device, device.c.id == session.c.device_id)
        .join(account, account.c.user_id == session.c.user_id)
        .join(person, person.c.id == session.c.user_id)
        .where(session.c.id == parts[0], session.c.expires_at > now, person.c.active)
    )
    with database.read() as connection:
        row = connection.execute(query).first()
    return Holder(parts[0], row.device_id, row.public_key, row.loopback_only) if row else None


def renew(
    database: Database, asked: Refresh, now: int, random_bytes: Callable[[int], bytes]
) -> Issued | None:
    """The tokens that follow, for a request whose proof was seen; None ends the session."""
    parts = _parts(asked.refresh)
    if parts is None or not 0 < len(asked.retry) <= _RETRY:
        return None
    identifier, secret = parts
    given = digest(asked.refresh)
    with database.write() as connection:
        query = select(session).where(session.c.id == identifier, session.c.expires_at > now)
        row = connection.execute(query.with_for_update()).first()
        if row is None:
            return None
        if hmac.compare_digest(row.refresh_hash, given):
            return _rotate(connection, row, asked, secret, random_bytes(_SECRET), now)
        if _is_lost_answer(row, given, asked.retry, now):
            issued = _successor(identifier, secret, row.salt)
            _admit(connection, identifier, issued.token, now)
            return issued
        _end_stolen(connection, row.id, row.device_id)
    return None


def leaked(database: Database, asked: Refresh) -> None:
    """End the session if the token is one of it: who sends it does not have the device's key."""
    parts = _parts(asked.refresh)
    if parts is None:
        return
    given = digest(asked.refresh)
    ours = (session.c.refresh_hash == given) | (session.c.spent_hash == given)
    with database.write() as connection:
        query = select(session.c.id, session.c.device_id)
        row = connection.execute(query.where(session.c.id == parts[0], ours)).first()
        if row is not None:
            _end_stolen(connection, row.id, row.device_id)


def entered(hashed: bytes, now: int) -> Select[*tuple[Any, ...]]:
    """Whoever an access token lets in."""
    return (
        select(
            session.c.id.label("session_id"),
            session.c.device_id,
            session.c.retry_until,
            token.c.expires_at,
            person.c.id,
            person.c.role,
            account.c.policy_version,
            account.c.loopback_only,
            account.c.seen_at,
        )
        .join(session, session.c.id == token.c.session_id)
        .join(account, account.c.user_id == session.c.user_id)
        .join(person, person.c.id == session.c.user_id)
        .where(token.c.hash == hashed, token.c.expires_at > now, person.c.active)
    )


def note_used(database: Database, session_id: str) -> None:
    """The last answer arrived, for its token was used: it is not given again."""
    with database.write() as connection:
        mine = update(session).where(session.c.id == session_id)
        connection.execute(mine.values(retry_until=None))


def digest(text: str) -> bytes:
    """The hash that is stored of a token."""
    return hashlib.sha256(text.encode()).digest()


def _rotate(
    connection: Connection, row: Row[Any], asked: Refresh, secret: bytes, salt: bytes, now: int
) -> Issued:
    issued = _successor(row.id, secret, salt)
    connection.execute(
        update(session)
        .where(session.c.id == row.id)
        .values(
            renewed_at=now,
            expires_at=now + SESSION_LIFE,
            refresh_hash=digest(issued.refresh),
            spent_hash=row.refresh_hash,
            salt=salt,
            retry_hash=digest(asked.retry),
            retry_until=now + RETRY_LIFE,
        )
    )
    expired = (token.c.session_id == row.id) & (token.c.expires_at <= now)
    connection.execute(delete(token).where(expired))
    _admit(connection, row.id, issued.token, now)
    return issued


def _is_lost_answer(row: Row[Any], given: bytes, retry: str, now: int) -> bool:
    if row.spent_hash is None or row.retry_until is None or now >= row.retry_until:
        return False
    same_token = hmac.compare_digest(row.spent_hash, given)
    return same_token and hmac.compare_digest(row.retry_hash, digest(retry))


def _end_stolen(connection: Connection, session_id: str, device_id: str) -> None:
    end(connection, session.c.id == session_id)
    _log.warning("session ended: its token is in two hands", session=session_id, device=device_id)


def _successor(identifier: str, secret: bytes, salt: bytes) -> Issued:
    access, refresh = (hmac.digest(secret, salt + use, "sha256") for use in (b"access", b"refresh"))
    return Issued(token=_text(access), refresh=_text(uuid.UUID(identifier).bytes + refresh))


def _admit(connection: Connection, session_id: str, text: str, now: int) -> None:
    hashed = digest(text)
    connection.execute(delete(token).where(token.c.hash == hashed))
    connection.execute(
        insert(token).values(
            hash=hashed, session_id=session_id, created_at=now, expires_at=now + ACCESS_LIFE
        )
    )


def _parts(refresh: str) -> tuple[str, bytes] | None:
    """The session and the secret of a refresh token."""
    try:
        data = base64.b64decode(refresh, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) != 16 + _SECRET:
        return None
    return str(uuid.UUID(bytes=data[:16])), data[16:]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
