"""Digests tell whether a desk holds what it should, and a range is fetched like all the rest."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from desk.domain.operations import CloseTask, Comment, EditFields, EditSubject
from desk.domain.rights import mask_print
from desk.hub import changes
from desk.protocol.digests import digest
from desk.protocol.messages import Compare, Compared, Digest, NewDevice, Page, Range, Registered
from desk.schema import hub_tables as t
from tests.hub.hubs import (
    FREIGHT,
    PEOPLE,
    START,
    Desk,
    Hub,
    move,
    new_lead,
    problem,
    qualification,
    read,
)
from tests.keys import public_key

KEY = b"a key of a desk's choice"
ALL = Range()


def an_id(number: int) -> str:
    return f"019f0000-0000-7000-8000-{number:012d}"


def compared(desk: Desk, *ranges: Range, cursor: str = "") -> Compared:
    asked = Compare(key=KEY, ranges=list(ranges or (ALL,)), cursor=cursor)
    return read(desk.post("/v1/digests", asked), Compared)


def own(desk: Desk, one: Range = ALL) -> dict[str, Digest]:
    """What the desk would say of the rows it holds."""
    from desk.domain.playbook_loader import load

    playbook = load(FREIGHT, "freight", version=1)
    role = PEOPLE[desk.user]

    def inside(item_id: str) -> bool:
        return item_id >= one.low and (not one.high or item_id < one.high)

    items = [row for row in desk.rows["item"].values() if inside(row.id)]
    spoken_of = {item.subject_id for item in items}
    stamps: dict[str, list[Any]] = {
        "item": [
            (i.id, i.version, i.updated_at, mask_print(playbook, role, i.kind)) for i in items
        ],
        "task": [
            (r.id, r.version, r.closed_at or 0, "")
            for r in desk.rows["task"].values()
            if inside(r.item_id)
        ],
        "entry": [
            (r.id, r.version, 0, "") for r in desk.rows["entry"].values() if inside(r.item_id)
        ],
        "subject": [
            (r.id, r.version, 0, mask_print(playbook, role, "subject"))
            for r in desk.rows["subject"].values()
            if r.id in spoken_of
        ],
    }
    return {kind: digest(KEY, kind, rows) for kind, rows in stamps.items()}


@pytest.mark.parametrize("user", ["marketer1", "sales1", "sales2", "director", "operator1"])
def test_a_desk_that_pulled_everything_has_the_hubs_digests(hub: Hub, user: str) -> None:
    for _ in range(3):
        _, card = qualification(hub, name="Анна", phone="+79123456789")
        hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    desk = hub.desk(user)
    desk.bootstrap()
    middle = sorted(desk.rows["item"] or {hub.new_id(): None})[len(desk.rows["item"]) // 2]
    halves = Range(high=middle), Range(low=middle)
    for ranges in ((ALL,), halves):
        answer = compared(desk, *ranges, cursor=desk.cursor)
        assert not answer.moved
        assert answer.digests == [own(desk, one) for one in ranges]


def test_every_kind_of_change_shows_in_the_digest_of_its_kind(hub: Hub) -> None:
    lead, card = qualification(hub, name="Анна")
    marketer = hub.desk("marketer1")
    marketer.done(move(card, "hand_off", to="sales1"))
    hub.desk("sales1").done(move(card, "return", comment="нет даты"))
    marketer.bootstrap()
    task = next(row for row in marketer.rows["task"].values() if row.closed_at is None)
    before = own(marketer)
    for intent, kinds in (
        (EditFields(item_id=lead, fields={"route_to": "Томск"}), {"item"}),
        (Comment(item_id=lead, text="заметка"), {"item", "entry"}),
        (EditSubject(item_id=lead, fields={"name": "Аня"}), {"item", "subject"}),
        (CloseTask(item_id=task.item_id, task_id=task.id), {"item", "task", "entry"}),
    ):
        hub.clock.pass_minutes(1)
        marketer.done(intent)
        marketer.pull()
        after = own(marketer)
        assert {kind for kind in after if after[kind] != before[kind]} == kinds
        assert compared(marketer).digests == [after]
        before = after


def test_nothing_is_said_of_a_range_that_changed_since_the_cursor(hub: Hub) -> None:
    qualification(hub)
    hub.clock.pass_minutes(1)
    second, _ = qualification(hub)
    desk = hub.desk("marketer1")
    desk.bootstrap()
    desk.done(Comment(item_id=second, text="позже"))
    late, early = Range(low=second), Range(high=second)
    assert compared(desk, late, cursor=desk.cursor).moved
    assert not compared(desk, early, cursor=desk.cursor).moved
    assert compared(desk, early, cursor="another:1").moved
    desk.pull()
    assert compared(desk, late, cursor=desk.cursor).digests == [own(desk, late)]


def test_what_is_hidden_from_a_reader_is_not_in_his_digest(hub: Hub) -> None:
    qualification(hub)
    (answer,) = compared(hub.desk("sales2")).digests
    assert {kind: one.count for kind, one in answer.items()} == {
        "item": 0,
        "task": 0,
        "entry": 0,
        "subject": 0,
    }


def test_another_mask_gives_another_digest_of_the_same_rows(hub: Hub) -> None:
    _, card = qualification(hub, name="Анна")
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    (marketer,) = compared(hub.desk("marketer1")).digests
    (sales,) = compared(hub.desk("sales1")).digests
    assert (marketer["item"].count, marketer["subject"].count) == (2, 1)
    assert (sales["item"].count, sales["subject"].count) == (2, 1)
    assert marketer["item"].xor != sales["item"].xor
    assert marketer["subject"].xor != sales["subject"].xor
    assert marketer["task"] == sales["task"]


@pytest.mark.parametrize(
    "asked",
    [
        Compare(key=b"short", ranges=[ALL]),
        Compare(key=KEY, ranges=[Range(low="x")]),
        Compare(key=KEY, ranges=[Range(low=an_id(n), high=an_id(n + 1)) for n in range(65)]),
        Compare(key=KEY, ranges=[ALL, ALL]),
        Compare(key=KEY, ranges=[Range(high=an_id(2)), Range(low=an_id(1))]),
        Compare(key=KEY, ranges=[Range(low=an_id(1)), Range(high=an_id(1))]),
    ],
)
def test_what_cannot_be_compared_is_refused(hub: Hub, asked: Compare) -> None:
    assert problem(hub.desk("head").post("/v1/digests", asked))[:2] == (400, "bad_request")


def test_a_part_of_a_snapshot_ends_where_it_was_asked_to(hub: Hub) -> None:
    leads: list[str] = []
    for _ in range(4):
        leads.append(qualification(hub)[0])
        hub.clock.pass_minutes(1)
    desk = hub.desk("marketer1")
    whole = desk.snapshot().ids()
    found: list[str] = []
    after = leads[3]
    while True:
        answer = read(desk.get("/v1/snapshot", after=after, until=leads[1], limit=1), Page)
        found += [item.id for item in answer.items]
        if not answer.more:
            break
        after = answer.after
    assert found == [one for one in whole if leads[1] <= one < leads[3]]
    assert problem(desk.get("/v1/snapshot", until="x"))[:2] == (400, "bad_request")


def test_a_copy_of_a_profile_becomes_a_device_of_its_own(hub: Hub) -> None:
    original = hub.desk("operator1")
    original.done(new_lead())
    new = hub.new_id()
    asked = NewDevice(device=new, device_name="копия", key=public_key(new))
    answer = read(original.signed("/v1/device", asked), Registered)
    assert answer.last_op == 0
    copy = Desk(hub, "operator1", new, answer.token, answer.last_op)
    assert copy.done(new_lead())
    assert original.done(new_lead())


def test_nobody_takes_the_device_of_another(hub: Hub) -> None:
    theirs = hub.desk("head")
    asked = NewDevice(device=theirs.device, device_name="", key=public_key(theirs.device))
    refused = hub.desk("operator1").signed("/v1/device", asked)
    assert problem(refused)[:2] == (409, "device_of_another")


def test_a_cursor_from_before_what_the_log_keeps_is_reset_and_a_later_one_goes_on(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = hub.desk("operator1"), hub.desk("operator1")
    for desk in (old, new):
        desk.bootstrap()
    old.done(new_lead())
    new.pull()
    with hub.database.write() as connection:
        connection.execute(update(t.change).values(at=START - changes.RETENTION - 1))
    monkeypatch.setattr(changes, "PRUNED_AT_ONCE", 2)
    pruned = 0
    while True:
        with hub.database.write() as connection:
            some = changes.prune(connection, hub.clock.now - changes.RETENTION)
        pruned += some
        if not some:
            break
    assert pruned > 2
    recent = old.done(new_lead())
    assert read(old.get("/v1/changes", cursor=old.cursor), Page).reset
    new.pull()
    assert recent in new.rows["item"]
    assert new.rows == new.fresh()


def test_pruning_keeps_what_is_not_old_enough(hub: Hub) -> None:
    with hub.database.write() as connection:
        connection.execute(update(t.change).values(at=START))
        assert changes.prune(connection, START) == 0
    desk = hub.desk("operator1")
    desk.bootstrap()
    assert not read(desk.get("/v1/changes", cursor=desk.cursor), Page).reset


def test_a_digest_travels_as_plain_numbers_and_words() -> None:
    one = digest(KEY, "item", [("a", 1, 0, ""), ("b", 2, 3, "m")])
    assert one == digest(KEY, "item", [("b", 2, 3, "m"), ("a", 1, 0, "")])
    assert msgspec.to_builtins(one) == {"count": 2, "xor": one.xor}
    assert len(one.xor) == 16
    assert digest(KEY, "item", []) == Digest(0, "0" * 16)
