"""What a person did with personal data is noted on the desk and comes to the hub once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, select, update

from desk.domain.journal import Access, unpack
from desk.domain.operations import Create
from desk.hub import journal as hub_journal
from desk.hub.database import Database
from desk.protocol.journal import JournalQuery, Upload, Uploaded
from desk.schema.desk_tables import journal
from desk.services import journal as journal_module
from desk.services.desk import Desk
from desk.services.errors import HubUnreachable
from tests.hub_process import PASSWORD, HubProcess
from tests.services.rooms import NOW, a_lead, a_page, a_subject, an_id, furnish, open_desk
from tests.services.wires import FaultyWire, cut_answer, lose_answer

Sit = Callable[..., Desk]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def furnished(tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    """A marketing manager's desk with two leads, without a hub."""
    leads = [a_lead(number) for number in (1, 2)]
    subjects = [
        a_subject(lead, name="Иван Секретов", phone="+79161234567", email="") for lead in leads
    ]
    with open_desk(tmp_path / "desk", clock=clock) as desk:
        furnish(desk, a_page(items=leads, subjects=subjects))
        yield desk


def here(desk: Desk) -> list[Access]:
    """What stands in the desk's journal."""
    with desk.context.store.read() as connection:
        bodies = connection.execute(select(journal.c.body).order_by(journal.c.seq)).scalars()
        return [msgspec.json.decode(body, type=Access) for body in bodies]


def at_hub(hub: HubProcess, desk: Desk, **asked: Any) -> list[Access]:
    """What the hub has of the desk, the oldest first, beside what it saw itself."""
    device = desk.examine().device
    with Database(hub.db_url) as database, database.read() as connection:
        query = JournalQuery(device=device, limit=500, **asked)
        lines = hub_journal.page(connection, query).lines
    return [line.access for line in reversed(lines) if line.access.event != "deliver"]


def breaks(hub: HubProcess, desk: Desk) -> list[str]:
    return [one.detail["code"] for one in at_hub(hub, desk, event="journal_broken")]


def leads(desk: Desk, count: int) -> list[str]:
    """Leads of this desk's own."""
    made = [
        desk.do(
            Create(kind="lead", title="Псков", fields={"source": "site"}, subject={"name": "И"})
        )
        for _ in range(count)
    ]
    return [done.item_ids[0] for done in made]


def look(desk: Desk, *ids: str) -> None:
    for item_id in ids:
        desk.note_card(desk.card(item_id))


def test_an_opened_card_is_noted_with_names_of_fields_and_no_values(furnished: Desk) -> None:
    (first, second) = furnished.rows()
    look(furnished, first.item.id, second.item.id)
    entry = here(furnished)[0]
    assert (entry.event, entry.who, entry.role) == ("read", "marketer1", "marketer")
    assert (entry.item_id, entry.subject_id) == (first.item.id, first.item.subject_id)
    assert entry.fields == ("subject.name", "subject.phone")
    assert (entry.purpose, entry.offline, entry.detail) == ("processing", True, {"via": "card"})
    text = b"".join(msgspec.json.encode(one) for one in here(furnished)).decode()
    assert "Секретов" not in text
    assert "916" not in text


def test_a_card_opened_again_within_a_minute_is_noted_once(furnished: Desk, clock: Clock) -> None:
    first, second = (row.item.id for row in furnished.rows())
    look(furnished, first, second, first)
    clock.now += journal_module.AGAIN - 1
    look(furnished, first)
    assert [one.item_id for one in here(furnished)] == [first, second]
    clock.now += 1
    look(furnished, first)
    assert [one.item_id for one in here(furnished)] == [first, second, first]


def test_a_clock_that_was_set_back_does_not_silence_the_journal(
    furnished: Desk, clock: Clock
) -> None:
    first = furnished.rows()[0].item.id
    look(furnished, first)
    clock.now -= 3_600_000
    look(furnished, first)
    assert len(here(furnished)) == 2


def test_a_search_is_noted_with_whom_it_found_and_not_again_for_each_letter(
    furnished: Desk,
) -> None:
    rows = furnished.rows()
    furnished.note_rows(rows[:1], "search")
    furnished.note_rows(rows, "search")
    furnished.note_rows(rows, "search")
    furnished.note_rows([], "search")
    found = [list(unpack(one.subjects)) for one in here(furnished)]
    assert found == [[rows[0].item.subject_id], [rows[1].item.subject_id]]
    assert {one.event for one in here(furnished)} == {"search"}


def test_what_is_noted_reaches_the_hub_with_the_next_exchange_and_is_dropped_here(
    hub: HubProcess, sit: Sit
) -> None:
    desk = sit("operator1")
    (lead,) = leads(desk, 1)
    desk.sync_once()
    look(desk, lead)
    (noted,) = here(desk)
    assert not noted.offline
    desk.sync_once()
    assert here(desk) == []
    (entry,) = at_hub(hub, desk, item_id=lead)
    assert (entry.id, entry.event, entry.who) == (noted.id, "read", "operator1")
    assert entry.received_at is not None
    assert breaks(hub, desk) == []


