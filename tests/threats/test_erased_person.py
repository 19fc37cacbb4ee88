"""A person had his data erased; somebody looks for it on the hub, on desks and in an old backup."""

from __future__ import annotations

import shutil
from pathlib import Path

from desk.domain.operations import Comment
from desk.hub import erasure
from desk.hub.database import Database
from desk.hub.setup import bring_up
from desk.services.desk import Desk, wall_clock
from tests.hub_process import HubProcess
from tests.services.test_secrecy import decrypted
from tests.threats.plants import ALL, Sit, found, plant


def _erase(hub: HubProcess, desk: Desk, lead: str) -> str:
    subject = desk.card(lead).subject
    assert subject is not None
    with Database(hub.db_url) as database:
        erasure.erase(database, subject.id, "head", wall_clock())
    return subject.id


def test_he_leaves_every_desk_with_drafts_search_and_log(sit: Sit, hub: HubProcess) -> None:
    # The hub is shared: others there have the usual name.
    name, phone = "Стиралкина Память", "+79167650001"
    lead = plant(sit, name=name, phone=phone)
    desks = [sit(user, place=f"{user} with {lead}") for user in ("marketer1", "marketer2", "head")]
    desks[0].save_draft(lead, "form", {"need": name})
    desks[0].do(Comment(item_id=lead, text=f"Перезвонить: {name}"))
    desks[0].sync_once()
    assert desks[0].find(name.split()[0])
    subject = _erase(hub, desks[0], lead)
    for desk in desks:
        desk.sync_once()
        desk.sync_once()
        card = desk.card(lead)
        assert card.subject is None or card.subject.fields == {}
        assert desk.find(name.split()[0]) == []
        assert desk.find(phone) == []
        assert found(decrypted(desk), [name, phone]) == [], desk.me.id
    with Database(hub.db_url) as database, database.read() as connection:
        waiting = erasure.outstanding(connection, subject, wall_clock())
    ours = {desk.context.store.keys.box.outer.device for desk in desks}
    assert not ours & {one.device_id for one in waiting}


def test_a_backup_from_before_does_not_bring_him_back(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    lead = plant(sit)
    desk = sit("marketer1", place="before")
    original = Path(hub.db_url.removeprefix("sqlite:///"))
    backup = tmp_path / "backup"
    backup.mkdir()
    for suffix in ("", "-wal", "-shm"):
        if original.with_name(original.name + suffix).exists():
            shutil.copyfile(original.with_name(original.name + suffix), backup / f"hub.db{suffix}")
    subject = _erase(hub, desk, lead)
    # The key store is as it is today: it is kept apart from backups of the database.
    shutil.copyfile(original.with_name("hub.keys.db"), backup / "hub.keys.db")
    with Database(f"sqlite:///{backup / 'hub.db'}") as database:
        bring_up(database)
        erasure.mend(database, wall_clock())
        with database.read() as connection:
            from sqlalchemy import select

            from desk.hub.store import Opened
            from desk.schema import hub_tables as t

            opened = Opened(connection)
            rows = opened.subjects(select(t.subject).where(t.subject.c.id == subject))
            items = opened.items(select(t.item).where(t.item.c.id == lead))
    assert [row.fields for row in rows] == [{}]
    assert found(repr([(one.title, one.fields) for one in items]).encode(), ALL) == []
