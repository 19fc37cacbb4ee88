"""The lease: how long a desk works without the hub, and what the hub may order with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from desk.domain.operations import Create
from desk.hub import leases
from desk.hub.database import Database
from desk.protocol.leases import Lease, Leased, Order, Signed, lease_statement, order_statement
from desk.schema import hub_tables as t
from desk.services import lease, recovery, vault_state, wipe
from desk.services.context import Context
from desk.services.desk import Desk, wall_clock
from desk.services.errors import (
    ClockSetBack,
    ForeignLease,
    HubNeeded,
    LeaseOver,
    LeaseRefused,
    WipeOrdered,
)
from desk.services.keyfile import Outer
from desk.services.profile import Profile
from tests.hub_process import HubProcess
from tests.services.rooms import PASSPHRASE, open_desk

Sit = Callable[..., Desk]
HOUR = 3_600_000
DAY = 24 * HOUR
#: A transport on which nobody answers.
CUT = httpx.MockTransport(lambda _: (_ for _ in ()).throw(httpx.ConnectError("cut")))


@pytest.fixture
def left(sit: Sit, tmp_path: Path) -> Path:
    """The closed profile of somebody who has a lease, and work that waits."""
    desk = sit("marketer1", place="left")
    desk.do(Create(kind="lead", title="Ждёт"))
    desk.close()
    return tmp_path / "left"


def opened(folder: Path, *, later: int = 0, transport: httpx.BaseTransport | None = CUT) -> Desk:
    return Desk.open(folder, PASSPHRASE, clock=lambda: wall_clock() + later, transport=transport)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def device_of(desk: Desk) -> str:
    return desk.context.store.keys.box.outer.device


def order(hub: HubProcess, device: str) -> None:
    with Database(hub.db_url) as database:
        leases.order_wipe(database, device, wall_clock(), os.urandom)


def wiped_at(hub: HubProcess, device: str) -> int | None:
    query = select(t.lease.c.wiped_at).where(t.lease.c.device_id == device)
    with Database(hub.db_url) as database, database.read() as connection:
        return connection.execute(query).scalar_one()


def test_a_desk_opens_without_the_hub_while_its_lease_lasts(left: Path) -> None:
    with opened(left, later=71 * HOUR) as desk:
        assert desk.status().pending == 1
        assert desk.context.store.keys.box.factors == ("passphrase", "lease")


def test_a_lease_that_is_over_says_so_and_keeps_the_work(left: Path, hub: HubProcess) -> None:
    before = contents(left)
    with pytest.raises(LeaseOver) as raised:
        opened(left, later=73 * HOUR)
    assert hub.url in str(raised.value)
    assert contents(left) == before
    with opened(left, later=73 * HOUR, transport=None) as desk:
        assert desk.status().pending == 1
    with opened(left, later=80 * HOUR):
        pass


def test_a_clock_that_is_set_back_locks_until_the_hub_is_asked(left: Path) -> None:
    with opened(left, later=5 * HOUR):
        pass
    with opened(left, later=5 * HOUR - lease.TOLERANCE + 60_000):
        pass
    with pytest.raises(ClockSetBack):
        opened(left, later=4 * HOUR)
    with opened(left, later=4 * HOUR, transport=None) as desk:
        assert desk.status().pending == 1
    with opened(left, later=4 * HOUR):
        pass


def test_a_role_that_may_not_start_offline_needs_the_hubs_share(
    sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = sit("marketer2", place="strict")
    box = desk.context.store.keys.box
    box.bind(box.outer.share, keep=False)
    desk.close()
    with pytest.raises(HubNeeded):
        opened(tmp_path / "strict")
    with opened(tmp_path / "strict", transport=None) as desk:
        assert desk.signed_in
        assert desk.context.store.keys.box.outer.share == b""


def test_who_works_here_no_more_does_not_get_the_share(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    desk = sit("operator1", place="fired")
    box = desk.context.store.keys.box
    box.bind(box.outer.share, keep=False)
    desk.close()
    with Database(hub.db_url) as database, database.write() as connection:
        connection.execute(
            update(t.person).where(t.person.c.id == "operator1").values(active=False)
        )
    try:
        with pytest.raises(LeaseRefused):
            opened(tmp_path / "fired", transport=None)
    finally:
        with Database(hub.db_url) as database, database.write() as connection:
            connection.execute(
                update(t.person).where(t.person.c.id == "operator1").values(active=True)
            )


def test_an_order_removes_everything_and_the_hub_hears_of_it(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    desk = sit("sales1", place="lost")
    device = device_of(desk)
    order(hub, device)
    with pytest.raises(WipeOrdered):
        desk.sync_once()
    assert desk.status().last_error == "wipe_ordered"
    desk.close()
    assert set(contents(tmp_path / "lost")) <= {"settings.toml", "keys.toml"}
    assert wiped_at(hub, device) is not None
    with open_desk(tmp_path / "lost") as fresh:
        assert not fresh.signed_in


def test_a_closed_desk_obeys_when_it_needs_the_hub_to_open(left: Path, hub: HubProcess) -> None:
    with opened(left) as desk:
        device = device_of(desk)
    order(hub, device)
    with pytest.raises(WipeOrdered):
        opened(left, later=80 * HOUR, transport=None)
    assert "local.db" not in contents(left)
    assert wiped_at(hub, device) is not None


@pytest.mark.parametrize("step", range(5))
def test_a_wipe_that_is_cut_off_is_gone_on_with(
    left: Path, hub: HubProcess, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    count = 0
    unlink = Path.unlink

    def dying(path: Path, *, missing_ok: bool = False) -> None:
        nonlocal count
        if path.name.startswith("local.") and path.name != "local.lock":
            if count == step:
                raise Died
            count += 1
        unlink(path, missing_ok=missing_ok)

    with opened(left) as desk:
        device = device_of(desk)
    order(hub, device)
    with monkeypatch.context() as patch, suppress(Died, WipeOrdered):
        patch.setattr(Path, "unlink", dying)
        opened(left, later=80 * HOUR, transport=None)
    assert "local.key" not in contents(left) or step == 0
    with open_desk(left) as fresh:
        assert not fresh.signed_in
    assert wiped_at(hub, device) is not None


class Boxes:
    """An open key file, as far as leases know of it."""

    def __init__(self, **outer: object) -> None:
        self.outer = msgspec.structs.replace(Outer(hub_id="hub", device="mine"), **outer)
        self.factors = ("passphrase",)

    def keep(self, **changes: object) -> None:
        self.outer = msgspec.structs.replace(self.outer, **changes)


KEY = Ed25519PrivateKey.from_private_bytes(b"h" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()


def signed_lease(key: Ed25519PrivateKey = KEY, **changes: object) -> Signed:
    good = Lease(
        hub="hub", device="mine", user="me", issued_at=0, expires_at=DAY, starts_offline=True
    )
    body = msgspec.json.encode(msgspec.structs.replace(good, **changes))
    return Signed(body, key.sign(lease_statement(body)))


def signed_order(key: Ed25519PrivateKey = KEY, **changes: object) -> Signed:
    good = Order(id="1", kind="wipe", hub="hub", device="mine", issued_at=0)
    body = msgspec.json.encode(msgspec.structs.replace(good, **changes))
    return Signed(body, key.sign(order_statement(body)))


OTHER = Ed25519PrivateKey.from_private_bytes(b"x" * 32)


@pytest.mark.parametrize(
    "answer",
    [
        Leased(hub_key=PUBLIC, lease=signed_lease(OTHER), share=bytes(32)),
        Leased(hub_key=OTHER.public_key().public_bytes_raw(), lease=signed_lease(OTHER)),
        Leased(hub_key=PUBLIC, lease=signed_lease(device="another"), share=bytes(32)),
        Leased(hub_key=PUBLIC, lease=signed_lease(hub="another"), share=bytes(32)),
        Leased(hub_key=PUBLIC, lease=signed_lease(), share=b"short"),
        Leased(hub_key=PUBLIC, lease=Signed(b"{}", KEY.sign(lease_statement(b"{}")))),
        Leased(hub_key=PUBLIC, order=signed_order(OTHER)),
        Leased(hub_key=PUBLIC, order=signed_order(device="another")),
        Leased(hub_key=PUBLIC, order=signed_order(hub="another")),
        # An order's signature says nothing of a lease, nor the other way.
        Leased(hub_key=PUBLIC, order=signed_lease()),
    ],
)
def test_a_forged_copied_or_foreign_answer_counts_for_nothing(answer: Leased) -> None:
    box = Boxes(hub_key=PUBLIC)
    before = box.outer
    with pytest.raises(ForeignLease):
        lease.take(box, answer, 0)  # type: ignore[arg-type]
    assert box.outer == before


def test_a_good_answer_is_kept_and_an_order_is_obeyed() -> None:
    box = Boxes()
    good = Leased(hub_key=PUBLIC, lease=signed_lease(), share=bytes(32))
    assert lease.take(box, good, 5)  # type: ignore[arg-type]
    assert box.outer.hub_key == PUBLIC
    assert lease.standing(box.outer, 5).until == 5 + DAY
    with pytest.raises(WipeOrdered):
        lease.take(box, Leased(hub_key=PUBLIC, order=signed_order()), 6)  # type: ignore[arg-type]


def test_a_lease_is_renewed_when_a_quarter_has_passed() -> None:
    box = Boxes()
    assert lease.is_due(box.outer, 0)
    lease.take(box, Leased(hub_key=PUBLIC, lease=signed_lease(), share=bytes(32)), 0)  # type: ignore[arg-type]
    assert not lease.is_due(box.outer, DAY // 4 - 1)
    assert lease.is_due(box.outer, DAY // 4)


def test_an_old_copy_that_is_put_back_fetches_everything_anew(
    sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = sit("marketer1", place="old")
    desk.close()
    shutil.copytree(tmp_path / "old", tmp_path / "copy")
    with open_desk(tmp_path / "old") as desk:
        vault_state.anchor(desk.context.store, anew=True)
        desk.sync_once()
    # Without a keyring the anchor is in the key file: it is as old as the rest.
    shutil.rmtree(tmp_path / "old")
    (tmp_path / "copy").rename(tmp_path / "old")
    with open_desk(tmp_path / "old") as desk:
        waiting = desk.do(Create(kind="lead", title="Моё")).operation_id
        anew: list[Context] = []

        def begin(context: Context) -> None:
            anew.append(context)
            recovery_begin(context)

        recovery_begin = recovery.begin_anew
        monkeypatch.setattr(recovery, "begin_anew", begin)
        desk.sync_once()
        assert len(anew) == 1
        desk.sync_once()
        assert waiting in {row.item.id for row in desk.rows(kind="lead")}


def test_a_persons_own_wipe_is_told_to_the_hub_and_ends_the_session(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    desk = sit("head", place="own")
    device = device_of(desk)
    box = desk.context.store.keys.box
    desk.close()
    profile = Profile.own(tmp_path / "own")
    wipe.run(profile.folder, box, "", None)
    assert "local.key" not in contents(profile.folder)
    profile.release()
    open_desk(tmp_path / "own").close()
    assert wiped_at(hub, device) is not None
