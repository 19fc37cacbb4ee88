"""What whoever runs a hub does to it, and what the desks get to know of it."""

from __future__ import annotations

import random

import msgspec
import pytest
from sqlalchemy import select

from desk.domain.playbook_check import PlaybookError
from desk.hub import administration, changes
from desk.hub.errors import SetupError
from desk.hub.playbooks import current
from desk.protocol.messages import Page, PlaybookSource
from desk.resources import playbooks_dir
from desk.schema import hub_tables as t
from tests.hub.hubs import FREIGHT, MINUTE, START, Desk, Hub, new_lead, problem, qualification, read

PLAYBOOKS = playbooks_dir()
LATER = FREIGHT.replace("Freight exchange", "Freight exchange of tomorrow")


def refusal(hub: Hub, call: object, *arguments: object) -> SetupError:
    assert callable(call)
    with pytest.raises(SetupError) as refused:
        call(hub.database, *arguments)
    return refused.value


def changes_of(desk: Desk) -> Page:
    return read(desk.get("/v1/changes", cursor=desk.cursor), Page)


def end_of_log(hub: Hub) -> changes.Head:
    with hub.database.read() as connection:
        return changes.head(connection)


# roles


def test_another_role_makes_the_next_pull_of_that_desk_compare_and_of_no_other(hub: Hub) -> None:
    mine, other = hub.desk("sales1"), hub.desk("head")
    mine.bootstrap()
    other.bootstrap()
    changed = administration.change_role(hub.database, "sales1", "marketer", hub.clock.now)
    assert changed == administration.Role(user="sales1", role="marketer", was="sales")
    assert changes_of(mine).reset
    other.pull()
    assert other.rows["person"]["sales1"].role == "marketer"
    mine.bootstrap()
    assert mine.rows["person"]["sales1"].role == "marketer"
    assert not changes_of(mine).reset


def test_the_same_role_again_changes_nothing(hub: Hub) -> None:
    desk = hub.desk("sales1")
    desk.bootstrap()
    before = end_of_log(hub)
    changed = administration.change_role(hub.database, "sales1", "sales", hub.clock.now)
    assert changed.was == changed.role
    assert end_of_log(hub) == before
    assert not changes_of(desk).reset


def test_a_role_that_cannot_be_given_is_refused(hub: Hub) -> None:
    call = administration.change_role
    unknown = refusal(hub, call, "sales1", "pilot", START)
    assert (unknown.code, unknown.arguments["role"]) == ("unknown_role", "pilot")
    assert "marketer" in unknown.arguments["possible"]
    assert refusal(hub, call, "nobody", "sales", START).code == "no_such_user"
    with hub.database.read() as connection:
        role = select(t.person.c.role).where(t.person.c.id == "sales1")
        assert connection.execute(role).scalar_one() == "sales"


# tokens


def test_a_user_without_tokens_is_out_on_all_devices_and_may_come_back(hub: Hub) -> None:
    desks = [hub.desk("sales1"), hub.desk("sales1")]
    other = hub.desk("sales2")
    gone = administration.revoke(hub.database, "sales1", START)
    assert (gone.user, gone.devices) == ("sales1", sorted(desk.device for desk in desks))
    for desk in desks:
        assert problem(desk.get("/v1/playbook"))[:2] == (401, "not_signed_in")
    assert other.get("/v1/playbook").is_success
    assert hub.desk("sales1", desks[0].device).get("/v1/playbook").is_success


def test_one_device_is_signed_out_alone_and_its_numbers_go_on(hub: Hub) -> None:
    lost, kept = hub.desk("operator1"), hub.desk("operator1")
    lost.done(new_lead())
    assert administration.revoke(hub.database, lost.device, START).devices == [lost.device]
    assert lost.get("/v1/playbook").status_code == 401
    assert kept.get("/v1/playbook").is_success
    assert administration.revoke(hub.database, lost.device, START).devices == []
    assert hub.desk("operator1", lost.device).number == 1
    assert refusal(hub, administration.revoke, "nobody", START).code == "no_such_holder"


# devices


def test_devices_are_told_with_what_is_known_of_them(hub: Hub) -> None:
    first = hub.desk("operator1")
    hub.clock.pass_minutes(10)
    worked_at = hub.clock.now
    first.done(new_lead())
    hub.clock.pass_minutes(10)
    second = hub.desk("operator1")
    hub.clock.pass_minutes(10)
    first.get("/v1/playbook")
    found = administration.devices(hub.database, "operator1", hub.clock.now)
    assert [(one.id, one.last_op, one.signed_in, one.seen_at) for one in found] == [
        (first.device, 1, True, worked_at + 20 * MINUTE),
        (second.device, 0, True, worked_at + 10 * MINUTE),
    ]
    assert {one.name for one in found} == {"a test"}
    administration.revoke(hub.database, second.device, START)
    found = administration.devices(hub.database, "operator1", hub.clock.now)
    assert [(one.signed_in, one.seen_at) for one in found] == [
        (True, hub.clock.now),
        (False, worked_at + 10 * MINUTE),
    ]
    hub.desk("head")
    everybody = administration.devices(hub.database, None, hub.clock.now)
    assert [one.user for one in everybody] == ["head", "operator1", "operator1"]
    assert refusal(hub, administration.devices, "nobody", START).code == "no_such_user"


