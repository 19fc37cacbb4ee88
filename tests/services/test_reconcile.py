"""Rights, rules, an epoch or a digest changed: afterwards here is what may be seen, no more."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import delete, insert, update

from desk.domain.ids import make_id
from desk.domain.model import Actor
from desk.domain.operations import Comment, Create, EditFields, EditSubject, Move, Operation
from desk.hub import administration, changes
from desk.hub.database import Database
from desk.protocol.messages import Forget, Page, Result
from desk.schema import hub_tables
from desk.schema.desk_tables import sent
from desk.services import (
    arrivals,
    bootstrap,
    comparison,
    inbox,
    reconcile,
    settings,
    sight,
    watch,
)
from desk.services.bootstrap import Bootstrap
from desk.services.context import Rulebook
from desk.services.desk import Desk
from desk.services.drafts import SEEN
from desk.services.errors import HubProblem, HubUnreachable
from desk.services.views import RowsChanged
from tests.hub_process import PASSWORD, HubProcess
from tests.services import rooms
from tests.services.rooms import mirrored, open_desk
from tests.services.test_secrecy import decrypted
from tests.services.wires import Fault, FaultyWire, cut_answer, lose_answer, passes

CANARY = "canary-51f0"
PHONE = "+79123450051"
MINUTE = 60_000


class Clock:
    """The wall's time, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        from desk.services.desk import wall_clock

        return wall_clock() + self.ahead


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    """A hub of its own for each test: rights, rules and epochs are everybody's."""
    folder = tmp_path / "hub"
    folder.mkdir()
    process = HubProcess(folder).start()
    yield process
    process.kill()


@pytest.fixture
def database(hub: HubProcess) -> Iterator[Database]:
    with Database(hub.db_url) as opened:
        yield opened


