"""What a desk pulls is what its user may see: no more, no less, in one order for everybody."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from desk.domain.ids import make_id
from desk.domain.operations import CloseTask, Comment, EditFields, EditSubject, Intent
from desk.hub import changes
from desk.hub.database import Database
from desk.protocol.messages import Forget, Page
from desk.schema import hub_tables as t
from tests.hub.hubs import PEOPLE, START, Desk, Hub, move, new_lead, qualification, read, rows_of


def test_concurrent_writers_never_skip_or_repeat_a_number(database_url: str) -> None:
    seen: list[int] = []

    def write(writer: int) -> None:
        with Database(database_url) as database:
            for number in range(25):
                with database.write() as connection:
                    user = f"w{writer}-{number}"
                    changes.write(connection, [changes.of_person(user, 1)], at=START)

    written = threading.Event()

    def read_on() -> None:
        cursor, is_last = 0, False
        with Database(database_url) as database:
            while not is_last:
                # Once more after the last writer: what was skipped does not come any more.
                is_last = written.is_set()
                with database.read() as connection:
                    head = changes.head(connection).seq
                    query = select(t.change.c.seq, t.change.c.id).where(
                        t.change.c.seq > cursor, t.change.c.seq <= head
                    )
                    seen.extend(row.seq for row in connection.execute(query) if row.id[0] == "w")
                cursor = head

    with ThreadPoolExecutor(5) as threads:
        reader = threads.submit(read_on)
        try:
            list(threads.map(write, range(4)))
        finally:
            written.set()
        reader.result(timeout=60)
    first = len(PEOPLE) + 1
    assert seen == list(range(first, first + 100))


def test_a_failed_transaction_leaves_no_hole_in_the_order(hub: Hub) -> None:
    with hub.database.read() as connection:
        before = changes.head(connection).seq

    def fail_after_writing() -> None:
        with hub.database.write() as connection:
            changes.write(connection, [changes.of_person("lost", 1)], at=START)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    with hub.database.read() as connection:
        assert changes.head(connection).seq == before


def test_a_new_item_comes_with_its_subject_and_timeline(hub: Hub) -> None:
    operator, consultant = hub.desk("operator1"), hub.desk("consultant1")
    consultant.bootstrap()
    lead = operator.done(new_lead(name="Анна"))
    consultant.pull()
    assert list(consultant.rows["item"]) == [lead]
    assert [one.fields for one in consultant.rows["subject"].values()] == [{"name": "Анна"}]
    assert [one.event for one in consultant.rows["entry"].values()] == ["create"]


def test_an_item_that_enters_sight_brings_what_belongs_to_it(hub: Hub) -> None:
    lead, card = qualification(hub, name="Анна")
    sales = hub.desk("sales1")
    sales.bootstrap()
    assert not sales.rows["item"]
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    sales.pull()
    assert set(sales.rows["item"]) == {lead, card}
    assert [one.type for one in sales.rows["task"].values()] == ["call_sales"]
    assert sales.rows == sales.fresh()


def test_an_item_that_leaves_sight_is_forgotten_with_all_of_it_and_comes_back_whole(
    hub: Hub,
) -> None:
    lead, card = qualification(hub, name="Анна")
    marketer, sales = hub.desk("marketer1"), hub.desk("sales1")
    sales.bootstrap()
    marketer.done(move(card, "hand_off", to="sales1"))
    sales.pull()
    sales.done(move(card, "return", comment="нет даты"))
    (page,) = sales.pull()
    assert set(page.forget) == {Forget(kind="item", id=lead), Forget(kind="item", id=card)}
    assert not any(sales.rows[kind] for kind in ("item", "task", "entry", "subject"))
    marketer.done(move(card, "hand_off", to="sales1"))
    sales.pull()
    assert set(sales.rows["item"]) == {lead, card}
    assert sales.rows == sales.fresh()


def test_what_was_never_in_sight_is_not_mentioned(hub: Hub) -> None:
    sales = hub.desk("sales2")
    sales.bootstrap()
    _, card = qualification(hub, name="Анна")
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    hub.desk("sales1").done(move(card, "accept"))
    pages = sales.pull()
    assert not any(page.forget or page.items or page.subjects for page in pages)
    assert pages[-1].cursor != pages[0].cursor or len(pages) == 1


def test_of_what_came_and_went_between_two_pulls_nothing_is_shown(hub: Hub) -> None:
    _, card = qualification(hub)
    sales = hub.desk("sales1")
    sales.bootstrap()
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    hub.desk("sales1").done(move(card, "return", comment="нет даты"))
    (page,) = sales.pull()
    assert not any((page.items, page.tasks, page.entries, page.subjects))


def test_what_came_during_a_snapshot_and_left_after_it_is_forgotten(hub: Hub) -> None:
    _, card = qualification(hub, name="Анна")
    marketer, sales = hub.desk("marketer1"), hub.desk("sales1")
    before = read(sales.get("/v1/snapshot", limit=1), Page)
    marketer.done(move(card, "hand_off", to="sales1"))
    sales.bootstrap()
    assert card in sales.rows["item"]
    sales.cursor = before.cursor
    hub.desk("sales1").done(move(card, "return", comment="нет даты"))
    sales.pull()
    assert not any(sales.rows[kind] for kind in ("item", "task", "entry", "subject"))


def test_what_came_back_between_two_pages_comes_whole(hub: Hub) -> None:
    _, card = qualification(hub, name="Анна")
    marketer, sales, other = hub.desk("marketer1"), hub.desk("sales1"), hub.desk("sales1")
    sales.bootstrap()
    marketer.done(move(card, "hand_off", to="sales1"))
    with hub.database.read() as connection:
        coming = changes.head(connection).seq - int(sales.cursor.rpartition(":")[2])
    other.done(move(card, "return", comment="нет даты"))
    page = read(sales.get("/v1/changes", cursor=sales.cursor, limit=coming), Page)
    assert (page.items, page.more) == ([], True)
    sales.cursor = page.cursor
    marketer.done(move(card, "hand_off", to="sales1"))
    sales.pull()
    assert sales.rows == sales.fresh()


def test_a_page_covers_the_operation_that_it_shows(hub: Hub) -> None:
    desk = hub.desk("operator1")
    desk.bootstrap()
    desk.done(new_lead())
    (page,) = desk.pull()
    assert (page.last_op, len(page.items)) == (1, 1)
    desk.do(new_lead(title=""))
    (page,) = desk.pull()
    assert (page.last_op, page.items) == (2, [])


def test_a_row_changed_often_comes_once(hub: Hub) -> None:
    desk = hub.desk("operator1")
    desk.bootstrap()
    lead = desk.done(new_lead())
    for town in ("Омск", "Томск", "Тверь"):
        desk.done(EditFields(item_id=lead, fields={"route_to": town}))
    (page,) = desk.pull()
    assert [item.fields["route_to"] for item in page.items] == ["Тверь"]


@pytest.mark.parametrize("spoil", ["epoch", "policy", "future", "nonsense"])
def test_a_cursor_that_no_longer_holds_asks_for_a_new_snapshot(hub: Hub, spoil: str) -> None:
    desk = hub.desk("operator1")
    desk.bootstrap()
    cursor = desk.cursor
    with hub.database.write() as connection:
        if spoil == "epoch":
            changes.start_epoch(connection, make_id(hub.clock.now, random.Random(3).randbytes))
        elif spoil == "policy":
            mine = update(t.account).where(t.account.c.user_id == "operator1")
            connection.execute(mine.values(policy_version=2))
    if spoil in {"future", "nonsense"}:
        cursor = f"{cursor.rpartition(':')[0]}:{'99999' if spoil == 'future' else 'x²'}"
    page = read(desk.get("/v1/changes", cursor=cursor), Page)
    assert page.reset
    assert not page.items
    desk.bootstrap()
    assert desk.pull()


def test_a_snapshot_in_pages_is_the_snapshot_in_one(hub: Hub) -> None:
    operator = hub.desk("operator1")
    leads = [operator.done(new_lead(name=f"Анна {n}")) for n in range(7)]
    taken = operator.snapshot(limit=3)
    assert [len(page.items) for page in taken.pages] == [3, 3, 1]
    assert [page.total for page in taken.pages] == [7, 0, 0]
    assert taken.ids() == sorted(leads, reverse=True)
    assert sorted(taken.ids("person")) == sorted(PEOPLE)
    whole = operator.snapshot()
    for kind in ("item", "subject", "entry", "person"):
        assert sorted(whole.ids(kind)) == sorted(taken.ids(kind))


def test_changes_made_during_a_snapshot_are_in_the_pull_after_it(hub: Hub) -> None:
    operator, other = hub.desk("operator1"), hub.desk("operator2")
    leads = sorted(operator.done(new_lead()) for _ in range(4))
    first = read(other.get("/v1/snapshot", limit=2), Page)
    operator.done(EditFields(item_id=leads[0], fields={"route_to": "Омск"}))
    late = operator.done(new_lead())
    other.bootstrap(limit=2)
    other.cursor = first.cursor
    (page,) = other.pull()
    assert {item.id for item in page.items} == {leads[0], late}
    assert other.rows == other.fresh()


class Walk:
    """People who do what comes into their heads; most of it is refused."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.random = random.Random(seed)
        self.desks = {user: hub.desk(user) for user in PEOPLE}
        self.leads: list[str] = []

    def step(self) -> None:
        user = self.random.choice(["operator1", "marketer1", "marketer1", "sales1", "head"])
        desk = self.desks[user]
        if user == "operator1" and self.random.random() < 0.5:
            lead = desk.done(new_lead(name="Анна", phone="+79123456789"))
            desk.do(move(lead, "assign", to="marketer1"))
            return
        desk.pull()
        items = sorted(desk.rows["item"])
        if items:
            desk.do(self._intent(desk, self.random.choice(items)))

    def _intent(self, desk: Desk, item_id: str) -> Intent:
        def act(transition: str) -> Callable[[], Intent]:
            return lambda: move(
                item_id,
                transition,
                to="sales1" if transition == "hand_off" else "marketer1",
                comment="так надо",
                fields=fields.get(transition, {}),
            )

        fields = {
            "target": {"target_direction": "ftl", "monthly_volume": 3},
            "junk": {"junk_stage": "junk_spam"},
        }
        tasks = [task.id for task in desk.rows["task"].values()] or [item_id]
        choices: list[Callable[[], Intent]] = [
            lambda: Comment(item_id=item_id, text="звонил"),
            lambda: EditSubject(item_id=item_id, fields={"name": "Анна Белова"}),
            lambda: EditFields(item_id=item_id, fields={"weight_t": self.random.randint(1, 20)}),
            lambda: CloseTask(item_id=item_id, task_id=self.random.choice(tasks)),
        ]
        choices += map(act, ("hand_off", "hand_off", "return", "accept", "target", "junk"))
        choices += map(act, ("start", "assign", "reopen", "convert"))
        return self.random.choice(choices)()


