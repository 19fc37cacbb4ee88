"""A person is erased: nothing of him is left in any file of the desk, and the hub is told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from desk.domain.model import Subject
from desk.domain.operations import Comment, EditSubject
from desk.protocol.messages import Forget, Page
from desk.protocol.personal import ErasedHere
from desk.services import arrivals, erasure, overlay, queue, rotation, settings, shadow
from desk.services.desk import Desk
from desk.services.errors import AlteredCopy, HubUnreachable
from desk.services.hub_client import HubClient
from desk.services.rows import SUBJECTS
from tests.services.rooms import (
    a_lead,
    a_page,
    a_subject,
    furnish,
    mirrored,
    open_desk,
    ticking,
)
from tests.services.test_secrecy import decrypted

CANARY, PHONE, EMAIL = "Стеклянный Орест", "+79265550177", "orest@canary.example"
CANARIES = [text.encode() for text in (CANARY, PHONE, EMAIL, "канарейка")]
LEADS = [a_lead(1), a_lead(2)]
ERASED = a_subject(LEADS[0], name=CANARY, phone=PHONE, email=EMAIL)
OTHER = a_subject(LEADS[1], name="Живой Пётр", phone="+79265550188")
GONE = msgspec.structs.replace(a_page(), forget=[Forget(kind="subject", id=ERASED.id)])


class Hub:
    """Hears of the erased, or cannot be reached."""

    hub = "http://127.0.0.1:9"

    def __init__(self) -> None:
        self.told: list[list[str]] = []
        self.reachable = True

    def erased(self, message: ErasedHere) -> None:
        if not self.reachable:
            raise HubUnreachable(hub=self.hub)
        self.told.append(message.subjects)


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path / "desk", clock=ticking()) as opened:
        furnish(opened, a_page(items=LEADS, subjects=[ERASED, OTHER]))
        opened.do(EditSubject(item_id=LEADS[0].id, fields={"position": "канарейка"}))
        opened.do(Comment(item_id=LEADS[0].id, text=f"сказать {CANARY}"))
        opened.do(Comment(item_id=LEADS[1].id, text="живому"))
        opened.save_draft(LEADS[0].id, "comment", {"text": f"звонить {PHONE}"})
        opened.save_draft(LEADS[1].id, "comment", {"text": "живому"})
        yield opened


def land(desk: Desk, page: Page) -> None:
    """Put a page in place as a pull does."""
    with desk.context.store.write() as connection:
        overlay.restore(connection)
        arrivals.land(connection, [page])
        overlay.replay(connection, desk.context.rulebook)


def finish(desk: Desk, hub: Hub) -> None:
    rotation.finish(desk.context.store, cast("HubClient", hub))


def opened_rows(desk: Desk) -> bytes:
    return msgspec.json.encode(mirrored(desk))


def test_nothing_that_was_kept_or_typed_about_him_is_left(desk: Desk, hub: Hub) -> None:
    assert CANARIES[0] in opened_rows(desk)
    land(desk, GONE)
    finish(desk, hub)
    everything = decrypted(desk) + opened_rows(desk)
    assert not [canary for canary in CANARIES if canary in everything]
    assert desk.find(PHONE) == desk.find(CANARY) == []
    assert desk.card(LEADS[0].id).subject is None
    with desk.context.store.read() as connection:
        assert len(queue.all_operations(connection)) == 3
    assert hub.told == [[ERASED.id]]


def test_the_others_stay_with_all_that_was_done_and_typed(desk: Desk, hub: Hub) -> None:
    land(desk, GONE)
    finish(desk, hub)
    assert mirrored(desk)["subject"] == [OTHER]
    assert [row.item.id for row in desk.find("+79265550188")] == [LEADS[1].id]
    assert desk.draft(LEADS[1].id, "comment") == {"text": "живому"}


def test_no_file_of_the_desk_holds_a_byte_of_him(desk: Desk, hub: Hub) -> None:
    land(desk, GONE)
    finish(desk, hub)
    files = [file for file in desk.profile_dir.rglob("*") if file.is_file()]
    assert {"local.db", "local.db-shm"} <= {file.name for file in files}
    for file in files:
        content = file.read_bytes()
        assert not [canary for canary in CANARIES if canary in content], file.name


def test_a_copy_of_the_file_made_before_opens_his_row_no_more(
    desk: Desk, hub: Hub, tmp_path: Path
) -> None:
    store = desk.context.store
    store.scrub()
    shutil.copy(desk.profile_dir / "local.db", tmp_path / "before.db")
    land(desk, GONE)
    finish(desk, hub)
    before = type(store).open(tmp_path / "before.db", store.keys)
    with pytest.raises(AlteredCopy), before.read() as connection:
        SUBJECTS.get(connection, [ERASED.id])
    before.close()


def test_the_hub_is_told_again_until_it_has_answered(desk: Desk, hub: Hub) -> None:
    land(desk, GONE)
    hub.reachable = False
    for _ in range(2):
        with pytest.raises(HubUnreachable):
            finish(desk, hub)
    hub.reachable = True
    finish(desk, hub)
    finish(desk, hub)
    assert hub.told == [[ERASED.id]]
    assert desk.context.store.sealer.epoch == 2


def test_the_hub_is_not_told_while_a_reader_holds_old_pages(desk: Desk, hub: Hub) -> None:
    store = desk.context.store
    with store.read() as connection, connection.begin():
        SUBJECTS.all(connection)
        land(desk, GONE)
        finish(desk, hub)
        assert hub.told == []
    finish(desk, hub)
    assert hub.told == [[ERASED.id]]


def test_a_row_that_comes_as_erased_erases_too_and_once_alone(desk: Desk, hub: Hub) -> None:
    empty = Subject(id=ERASED.id, version=9, stage="erased")
    for _ in range(2):
        land(desk, a_page(items=[LEADS[0]], subjects=[empty]))
        finish(desk, hub)
    assert hub.told == [[ERASED.id]]
    assert mirrored(desk)["subject"][0] == empty
    assert not [canary for canary in CANARIES if canary in decrypted(desk)]


def test_a_row_in_an_arriving_snapshot_erases_what_is_here(desk: Desk, hub: Hub) -> None:
    empty = Subject(id=ERASED.id, version=9, stage="erased")
    with desk.context.store.write() as connection:
        shadow.begin(connection)
        arrivals.put(connection, a_page(items=LEADS, subjects=[empty, OTHER]), shadow.ROWS)
        assert SUBJECTS.get(connection, [ERASED.id]) == []
        assert erasure.in_state(connection, "cleared") == [ERASED.id]
    finish(desk, hub)
    with desk.context.store.read() as connection:
        assert shadow.SUBJECTS.all(connection) == [empty, OTHER]
        assert settings.get(connection, settings.ROTATION) is None
