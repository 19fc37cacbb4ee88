"""Leases: what the hub gives a device, and what it orders it."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import delete, insert, update

from desk.hub import leases
from desk.hub.errors import SetupError
from desk.protocol.leases import (
    AskLease,
    Lease,
    Leased,
    Order,
    State,
    Wiped,
    lease_statement,
    order_statement,
)
from desk.schema import hub_tables as t
from tests.hub.hubs import Desk, Hub, problem, read

HOUR = 3_600_000


def ask(desk: Desk, epoch: int | None = None, mac: bytes = b"m", *, fresh: bool = False) -> Leased:
    state = None if epoch is None else State(epoch, 1, mac)
    asked = AskLease(device=desk.device, state=state, fresh=fresh)
    return read(desk.signed("/v1/lease", asked), Leased)


def lease_of(answer: Leased) -> Lease:
    """The lease, which the hub must have signed."""
    assert answer.lease is not None
    key = Ed25519PublicKey.from_public_bytes(answer.hub_key)
    key.verify(answer.lease.signature, lease_statement(answer.lease.body))
    return msgspec.json.decode(answer.lease.body, type=Lease)


def test_a_device_gets_a_signed_lease_and_ever_the_same_share(hub: Hub) -> None:
    desk, other = hub.desk("marketer1"), hub.desk("marketer2")
    first = ask(desk)
    given = lease_of(first)
    assert (given.device, given.user) == (desk.device, "marketer1")
    assert given.expires_at - given.issued_at == 72 * HOUR
    hub.clock.pass_minutes(30)
    second = ask(desk)
    assert second.share == first.share
    assert len(first.share) == 32
    assert ask(other).share != first.share
    assert second.hub_key == first.hub_key
    assert lease_of(second).issued_at == given.issued_at + HOUR // 2


def test_a_hub_restored_from_a_backup_gives_the_same_share(hub: Hub) -> None:
    desk = hub.desk("marketer1")
    share = ask(desk).share
    with hub.database.write() as connection:
        connection.execute(delete(t.lease))
    assert ask(desk).share == share


def test_only_the_device_itself_is_answered(hub: Hub) -> None:
    desk, other = hub.desk("marketer1"), hub.desk("marketer2")
    stolen = other.signed("/v1/lease", AskLease(device=desk.device))
    assert problem(stolen)[:2] == (401, "proof_missing")
    plain = desk.post("/v1/lease", AskLease(device=desk.device))
    assert problem(plain)[:2] == (401, "proof_missing")
    unknown = desk.signed("/v1/lease", AskLease(device="no id\0"))
    assert problem(unknown)[:2] == (400, "bad_request")


def test_who_works_here_no_more_gets_none(hub: Hub) -> None:
    desk = hub.desk("marketer1")
    ask(desk)
    gone = update(t.person).where(t.person.c.id == "marketer1").values(active=False)
    with hub.database.write() as connection:
        connection.execute(gone)
    refused = desk.signed("/v1/lease", AskLease(device=desk.device))
    assert problem(refused)[:2] == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("epoch", "mac", "replayed"),
    [(8, b"x", False), (7, b"m", False), (7, b"x", True), (6, b"m", True)],
)
def test_an_older_state_than_the_known_one_is_a_replay(
    hub: Hub, epoch: int, mac: bytes, replayed: bool
) -> None:
    desk = hub.desk("marketer1")
    assert not ask(desk).replayed
    assert not ask(desk, 7).replayed
    assert ask(desk, epoch, mac).replayed == replayed
    assert ask(desk).replayed
    assert not ask(desk, 2, b"new", fresh=True).replayed
    assert not ask(desk, 2, b"new").replayed


def test_an_erasure_that_was_not_confirmed_in_time_leaves_minutes_to_catch_up(hub: Hub) -> None:
    desk = hub.desk("marketer1")
    subject = hub.new_id()
    row = {"subject_id": subject, "device_id": desk.device, "state": "pending"}
    with hub.database.write() as connection:
        until = hub.clock.now + HOUR
        connection.execute(insert(t.erasure_ack).values(**row, lease_until=until))
    assert ask(desk).barred == ""
    hub.clock.pass_minutes(60)
    answer = ask(desk)
    given = lease_of(answer)
    assert answer.barred == "erasures"
    assert given.expires_at - given.issued_at == leases.CATCH_UP
    assert not given.starts_offline
    with hub.database.write() as connection:
        connection.execute(update(t.erasure_ack).values(acked_at=hub.clock.now))
    assert lease_of(ask(desk)).starts_offline


def test_a_wipe_is_ordered_once_ends_the_session_and_is_confirmed_by_the_device(hub: Hub) -> None:
    desk, other = hub.desk("marketer1"), hub.desk("marketer2")
    now = hub.clock.now
    first = leases.order_wipe(hub.database, desk.device, now, hub.random.randbytes)
    again = leases.order_wipe(hub.database, desk.device, now + 1, hub.random.randbytes)
    assert (first.user, first.ordered_at, again) == ("marketer1", now, first)
    assert problem(desk.get("/v1/playbook"))[:2] == (401, "not_signed_in")
    answer = ask(desk)
    assert (answer.lease, answer.share) == (None, b"")
    assert answer.order is not None
    key = Ed25519PublicKey.from_public_bytes(answer.hub_key)
    key.verify(answer.order.signature, order_statement(answer.order.body))
    order = msgspec.json.decode(answer.order.body, type=Order)
    assert (order.kind, order.device) == ("wipe", desk.device)
    forged = Wiped(hub=order.hub, device=desk.device, order=order.id, signature=bytes(64))
    assert problem(other.post("/v1/wiped", forged))[:2] == (401, "proof_missing")
    with pytest.raises(SetupError, match="no_such_holder"):
        leases.order_wipe(hub.database, "nobody", now, hub.random.randbytes)
