"""Personal data at rest: nothing of it bare in the hub's files, no record in another's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from desk.domain.operations import Comment, EditFields, EditSubject, GiveConsent
from desk.hub import lookup, texts
from desk.hub.database import Database
from desk.hub.keystore import key_name
from desk.hub.sealing import SealBroken
from desk.hub.setup import add_user, bring_up
from desk.hub.store import Opened
from desk.protocol import personal as p
from desk.schema import hub_tables as t
from tests.hub.hubs import PASSWORD, START, Desk, Hub, new_lead

CANARIES = {
    "name": "Канарейкин Пётр",
    "phone": "+79161234567",
    "email": "canary-71c2@example.org",
    "title": "ООО Канарейка-8d1",
    "request": "канареечный груз 5f0",
    "comment": "канарейка звонила 3a9",
    "evidence": "запись канарейки b27",
    "note": "канарейка просит e41",
    "extension": "канарейка подождёт 6c0",
    "answer": "канарейке отвечено 9f8",
    "incident": "канарейка улетела d15",
    "described": "видели канарейку 2b6",
    "notice": "о канарейке сообщено 04e",
    "result": "канарейка найдена a73",
}


def plant(hub: Hub) -> str:
    """A lead that has something personal in every place there is; its id."""
    desk = hub.desk("operator1")
    personal = {name: CANARIES[name] for name in ("name", "phone", "email")}
    lead = desk.done(new_lead(CANARIES["title"], **personal))
    desk.done(EditFields(item_id=lead, fields={"request": CANARIES["request"]}))
    desk.done(Comment(item_id=lead, text=CANARIES["comment"]))
    desk.done(
        GiveConsent(
            item_id=lead,
            purpose="processing",
            text_version=1,
            channel="phone",
            evidence=CANARIES["evidence"],
        )
    )
    return lead


def officer_of(hub: Hub) -> Desk:
    """The desk of the officer, who is hired for it."""
    add_user(hub.database, "officer1", name="Олег", role="pd_officer", password=PASSWORD)
    return hub.desk("officer1")


def plant_papers(hub: Hub, officer: Desk, lead: str) -> None:
    """A request about the lead's person and an incident, with something in every text of them."""
    with hub.database.read() as connection:
        query = select(t.item.c.subject_id).where(t.item.c.id == lead)
        subject = connection.execute(query).scalar_one()

    def ask(path: str, message: object) -> str:
        answer = officer.post(f"/v1/pd/{path}", message)
        assert answer.is_success, answer.text
        return answer.json()["id"]

    new = p.NewRequest(subject_id=subject, kind="access", note=CANARIES["note"])
    request = ask("request", new)
    for step, said in (("extend", "extension"), ("answer", "answer")):
        decided = p.DecideRequest(request_id=request, reason=CANARIES[said])
        ask(f"request/{step}", decided)
    incident = ask(
        "incident", p.NewIncident(title=CANARIES["incident"], description=CANARIES["described"])
    )
    for step, said in (("notify", "notice"), ("resolve", "result")):
        ask(f"incident/{step}", p.DecideIncident(incident_id=incident, note=CANARIES[said]))


def papers(officer: Desk) -> list[object]:
    """Everything that holds these texts, as the officer is given it."""
    answers = [
        officer.post("/v1/pd/registry", p.RegistryQuery()),
        officer.post("/v1/pd/requests", p.RequestsQuery(state="closed")),
        officer.get("/v1/pd/incidents"),
    ]
    return [answer.json() for answer in answers]


def contradict(lead: str) -> EditSubject:
    """A change by somebody who saw another name than ever stood there."""
    return EditSubject(item_id=lead, fields={"name": "Иной"}, base={"name": 0}, was={"name": "?"})


def found_in(contents: bytes) -> list[str]:
    return [name for name, text in CANARIES.items() if text.encode() in contents]


def dump(database: Database) -> bytes:
    """Every value of every row, as the database gives it."""
    with database.read() as connection:
        tables = [one for one in t.metadata.sorted_tables if one is not t.playbook]
        rows = [row for one in tables for row in connection.execute(select(one)).all()]
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )


def test_nothing_personal_lies_bare_in_the_database(hub: Hub) -> None:
    lead = plant(hub)
    officer = officer_of(hub)
    plant_papers(hub, officer, lead)
    given = str(papers(officer))
    assert all(CANARIES[name] in given for name in list(CANARIES)[6:])
    (conflict,) = hub.desk("operator2").do(contradict(lead))
    assert conflict.theirs == {"name": CANARIES["name"]}
    assert found_in(dump(hub.database)) == []
    if hub.database.is_sqlite:
        for file in Path(str(hub.database.url.database)).parent.iterdir():
            assert found_in(file.read_bytes()) == [], file.name


def test_a_conflict_told_again_tells_what_stands_now(hub: Hub) -> None:
    lead = plant(hub)
    desk = hub.desk("operator2")
    asked = desk.operation(contradict(lead))
    assert desk.send(asked).json()["results"][0]["theirs"] == {"name": CANARIES["name"]}
    hub.desk("operator1").done(EditSubject(item_id=lead, fields={"name": "Павел"}))
    assert desk.send(asked).json()["results"][0]["theirs"] == {"name": "Павел"}