@pytest.mark.parametrize("fault", [lose_answer, cut_answer])
def test_an_answer_that_is_lost_costs_nothing_and_writes_nothing_twice(
    hub: HubProcess, sit: Sit, fault: Any
) -> None:
    wire = FaultyWire()
    desk = sit("operator1", transport=wire)
    first, second, third = leads(desk, 3)
    look(desk, first, second)
    wire.faults["/v1/journal"] = [fault]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    assert len(here(desk)) == 2
    look(desk, third)
    desk.sync_once()
    assert [one.item_id for one in at_hub(hub, desk, event="read")] == [first, second, third]
    # The hub was not heard of when the third card was opened.
    assert [one.offline for one in at_hub(hub, desk, event="read")] == [False, False, True]
    assert (here(desk), breaks(hub, desk)) == ([], [])


def test_a_long_journal_goes_in_pieces(
    hub: HubProcess, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "UPLOADED_AT_ONCE", 2)
    wire = FaultyWire()
    desk = sit("operator1", transport=wire)
    ids = leads(desk, 5)
    look(desk, *ids)
    desk.sync_once()
    assert wire.asked.count("/v1/journal") == 3
    assert [one.item_id for one in at_hub(hub, desk, event="read")] == ids


def test_a_list_of_very_many_cards_is_noted_whole_and_in_pieces_a_request_takes(
    furnished: Desk, clock: Clock
) -> None:
    shown = [(an_id(number), an_id(100_000 + number)) for number in range(9000)]
    journal_of = furnished._network.journal
    for _ in range(12):
        journal_of.listed("read", shown, "list")
    sent: list[Upload] = []

    class Hub:
        def ask(self, path: str, message: Upload, answer: object) -> Uploaded:
            sent.append(message)
            return Uploaded(seq=message.entries[-1].seq, mac=message.entries[-1].mac)

    hub: Any = Hub()
    journal_of.upload(hub)
    assert max(len(msgspec.json.encode(one)) for one in sent) < 1024 * 1024
    accesses = [one.access for upload in sent for one in upload.entries]
    assert sum(one.count for one in accesses) == 12 * 9000
    assert {subject for one in accesses for subject in unpack(one.subjects)} == {
        subject for _, subject in shown
    }


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (delete(journal).where(journal.c.seq == 2), "gap"),
        (update(journal).where(journal.c.seq == 2).values(mac=b"\x01" * 32), "local"),
    ],
    ids=["removed", "edited"],
)
def test_a_journal_that_was_tampered_with_is_told_to_the_officer(
    hub: HubProcess, sit: Sit, tamper: Any, told: str
) -> None:
    desk = sit("operator1")
    look(desk, *leads(desk, 3))
    with desk.context.store.write() as connection:
        connection.execute(tamper)
    desk.sync_once()
    assert breaks(hub, desk) == [told]
    assert here(desk) == []
    look(desk, *leads(desk, 1))
    desk.sync_once()
    assert breaks(hub, desk) == [told]


@pytest.mark.parametrize(("worked", "told"), [(True, "fork"), (False, "restored")])
def test_a_desk_file_that_was_put_back_is_told_to_the_officer(
    hub: HubProcess, tmp_path: Path, worked: bool, told: str
) -> None:
    folder, copy = tmp_path / "desk", tmp_path / "copy"
    with open_desk(folder) as desk:
        desk.sign_in(hub.url, "operator1", PASSWORD)
        desk.sync_once()
        first, second = leads(desk, 2)
        look(desk, first)
    shutil.copytree(folder, copy)
    with open_desk(folder) as desk:
        look(desk, second)
        desk.sync_once()
        assert breaks(hub, desk) == []
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    with open_desk(folder) as desk:
        # Its session is as old as the rest of it.
        desk.sign_in(hub.url, "operator1", PASSWORD)
        if worked:
            look(desk, *leads(desk, 2))
        desk.sync_once()
        assert breaks(hub, desk) == [told]
        assert here(desk) == []
        look(desk, *leads(desk, 1))
        desk.sync_once()
        assert breaks(hub, desk) == [told]
        assert len(at_hub(hub, desk, event="read")) == (5 if worked else 3)


def test_the_hubs_head_is_followed_with_what_was_noted_meanwhile(furnished: Desk) -> None:
    """While an older state of the file is sent, one more card is opened."""
    first, second = (row.item.id for row in furnished.rows())
    look(furnished, first)
    network = furnished._network
    head = Uploaded(seq=9, mac=b"\x09" * 32)
    sent: list[Upload] = []

    class Hub:
        def ask(self, path: str, message: Upload, answer: object) -> Uploaded:
            sent.append(message)
            if len(sent) == 1:
                look(furnished, second)
                return head
            last = message.entries[-1] if message.entries else None
            return Uploaded(seq=last.seq, mac=last.mac) if last else head

    hub: Any = Hub()
    network.journal.upload(hub)
    assert [(one.after, one.after_mac) for one in sent] == [(0, b""), (9, head.mac)]
    assert [(one.seq, one.access.item_id) for one in sent[1].entries] == [(10, second)]
    assert [one.broken for one in sent] == ["", "restored"]
    assert here(furnished) == []
