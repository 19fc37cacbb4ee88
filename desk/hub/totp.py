"""The second factor: codes that follow from a secret and the time (RFC 6238), and recovery codes.

A code is taken one step of 30 s before and after its time, and each once. The secret is sealed
under the hub's keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import msgspec
from pyotp.totp import TOTP
from sqlalchemy import Connection, delete, insert, select, update

from desk.domain.model import Unspoken
from desk.hub import codes, throttle
from desk.hub.database import Database, insert_missing
from desk.hub.errors import HubProblem, SetupError
from desk.schema.hub_tables import account, hub, recovery_code, second_factor

STEP = 30_000
#: Every role.
ALL = "all"
_ISSUER = "Desk"
_PURPOSE = "totp"
_SECRET_BYTES = 20
_RECOVERY_CODES = 8
#: 80 bits each: a plain hash of them cannot be guessed at.
_RECOVERY_GROUPS = 4


class Begun(Unspoken, frozen=True):
    """A secret for an authenticator, and codes for when it is lost; both are in force after the
    first right code."""

    secret: str
    uri: str
    recovery: list[str]


class Checked(msgspec.Struct, frozen=True):
    """A code that was right; it is used up in the transaction that lets its user in.

    ``step`` is the code's time, ``recovery`` the hash of a recovery code; ``confirms`` puts a
    secret in force that was only begun.
    """

    user: str
    step: int = 0
    recovery: bytes = b""
    confirms: bool = False


def is_set_up(connection: Connection, user: str) -> bool:
    """Whether the user has a second factor in force."""
    mine = (second_factor.c.user_id == user) & second_factor.c.secret.is_not(None)
    return connection.execute(select(second_factor.c.user_id).where(mine)).first() is not None


def is_begun(connection: Connection, user: str) -> bool:
    """Whether a secret waits for its first right code."""
    mine = (second_factor.c.user_id == user) & second_factor.c.begun.is_not(None)
    return connection.execute(select(second_factor.c.user_id).where(mine)).first() is not None


def is_required(connection: Connection, role: str) -> bool:
    """Whether people of the role need a second factor."""
    required = connection.execute(select(hub.c.totp)).scalar_one().split(",")
    return ALL in required or role in required


def require(connection: Connection, roles: list[str]) -> None:
    """Who needs a second factor from his next sign-in on: roles, `ALL` of them, or nobody."""
    connection.execute(update(hub).values(totp=",".join(roles)))


def begin(database: Database, user: str, random_bytes: Callable[[int], bytes]) -> Begun:
    """A new secret, in place of one that was begun before.

    Raises `HubProblem` ``totp_set_up`` where one is in force.
    """
    secret = base64.b32encode(random_bytes(_SECRET_BYTES)).decode()
    recovery = [codes.make(_RECOVERY_GROUPS, random_bytes) for _ in range(_RECOVERY_CODES)]
    sealed = database.keys.seal(_PURPOSE, user, secret.encode())
    with database.write() as connection:
        if is_set_up(connection, user):
            raise HubProblem(409, "totp_set_up")
        insert_missing(connection, second_factor, {"user_id": user, "last_step": 0})
        mine = update(second_factor).where(second_factor.c.user_id == user)
        connection.execute(mine.values(begun=sealed))
        connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user))
        rows = [{"hash": _recovery_hash(user, code), "user_id": user} for code in recovery]
        connection.execute(insert(recovery_code), rows)
    # The issuer is not in the label, too: a shorter text is a QR code that fits into 24 lines.
    uri = f"{TOTP(secret, name=user).provisioning_uri()}&issuer={_ISSUER}"
    return Begun(secret, uri, recovery)


def check(database: Database, user: str, typed: str, now: int) -> Checked:
    """See that the code is the user's of about now, or one of his recovery codes.

    Raises `HubProblem` ``wrong_code``, ``throttled``.
    """
    with database.write() as connection:
        throttle.count(connection, [("totp", user)], now)
    with database.read() as connection:
        query = select(second_factor).where(second_factor.c.user_id == user)
        row = connection.execute(query).first()
        if row is None:
            raise _wrong()
        recovery = _recovery_hash(user, typed)
        kept = (recovery_code.c.user_id == user) & (recovery_code.c.hash == recovery)
        is_recovery = connection.execute(select(recovery_code.c.hash).where(kept)).first()
    sealed = row.secret or row.begun
    secret = database.keys.unseal(_PURPOSE, user, sealed).decode() if sealed else ""
    if secret and (step := _step(secret, typed, now)):
        return Checked(user, step=step, confirms=row.secret is None)
    if row.secret is not None and is_recovery is not None:
        return Checked(user, recovery=recovery)
    raise _wrong()


def use_up(connection: Connection, checked: Checked) -> None:
    """Each code lets in once. Raises `HubProblem` ``wrong_code`` if it did before."""
    if checked.recovery:
        kept = recovery_code.c.hash == checked.recovery
        gone = delete(recovery_code).where(kept).returning(recovery_code.c.user_id)
        used = connection.execute(gone).first()
    else:
        mine = second_factor.c.user_id == checked.user
        older = update(second_factor).where(mine & (second_factor.c.last_step < checked.step))
        values = {"last_step": checked.step}
        if checked.confirms:
            older = older.where(second_factor.c.begun.is_not(None))
            older = older.values(secret=second_factor.c.begun, begun=None)
        used = connection.execute(older.values(values).returning(second_factor.c.user_id)).first()
    if used is None:
        raise _wrong()
    throttle.forgive(connection, [("totp", checked.user)])


def reset(database: Database, user: str) -> bool:
    """Forget a user's second factor, whose authenticator is lost; whether there was one.

    Raises `SetupError` ``no_such_user``.
    """
    with database.write() as connection:
        known = select(account.c.user_id).where(account.c.user_id == user)
        if connection.execute(known).first() is None:
            raise SetupError("no_such_user", {"user": user})
        connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user))
        mine = delete(second_factor).where(second_factor.c.user_id == user)
        return connection.execute(mine.returning(second_factor.c.user_id)).first() is not None


def _wrong() -> HubProblem:
    return HubProblem(401, "wrong_code", {"which": "totp"})


def _step(secret: str, typed: str, now: int) -> int:
    """The step whose code it is; 0 if none of about now."""
    code = typed.replace(" ", "")
    authenticator = TOTP(secret)
    found = 0
    for step in (now // STEP - 1, now // STEP, now // STEP + 1):
        # All three, so that nobody learns by the time it takes.
        if hmac.compare_digest(authenticator.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def _recovery_hash(user: str, code: str) -> bytes:
    return hashlib.sha256(f"{user}\0{codes.normal(code)}".encode()).digest()