def test_what_an_older_hub_held_bare_is_sealed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.hub.resealing.AT_ONCE", 2)
    leads = [plant(hub) for _ in range(3)]
    officer = officer_of(hub)
    for lead in leads:
        plant_papers(hub, officer, lead)
    given = papers(officer)
    before = hub.desk("operator1").fresh()
    with hub.database.write() as connection:
        lay_bare(connection)
        connection.execute(update(t.hub).values(sealed_at=None))
    assert sorted(found_in(dump(hub.database))) == sorted(CANARIES)
    bring_up(hub.database, START)
    assert found_in(dump(hub.database)) == []
    if hub.database.is_sqlite:
        assert found_in(Path(str(hub.database.url.database)).read_bytes()) == []
    assert hub.desk("operator1").fresh() == before
    assert papers(officer) == given
    with hub.database.read() as connection:
        assert len(lookup.find(connection, "phone", CANARIES["phone"])) == len(leads)


def lay_bare(connection: Connection) -> None:
    """The rows as a hub of before kept them."""
    opened = Opened(connection)
    for item in opened.items(select(t.item)):
        bare = {"title": item.title, "fields": item.fields, "sealed": None}
        connection.execute(update(t.item).where(t.item.c.id == item.id).values(bare))
    for entry in opened.entries(select(t.entry)):
        said = {"comment": entry.comment, "sealed": None}
        connection.execute(update(t.entry).where(t.entry.c.id == entry.id).values(said))
    for subject in opened.subjects(select(t.subject)):
        known = {"fields": subject.fields, "sealed": None}
        connection.execute(update(t.subject).where(t.subject.c.id == subject.id).values(known))
    connection.execute(t.subject_lookup.delete())
    for table in texts.TEXTS:
        for values in texts.opened(connection, table, connection.execute(select(table)).all()):
            told = {name: values[name] for name in texts.TEXTS[table]}
            mine = table.c.id == values["id"]
            connection.execute(update(table).where(mine).values({**told, "sealed": None}))


def test_a_record_opens_in_its_own_place_only(hub: Hub) -> None:
    plant(hub)
    plant(hub)
    with hub.database.read() as connection:
        first, second = connection.execute(select(t.subject)).all()
        opened = Opened(connection)
        opened.subjects_of([first, second])

        def opens(**changed: Any) -> bool:
            place = {"table": "subject", "kind": "", "row": first.id, "version": first.version}
            try:
                return bool(opened.ring.open(**{"record": first.sealed, **place, **changed}))
            except SealBroken:
                return False

        assert opens()
        assert opens(record=second.sealed, row=second.id)
        assert not opens(record=second.sealed)
        assert not opens(row=second.id)
        assert not opens(version=first.version + 1)
        assert not opens(table="item")
        assert not opens(kind="lead")
        # Another key's name would be that of no key that is known.
        for at in (*range(2), *range(18, len(first.sealed))):
            broken = bytearray(first.sealed)
            broken[at] ^= 1
            assert not opens(record=bytes(broken)), at
        swapped = first.sealed[:2] + second.sealed[2:18] + first.sealed[18:]
        assert not opens(record=swapped)


def test_a_record_whose_key_is_destroyed_reads_as_erased(hub: Hub) -> None:
    lead = plant(hub)
    with hub.database.read() as connection:
        (subject,) = Opened(connection).subjects(select(t.subject))
    hub.database.keys.destroy([key_name(subject.id)], START)
    rows = hub.desk("operator1").fresh()
    assert rows["item"][lead].title == ""
    assert "request" not in rows["item"][lead].fields
    assert {one.comment for one in rows["entry"].values()} == {""}
    assert rows["subject"] == {}


def test_the_texts_about_a_person_go_with_his_key(hub: Hub) -> None:
    lead = plant(hub)
    officer = officer_of(hub)
    plant_papers(hub, officer, lead)
    with hub.database.read() as connection:
        (subject,) = Opened(connection).subjects(select(t.subject))
    hub.database.keys.destroy([key_name(subject.id)], START)
    given = str(papers(officer)).encode()
    assert found_in(given) == ["incident", "described", "notice", "result"]


def test_a_text_opens_in_its_own_row_only(hub: Hub) -> None:
    plant_papers(hub, officer_of(hub), plant(hub))
    with hub.database.write() as connection:
        for table in texts.TEXTS:
            connection.execute(update(table).values(id=hub.new_id()))
            (row,) = connection.execute(select(table)).all()
            with pytest.raises((SealBroken, ValueError)):
                texts.opened(connection, table, [row])


def test_a_subject_is_found_by_its_phone_and_mail_however_they_change(hub: Hub) -> None:
    lead = plant(hub)
    desk = hub.desk("operator1")

    def found(kind: lookup.Contact, value: str) -> int:
        with hub.database.read() as connection:
            return len(lookup.find(connection, kind, value))

    assert found("phone", CANARIES["phone"]) == found("email", "CANARY-71c2@example.org") == 1
    assert found("email", CANARIES["phone"]) == 0
    desk.done(EditSubject(item_id=lead, fields={"phone": "+79160000000", "email": None}))
    assert found("phone", "+79160000000") == 1
    assert found("phone", CANARIES["phone"]) == found("email", CANARIES["email"]) == 0
    desk.done(new_lead("Ещё", phone="+79160000000"))
    assert found("phone", "+79160000000") == 2
