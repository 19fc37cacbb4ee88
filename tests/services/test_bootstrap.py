"""A whole copy from the hub: usable at once, broken off and gone on with, swapped in whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, select, update

from desk.domain.ids import make_id
from desk.domain.operations import Comment, Create, EditFields, Move
from desk.hub import changes
from desk.hub.database import Database
from desk.schema import hub_tables
from desk.services import bootstrap, settings, shadow
from desk.services.desk import Desk, Event, Progress
from desk.services.drafts import SEEN
from desk.services.errors import DiskFull, HubUnreachable, SyncCancelled
from tests.hub_process import PASSWORD, HubProcess
from tests.services.bootstrap_run import PAGE
from tests.services.rooms import mirrored, open_desk
from tests.services.test_faults import until
from tests.services.test_secrecy import decrypted
from tests.services.wires import FaultyWire, cut_answer, lose_answer, passes

ROOT = Path(__file__).parents[2]
SNAPSHOT = "/v1/snapshot"
LEADS = 23
#: How many moments of a bootstrap a desk is killed at, spread evenly over its statements.
MOMENTS = 6

Sit = Callable[..., Desk]
Go = Callable[[], httpx.Response]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub of this file's own, with a few pages of leads."""
    process = HubProcess(tmp_path_factory.mktemp("bootstrap")).start()
    with open_desk(tmp_path_factory.mktemp("filler") / "desk") as filler:
        filler.sign_in(process.url, "operator1", PASSWORD)
        filler.sync_once()
        for number in range(LEADS):
            filler.do(Create(kind="lead", title=f"Лид {number}", subject={"name": "Анна"}))
        filler.sync_once()
    yield process
    process.kill()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_ITEMS", PAGE)
    monkeypatch.setattr(bootstrap, "_HEAD_START", 4)
    monkeypatch.setattr(bootstrap, "_CLEARED", 7)


@pytest.fixture
def wire() -> FaultyWire:
    return FaultyWire()


@pytest.fixture
def new_desk(hub: HubProcess, tmp_path: Path, wire: FaultyWire) -> Iterator[Desk]:
    """A desk that has signed in and fetched nothing yet."""
    with open_desk(tmp_path / "new", transport=wire) as desk:
        desk.sign_in(hub.url, "operator1", PASSWORD)
        yield desk


def forget_cursor(desk: Desk) -> None:
    """Make the desk take a whole copy in place of the rows it has."""
    with desk.context.store.write() as connection:
        settings.drop(connection, settings.CURSOR)


def agree(desk: Desk, fresh: Desk) -> None:
    assert mirrored(desk) == mirrored(fresh)
    assert desk.status().pending == 0
    with desk.context.store.read() as connection:
        assert not bootstrap.begun(connection)
        assert not shadow.exists(connection)
        assert not shadow.is_aside(connection)


def test_a_new_desk_can_be_worked_on_before_everything_has_come(
    new_desk: Desk, wire: FaultyWire, sit: Sit
) -> None:
    wire.faults[SNAPSHOT] = [passes, passes, lose_answer]
    with pytest.raises(HubUnreachable):
        new_desk.sync_once()
    fresh = sit("operator1", place="fresh")
    assert 2 <= new_desk.count() < fresh.count()
    newest = fresh.rows("lead")[0].item.id
    assert new_desk.card(newest).item == fresh.card(newest).item
    assert new_desk.card(newest).subject == fresh.card(newest).subject
    assert new_desk.card(newest).entries == fresh.card(newest).entries
    assert new_desk.people() == fresh.people()
    new_desk.do(Comment(item_id=newest, text="уже работаю"))
    assert new_desk.sync_once().applied == 1
    fresh.sync_once()
    agree(new_desk, fresh)


