"""Somebody who is dismissed still has the workstation, his passphrase and his tokens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from desk.domain.operations import Create
from desk.hub import administration, leases
from desk.hub.database import Database
from desk.schema import hub_tables as t
from desk.services.desk import Desk, wall_clock
from desk.services.errors import DeskError, LeaseOver, LeaseRefused, WipeOrdered
from tests.hub_process import HubProcess
from tests.services.rooms import PASSPHRASE
from tests.services.test_lease import CUT, HOUR, device_of
from tests.threats.plants import ALL, Sit, found_under, plant


@pytest.fixture
def dismissed(sit: Sit, hub: HubProcess) -> Iterator[Desk]:
    """The open desk of somebody who is kept out of the hub from now on."""
    plant(sit, to="marketer2")
    desk = sit("marketer2", place="fired")
    with Database(hub.db_url) as database:
        administration.revoke(database, "marketer2", wall_clock())
        _let_in(database, "marketer2", is_active=False)
    yield desk
    with Database(hub.db_url) as database:
        _let_in(database, "marketer2", is_active=True)


def _let_in(database: Database, user: str, *, is_active: bool) -> None:
    with database.write() as connection:
        mine = t.person.c.id == user
        connection.execute(update(t.person).where(mine).values(active=is_active))


def test_the_hub_takes_and_gives_nothing_any_more(dismissed: Desk) -> None:
    dismissed.do(Create(kind="lead", title="После увольнения"))
    with pytest.raises(DeskError) as raised:
        dismissed.sync_once()
    assert raised.value.code in ("not_signed_in", "lease_refused")
    assert dismissed.status().pending == 1


def test_the_desk_opens_no_longer_than_its_lease(dismissed: Desk, tmp_path: Path) -> None:
    dismissed.close()
    later = wall_clock() + 80 * HOUR
    with pytest.raises(LeaseOver):
        Desk.open(tmp_path / "fired", PASSPHRASE, clock=lambda: later, transport=CUT)
    with pytest.raises((LeaseRefused, DeskError)):
        Desk.open(tmp_path / "fired", PASSPHRASE, clock=lambda: later)
    assert found_under(tmp_path / "fired", ALL) == {}


def test_an_order_of_the_hub_removes_everything(sit: Sit, hub: HubProcess, tmp_path: Path) -> None:
    plant(sit, to="marketer1")
    desk = sit("marketer1", place="lost")
    with Database(hub.db_url) as database:
        leases.order_wipe(database, device_of(desk), wall_clock(), os.urandom)
    with pytest.raises(WipeOrdered):
        desk.sync_once()
    desk.close()
    left = {path.name for path in (tmp_path / "lost").iterdir()}
    assert not any(name.startswith("local.") for name in left - {"local.lock"}), left