@pytest.fixture
def sit(hub: HubProcess, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    opened: list[Desk] = []

    def sit_down(user: str, place: str = "", **options: object) -> Desk:
        one = open_desk(tmp_path / (place or user), **options)  # pyright: ignore[reportArgumentType]
        opened.append(one)
        one.sign_in(hub.url, user, PASSWORD)
        one.sync_once()
        return one

    yield sit_down
    for one in opened:
        one.close()


Sit = Callable[..., Desk]


def back_up(hub: HubProcess, backup: Path) -> Path:
    """A copy of the hub's file while it serves."""
    with closing(sqlite3.connect(file_of(hub))) as live, closing(sqlite3.connect(backup)) as copy:
        live.backup(copy)
    return backup


def restore(hub: HubProcess, backup: Path) -> None:
    """Put the copy in place of what a hub that has ended leaves."""
    for suffix in ("-wal", "-shm"):
        file_of(hub).with_name(f"hub.db{suffix}").unlink(missing_ok=True)
    shutil.copyfile(backup, file_of(hub))


def file_of(hub: HubProcess) -> Path:
    return Path(hub.db_url.removeprefix("sqlite:///"))


def agree(desk: Desk, sit: Sit, user: str, place: str = "fresh") -> None:
    fresh = sit(user, place=place)
    assert mirrored(desk) == mirrored(fresh)
    assert desk.status().pending == 0


def hold(desk: Desk, canary: str) -> bool:
    """Whether the bytes are in any page of the decrypted file, or sealed in somebody's row."""
    opened = msgspec.json.encode(mirrored(desk)["subject"])
    return canary.encode() in decrypted(desk) + opened


def a_lead(operator: Desk, title: str, to: str = "marketer1", **subject: str) -> str:
    lead = operator.do(Create(kind="lead", title=title, subject=dict(subject))).item_ids[0]
    operator.do(Move(item_id=lead, transition="assign", to=to))
    operator.sync_once()
    return lead


def the_qualification(desk: Desk, lead: str) -> str:
    desk.sync_once()
    return next(one.id for one in desk.card(lead).linked if one.kind == "qualification")


def test_a_role_that_shows_less_leaves_neither_rows_nor_masked_values(
    sit: Sit, database: Database
) -> None:
    """Nothing is in tables, base rows, inbox, drafts, what was sent, or the write-ahead log."""
    operator, desk = sit("operator1"), sit("marketer1")
    lead = a_lead(operator, "Чужой", name=CANARY, phone=PHONE)
    hidden = a_lead(operator, f"Скрытый {CANARY}", "marketer2", name=CANARY)
    qualified = the_qualification(desk, lead)
    desk.do(Move(item_id=qualified, transition="hand_off", to="sales1"))
    desk.save_draft(lead, "form", {f"{SEEN}subject.phone": PHONE, "subject.name": "Анна"})
    desk.do(EditSubject(item_id=lead, fields={"position": "логист"}))
    desk.sync_once()
    # A conflict whose base and theirs hold what will be masked.
    operator.do(EditSubject(item_id=hidden, fields={"phone": "+79990000001"}))
    desk.do(EditSubject(item_id=hidden, fields={"phone": "+79990000002"}))
    operator.sync_once()
    assert desk.sync_once().conflicts == 1
    assert hold(desk, PHONE)
    administration.change_role(database, "marketer1", "sales", changes_at())
    with database.write() as connection:
        mine = hub_tables.item.c.id.in_([lead, qualified])
        connection.execute(update(hub_tables.item).where(mine).values(shared_with="marketer1"))
    report = desk.sync_once()
    assert report.forgotten >= 1
    assert (desk.profile_dir / "local.db-wal").stat().st_size == 0
    assert not hold(desk, PHONE)
    assert not hold(desk, "+79990000001")
    assert [row.item.id for row in desk.rows(kind="lead")] == [lead]
    card = desk.card(lead)
    assert card.subject is not None
    assert "•" in str(card.subject.fields["phone"])
    assert desk.draft(lead, "form") == {"subject.name": "Анна"}
    (entry,) = desk.inbox()
    assert (entry.mine, entry.theirs, entry.base) == ({"phone": "+79990000002"}, {}, {})
    agree(desk, sit, "marketer1")


def test_another_role_or_playbook_concerns_every_card_whichever_came_or_went(
    sit: Sit, database: Database
) -> None:
    """Whoever shows a card shows it by the new rules, though its row is as it was."""
    operator, desk = sit("operator1"), sit("marketer1")
    a_lead(operator, "Прежний")
    desk.sync_once()
    heard: list[RowsChanged] = []
    desk.listen(lambda event: heard.append(event) if isinstance(event, RowsChanged) else None)
    administration.change_role(database, "marketer1", "operator", changes_at())
    desk.sync_once()
    assert RowsChanged(None) in heard
    heard.clear()
    desk.sync_once()
    assert heard == []
    renamed = database_playbook(database).replace('en = "In work"', 'en = "Under way"')
    administration.install_playbook(database, renamed, "freight.toml", changes_at())
    desk.sync_once()
    assert RowsChanged(None) in heard


def changes_at() -> int:
    from desk.services.desk import wall_clock

    return wall_clock()


def test_rights_given_taken_and_given_again_end_where_they_began(
    sit: Sit, database: Database
) -> None:
    operator, desk = sit("operator1"), sit("marketer1")
    a_lead(operator, "Туда и обратно", "marketer2", name=CANARY)
    desk.sync_once()
    before = mirrored(desk)
    for role in ("sales", "marketer"):
        administration.change_role(database, "marketer1", role, changes_at())
        desk.sync_once()
        assert (desk.count(kind="lead") > 0) == (role == "marketer")
    kinds = ("item", "task", "entry", "subject")
    assert {kind: mirrored(desk)[kind] for kind in kinds} == {kind: before[kind] for kind in kinds}
    agree(desk, sit, "marketer1")


def test_signing_in_after_the_role_changed_shows_nothing_of_the_old_one(
    sit: Sit, database: Database, hub: HubProcess
) -> None:
    operator, desk = sit("operator1"), sit("marketer1")
    lead = a_lead(operator, "Пока не было", phone=PHONE)
    qualified = the_qualification(desk, lead)
    desk.do(Move(item_id=qualified, transition="hand_off", to="sales1"))
    desk.sync_once()
    desk.sign_out()
    administration.change_role(database, "marketer1", "head", changes_at())
    desk.sign_in(hub.url, "marketer1", PASSWORD)
    desk.sync_once()
    assert not hold(desk, PHONE)
    agree(desk, sit, "marketer1")


def test_a_playbook_that_masks_a_field_purges_it(sit: Sit, database: Database) -> None:
    desk = sit("marketer1")
    lead = a_lead(sit("operator1"), "Новые правила", phone=PHONE)
    desk.sync_once()
    assert hold(desk, PHONE)
    rules = database_playbook(database)
    masked = rules.replace(
        'company = "full", subject = "full" }\nedits = { lead = ["*"], qualification',
        'company = "full", subject = "masked" }\nedits = { lead = ["*"], qualification',
    )
    assert masked != rules
    administration.install_playbook(database, masked, "freight.toml", changes_at())
    desk.sync_once()
    assert desk.playbook.version == 2
    assert not hold(desk, PHONE)
    assert desk.card(lead).subject is not None
    agree(desk, sit, "marketer1")


def database_playbook(database: Database) -> str:
    from desk.hub.playbooks import current

    with database.read() as connection:
        return current(connection).source


def test_what_waits_is_sent_before_the_rights_are_taken(sit: Sit, database: Database) -> None:
    operator, desk = sit("operator1"), sit("marketer1")
    lead = a_lead(operator, "До полудня", "marketer2")
    desk.sync_once()
    said = desk.do(Comment(item_id=lead, text="успел")).operation_id
    administration.change_role(database, "marketer1", "sales", changes_at())
    desk.sync_once()
    assert (desk.status().pending, desk.count(kind="lead")) == (0, 0)
    (entry,) = desk.inbox()
    assert (entry.id, entry.code, entry.mine) == (said, "no_item", {"comment": "успел"})


@pytest.mark.parametrize("where", ["gone", "changed", "subject", "entry"])
def test_a_difference_that_no_log_tells_of_is_found_and_mended(
    sit: Sit, database: Database, where: str
) -> None:
    clock = Clock()
    operator, desk = sit("operator1"), sit("marketer1", clock=clock)
    lead = a_lead(operator, "Расхождение", name=CANARY)
    desk.sync_once()
    with desk.context.store.write() as connection:
        statement = {
            "gone": "DELETE FROM item",
            "changed": "UPDATE item SET version = version - 1, title = 'порча'",
            "subject": "DELETE FROM subject",
            "entry": "DELETE FROM entry",
        }[where]
        connection.exec_driver_sql(statement)
    clock.ahead += 2 * MINUTE
    desk.sync_once()
    assert desk.card(lead).item.title == "Расхождение"
    assert digest_state(desk) == "repaired"
    clock.ahead += 2 * MINUTE
    desk.sync_once()
    assert digest_state(desk) == "same"
    agree(desk, sit, "marketer1")


def digest_state(desk: Desk) -> str | None:
    with desk.context.store.read() as connection:
        return settings.get(connection, settings.DIGEST_STATE)


def test_a_second_difference_within_the_hour_is_said_and_left_for_the_doctor(sit: Sit) -> None:
    clock = Clock()
    operator, desk = sit("operator1"), sit("marketer1", clock=clock)
    lead = a_lead(operator, "Опять", name=CANARY)
    for state in ("repaired", "differs"):
        desk.sync_once()
        with desk.context.store.write() as connection:
            connection.exec_driver_sql("DELETE FROM entry")
        clock.ahead += 2 * MINUTE
        desk.sync_once()
        assert digest_state(desk) == state
    verdict = desk.verify(repair=True)
    assert (verdict.same, verdict.repaired) == (False, True)
    assert verdict.differing >= 1
    assert desk.card(lead).entries
    assert desk.verify().same
    assert digest_state(desk) == "same"


def test_own_work_that_waits_is_no_difference(sit: Sit) -> None:
    clock = Clock()
    operator, desk = sit("operator1"), sit("marketer1", clock=clock)
    lead = a_lead(operator, "Своё", name=CANARY)
    qualified = the_qualification(desk, lead)
    desk.go_offline(True)
    desk.do(EditFields(item_id=lead, fields={"route_to": "Томск"}))
    desk.do(EditSubject(item_id=lead, fields={"name": "Анна"}))
    desk.do(Move(item_id=qualified, transition="start"))
    desk.do(Comment(item_id=qualified, text="ждёт"))
    desk.go_offline(False)
    context = desk.context
    client = desk._network.client()
    verdict = watch.verify(context, client, lambda _: None, repair=False, catch_up=lambda: None)
    assert verdict.same
    assert desk.status().pending == 4


def test_windows_cover_everything_whatever_their_size(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, desk = sit("operator1"), sit("head")
    leads = [a_lead(operator, f"Лид {n}", name=CANARY) for n in range(9)]
    desk.sync_once()
    monkeypatch.setattr(comparison, "WINDOW", 3)
    monkeypatch.setattr(comparison, "_PARTS", 2)
    with desk.context.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM item WHERE id = ?", (leads[4],))
        connection.exec_driver_sql("DELETE FROM entry WHERE item_id = ?", (leads[0],))
    verdict = desk.verify(repair=True)
    assert not verdict.same
    assert verdict.differing <= 6
    agree(desk, sit, "head")


def test_a_hub_restored_from_a_backup_gets_again_what_it_forgot(
    sit: Sit, hub: HubProcess, database: Database, tmp_path: Path
) -> None:
    """Answered and covered operations are sent again, waiting ones too; nothing is done twice."""
    operator, desk = sit("operator1"), sit("marketer1")
    lead = a_lead(operator, "До копии")
    qualified = the_qualification(desk, lead)
    backup = back_up(hub, tmp_path / "backup.db")
    after = a_lead(operator, "После копии", name=CANARY)
    desk.do(Comment(item_id=lead, text="после копии"))
    desk.do(Move(item_id=qualified, transition="start"))
    desk.sync_once()
    desk.do(Comment(item_id=lead, text="ещё ждёт"))
    hub.kill()
    restore(hub, backup)
    with Database(hub.db_url) as restored:
        administration.new_epoch(restored, changes_at())
    hub.start()
    for one in (desk, operator):
        one.sync_once()
    assert operator.card(after).item.title == "После копии"
    comments = [entry.comment for entry in desk.card(lead).entries if entry.event == "comment"]
    assert comments == ["после копии", "ещё ждёт"]
    assert desk.card(qualified).item.stage == "in_work"
    desk.sync_once()
    agree(desk, sit, "marketer1")
    agree(operator, sit, "operator1", place="fresh operator")


def test_another_history_under_the_same_version_is_noticed(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    """After a restore the same item may have the same version with other contents."""
    operator, desk = sit("operator1"), sit("marketer1")
    lead = a_lead(operator, "Две истории")
    desk.sync_once()
    backup = back_up(hub, tmp_path / "backup.db")
    operator.do(EditFields(item_id=lead, fields={"route_to": "Томск"}))
    operator.sync_once()
    desk.sync_once()
    assert desk.card(lead).item.fields["route_to"] == "Томск"
    hub.kill()
    restore(hub, backup)
    with Database(hub.db_url) as restored:
        administration.new_epoch(restored, changes_at())
    hub.start()
    head = sit("head")
    head.do(EditFields(item_id=lead, fields={"route_to": "Омск"}))
    head.sync_once()
    desk.sync_once()
    assert desk.card(lead).item.fields["route_to"] == "Омск"
    agree(desk, sit, "marketer1")


def test_a_desk_that_was_away_longer_than_the_log_is_kept_agrees_again(
    sit: Sit, database: Database
) -> None:
    operator, desk = sit("operator1"), sit("marketer1")
    first = a_lead(operator, "До отпуска", name=CANARY)
    desk.sync_once()
    gone = a_lead(operator, "За время отпуска")
    operator.do(Comment(item_id=first, text="за время отпуска"))
    operator.sync_once()
    with database.write() as connection:
        connection.execute(update(hub_tables.change).values(at=1))
    with database.write() as connection:
        while changes.prune(connection, 2):
            pass
    assert desk.sync_once().pulled > 0
    assert desk.card(first).entries[-1].comment == "за время отпуска"
    assert desk.card(gone).item.title == "За время отпуска"
    agree(desk, sit, "marketer1")


def test_a_reconcile_broken_off_changes_nothing_and_is_begun_anew(
    sit: Sit, database: Database, hub: HubProcess
) -> None:
    wire = FaultyWire()
    operator, desk = sit("operator1"), sit("marketer1", transport=wire)
    lead = a_lead(operator, "Обрыв", name=CANARY)
    desk.sync_once()
    with database.write() as connection:
        changes.start_epoch(connection, make_id(1_790_000_000_000, os.urandom))
    operator.do(Comment(item_id=lead, text="новое"))
    with database.write() as connection:
        connection.execute(
            update(hub_tables.item)
            .where(hub_tables.item.c.id == lead)
            .values(title="Иначе", sealed=None, version=50)
        )
    before = mirrored(desk)
    for path, faults in (
        ("/v1/digests", [lose_answer]),
        ("/v1/digests", [cut_answer]),
        ("/v1/snapshot", [lose_answer]),
        ("/v1/snapshot", [cut_answer]),
    ):
        wire.faults[path] = list(faults)
        with pytest.raises(HubUnreachable):
            desk.sync_once()
        wire.faults.clear()
        assert mirrored(desk) == before
    desk.sync_once()
    assert desk.card(lead).item.title == "Иначе"
    agree(desk, sit, "marketer1")


def test_where_most_differs_everything_is_fetched_anew(
    sit: Sit, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "_MOST_ITEMS", 2)
    operator, desk = sit("operator1"), sit("marketer1")
    for number in range(4):
        a_lead(operator, f"Много {number}", name=CANARY)
    desk.sync_once()
    administration.change_role(database, "marketer1", "head", changes_at())
    desk.sync_once()
    agree(desk, sit, "marketer1")


def test_what_was_sent_is_kept_for_a_week_and_not_longer(sit: Sit) -> None:
    clock = Clock()
    desk = sit("operator1", clock=clock)
    for _ in range(2):
        desk.do(Create(kind="lead", title="Храним неделю"))
        desk.sync_once()
        clock.ahead += 8 * 24 * 60 * MINUTE
    with desk.context.store.read() as connection:
        kept = connection.execute(sent.select()).all()
    assert len(kept) == 1


def test_rows_that_only_the_hub_has_are_fetched_by_a_role_that_sees_more(
    sit: Sit, database: Database
) -> None:
    operator, desk = sit("operator1"), sit("sales2")
    for number in range(3):
        a_lead(operator, f"Больше {number}")
    desk.sync_once()
    assert desk.count() == 0
    administration.change_role(database, "sales2", "head", changes_at())
    desk.sync_once()
    assert desk.count(kind="lead") >= 3
    agree(desk, sit, "sales2")


def test_an_item_deleted_from_the_hub_by_hand_is_found_by_the_doctor(
    sit: Sit, database: Database
) -> None:
    operator, desk = sit("operator1"), sit("head")
    lead = a_lead(operator, "Удалён руками", name=CANARY)
    desk.sync_once()
    with database.write() as connection:
        connection.execute(delete(hub_tables.entry).where(hub_tables.entry.c.item_id == lead))
        connection.execute(
            insert(hub_tables.entry).values(
                id=make_id(1_790_000_000_000, os.urandom),
                item_id=lead,
                at=1,
                event="comment",
                comment="руками",
                version=1,
            )
        )
    assert not desk.verify(repair=True).same
    assert [one.comment for one in desk.card(lead).entries] == ["руками"]
    agree(desk, sit, "head")


def before(then: Callable[[], object]) -> Fault:
    """Something happens while a request is on its way."""

    def pass_after(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
        then()
        return go()

    return pass_after


def rewritten(change: Callable[[Page], Page]) -> Fault:
    """A page comes otherwise than the hub made it."""

    def rewrite(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
        page = change(msgspec.json.decode(go().content, type=Page))
        return httpx.Response(200, content=msgspec.json.encode(page))

    return rewrite


@pytest.mark.parametrize("path", ["/v1/digests", "/v1/snapshot"])
@pytest.mark.parametrize("third", ["sales", "marketer"])
def test_rights_that_change_again_during_a_reconcile_are_followed_to_the_end(
    sit: Sit, database: Database, path: str, third: str
) -> None:
    wire = FaultyWire()
    operator, desk = sit("operator1"), sit("marketer1", transport=wire)
    lead = a_lead(operator, "Дважды", phone=PHONE)
    desk.do(Move(item_id=the_qualification(desk, lead), transition="hand_off", to="sales1"))
    desk.sync_once()
    administration.change_role(database, "marketer1", "head", changes_at())
    again = before(lambda: administration.change_role(database, "marketer1", third, changes_at()))
    wire.faults[path] = [again]
    desk.sync_once()
    assert wire.faults[path] == []
    me = desk.context.account
    assert me is not None
    assert me.person.role == third
    agree(desk, sit, "marketer1")


def test_rows_of_one_playbook_never_pass_for_rows_of_a_newer_one(
    sit: Sit, database: Database, hub: HubProcess, tmp_path: Path
) -> None:
    """A playbook comes into force between a page and the question for its rules."""
    a_lead(sit("operator1"), "Обгон", phone=PHONE)
    rules = database_playbook(database)
    masked = rules.replace(
        'company = "full", subject = "full" }\nedits = { lead = ["*"], qualification',
        'company = "full", subject = "masked" }\nedits = { lead = ["*"], qualification',
    )

    def install(source: str) -> Fault:
        return before(
            lambda: administration.install_playbook(database, source, "freight", changes_at())
        )

    wire = FaultyWire()
    with open_desk(tmp_path / "late", transport=wire) as desk:
        desk.sign_in(hub.url, "marketer1", PASSWORD)
        wire.faults["/v1/snapshot"] = [passes, install(rules + "\n")]
        wire.faults["/v1/playbook"] = [install(masked)]
        with suppress(HubUnreachable):
            desk.sync_once()
        assert not any(wire.faults.values())
        desk.sync_once()
        assert desk.playbook.version == 3
        assert not hold(desk, PHONE)
        agree(desk, sit, "marketer1")


@pytest.mark.parametrize("role", ["sales", "head"])
def test_what_was_carried_out_before_the_rights_were_taken_keeps_nothing_of_them(
    sit: Sit, database: Database, role: str
) -> None:
    """The hub did it, the answer came, and no pull had covered it when the role changed."""
    wire = FaultyWire()
    operator, desk = sit("operator1"), sit("marketer1", transport=wire)
    lead = a_lead(operator, "Успел", phone=PHONE)
    desk.sync_once()
    desk.do(EditSubject(item_id=lead, fields={"phone": "+79990000002"}))
    wire.faults["/v1/changes"] = [lose_answer]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    administration.change_role(database, "marketer1", role, changes_at())
    if role == "sales":
        with database.write() as connection:
            connection.execute(update(hub_tables.item).values(responsible=None, shared_with=None))
    desk.sync_once()
    assert desk.status().pending == 0
    assert not hold(desk, PHONE)
    agree(desk, sit, "marketer1")


def test_a_person_whose_item_left_sight_between_two_pages_is_not_kept(desk: Desk) -> None:
    """The first page has the subject, for its item was in sight; the second forgets the item."""
    item = rooms.a_lead(1)
    pages = [
        rooms.a_page(subjects=[rooms.a_subject(item, name=CANARY)]),
        msgspec.structs.replace(rooms.a_page(), forget=[Forget(kind="item", id=item.id)]),
    ]
    with desk.context.store.write() as connection:
        arrivals.land(connection, pages)
    assert mirrored(desk)["subject"] == []


def test_a_role_that_sees_far_more_fetches_it_by_pages_and_not_into_memory(
    sit: Sit, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    class Watched(Bootstrap):
        def run(self) -> arrivals.Arrived:
            begun.append("bootstrap")
            return super().run()

    operator, desk = sit("operator1"), sit("marketer1")
    a_lead(operator, "Мой")
    for number in range(6):
        a_lead(operator, f"Чужой {number}", "marketer2")
    with database.write() as connection:
        theirs = hub_tables.item.c.responsible == "marketer2"
        connection.execute(update(hub_tables.item).where(theirs).values(shared_with="sales2"))
        mine = hub_tables.item.c.responsible == "marketer1"
        connection.execute(update(hub_tables.item).where(mine).values(shared_with="sales1"))
    desk = sit("sales1")
    assert 0 < desk.count() <= 2
    monkeypatch.setattr(reconcile, "_MOST_ITEMS", 3)
    monkeypatch.setattr(reconcile, "Bootstrap", Watched)
    administration.change_role(database, "sales1", "head", changes_at())
    desk.sync_once()
    assert begun == ["bootstrap"]
    agree(desk, sit, "sales1")


def test_what_others_change_while_all_is_compared_is_compared_again(sit: Sit) -> None:
    wire = FaultyWire()
    operator, desk = sit("operator1"), sit("head", transport=wire)
    lead = a_lead(operator, "На ходу", name=CANARY)
    desk.sync_once()
    with desk.context.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM entry WHERE item_id = ?", (lead,))

    def comment() -> None:
        operator.do(Comment(item_id=lead, text="на ходу"))
        operator.sync_once()

    wire.faults["/v1/digests"] = [before(comment)]
    verdict = desk.verify(repair=True)
    assert (verdict.same, verdict.repaired) == (False, True)
    assert desk.verify().same
    agree(desk, sit, "head")


def test_what_cannot_be_compared_is_not_called_the_same(sit: Sit) -> None:
    wire = FaultyWire()
    operator, desk = sit("operator1"), sit("head", transport=wire)
    lead = a_lead(operator, "Всё время", name=CANARY)
    desk.sync_once()

    def comment() -> None:
        operator.do(Comment(item_id=lead, text="ещё"))
        operator.sync_once()

    wire.faults["/v1/digests"] = [before(comment)] * 100
    assert not desk.verify().same
    assert desk.status().syncing is None
    wire.faults.clear()
    assert desk.verify().same


def test_pages_that_lead_nowhere_end_the_exchange(sit: Sit) -> None:
    wire = FaultyWire()
    desk = sit("head", transport=wire)
    nowhere = rewritten(lambda page: msgspec.structs.replace(page, more=True, cursor=page.asked))
    wire.faults["/v1/changes"] = [nowhere] * 5
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    assert len(wire.faults["/v1/changes"]) == 4


def test_a_hub_whose_rights_change_with_every_page_is_not_asked_for_ever(
    sit: Sit, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "_ITEMS", 1)
    monkeypatch.setattr(reconcile, "_MOST_ITEMS", 0)
    wire = FaultyWire()
    a_lead(sit("operator1"), "Туда-сюда")
    desk = sit("head", transport=wire)
    with database.write() as connection:
        changes.start_epoch(connection, make_id(1_790_000_000_000, os.urandom))
        connection.execute(update(hub_tables.item).values(version=50, sealed=None))
    turns = count()
    other = rewritten(lambda page: msgspec.structs.replace(page, cursor=f"other.{next(turns)}:1"))
    wire.faults["/v1/snapshot"] = [other] * 50
    with pytest.raises(HubProblem):
        desk.sync_once()
    assert len(wire.faults["/v1/snapshot"]) > 30
    wire.faults.clear()
    desk.sync_once()
    agree(desk, sit, "head")


def test_an_inbox_of_an_older_build_is_cleared_of_what_is_hidden_by_now(
    desk: Desk, tmp_path: Path
) -> None:
    """It did not note under which masks its rows came."""
    item = rooms.a_lead(1)
    with open_desk(tmp_path / "old", clock=rooms.ticking()) as old:
        rooms.furnish(old, rooms.a_page(items=[item], subjects=[rooms.a_subject(item)]), "head")
        asked = Operation(
            id=rooms.an_id(5),
            at=1,
            intent=EditSubject(item_id=item.id, fields={"phone": "1"}, was={"phone": PHONE}),
        )
        refused = Result(number=1, id=asked.id, result="conflict", theirs={"phone": PHONE})
        marketer = Rulebook(old.playbook, Actor("marketer1", "marketer"))
        with old.context.store.write() as connection:
            old.context._rulebook = marketer
            inbox.add(connection, old.context, asked, refused)
            sight.settle(connection, Rulebook(old.playbook, Actor("head", "head")))
        (entry,) = old.inbox()
        assert (entry.mine, entry.theirs, entry.base) == ({"phone": "1"}, {}, {})


def test_a_hub_restored_during_a_bootstrap_gets_again_what_it_forgot(
    sit: Sit,
    hub: HubProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No cursor is refused then: the bootstrap is begun anew in the new epoch."""
    monkeypatch.setattr(bootstrap, "_ITEMS", 1)
    monkeypatch.setattr(reconcile, "_MOST_ITEMS", 0)
    wire = FaultyWire()
    operator, desk = sit("operator1"), sit("marketer1", transport=wire)
    lead = a_lead(operator, "До копии")
    desk.sync_once()
    backup = back_up(hub, tmp_path / "backup.db")
    desk.do(Comment(item_id=lead, text="после копии"))
    desk.sync_once()
    with Database(hub.db_url) as database:
        administration.change_role(database, "marketer1", "head", changes_at())
    wire.faults["/v1/snapshot"] = [passes, lose_answer]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    hub.kill()
    restore(hub, backup)
    with Database(hub.db_url) as restored:
        administration.new_epoch(restored, changes_at())
    hub.start()
    desk.sync_once()
    comments = [entry.comment for entry in desk.card(lead).entries if entry.event == "comment"]
    assert comments == ["после копии"]
    agree(desk, sit, "marketer1")
