"""Users, their devices and tokens: who is asking."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from desk.domain.ids import is_id
from desk.domain.journal import Access
from desk.domain.model import Actor, Person, Unspoken
from desk.hub import devices, enrolment, journal, passwords, store, throttle, tokens, totp
from desk.hub.database import Database
from desk.hub.errors import HubProblem
from desk.hub.tokens import Issued
from desk.protocol.messages import NewDevice, Refresh, Registered, SignIn
from desk.schema.hub_tables import account, person
from desk.schema.hub_tables import session as t_session


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
    """Check password and codes, register the device, begin a session in place of its old one.

    That the request is signed by the key in it was seen before (`devices.prove`). Raises
    `HubProblem`: ``bad_request``, ``throttled``, ``wrong_password``, ``loopback_only``,
    ``code_needed`` with what is missing, ``wrong_code``, ``totp_needed`` (the second factor is to
    be set up first), ``device_of_another``, ``other_key``. An unknown or inactive user gets the
    answer and the work of a wrong password.
    """
    known = _known(database, asked, arrival, now)
    enrolled = _enrolled(database, known, asked, now)
    proven = _proven(database, known, asked, now)
    with database.write() as connection:
        if enrolled is not None:
            enrolment.use_up(connection, enrolled)
        if proven is not None:
            totp.use_up(connection, proven)
        last_op = devices.register(
            connection, asked.user, asked.device, asked.device_name, asked.key, now
        )
        issued = tokens.begin(connection, asked.user, asked.device, now, random_bytes)
        mine = select(person).where(person.c.id == asked.user)
        row = connection.execute(mine).one()
        came_in = Access(
            at=now, who=asked.user, role=row.role, device=asked.device, event="sign_in"
        )
        journal.write(connection, [came_in])
    return Entered(tokens=issued, person=store.person_of(row), last_op=last_op)


def begin_second_factor(
    database: Database,
    asked: SignIn,
    arrival: Arrival,
    now: int,
    random_bytes: Callable[[int], bytes],
) -> totp.Begun:
    """A secret for whoever could sign in but for the second factor; raises as `sign_in`, and
    ``totp_set_up``."""
    known = _known(database, asked, arrival, now)
    _enrolled(database, known, asked, now)
    return totp.begin(database, asked.user, random_bytes)


def _known(database: Database, asked: SignIn, arrival: Arrival, now: int) -> Row[str, bool, str]:
    """The account whose password it is."""
    # PostgreSQL takes no zero characters, and no name has one.
    if not is_id(asked.device) or "\0" in asked.user:
        raise HubProblem(400, "bad_request")
    with database.write() as connection:
        targets = _targets(connection, asked, arrival)
        throttle.count(connection, targets, now)
        throttle.count(connection, [("address", arrival.address)], now)
    with database.read() as connection:
        row = connection.execute(
            select(account.c.password_hash, account.c.loopback_only, person.c.role)
            .join(person, person.c.id == account.c.user_id)
            .where(account.c.user_id == asked.user, person.c.active)
        ).first()
    hashed = row.password_hash if row else None
    if (
        len(asked.password) > passwords.LONGEST
        or not passwords.matches(hashed, asked.password)
        or not row
    ):
        raise HubProblem(401, "wrong_password")
    with database.write() as connection:
        throttle.forgive(connection, targets)
        throttle.take_back(connection, [("address", arrival.address)])
    if row.loopback_only and not arrival.is_local:
        raise HubProblem(403, "loopback_only")
    return row


def _targets(connection: Connection, asked: SignIn, arrival: Arrival) -> list[throttle.Target]:
    """What a wrong password is counted at: whoever guesses at an account from elsewhere must not
    keep its owner out, who comes from a device of his."""
    if devices.is_own(connection, asked.user, asked.device, asked.key):
        return [("own device", asked.device)]
    return [
        ("account at address", f"{asked.user}\0{arrival.address}"),
        ("account", asked.user),
        ("device", asked.device),
    ]


def _enrolled(
    database: Database, known: Row[str, bool, str], asked: SignIn, now: int
) -> enrolment.Checked | None:
    """The code that a new device needs; a demo's account needs none."""
    if known.loopback_only:
        return None
    with database.read() as connection:
        if not enrolment.is_needed(connection, asked.user, asked.device):
            return None
        needs = {"enrolment": "1"} | ({"totp": "1"} if _needs_code(connection, asked) else {})
    if not asked.enrolment:
        raise HubProblem(401, "code_needed", needs)
    return enrolment.check(database, asked.user, asked.enrolment, now)


def _needs_code(connection: Connection, asked: SignIn) -> bool:
    return not asked.code and totp.is_set_up(connection, asked.user)


def _proven(
    database: Database, known: Row[str, bool, str], asked: SignIn, now: int
) -> totp.Checked | None:
    """The code of the second factor, for whoever has one, sets one up, or needs one."""
    if known.loopback_only:
        return None
    with database.read() as connection:
        if _needs_code(connection, asked):
            raise HubProblem(401, "code_needed", {"totp": "1"})
        set_up = totp.is_set_up(connection, asked.user)
        begun = bool(asked.code) and totp.is_begun(connection, asked.user)
        required = totp.is_required(connection, known.role)
    if set_up or begun:
        return totp.check(database, asked.user, asked.code, now)
    if required:
        raise HubProblem(403, "totp_needed")
    return None


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
    token is in two hands), ``proof_stale``, ``throttled``, ``loopback_only``.
    """
    holder = tokens.holder(database, asked, now)
    targets: list[throttle.Target] = [("refresh at address", arrival.address)]
    if holder is not None:
        targets.append(("refresh of device", holder.device_id))
    with database.read() as connection:
        throttle.check(connection, targets, now)
    issued = None
    if holder is not None:
        if holder.loopback_only and not arrival.is_local:
            raise HubProblem(403, "loopback_only")
        issued = _renew(database, asked, request, holder, now, random_bytes)
    if issued is None:
        # Thousands of desks renew and do not fail: only a failure is worth a write.
        with database.write() as connection:
            throttle.count(connection, targets, now)
        raise HubProblem(401, "not_signed_in")
    return issued


def _renew(
    database: Database,
    asked: Refresh,
    request: devices.Request,
    holder: tokens.Holder,
    now: int,
    random_bytes: Callable[[int], bytes],
) -> Issued | None:
    try:
        devices.prove(database, request, holder.device_id, holder.key or b"", now)
    except HubProblem as problem:
        if problem.code != "proof_missing":
            raise
        tokens.leaked(database, asked)
        return None
    return tokens.renew(database, asked, now, random_bytes)


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
