"""Guessing is slowed down: by what is guessed at, by the device and by the address it comes from.

Failures are counted under hashes, in the database, so that it holds in every process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from desk.hub.errors import HubProblem
from desk.schema.hub_tables import failed_sign_in

#: The longest wait, and how long a failure is remembered, ms.
LONGEST_WAIT = 15 * 60_000
Kind: TypeAlias = Literal[
    "account at address",
    "account",
    "own device",
    "device",
    "address",
    "totp",
    "enrolment",
    "password",
    "refresh of device",
    "refresh at address",
]
#: After so many failures in a row the next attempts have to wait. An address may be a whole
#: office, and an account may be guessed at by others than its owner: he comes in by his own device.
FREE_FAILURES: Mapping[Kind, int] = {
    "account at address": 5,
    "account": 20,
    "own device": 10,
    "device": 10,
    "address": 50,
    "totp": 5,
    "enrolment": 5,
    "password": 5,
    "refresh of device": 20,
    "refresh at address": 100,
}
#: What failures are counted of: its kind, and whose they are.
Target: TypeAlias = tuple[Kind, str]


def count(connection: Connection, targets: Iterable[Target], now: int) -> None:
    """Count a failure of each before it is known; a success takes it back.

    Counted afterwards, guesses that are sent all at once would all be heard. Raises `HubProblem`
    ``throttled`` where one of them has to wait, and counts nothing then.
    """
    old = failed_sign_in.c.last_at < now - LONGEST_WAIT
    connection.execute(delete(failed_sign_in).where(old))
    # In one order, so that two never wait for each other.
    for key, free in sorted((_key(target), FREE_FAILURES[target[0]]) for target in targets):
        row = _held(connection, key, now)
        _refuse(row.failures, row.last_at, free, now)
        counted = update(failed_sign_in).where(failed_sign_in.c.hash == key)
        connection.execute(counted.values(failures=row.failures + 1, last_at=now))


def check(connection: Connection, targets: Iterable[Target], now: int) -> None:
    """Raise `HubProblem` ``throttled`` where one of them has to wait; nothing is counted."""
    free = {_key(target): FREE_FAILURES[target[0]] for target in targets}
    rows = connection.execute(select(failed_sign_in).where(failed_sign_in.c.hash.in_(free)))
    for row in rows:
        _refuse(row.failures, row.last_at, free[row.hash], now)


def forgive(connection: Connection, targets: Iterable[Target]) -> None:
    """Forget the failures of each: it was its owner."""
    keys = sorted(_key(target) for target in targets)
    connection.execute(delete(failed_sign_in).where(failed_sign_in.c.hash.in_(keys)))


def take_back(connection: Connection, targets: Iterable[Target]) -> None:
    """This one was no failure; what others failed of at the same place stays."""
    for key in sorted(_key(target) for target in targets):
        mine = (failed_sign_in.c.hash == key) & (failed_sign_in.c.failures > 0)
        fewer = update(failed_sign_in).where(mine)
        connection.execute(fewer.values(failures=failed_sign_in.c.failures - 1))


def _held(connection: Connection, key: bytes, now: int) -> Row[Any]:
    """The failures under a key, locked in one statement: between two, they may be forgiven."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(failed_sign_in).values(hash=key, failures=0, last_at=now)
    held = new.on_conflict_do_update(
        index_elements=["hash"], set_={"failures": failed_sign_in.c.failures}
    )
    return connection.execute(held.returning(failed_sign_in)).one()


def _refuse(failures: int, last_at: int, free: int, now: int) -> None:
    if failures < free:
        return
    wait = min(LONGEST_WAIT, 1000 * 2 ** min(failures - free, 20))
    left = last_at + wait - now
    if left > 0:
        seconds = str(-(-left // 1000))
        raise HubProblem(429, "throttled", {"seconds": seconds}, {"Retry-After": seconds})


def _key(target: Target) -> bytes:
    return hashlib.sha256("\0".join(target).encode()).digest()
