"""The device this desk is at the hub: its id, and the Ed25519 key that signs its requests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection

from desk.protocol import proofs
from desk.protocol.proofs import NONCE_BYTES, Proof, Statement
from desk.services import settings

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Device:
    """A device's id and the private half of its key."""

    id: str
    seed: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        """The half of the key that the hub knows."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


class Prover:
    """Signs a device's requests to one hub, by the hub's clock as far as it is known.

    ``clock`` is the machine's, in ms, and may be wrong.
    """

    def __init__(
        self, device: Device, hub_id: str, clock: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self.device = device
        self._hub_id = hub_id
        self._clock = clock
        self._random = random
        self._ahead = 0

    def learn(self, now: int) -> None:
        """The hub's clock shows ``now``."""
        self._ahead = now - self._clock()

    def header(self, method: str, path: str, body: bytes) -> str:
        """A proof of this request, made for this moment."""
        body_hash = hashlib.sha256(body).digest()
        statement = Statement(self._hub_id, self.device.id, method, path, body_hash)
        at, nonce = self._clock() + self._ahead, self._random(NONCE_BYTES)
        return proofs.write(Proof(at, nonce, self.device.sign(statement.signed(at, nonce))))


def make(identifier: str, random: Callable[[int], bytes]) -> Device:
    """A new device."""
    return Device(identifier, random(KEY_BYTES))


def mine(connection: Connection, random: Callable[[int], bytes]) -> Device | None:
    """The device of this profile; one of an older build gets its key here."""
    identifier = settings.get(connection, settings.DEVICE)
    if identifier is None:
        return None
    seed = settings.get(connection, settings.DEVICE_KEY)
    if seed is not None:
        return Device(identifier, base64.b64decode(seed))
    device = make(identifier, random)
    keep(connection, device)
    return device


def keep(connection: Connection, device: Device) -> None:
    """This profile is that device from now on."""
    settings.put(connection, settings.DEVICE, device.id)
    settings.put(connection, settings.DEVICE_KEY, base64.b64encode(device.seed).decode())
    settings.drop(connection, settings.NEXT_DEVICE)


class _Next(msgspec.Struct, frozen=True):
    """A device that somebody signs in as; the hub may know it already, for its answer gets lost."""

    hub_id: str
    user: str
    id: str
    seed: bytes


def next_of(connection: Connection, hub_id: str, user: str, new: Callable[[], Device]) -> Device:
    """The device that ``user`` begins to be at a hub; the same one until he has signed in."""
    raw = settings.get(connection, settings.NEXT_DEVICE)
    if raw is not None:
        begun = msgspec.json.decode(raw, type=_Next)
        if (begun.hub_id, begun.user) == (hub_id, user):
            return Device(begun.id, begun.seed)
    device = new()
    begun = _Next(hub_id, user, device.id, device.seed)
    settings.put(connection, settings.NEXT_DEVICE, msgspec.json.encode(begun).decode())
    return device
