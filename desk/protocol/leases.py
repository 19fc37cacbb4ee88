"""A desk's lease: for how long it may work without the hub, as the hub has signed it.

========  ============  =====================================================
method    path          request → answer
========  ============  =====================================================
POST      /v1/lease     AskLease → Leased (no token, proof of the device)
POST      /v1/wiped     Wiped → nothing (no token; signed by itself)
========  ============  =====================================================

An offline lease is policy, not cryptography: whoever changes the program on an unlocked machine
goes on reading what is there. Without an offline start the share is what the hub can withhold.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from desk.domain.model import Unspoken

SHARE_BYTES = 32


class State(msgspec.Struct, frozen=True):
    """The subjects' state as a desk has anchored it: epoch, how many there are, set-MAC."""

    epoch: int
    subjects: int
    mac: bytes


class AskLease(msgspec.Struct, frozen=True, kw_only=True):
    """A device wants to go on working. ``fresh`` says that it has fetched its rows anew since it
    was last asked for its state, which therefore says nothing of an old copy."""

    device: str
    state: State | None = None
    fresh: bool = False


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Until when the device may work without the hub, by the hub's clock in ms."""

    hub: str
    device: str
    user: str
    issued_at: int
    expires_at: int
    #: Whether it may also start without the hub.
    starts_offline: bool


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The hub orders a device to remove everything it holds."""

    id: str
    kind: Literal["wipe"]
    hub: str
    device: str
    issued_at: int


class Signed(msgspec.Struct, frozen=True):
    """A lease or an order in JSON, and the hub's Ed25519 signature of it."""

    body: bytes
    signature: bytes


class Leased(Unspoken, frozen=True, kw_only=True):
    """The hub's answer: a lease with the share that opens the vault, or an order and nothing else.

    ``replayed`` says that the hub knows a later state than the desk's: its file is an old copy.
    ``barred`` is why the lease is for minutes only: "erasures" not confirmed in time.
    """

    hub_key: bytes
    lease: Signed | None = None
    share: bytes = b""
    order: Signed | None = None
    replayed: bool = False
    barred: str = ""


class Wiped(msgspec.Struct, frozen=True, kw_only=True):
    """A device has removed everything, by order or of itself (then ``order`` is empty)."""

    hub: str
    device: str
    order: str
    #: By the device's key, over ``wiped_statement``.
    signature: bytes


def lease_statement(body: bytes) -> bytes:
    """What the hub signs of a lease."""
    return _lengths(b"desk-lease-1", body)


def order_statement(body: bytes) -> bytes:
    """What the hub signs of an order."""
    return _lengths(b"desk-order-1", body)


def wiped_statement(hub: str, device: str, order: str) -> bytes:
    """What a device signs that has removed everything."""
    return _lengths(b"desk-wiped-1", hub.encode(), device.encode(), order.encode())


def _lengths(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
