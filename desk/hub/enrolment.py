"""Whether a device needs a code to become one of the hub's, and the codes: each for one device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, cast

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from desk.domain.model import Unspoken
from desk.hub import codes, passwords, throttle
from desk.hub.database import Database
from desk.hub.errors import HubProblem, SetupError
from desk.schema.hub_tables import account, device, enrolment_code, hub

#: "open" lets a person sign in on any device; "code" only with a code that he was given.
Mode: TypeAlias = Literal["open", "code"]
CODE_LIFE = 24 * 3_600_000
_GROUPS = 2


class Given(Unspoken, frozen=True):
    """A code for the next new device of a user, until ``expires_at``."""

    user: str
    code: str
    expires_at: int


class Checked(msgspec.Struct, frozen=True):
    """A code that was right; it is used up in the transaction that lets the device in."""

    user: str
    hashed: str


def is_needed(connection: Connection, user: str, device_id: str) -> bool:
    """Whether the device has to bring a code."""
    if cast("Mode", connection.execute(select(hub.c.enrolment)).scalar_one()) == "open":
        return False
    known = (device.c.id == device_id) & (device.c.user_id == user)
    enrolled = select(device.c.id).where(known, device.c.public_key.is_not(None))
    return connection.execute(enrolled).first() is None


def give(database: Database, user: str, now: int, random_bytes: Callable[[int], bytes]) -> Given:
    """A code for the user's next device, in place of one given before.

    Raises `SetupError` ``no_such_user``.
    """
    code = codes.make(_GROUPS, random_bytes)
    # Few characters, so they are hashed as a password is.
    hashed = passwords.hash_password(codes.normal(code))
    given = Given(user, code, now + CODE_LIFE)
    with database.write() as connection:
        known = select(account.c.user_id).where(account.c.user_id == user)
        if connection.execute(known).first() is None:
            raise SetupError("no_such_user", {"user": user})
        connection.execute(delete(enrolment_code).where(enrolment_code.c.user_id == user))
        values = {"user_id": user, "hash": hashed, "expires_at": given.expires_at}
        connection.execute(insert(enrolment_code).values(values))
    return given


def check(database: Database, user: str, typed: str, now: int) -> Checked:
    """See that the code is the user's. Raises `HubProblem` ``wrong_code``, ``throttled``."""
    with database.write() as connection:
        throttle.count(connection, [("enrolment", user)], now)
        query = select(enrolment_code.c.hash)
        mine = (enrolment_code.c.user_id == user) & (enrolment_code.c.expires_at > now)
        hashed = connection.execute(query.where(mine)).scalar_one_or_none()
    if not passwords.matches(hashed, codes.normal(typed)) or hashed is None:
        raise HubProblem(401, "wrong_code", {"which": "enrolment"})
    with database.write() as connection:
        throttle.forgive(connection, [("enrolment", user)])
    return Checked(user, hashed)


def use_up(connection: Connection, checked: Checked) -> None:
    """The code lets one device in. Raises `HubProblem` ``wrong_code`` if it let in another."""
    mine = (enrolment_code.c.user_id == checked.user) & (enrolment_code.c.hash == checked.hashed)
    gone = delete(enrolment_code).where(mine).returning(enrolment_code.c.user_id)
    if connection.execute(gone).first() is None:
        raise HubProblem(401, "wrong_code", {"which": "enrolment"})


def choose(connection: Connection, mode: Mode) -> None:
    """What devices need from now on; those that are known stay so."""
    connection.execute(update(hub).values(enrolment=mode))
