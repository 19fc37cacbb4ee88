"""The lease: whether this desk may open and work without the hub, and getting the next one.

Moments are by this machine's clock: a lease lasts from when it came for as long as the hub gave it,
so a clock that is wrong all the time does no harm, and one that is set back is noticed by the
largest one seen. What is kept of a lease is in the key file's outer box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from desk.protocol.leases import (
    SHARE_BYTES,
    AskLease,
    Lease,
    Leased,
    Order,
    Signed,
    State,
    lease_statement,
    order_statement,
)
from desk.services.errors import (
    ClockSetBack,
    DeskError,
    ForeignLease,
    HubNeeded,
    LeaseOver,
    LeaseRefused,
    NotSignedIn,
    WipeOrdered,
)

if TYPE_CHECKING:
    from desk.services.device_key import Prover
    from desk.services.hub_client import HubClient
    from desk.services.keyfile import Outer
    from desk.services.vault import OpenKeyFile

S = TypeVar("S", Lease, Order)

#: By how much a clock may go back before the desk locks, ms.
TOLERANCE = 5 * 60_000
#: A lease is renewed when this part of it has passed.
_RENEWED_AFTER = 1 / 4
#: How exactly the largest clock is kept on the disk, ms.
_CLOCK_STEP = 60_000

#: Makes a client and a prover for what the outer box says of the hub.
Connect = Callable[["Outer"], "tuple[HubClient, Prover]"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the lease stands: "none" before the first one, "good", "over" or "clock_back".

    ``until`` is when it is over by this machine's clock, ms.
    """

    state: Literal["none", "good", "over", "clock_back"]
    until: int | None = None


def standing(outer: Outer, now: int) -> Standing:
    """How the lease stands at the moment ``now``, ms."""
    lease = _kept(outer)
    if lease is None:
        return Standing("none")
    until = outer.leased_at + lease.expires_at - lease.issued_at
    if now < max(outer.clock, outer.leased_at) - TOLERANCE:
        return Standing("clock_back", until)
    return Standing("good" if now < until else "over", until)


def is_due(outer: Outer, now: int) -> bool:
    """Whether it is time for another one."""
    lease = _kept(outer)
    if lease is None or standing(outer, now).state != "good":
        return True
    return now - outer.leased_at >= (lease.expires_at - lease.issued_at) * _RENEWED_AFTER


def note_clock(box: OpenKeyFile, now: int) -> None:
    """Keep the largest clock seen, where there is a lease that it could prolong."""
    if box.outer.lease and now >= box.outer.clock + _CLOCK_STEP:
        box.keep(clock=now)


def admit(box: OpenKeyFile, clock: Callable[[], int], connect: Connect) -> bytes:
    """The share that opens the vault ("" where it is no factor), asked for where it has to be.

    Raises ``LeaseOver``, ``ClockSetBack``, ``HubNeeded`` where the hub is needed and does not
    answer, ``LeaseRefused`` where it says no, ``WipeOrdered`` where it orders that.
    """
    outer = box.outer
    found = standing(outer, clock())
    needs_share = "lease" in box.factors and not outer.share
    if found.state in ("none", "good") and not needs_share:
        note_clock(box, clock())
        return outer.share
    why = {"over": LeaseOver, "clock_back": ClockSetBack}.get(found.state, HubNeeded)
    client, prover = connect(outer)
    try:
        answer = client.lease(AskLease(device=outer.device), prover)
    except NotSignedIn:
        raise LeaseRefused from None
    except DeskError:
        raise why(hub=outer.hub) from None
    finally:
        client.close()
    if not take(box, answer, clock()):
        raise LeaseRefused
    return answer.share


def take(box: OpenKeyFile, answer: Leased, now: int) -> bool:
    """Keep the lease of an answer; whether there was one.

    Raises ``ForeignLease`` where it is not for this device or not of the pinned hub, and
    ``WipeOrdered`` with the order where the hub gives one.
    """
    outer = box.outer
    pinned = outer.hub_key or answer.hub_key
    if answer.order is not None:
        order = _verified(answer.order, pinned, order_statement, Order)
        if (order.hub, order.device) != (outer.hub_id, outer.device):
            raise ForeignLease
        raise WipeOrdered(order)
    if answer.lease is None:
        return False
    lease = _verified(answer.lease, pinned, lease_statement, Lease)
    if (lease.hub, lease.device) != (outer.hub_id, outer.device) or len(
        answer.share
    ) != SHARE_BYTES:
        raise ForeignLease
    box.keep(
        hub_key=pinned,
        lease=answer.lease.body,
        lease_signature=answer.lease.signature,
        leased_at=now,
        clock=now,
    )
    return True


def enrol(box: OpenKeyFile, hub: str, hub_id: str, device: str, seed: bytes, *, anew: bool) -> None:
    """Note as which device this desk is known at which hub.

    ``anew`` says that somebody has just signed in with his password: the hub's key is learnt anew,
    too. For another hub or device what was kept of the old one is forgotten.
    """
    outer = box.outer
    other = (outer.hub_id, outer.device) != (hub_id, device)
    known = {"hub": hub, "hub_id": hub_id, "device": device, "device_key": seed}
    if other:
        gone = {"hub_key": b"", "lease": b"", "lease_signature": b"", "leased_at": 0, "clock": 0}
        box.keep(**known, **gone)
    else:
        box.keep(**known, **({"hub_key": b""} if anew else {}))


def renew(
    box: OpenKeyFile,
    client: HubClient,
    prover: Prover,
    now: int,
    state: State | None,
    *,
    fresh: bool,
) -> Leased:
    """Ask for another lease in an exchange, and make its share a factor of the vault.

    Raises what the hub makes it raise, and as ``take``.
    """
    answer = client.lease(AskLease(device=box.outer.device, state=state, fresh=fresh), prover)
    if take(box, answer, now):
        lease = _kept(box.outer)
        box.bind(answer.share, keep=lease is not None and lease.starts_offline)
    return answer


def _kept(outer: Outer) -> Lease | None:
    if not outer.lease:
        return None
    try:
        return _verified(
            Signed(outer.lease, outer.lease_signature), outer.hub_key, lease_statement, Lease
        )
    except ForeignLease:
        return None


def _verified(
    signed: Signed, public_key: bytes, statement: Callable[[bytes], bytes], kind: type[S]
) -> S:
    """The body that the hub has signed. Raises ``ForeignLease``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        verifier = Ed25519PublicKey.from_public_bytes(public_key)
        verifier.verify(signed.signature, statement(signed.body))
        return msgspec.json.decode(signed.body, type=kind)
    except (InvalidSignature, ValueError, msgspec.MsgspecError):
        raise ForeignLease from None