# the log


def test_the_log_tells_who_did_what_and_no_word_of_it(hub: Hub) -> None:
    operator = hub.desk("operator1")
    before = end_of_log(hub).seq
    lead = operator.done(new_lead("ООО Вектор", name="Анна Ким"))
    piece = administration.log(hub.database, before)
    assert (piece.next, piece.floor) == (None, 0)
    item = next(line for line in piece.lines if line.kind == "item")
    assert item == administration.Line(
        seq=item.seq,
        kind="item",
        id=lead,
        item=lead,
        op="insert",
        version=1,
        who="operator1",
        at=hub.clock.now,
    )
    text = msgspec.json.encode(piece).decode()
    assert "Вектор" not in text
    assert "Анна" not in text
    assert "scope" not in text


def test_the_log_is_read_piece_by_piece_without_a_gap_or_a_repeat(hub: Hub) -> None:
    operator = hub.desk("operator1")
    for _ in range(5):
        operator.done(new_lead())
    whole = administration.log(hub.database, 0).lines
    pieces: list[administration.Line] = []
    since: int | None = 0
    while since is not None:
        piece = administration.log(hub.database, since, 3)
        assert len(piece.lines) <= 3
        pieces += piece.lines
        since = piece.next
    assert pieces == whole
    assert [line.seq for line in whole] == list(range(1, len(whole) + 1))


# playbooks


def test_a_changed_playbook_is_the_next_version_and_every_desk_compares(hub: Hub) -> None:
    desk = hub.desk("head")
    desk.bootstrap()
    before = end_of_log(hub)
    done = administration.install_playbook(hub.database, LATER, "mine.toml", hub.clock.now)
    assert (done.version, done.was) == (2, 1)
    assert read(desk.get("/v1/playbook"), PlaybookSource) == PlaybookSource(version=2, source=LATER)
    assert changes_of(desk).reset
    assert end_of_log(hub).seq > before.seq, "nobody would be hinted at it"
    desk.bootstrap()
    assert not changes_of(desk).reset
    again = administration.install_playbook(hub.database, LATER, "mine.toml", hub.clock.now)
    assert (again.version, again.was) == (2, 2)
    assert not changes_of(desk).reset


def test_a_playbook_that_cannot_be_read_is_refused_and_the_old_one_stays(hub: Hub) -> None:
    with pytest.raises(PlaybookError) as refused:
        administration.install_playbook(hub.database, "id = ", "mine.toml", START)
    assert refused.value.where.startswith("mine.toml")
    with hub.database.read() as connection:
        assert current(connection).version == 1


def test_no_stage_is_taken_from_under_a_card_and_no_role_from_a_person(hub: Hub) -> None:
    bank = (PLAYBOOKS / "bank.toml").read_text(encoding="utf-8")
    qualification(hub)
    stages = refusal(hub, administration.install_playbook, bank, "bank.toml", START)
    assert stages.code == "stages_in_use"
    assert "qualification.new (1)" in stages.arguments["stages"]
    with hub.database.write() as connection:
        connection.execute(t.item.delete())
    roles = refusal(hub, administration.install_playbook, bank, "bank.toml", START)
    assert roles.code == "roles_in_use"
    assert "marketer (2)" in roles.arguments["roles"]
    with hub.database.read() as connection:
        assert current(connection).version == 1


# epochs


def test_a_new_epoch_makes_every_desk_compare(hub: Hub) -> None:
    desks = [hub.desk("head"), hub.desk("operator1")]
    for desk in desks:
        desk.bootstrap()
    before = end_of_log(hub)
    done = administration.new_epoch(hub.database, hub.clock.now, random.Random(3).randbytes)
    assert done.was == before.epoch != done.epoch == end_of_log(hub).epoch
    for desk in desks:
        assert changes_of(desk).reset
        desk.bootstrap()
        assert not changes_of(desk).reset


def test_nothing_is_administered_where_there_is_no_hub(empty_url: str) -> None:
    with pytest.raises(SetupError) as refused, administration.opened(empty_url):
        raise AssertionError
    assert refused.value.code == "not_set_up"


def test_the_tables_are_brought_to_this_version_first(database_url: str) -> None:
    with administration.opened(database_url) as database:
        assert administration.log(database, 0).lines