def test_a_bootstrap_broken_off_goes_on_where_it_was(
    new_desk: Desk, wire: FaultyWire, sit: Sit
) -> None:
    wire.faults[SNAPSHOT] = [passes, passes, passes, lose_answer]
    with pytest.raises(HubUnreachable):
        new_desk.sync_once()
    asked = wire.asked.count(SNAPSHOT)
    other = sit("operator1", place="other")
    late = other.do(Create(kind="lead", title="Пока везли")).operation_id
    other.sync_once()
    new_desk.sync_once()
    left = other.count() - 1 - 2 * PAGE
    assert wire.asked.count(SNAPSHOT) - asked == -(-left // PAGE)
    assert new_desk.card(late).item.title == "Пока везли"
    agree(new_desk, other)


def test_a_bootstrap_over_rows_shows_them_until_it_replaces_them_all(
    sit: Sit, wire: FaultyWire
) -> None:
    desk = sit("operator1", transport=wire)
    forget_cursor(desk)
    lead = desk.rows("lead")[0].item.id
    with desk.context.store.write() as connection:
        connection.exec_driver_sql("UPDATE item SET title = 'stale'")
    desk.do(Comment(item_id=lead, text="ждёт"))
    for broken in (cut_answer, lose_answer):
        wire.faults[SNAPSHOT] = [passes, broken]
        with pytest.raises(HubUnreachable):
            desk.sync_once()
        assert {row.item.title for row in desk.rows()} == {"stale"}
        assert desk.card(lead).entries[-1].comment == "ждёт"
    desk.sync_once()
    assert desk.card(lead).entries[-1].comment == "ждёт"
    agree(desk, sit("operator1", place="fresh"))


def test_wherever_a_desk_is_killed_it_shows_old_or_new_rows_and_ends_the_same(
    sit: Sit, tmp_path: Path
) -> None:
    desk = sit("operator1", place="killed")
    whole = {item.id: item for item in mirrored(desk)["item"]}
    stale = dict.fromkeys(whole, "stale")
    profile = desk.profile_dir
    make_stale(desk)
    desk.close()
    steps = int(fetch(profile, 0))
    assert steps > 50
    for moment in range(1, MOMENTS + 1):
        with open_desk(profile) as opened:
            make_stale(opened)
        fetch(profile, moment * steps // (MOMENTS + 1))
        with open_desk(profile) as opened:
            titles = {item.id: item.title for item in mirrored(opened)["item"]}
            assert titles in (stale, {one: item.title for one, item in whole.items()})
    # Killed again and again, each time it gets a little further.
    with open_desk(profile) as opened:
        make_stale(opened)
    for _ in range(4):
        fetch(profile, steps // 3)
    with open_desk(profile) as opened:
        opened.sync_once()
        agree(opened, sit("operator1", place="fresh"))


def make_stale(desk: Desk) -> None:
    with desk.context.store.write() as connection:
        shadow.drop(connection)
        settings.drop(connection, settings.CURSOR, settings.SNAPSHOT)
        connection.exec_driver_sql("UPDATE item SET title = 'stale'")


def fetch(profile: Path, kill_at: int) -> str:
    """Fetch until the desk is killed; gives the number of statements it took, if it was not."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.services.bootstrap_run", str(profile), str(kill_at)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert kill_at or done.returncode == 0, done.stderr
    return done.stdout.strip().rpartition(" ")[2]


class Post:
    """A wire that keeps what it brought, to bring it again in another's place."""

    def __init__(self) -> None:
        self.brought: list[httpx.Response] = []

    def keep(self, request: httpx.Request, go: Go) -> httpx.Response:
        self.brought.append(go())
        return again(self.brought[-1])

    def repeat(self, request: httpx.Request, go: Go) -> httpx.Response:
        """What came last, in place of the answer."""
        return again(self.brought[-1])

    def skip(self, request: httpx.Request, go: Go) -> httpx.Response:
        """The page after the one that was asked for."""
        here = go()
        after = here.json()["after"]
        url = request.url.copy_merge_params({"after": after})
        return httpx.HTTPTransport().handle_request(
            httpx.Request("GET", url, headers=request.headers)
        )


def again(response: httpx.Response) -> httpx.Response:
    return httpx.Response(200, content=response.content)


@pytest.mark.parametrize("fault", ["repeated", "skipped", "cut", "repeated at the start"])
def test_a_page_that_is_not_the_one_asked_for_is_never_shown(
    sit: Sit, wire: FaultyWire, fault: str
) -> None:
    desk = sit("operator1", transport=wire)
    before = mirrored(desk)
    forget_cursor(desk)
    post = Post()
    wire.faults[SNAPSHOT] = {
        "repeated": [passes, post.keep, post.repeat],
        "skipped": [passes, post.skip],
        "cut": [passes, passes, cut_answer],
        "repeated at the start": [post.keep, post.repeat],
    }[fault]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    assert mirrored(desk) == before
    wire.faults.clear()
    desk.sync_once()
    agree(desk, sit("operator1", place="fresh"))


def test_what_others_do_meanwhile_is_here_afterwards(
    sit: Sit, hub: HubProcess, tmp_path: Path, wire: FaultyWire
) -> None:
    operator, marketer = sit("operator1", place="other"), sit("marketer1")
    leads = [row.item.id for row in operator.rows("lead")]
    new: list[str] = []

    def create(number: int) -> None:
        new.append(operator.do(Create(kind="lead", title=f"Новый {number}")).operation_id)
        operator.do(Move(item_id=new[-1], transition="assign", to="marketer1"))
        operator.sync_once()

    def edit() -> None:
        for lead in (leads[0], leads[-1]):
            operator.do(EditFields(item_id=lead, fields={"request": "изменили"}))
        operator.sync_once()

    def give_away() -> None:
        marketer.sync_once()
        for row in marketer.rows("qualification"):
            if row.item.parent_id == new[0]:
                marketer.do(Move(item_id=row.item.id, transition="hand_off", to="sales1"))
        marketer.sync_once()

    steps: list[Callable[[], None]] = [lambda: create(0), edit, give_away, lambda: create(1)]

    def meanwhile(request: httpx.Request, go: Go) -> httpx.Response:
        answer = go()
        if steps:
            steps.pop(0)()
        return answer

    for user in ("operator1", "marketer1", "sales1", "head"):
        new.clear()
        steps[:] = [lambda: create(0), edit, give_away, lambda: create(1)]
        wire.faults[SNAPSHOT] = [meanwhile] * 20
        with open_desk(tmp_path / f"meanwhile-{user}", transport=wire) as desk:
            desk.sign_in(hub.url, user, PASSWORD)
            desk.sync_once()
            for step in steps:
                step()
            desk.sync_once()
            agree(desk, sit(user, place=f"fresh-{user}"))
            # The log alone has brought it: no comparison had to mend anything.
            with desk.context.store.read() as connection:
                assert settings.get(connection, settings.DIGEST_STATE) != "repaired"


def test_an_edit_made_meanwhile_survives_and_is_answered(
    new_desk: Desk, wire: FaultyWire, sit: Sit
) -> None:
    made: list[str] = []

    def work(request: httpx.Request, go: Go) -> httpx.Response:
        lead = new_desk.rows("lead")[0].item.id
        made.append(new_desk.do(Create(kind="lead", title="На ходу")).operation_id)
        new_desk.do(Comment(item_id=lead, text=f"на ходу {len(made)}"))
        made.append(lead)
        return go()

    wire.faults[SNAPSHOT] = [passes, passes, work, passes, work]
    new_desk.sync_once()
    assert new_desk.status().pending == 4
    for created, commented in (made[:2], made[2:]):
        assert new_desk.card(created).pending
        assert new_desk.card(commented).entries[-1].comment.startswith("на ходу")
    assert new_desk.sync_once().applied == 4
    agree(new_desk, sit("operator1", place="fresh"))


def test_what_the_copy_covers_is_not_laid_over_it_again(sit: Sit, wire: FaultyWire) -> None:
    desk = sit("operator1", transport=wire)
    lead = desk.rows("lead")[0].item.id
    forget_cursor(desk)
    desk.do(EditFields(item_id=lead, fields={"request": "покрыто"}))
    wire.faults["/v1/changes"] = [lose_answer]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    assert not desk.card(lead).pending
    assert desk.card(lead).item.fields["request"] == "покрыто"
    desk.sync_once()
    agree(desk, sit("operator1", place="fresh"))


def test_a_person_stops_it_and_it_goes_on_with_the_next_sync(
    new_desk: Desk, wire: FaultyWire, sit: Sit
) -> None:
    heard: list[Progress] = []

    def stop(event: Event) -> None:
        if isinstance(event, Progress):
            heard.append(event)
            new_desk.cancel_sync()

    unsubscribe = new_desk.listen(stop)
    with pytest.raises(SyncCancelled):
        new_desk.sync_once()
    unsubscribe()
    assert [one.done for one in heard] == [PAGE]
    status = new_desk.status()
    assert (status.last_error, status.syncing, status.cursor) == ("sync_cancelled", None, "")
    assert status.online
    asked = wire.asked.count(SNAPSHOT)
    new_desk.sync_once()
    assert new_desk.status().last_error == ""
    fresh = sit("operator1", place="fresh")
    assert heard[0].total == fresh.count()
    assert wire.asked.count(SNAPSHOT) - asked <= -(-(fresh.count() - PAGE) // PAGE)
    agree(new_desk, fresh)


@pytest.mark.parametrize("by", ["an operation", "a sync by hand"])
def test_the_background_rests_after_a_stop_until_the_person_goes_on(
    new_desk: Desk, by: str
) -> None:
    stops = iter([True])

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and next(stops, False):
            new_desk.cancel_sync()

    new_desk.listen(stop)
    new_desk.start()
    until(new_desk, lambda: new_desk.status().last_error == "sync_cancelled")
    if by == "an operation":
        new_desk.do(Create(kind="lead", title="Дальше"))
    else:
        new_desk.sync_once()
    until(new_desk, lambda: new_desk.status().cursor != "" and new_desk.hears_hints)
    assert (new_desk.status().last_error, new_desk.status().pending) == ("", 0)


def test_stopping_when_nothing_is_under_way_stops_nothing_later(new_desk: Desk) -> None:
    new_desk.cancel_sync()
    new_desk.sync_once()
    assert new_desk.status().last_error == ""


def test_other_rights_or_another_epoch_on_the_way_begin_it_anew(
    new_desk: Desk, hub: HubProcess, wire: FaultyWire, sit: Sit
) -> None:
    def restore(request: httpx.Request, go: Go) -> httpx.Response:
        with Database(hub.db_url) as database, database.write() as connection:
            changes.start_epoch(connection, make_id(1_790_000_000_000, os.urandom))
        return go()

    wire.faults[SNAPSHOT] = [passes, passes, passes, restore]
    new_desk.sync_once()
    agree(new_desk, sit("operator1", place="fresh"))


def test_nothing_of_the_rows_that_were_replaced_is_left_in_the_file(
    sit: Sit, hub: HubProcess, wire: FaultyWire
) -> None:
    canary = "canary-93ba"
    # What was typed here is kept for a while on purpose: it is typed elsewhere.
    other, desk = sit("operator1", place="other"), sit("operator1", transport=wire)
    kept, gone = (
        other.do(Create(kind="lead", title=f"{canary} {n}", subject={"name": canary})).operation_id
        for n in range(2)
    )
    other.do(Comment(item_id=gone, text=canary))
    other.sync_once()
    desk.sync_once()
    desk.save_draft(gone, "form", {f"{SEEN}name": canary, "name": "Анна"})
    assert canary.encode() in decrypted(desk)
    with Database(hub.db_url) as database, database.write() as connection:
        forget_at_hub(connection, kept, gone)
    forget_cursor(desk)
    desk.sync_once()
    assert (desk.profile_dir / "local.db-wal").stat().st_size == 0
    assert canary.encode() not in decrypted(desk)
    assert desk.draft(gone, "form") == {"name": "Анна"}
    agree(desk, sit("operator1", place="fresh"))


def test_what_was_replaced_is_cleared_by_the_next_sync_if_this_one_did_not_end(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "canary-0a6e"
    desk = sit("operator1")
    forget_cursor(desk)
    with desk.context.store.write() as connection:
        connection.exec_driver_sql("UPDATE item SET title = ?", (canary,))
    some, calls = shadow.clear_some, iter([True, True, False])

    def fail_later(connection: Connection, rows: int) -> None:
        if not next(calls):
            raise DiskFull
        some(connection, rows)

    with monkeypatch.context() as patched:
        patched.setattr(shadow, "clear_some", fail_later)
        with pytest.raises(DiskFull):
            desk.sync_once()
    assert canary not in {row.item.title for row in desk.rows()}
    assert canary.encode() in decrypted(desk)
    desk.sync_once()
    assert canary.encode() not in decrypted(desk)
    agree(desk, sit("operator1", place="fresh"))


def forget_at_hub(connection: Connection, kept: str, gone: str) -> None:
    """One item is gone, of the other everything is overwritten, and no log says so."""
    item, subject, entry = hub_tables.item, hub_tables.subject, hub_tables.entry
    people = select(item.c.subject_id).where(item.c.id.in_((kept, gone)))
    connection.execute(update(subject).where(subject.c.id.in_(people)).values(sealed=None))
    overwritten = {"title": "чисто", "sealed": None}
    connection.execute(update(item).where(item.c.id == kept).values(overwritten))
    for table, column in ((entry, entry.c.item_id), (item, item.c.id)):
        connection.execute(table.delete().where(column == gone))
