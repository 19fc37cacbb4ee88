"""A person is erased: on the hub, for every desk, for good; what stays is proof without data."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select, update

from desk.commands import hub_subjects
from desk.domain.operations import CloseTask, Comment, EditFields, EditSubject, GiveConsent
from desk.hub import erasure, lookup
from desk.hub.erasure import NoSubject
from desk.hub.setup import bring_up
from desk.hub.store import Opened
from desk.protocol.messages import Page
from desk.schema import hub_tables as t
from tests.hub.hubs import START, Desk, Hub, copy_files, new_lead, read, running
from tests.hub.test_sealing import (
    CANARIES,
    dump,
    found_in,
    lay_bare,
    officer_of,
    plant,
    plant_papers,
)


def subject_of(hub: Hub, lead: str) -> str:
    with hub.database.read() as connection:
        query = select(t.item.c.subject_id).where(t.item.c.id == lead)
        return connection.execute(query).scalar_one()


def erase(hub: Hub, lead: str) -> str:
    subject = subject_of(hub, lead)
    erasure.erase(hub.database, subject, "officer1", hub.clock(), "request 7")
    return subject


def synced(hub: Hub, user: str = "operator1") -> Desk:
    desk = hub.desk(user)
    desk.bootstrap()
    return desk


def sealed_in(file: Path, records: list[bytes]) -> list[bytes]:
    return [one for one in records if one in file.read_bytes()]


def pages_of(desk: Desk) -> list[Page]:
    return [read(desk.get("/v1/changes", cursor=desk.cursor, limit=1000), Page)]


def test_nothing_of_an_erased_person_is_left_on_the_hub(hub: Hub) -> None:
    lead = plant(hub)
    plant_papers(hub, officer_of(hub), lead)
    (conflict,) = hub.desk("operator2").do(
        EditSubject(item_id=lead, fields={"name": "Иной"}, base={"name": 0}, was={"name": "?"})
    )
    assert conflict.theirs
    with hub.database.read() as connection:
        sealed_ones = (t.subject, t.consent, t.pd_request)
        records = [connection.execute(select(one.c.sealed)).scalar_one() for one in sealed_ones]
    subject = erase(hub, lead)
    with hub.database.read() as connection:
        assert lookup.find(connection, "phone", CANARIES["phone"]) == []
        opened = Opened(connection)
        (person,) = opened.subjects(select(t.subject))
        assert (person.stage, person.fields, person.field_versions) == ("erased", {}, {})
        (item,) = opened.items(select(t.item))
        assert (item.title, item.fields.get("request")) == ("", None)
        assert {one.comment for one in opened.entries(select(t.entry))} == {""}
        sealed = [select(func.count(one.c.sealed)) for one in (t.item, t.entry, *sealed_ones)]
        assert [connection.execute(one).scalar_one() for one in sealed] == [0] * len(sealed)
    assert found_in(dump(hub.database)) == []
    assert erasure.key_name(subject) in hub.database.keys.destroyed()
    if hub.database.is_sqlite:
        for file in Path(str(hub.database.url.database)).parent.iterdir():
            assert [*found_in(file.read_bytes()), *sealed_in(file, records)] == [], file.name


def test_desks_are_told_to_forget_the_person_and_get_the_emptied_rows(hub: Hub) -> None:
    lead = plant(hub)
    desk = synced(hub)
    subject = erase(hub, lead)
    (page,) = pages_of(desk)
    assert [(one.kind, one.id) for one in page.forget] == [("subject", subject)]
    assert page.subjects == []
    assert [(one.id, one.title) for one in page.items] == [(lead, "")]
    assert {one.comment for one in page.entries} == {""}
    desk.pull()
    assert desk.rows == desk.fresh()
    assert desk.rows["subject"] == {}


def test_an_erased_person_is_in_no_digest(hub: Hub) -> None:
    desk = synced(hub)
    plant(hub)
    asked = {"key": "AAAAAAAAAAAAAAAAAAAAAA==", "ranges": [{"low": "", "high": ""}]}

    def counted() -> int:
        answer = desk.post("/v1/digests", asked)
        return answer.json()["digests"][0]["subject"]["count"]

    assert counted() == 1
    with hub.database.read() as connection:
        (lead,) = connection.execute(select(t.item.c.id)).scalars()
    erase(hub, lead)
    assert counted() == 0


def test_each_device_that_may_hold_him_is_awaited_until_it_confirms_or_its_lease_ends(
    hub: Hub,
) -> None:
    lead = plant(hub)
    with hub.database.write() as connection:
        connection.execute(t.session.delete())
    first, second = synced(hub), synced(hub, "marketer1")
    subject = erase(hub, lead)

    def awaited() -> set[str]:
        with hub.database.read() as connection:
            found = erasure.outstanding(connection, subject, hub.clock())
        return {one.device_id for one in found}

    assert awaited() == {first.device, second.device}
    assert first.post("/v1/pd/erased", {"subjects": [subject]}).is_success
    assert awaited() == {second.device}
    with hub.database.read() as connection:
        (last,) = erasure.outstanding(connection, subject, hub.clock())
        assert last.lease_until is not None
        assert not erasure.is_overdue(connection, second.device, hub.clock())
        assert erasure.is_overdue(connection, second.device, last.lease_until)
        assert not erasure.is_overdue(connection, first.device, last.lease_until)
        assert erasure.outstanding(connection, subject, last.lease_until) == []


def test_to_erase_twice_is_one_act(hub: Hub) -> None:
    first, second = plant(hub), plant(hub)
    erase(hub, first)
    erase(hub, second)
    erase(hub, first)
    with hub.database.read() as connection:
        query = select(t.erasure.c.number, t.erasure.c.by).order_by(t.erasure.c.number)
        acts = connection.execute(query).all()
    assert acts == [(1, "officer1"), (2, "officer1")]
    with pytest.raises(NoSubject):
        erasure.erase(hub.database, hub.new_id(), None, START)


def test_what_comes_late_for_an_erased_person_is_refused_and_stored_nowhere(hub: Hub) -> None:
    lead = plant(hub)
    late = "опоздавшая канарейка 4e2"
    erase(hub, lead)
    results = hub.desk("operator1").do(
        EditSubject(item_id=lead, fields={"name": late}),
        EditFields(item_id=lead, fields={"request": late}),
        Comment(item_id=lead, text=late),
        GiveConsent(
            item_id=lead, purpose="processing", text_version=1, channel="email", evidence=late
        ),
        CloseTask(item_id=lead, task_id=hub.new_id(), comment=late),
    )
    assert {(one.result, one.code) for one in results} == {("rejected", "erased")}
    assert late.encode() not in dump(hub.database)
    with hub.database.read() as connection:
        counts = [select(func.count(one.c.sealed)) for one in (t.item, t.entry, t.subject)]
        assert [connection.execute(one).scalar_one() for one in counts] == [0, 0, 0]


def test_the_same_phone_later_is_another_person(hub: Hub) -> None:
    lead = plant(hub)
    gone = erase(hub, lead)
    again = hub.desk("operator1").done(new_lead("Снова", phone=CANARIES["phone"]))
    assert subject_of(hub, again) != gone
    with hub.database.read() as connection:
        assert lookup.find(connection, "phone", CANARIES["phone"]) == [subject_of(hub, again)]


def test_an_erasure_cut_short_before_the_key_was_destroyed_is_finished(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = plant(hub)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "destroy_keys", die)
        with pytest.raises(KeyboardInterrupt):
            erase(hub, lead)
    assert hub.database.keys.destroyed() == {}
    bring_up(hub.database, hub.clock())
    assert erasure.key_name(subject_of(hub, lead)) in hub.database.keys.destroyed()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_restored_backup_does_not_bring_him_back(database_url: str, tmp_path: Path) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    with running(database_url) as hub:
        lead = plant(hub)
        subject = subject_of(hub, lead)
    copy_files(file, tmp_path / "backup.db")
    with running(database_url) as hub:
        erase(hub, lead)
    # The rows come from the backup; the key store is today's.
    file.write_bytes((tmp_path / "backup.db").read_bytes())
    with running(database_url) as hub:
        assert synced(hub).rows["subject"] == {}
        bring_up(hub.database, hub.clock())
        with hub.database.read() as connection:
            (person,) = Opened(connection).subjects(select(t.subject))
            assert (person.id, person.stage) == (subject, "erased")
            assert lookup.find(connection, "phone", CANARIES["phone"]) == []
        assert found_in(dump(hub.database)) == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_backup_of_a_hub_that_sealed_nothing_does_not_bring_him_back(
    database_url: str, tmp_path: Path
) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    with running(database_url) as hub:
        lead = plant(hub)
        plant_papers(hub, officer_of(hub), lead)
        with hub.database.write() as connection:
            lay_bare(connection)
            connection.execute(update(t.hub).values(sealed_at=None))
    copy_files(file, tmp_path / "backup.db")
    with running(database_url) as hub:
        bring_up(hub.database, hub.clock())
        erase(hub, lead)
    file.write_bytes((tmp_path / "backup.db").read_bytes())
    with running(database_url) as hub:
        bring_up(hub.database, hub.clock())
        assert found_in(dump(hub.database)) == []
    assert found_in(file.read_bytes()) == []


def test_the_command_says_the_acts_number_and_who_is_awaited(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.hub.setup.milliseconds", hub.clock)
    lead = plant(hub)
    desk = synced(hub)
    subject = subject_of(hub, lead)
    options = Namespace(db=hub.url, json=True, subject=subject, by="head", reason="letter 5")
    assert hub_subjects.erase(options) == 0
    said = msgspec.json.decode(capsys.readouterr().out)
    assert (said["subject"], said["act"], said["by"]) == (subject, 1, "head")
    assert desk.device in {one["device"] for one in said["outstanding"]}
    assert hub_subjects.erase(Namespace(**{**vars(options), "json": False})) == 0
    assert "Act 1" in capsys.readouterr().out


# finding by a whole number


def test_a_person_is_found_by_phone_within_the_readers_sight(hub: Hub) -> None:
    lead = plant(hub)
    operator = hub.desk("operator1")
    (found,) = operator.post("/v1/pd/find", {"phone": "8 (916) 123-45-67"}).json()
    assert found["subject"]["id"] == subject_of(hub, lead)
    assert [one["id"] for one in found["items"]] == [lead]
    assert len(operator.post("/v1/pd/find", {"email": CANARIES["email"].upper()}).json()) == 1
    assert operator.post("/v1/pd/find", {"phone": "+79990000000"}).json() == []
    assert operator.post("/v1/pd/find", {}).status_code == 400
    assert operator.post("/v1/pd/find", {"phone": "нет"}).status_code == 400
    assert hub.desk("sales1").post("/v1/pd/find", {"phone": CANARIES["phone"]}).json() == []
    with hub.database.read() as connection:
        query = select(func.count()).where(t.journal.c.event == "search")
        assert connection.execute(query).scalar_one() == 4
