"""Devices: whose they are, by which key they are known, and proof that a request is theirs."""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, delete, select, update

from desk.domain.clean import clean
from desk.hub.database import Database, hub_id, insert_missing
from desk.hub.errors import HubProblem
from desk.protocol import proofs
from desk.protocol.proofs import PROOF_WINDOW, Statement
from desk.schema.hub_tables import device, proof_nonce

KEY_BYTES = 32
_NAME = 200


class Request(msgspec.Struct, frozen=True):
    """What a proof is of, and the header it stands in ("" where there is none)."""

    method: str
    path: str
    body_hash: bytes
    header: str


def prove(database: Database, request: Request, device_id: str, key: bytes, now: int) -> None:
    """See that the request is signed by the device's key, now and for the first time.

    Raises `HubProblem` ``proof_missing``, or ``proof_stale`` with the hub's time in ``now`` where
    the device has only to sign anew.
    """
    proof = proofs.read(request.header)
    if proof is None or len(key) != KEY_BYTES:
        raise HubProblem(401, "proof_missing")
    with database.read() as connection:
        hub = hub_id(connection)
    statement = Statement(hub, device_id, request.method, request.path, request.body_hash)
    try:
        verifier = Ed25519PublicKey.from_public_bytes(key)
        verifier.verify(proof.signature, statement.signed(proof.at, proof.nonce))
    except (InvalidSignature, ValueError):
        raise HubProblem(401, "proof_missing") from None
    if abs(proof.at - now) > PROOF_WINDOW:
        raise HubProblem(401, "proof_stale", {"now": str(now)})
    with database.write() as connection:
        is_new = _take(connection, device_id, proof.nonce, now)
    if not is_new:
        raise HubProblem(401, "proof_stale", {"now": str(now)})


def prove_known(database: Database, request: Request, device_id: str, now: int) -> None:
    """See that the request is signed by the key of a device that the hub knows; raises as
    `prove`."""
    with database.read() as connection:
        key = connection.execute(select(device.c.public_key).where(device.c.id == device_id))
        known = key.scalar_one_or_none()
    prove(database, request, device_id, known or b"", now)


def is_own(connection: Connection, user: str, identifier: str, key: bytes) -> bool:
    """Whether the device is known as the user's, by this key."""
    mine = (device.c.id == identifier) & (device.c.user_id == user) & (device.c.public_key == key)
    return connection.execute(select(device.c.id).where(mine)).first() is not None


def register(
    connection: Connection, user: str, identifier: str, called: str, key: bytes, now: int
) -> int:
    """Note the user's device and its key; the number of its last answered operation.

    Raises `HubProblem` ``bad_request``, ``device_of_another``, ``other_key``.
    """
    if len(key) != KEY_BYTES:
        raise HubProblem(400, "bad_request")
    name = clean(called, _NAME)
    new = {"id": identifier, "user_id": user, "name": name, "created_at": now, "last_op": 0}
    insert_missing(connection, device, {**new, "public_key": key})
    mine = device.c.id == identifier
    query = select(device.c.user_id, device.c.last_op, device.c.public_key).where(mine)
    known = connection.execute(query.with_for_update()).one()
    if known.user_id != user:
        raise HubProblem(409, "device_of_another")
    if known.public_key not in (None, key):
        raise HubProblem(409, "other_key")
    connection.execute(update(device).where(mine).values(name=name, public_key=key))
    return known.last_op


def _take(connection: Connection, device_id: str, nonce: bytes, now: int) -> bool:
    """Whether the nonce is new; those that no proof of today could bear are forgotten."""
    connection.execute(delete(proof_nonce).where(proof_nonce.c.at < now - 2 * PROOF_WINDOW))
    taken = hashlib.sha256(device_id.encode() + nonce).digest()
    return insert_missing(connection, proof_nonce, {"hash": taken, "at": now})