@pytest.mark.parametrize("seed", range(2))
def test_every_desk_ends_with_what_its_user_may_see(hub: Hub, seed: int) -> None:
    walk = Walk(hub, seed)
    for desk in walk.desks.values():
        desk.bootstrap()
    for _ in range(45):
        walk.step()
        if walk.random.random() < 0.4:
            walk.random.choice(list(walk.desks.values())).pull(limit=walk.random.randint(1, 9))
    for user, desk in walk.desks.items():
        desk.pull(limit=5)
        assert desk.rows == desk.fresh(), user


def test_a_head_start_holds_the_most_urgent_and_the_newest_with_their_families(hub: Hub) -> None:
    old, card = qualification(hub, name="Анна")
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    hub.clock.pass_minutes(1)
    operator = hub.desk("operator1")
    newest = sorted(operator.done(new_lead(name=f"Анна {n}")) for n in range(5))[-2:]
    head = hub.desk("head")
    page = read(head.get("/v1/snapshot", order="urgent", limit=4), Page)
    assert {item.id for item in page.items} == {old, card, *newest}
    assert [task.item_id for task in page.tasks if task.closed_at is None] == [old]
    assert {entry.item_id for entry in page.entries} == {item.id for item in page.items}
    assert {item.subject_id for item in page.items} == {one.id for one in page.subjects}
    assert {person.id for person in page.people} == set(PEOPLE)
    assert not page.more


def test_a_head_start_shows_what_its_reader_may_see_and_no_more(hub: Hub) -> None:
    _, card = qualification(hub, name="Анна", phone="+79123456789")
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    for user in PEOPLE:
        desk = hub.desk(user)
        page = read(desk.get("/v1/snapshot", order="urgent", limit=100), Page)
        whole = {kind: list(rows.values()) for kind, rows in desk.fresh().items()}
        for kind, rows in rows_of(page).items():
            assert sorted(rows, key=by_id) == sorted(whole[kind], key=by_id), (user, kind)


def by_id(row: Any) -> str:
    return row.id
