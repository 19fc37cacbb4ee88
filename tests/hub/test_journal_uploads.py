"""What desks noted comes in once and in order, whatever is lost on the way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from desk.domain.journal import Access, pack
from desk.domain.playbook_loader import load
from desk.hub import journal_uploads
from desk.protocol.journal import Noted, Upload, Uploaded
from tests.hub.hubs import FREIGHT, START, Desk, Hub, problem, read, running, session
from tests.hub.test_journal_entries import entries
from tests.hub.test_journal_entries import hub as hub


class Chain:
    """A desk's own journal; what its MACs are made of is nobody else's business."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.noted: list[Noted] = []
        self.made = 0

    def note(self, count: int, **more: Any) -> None:
        for _ in range(count):
            self.made += 1
            seq = len(self.noted) + 1
            access = Access(id=self.desk.hub.new_id(), at=START + self.made, event="read", **more)
            mac = f"{seq}-{access.id}".encode()[:32].ljust(32, b".")
            self.noted.append(Noted(seq=seq, mac=mac, access=access))

    def upload(self, first: int = 1, last: int | None = None, **more: Any) -> Upload:
        before = self.noted[first - 2].mac if first > 1 else b""
        return Upload(
            after=first - 1, after_mac=before, entries=self.noted[first - 1 : last], **more
        )

    def send(self, first: int = 1, last: int | None = None, **more: Any) -> Uploaded:
        return read(self.desk.post("/v1/journal", self.upload(first, last, **more)), Uploaded)

    def head(self, seq: int) -> Uploaded:
        return Uploaded(seq=seq, mac=self.noted[seq - 1].mac if seq else b"")

    def here(self) -> list[int]:
        """When what the hub has was noted."""
        return [one.at - START for one in entries(self.desk.hub, event="read")]

    def broken(self) -> list[dict[str, str]]:
        return [one.detail for one in entries(self.desk.hub, event="journal_broken")]


@pytest.fixture
def chain(hub: Hub) -> Chain:
    chain = Chain(hub.desk("marketer1"))
    chain.note(6)
    return chain


def test_entries_come_in_order_and_the_head_is_acknowledged(hub: Hub, chain: Chain) -> None:
    hub.clock.pass_minutes(5)
    assert chain.send(1, 2) == chain.head(2)
    assert chain.send(3, 6) == chain.head(6)
    assert chain.here() == [1, 2, 3, 4, 5, 6]
    assert chain.broken() == []
    (first, *_) = entries(hub, event="read")
    assert (first.who, first.role, first.device) == ("marketer1", "marketer", chain.desk.device)
    assert first.received_at == hub.clock.now


def test_an_upload_whose_answer_was_lost_is_answered_again_and_written_once(chain: Chain) -> None:
    assert chain.send(1, 3) == chain.head(3)
    assert chain.send(1, 3) == chain.head(3)
    assert chain.send(1, 6) == chain.head(6)
    assert chain.send(2, 4) == chain.head(6)
    assert chain.here() == [1, 2, 3, 4, 5, 6]
    assert chain.broken() == []


def test_a_gap_is_told_to_the_officer_and_what_follows_is_kept(chain: Chain) -> None:
    chain.send(1, 2)
    assert chain.send(5, 6) == chain.head(6)
    assert chain.here() == [1, 2, 5, 6]
    assert chain.broken() == [{"code": "gap", "expected": "3", "given": "5"}]
    chain.note(1)
    chain.send(7)
    assert len(chain.broken()) == 1


def test_a_desk_file_that_was_put_back_is_told_and_loses_nothing(chain: Chain) -> None:
    """It goes on from entry 3, and has other entries 4 and 5 than the hub."""
    chain.send(1, 5)
    chain.noted = chain.noted[:3]
    chain.note(2)
    assert chain.send(2, 5) == chain.head(5)
    assert chain.here() == [1, 2, 3, 4, 5, 7, 8]
    assert chain.broken() == [{"code": "fork", "expected": "6", "given": "4"}]
    chain.note(1)
    assert chain.send(6) == chain.head(6)
    assert len(chain.broken()) == 1


def test_a_desk_file_that_was_put_back_and_noted_nothing_learns_where_the_hub_is(
    chain: Chain,
) -> None:
    chain.send()
    assert chain.send(1, 2) == chain.head(6)
    assert chain.broken() == []


def test_other_entries_under_the_next_number_are_a_break(chain: Chain) -> None:
    chain.send(1, 3)
    other = Chain(chain.desk)
    other.made = 10
    other.note(4)
    assert other.send(4) == other.head(4)
    assert chain.broken() == [{"code": "fork", "expected": "4", "given": "4"}]


def test_what_the_desk_itself_found_broken_is_told(chain: Chain) -> None:
    chain.send(broken="local")
    assert chain.broken() == [{"code": "local"}]
    assert chain.here() == [1, 2, 3, 4, 5, 6]


def test_a_desk_cannot_write_what_it_cannot_know_nor_in_anothers_name(hub: Hub) -> None:
    chain = Chain(hub.desk("marketer1"))
    secret = "Ivan-79161234567"
    chain.note(
        1,
        who="head",
        role="head",
        device="hub",
        purpose=secret,
        fields=("subject.phone", "lead.title", secret),
        detail={"via": "card", "why": secret},
        subjects=pack([hub.new_id()]) + b"short",
    )
    forged = msgspec.structs.replace(chain.noted[0].access, event="rights")
    chain.noted[0] = msgspec.structs.replace(chain.noted[0], access=forged)
    chain.send()
    (entry,) = entries(hub, event="unknown")
    assert (entry.who, entry.role, entry.device) == ("marketer1", "head", chain.desk.device)
    assert entry.fields == ("subject.phone", "lead.title")
    assert (entry.purpose, entry.detail) == ("", {"via": "card"})
    assert len(entry.subjects) == 16
    assert secret not in repr(entry)


@pytest.mark.parametrize("upload", ["hole", "same_id", "not_an_id", "long_mac"])
def test_what_no_desk_sends_is_refused_whole(chain: Chain, upload: str) -> None:
    sent = msgspec.to_builtins(chain.upload())
    if upload == "hole":
        del sent["entries"][2]
    elif upload == "same_id":
        sent["entries"][1]["access"]["id"] = sent["entries"][0]["access"]["id"]
    elif upload == "not_an_id":
        sent["entries"][1]["access"]["id"] = "Иванов"
    else:
        sent["entries"][1]["mac"] += "AAAA"
    assert problem(chain.desk.post("/v1/journal", sent))[:2] == (400, "bad_request")
    assert chain.here() == []


def test_an_upload_that_comes_twice_at_once_is_written_once(database_url: str) -> None:
    """The first answer is on its way while the desk, impatient, asks again."""
    with running(database_url) as hub:
        chain = Chain(hub.desk("marketer1"))
        chain.note(6)
        mine, playbook = session(hub, chain.desk), load(FREIGHT, "freight")
        start = threading.Barrier(3)

        def upload(_: int) -> Uploaded:
            start.wait()
            with hub.database.write() as connection:
                return journal_uploads.take(connection, mine, playbook, chain.upload(), START)

        with ThreadPoolExecutor(3) as threads:
            answers = list(threads.map(upload, range(3)))
        assert answers == [chain.head(6)] * 3
        assert chain.here() == [1, 2, 3, 4, 5, 6]
        assert chain.broken() == []
