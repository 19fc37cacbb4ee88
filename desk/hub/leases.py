"""Leases: for how long a device may work without the hub, and the order to remove everything.

Each device has one share of its vault's key here, made once. A lease that is not given takes the
share away from a desk that may not start offline; any other desk it only bids to stop.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Row, select, update

from desk.domain.ids import make_id
from desk.domain.journal import Access
from desk.hub import erasure, journal, tokens
from desk.hub.accounts import Arrival
from desk.hub.database import Database, hub_id, insert_missing, keys_of
from desk.hub.errors import HubProblem, SetupError
from desk.hub.playbooks import current
from desk.protocol.leases import (
    SHARE_BYTES,
    AskLease,
    Lease,
    Leased,
    Order,
    Signed,
    State,
    Wiped,
    lease_statement,
    order_statement,
    wiped_statement,
)
from desk.schema.hub_tables import account, device, lease, person
from desk.schema.hub_tables import session as t_session

#: Under which names the key store keeps what signs leases, what seals shares, and their root.
_SIGNING = "lease-signing"
_SHARES = "lease-share"
_SHARE_ROOT = "lease-share-root"

#: So long a desk may work that let the term of an erasure pass: it is to catch up, ms.
CATCH_UP = 10 * 60_000

Random = Callable[[int], bytes]


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """A device that was ordered to remove everything. ``wiped_at`` is when it said so, ms."""

    device: str
    user: str
    ordered_at: int
    wiped_at: int | None


def ask(database: Database, asked: AskLease, arrival: Arrival, now: int) -> Leased:
    """A lease for the device, which has proved to be it.

    Raises `HubProblem` ``not_signed_in`` where its user works here no more, ``loopback_only``.
    """
    with database.write() as connection:
        key = _signing_key(connection)
        public = key.public_key().public_bytes_raw()
        holder = connection.execute(
            select(device.c.user_id, person.c.role, account.c.loopback_only)
            .join(person, person.c.id == device.c.user_id)
            .join(account, account.c.user_id == device.c.user_id)
            .where(device.c.id == asked.device, person.c.active)
        ).first()
        known = _known(connection, asked.device)
        if known.wipe_id is not None:
            return Leased(hub_key=public, order=_order(connection, key, known))
        if holder is None:
            raise HubProblem(401, "not_signed_in")
        if holder.loopback_only and not arrival.is_local:
            raise HubProblem(403, "loopback_only")
        replayed = not asked.fresh and _is_older(asked.state, known)
        values: dict[str, object] = {}
        if not replayed and asked.state is not None:
            values = msgspec.structs.asdict(asked.state)
        rule = current(connection).playbook.roles[holder.role]
        # It opens while the hub answers, long enough to hear of whom it has not forgotten yet.
        barred = erasure.is_overdue(connection, asked.device, now)
        granted = Lease(
            hub=hub_id(connection),
            device=asked.device,
            user=holder.user_id,
            issued_at=now,
            expires_at=now + (min(rule.offline, CATCH_UP) if barred else rule.offline),
            starts_offline=rule.starts_offline and not barred,
        )
        if known.expires_at < now:
            _note(connection, "lease", now, holder.user_id, asked.device)
        values |= {"issued_at": now, "expires_at": granted.expires_at}
        connection.execute(update(lease).where(lease.c.device_id == asked.device).values(**values))
        body = msgspec.json.encode(granted)
        return Leased(
            hub_key=public,
            lease=Signed(body, key.sign(lease_statement(body))),
            share=keys_of(connection).unseal(_SHARES, asked.device, known.share),
            replayed=replayed,
            barred="erasures" if barred else "",
        )


def order_wipe(database: Database, device_id: str, now: int, random_bytes: Random) -> Ordered:
    """Order a device to remove everything, and end its session, so that it hears of it at once.

    A second order is the first. Raises `SetupError` ``no_such_holder``.
    """
    with database.write() as connection:
        query = select(device.c.user_id).where(device.c.id == device_id)
        user = connection.execute(query).scalar_one_or_none()
        if user is None:
            raise SetupError("no_such_holder", {"holder": device_id})
        known = _known(connection, device_id)
        ordered_at = known.wipe_at
        if known.wipe_id is None:
            ordered_at = now
            ordered = {"wipe_id": make_id(now, random_bytes), "wipe_at": now}
            connection.execute(
                update(lease).where(lease.c.device_id == device_id).values(**ordered)
            )
            _note(connection, "wipe", now, None, device_id, result="ordered")
        tokens.end(connection, t_session.c.device_id == device_id)
    return Ordered(device=device_id, user=user, ordered_at=ordered_at, wiped_at=known.wiped_at)


def acknowledge(database: Database, wiped: Wiped, now: int, random_bytes: Random) -> None:
    """A device says that it has removed everything. Raises `HubProblem` ``proof_missing``."""
    with database.write() as connection:
        query = select(device.c.user_id, device.c.public_key).where(device.c.id == wiped.device)
        row = connection.execute(query).first()
        hub = hub_id(connection)
        statement = wiped_statement(hub, wiped.device, wiped.order)
        if row is None or not _is_signed(row.public_key, wiped.signature, statement):
            raise HubProblem(401, "proof_missing")
        known = _known(connection, wiped.device)
        if wiped.order and wiped.order != known.wipe_id:
            raise HubProblem(401, "proof_missing")
        if known.wiped_at is None:
            connection.execute(
                update(lease)
                .where(lease.c.device_id == wiped.device)
                .values(
                    wiped_at=now,
                    expires_at=now,
                    wipe_id=known.wipe_id or make_id(now, random_bytes),
                    wipe_at=known.wipe_at or now,
                )
            )
            _note(connection, "wipe", now, row.user_id, wiped.device, result="done")
        tokens.end(connection, t_session.c.device_id == wiped.device)


def _known(connection: Connection, device_id: str) -> Row[Any]:
    """What stands of the device; its share is made here the first time, and locked."""
    keys = keys_of(connection)
    # Derived, so that a hub whose database was restored still opens what it opened before.
    share = hmac.digest(keys.secret(_SHARE_ROOT), device_id.encode(), "sha256")[:SHARE_BYTES]
    share = keys.seal(_SHARES, device_id, share)
    first = {"device_id": device_id, "share": share}
    insert_missing(connection, lease, {**first, "issued_at": 0, "expires_at": 0})
    query = select(lease).where(lease.c.device_id == device_id)
    return connection.execute(query.with_for_update()).one()


def _is_older(state: State | None, known: Row[Any]) -> bool:
    """Whether the hub knows a later state of the desk than the desk itself."""
    if known.epoch is None:
        return False
    if state is None or state.epoch < known.epoch:
        return True
    return state.epoch == known.epoch and state.mac != known.mac


def _order(connection: Connection, key: Ed25519PrivateKey, known: Row[Any]) -> Signed:
    order = Order(
        id=known.wipe_id,
        kind="wipe",
        hub=hub_id(connection),
        device=known.device_id,
        issued_at=known.wipe_at,
    )
    body = msgspec.json.encode(order)
    return Signed(body, key.sign(order_statement(body)))


def _signing_key(connection: Connection) -> Ed25519PrivateKey:
    """The hub's own key; it is kept apart from the database, and outlives a backup of that."""
    return Ed25519PrivateKey.from_private_bytes(keys_of(connection).secret(_SIGNING))


def _is_signed(public_key: bytes | None, signature: bytes, statement: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key or b"").verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _note(
    connection: Connection,
    event: Literal["lease", "wipe"],
    now: int,
    who: str | None,
    device_id: str,
    **detail: str,
) -> None:
    entry = Access(at=now, who=who, device=device_id, event=event, detail=detail)
    journal.write(connection, [entry])
