"""Who may have a look at what is masked for him, or have it dialled, and that it is journaled."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text, update

from desk.domain.journal import Access
from desk.domain.playbook_loader import load
from desk.domain.rights import may_call, may_reveal
from desk.hub import reveals
from desk.protocol.journal import Call, Dial, JournalPage, Noted, Reveal, Revealed, Upload
from desk.schema import hub_tables as t
from tests.hub.hubs import FREIGHT, PEOPLE, Desk, Hub, new_lead, problem, qualification, read
from tests.hub.test_journal_entries import entries
from tests.hub.test_journal_entries import hub as hub

PHONE = "+79161234567"
SUBJECT = {"name": "Иван Секретов", "phone": PHONE, "email": "ivan@example.com"}
PLAYBOOK = load(FREIGHT, "freight")
FIELDS = [f"subject.{name}" for name in PLAYBOOK.subject_fields]
FIELDS += [f"lead.{name}" for name in PLAYBOOK.kinds["lead"].fields]


def look(desk: Desk, item_id: str, *fields: str, purpose: str = "processing") -> Any:
    return desk.post("/v1/pd/reveal", Reveal(item_id=item_id, fields=list(fields), purpose=purpose))


def dial(desk: Desk, item_id: str, field: str = "subject.phone", place: int = 0) -> Any:
    return desk.post("/v1/pd/call", Call(item_id=item_id, field=field, place=place))


@pytest.fixture
def card(hub: Hub) -> tuple[Desk, str]:
    """A sales manager, and a lead that was handed to him."""
    lead, handed = qualification(hub, **SUBJECT)
    with hub.database.write() as connection:
        connection.execute(update(t.item).where(t.item.c.id == handed).values(responsible="sales1"))
        connection.execute(update(t.item).where(t.item.c.id == lead).values(shared_with="sales1"))
    return hub.desk("sales1"), lead


def test_a_look_at_a_masked_field_shows_it_and_stands_in_the_journal(
    hub: Hub, card: tuple[Desk, str]
) -> None:
    desk, lead = card
    desk.bootstrap()
    (subject,) = desk.rows["subject"].values()
    assert subject.fields["phone"] != PHONE
    answer = read(look(desk, lead, "subject.phone", "subject.email"), Revealed)
    assert answer.values == {"subject.phone": PHONE, "subject.email": "ivan@example.com"}
    (entry,) = entries(hub, event="reveal")
    assert (entry.who, entry.device, entry.purpose) == ("sales1", desk.device, "processing")
    assert (entry.subject_id, entry.item_id) == (subject.id, lead)
    assert entry.fields == ("subject.email", "subject.phone")


def test_a_number_is_given_to_be_dialled_and_stands_in_the_journal(
    hub: Hub, card: tuple[Desk, str]
) -> None:
    desk, lead = card
    assert read(dial(desk, lead), Dial).number == PHONE
    (entry,) = entries(hub, event="call")
    assert (entry.who, entry.item_id, entry.fields) == ("sales1", lead, ("subject.phone",))
    assert problem(dial(desk, lead, place=1))[:2] == (409, "no_number")


def test_nothing_is_shown_that_cannot_be_journaled(hub: Hub, card: tuple[Desk, str]) -> None:
    desk, lead = card
    with hub.database.write() as connection:
        connection.execute(text("DROP TABLE journal_head"))
    assert problem(look(desk, lead, "subject.phone"))[:2] == (503, "unavailable")
    assert problem(dial(desk, lead))[:2] == (503, "unavailable")


@pytest.mark.parametrize("user", ["operator1", "marketer1", "sales1", "head", "director"])
def test_each_role_sees_and_dials_what_its_playbook_says_and_nothing_else(
    hub: Hub, user: str
) -> None:
    role = PEOPLE[user]
    lead, _ = qualification(hub, **SUBJECT)
    shared = update(t.item).where(t.item.c.id == lead).values(shared_with="sales1")
    with hub.database.write() as connection:
        connection.execute(shared)
        connection.execute(update(t.account).values(loopback_only=False))
    desk = hub.desk(user)
    desk.bootstrap()
    in_sight = lead in desk.rows["item"]
    for field in FIELDS:
        answer = look(desk, lead, field)
        if not may_reveal(PLAYBOOK, role, field):
            assert problem(answer)[:2] == (403, "not_allowed"), field
        elif not in_sight:
            assert problem(answer)[:2] == (404, "no_item"), field
        else:
            assert set(read(answer, Revealed).values) <= {field}
        answer = dial(desk, lead, field)
        if not may_call(PLAYBOOK, role, field):
            assert problem(answer)[:2] == (403, "not_allowed"), field
        elif not in_sight:
            assert problem(answer)[:2] == (404, "no_item"), field
        elif field == "subject.phone":
            assert read(answer, Dial).number == PHONE
        else:
            assert problem(answer)[:2] == (409, "no_number"), field


def test_a_card_out_of_sight_is_refused_like_one_that_is_not_there(
    hub: Hub, card: tuple[Desk, str]
) -> None:
    desk, lead = card
    operator = hub.desk("operator1")
    operator.done(new_lead(**SUBJECT))
    operator.bootstrap()
    there = next(one for one in operator.rows["item"] if one != lead)
    for ask in (look, dial):
        refused = [ask(desk, one, "subject.phone") for one in (there, hub.new_id(), "nothing")]
        assert len({answer.content for answer in refused}) == 1
        assert {problem(answer)[:2] for answer in refused} == {(404, "no_item")}


def test_a_purpose_must_be_one_of_the_playbooks(card: tuple[Desk, str]) -> None:
    desk, lead = card
    for purpose in ("", "curiosity"):
        answer = look(desk, lead, "subject.phone", purpose=purpose)
        assert problem(answer)[:2] == (400, "bad_request")
    assert problem(look(desk, lead))[:2] == (400, "bad_request")


def test_whoever_looks_too_often_has_to_wait(
    hub: Hub, card: tuple[Desk, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, lead = card
    monkeypatch.setattr(reveals, "LOOKS", 3)
    for _ in range(3):
        assert look(desk, lead, "subject.phone").is_success
    answer = look(hub.desk("sales1"), lead, "subject.phone")
    assert problem(answer) == (429, "too_often", {"seconds": "600"})
    assert answer.headers["Retry-After"] == "600"
    assert dial(desk, lead).is_success
    hub.clock.pass_minutes(11)
    assert look(desk, lead, "subject.phone").is_success


def test_the_hidden_digits_of_a_number_are_not_found_by_trying_them_out(
    hub: Hub, card: tuple[Desk, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _lead = card
    monkeypatch.setattr(reveals, "SEARCHES", 3)
    for tried in range(3):
        assert desk.post("/v1/pd/find", {"phone": f"+7916123456{tried}"}).json() == []
    answer = hub.desk("sales1").post("/v1/pd/find", {"phone": PHONE})
    assert problem(answer) == (429, "too_often", {"seconds": "600"})
    hub.clock.pass_minutes(11)
    assert len(desk.post("/v1/pd/find", {"phone": PHONE}).json()) == 1


def test_searches_that_a_desk_made_alone_do_not_make_the_hubs_wait(
    hub: Hub, card: tuple[Desk, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _lead = card
    monkeypatch.setattr(reveals, "SEARCHES", 3)
    noted = [
        Noted(
            seq=seq,
            mac=bytes([seq]) * 32,
            access=Access(id=hub.new_id(), at=hub.clock.now, event="search"),
        )
        for seq in range(1, 5)
    ]
    assert desk.post("/v1/journal", Upload(after=0, after_mac=b"", entries=noted)).is_success
    assert desk.post("/v1/pd/find", {"phone": PHONE}).is_success


def test_a_person_whose_data_is_blocked_is_neither_called_nor_looked_at(
    hub: Hub, card: tuple[Desk, str]
) -> None:
    desk, lead = card
    with hub.database.write() as connection:
        connection.execute(update(t.subject).values(stage="erasure_requested"))
    for answer in (dial(desk, lead), look(desk, lead, "subject.phone")):
        assert problem(answer)[:2] == (409, "processing_stopped")
    assert entries(hub, event="call") == entries(hub, event="reveal") == []


def test_a_person_who_wants_no_calls_is_not_called_and_may_be_looked_at(
    hub: Hub, card: tuple[Desk, str]
) -> None:
    desk, lead = card
    objected = {"given_at": 1, "text_version": 1, "channel": "phone", "withdrawn_at": 2}
    with hub.database.write() as connection:
        connection.execute(update(t.subject).values(consents={"calls": objected}))
    assert problem(dial(desk, lead))[:2] == (409, "do_not_call")
    assert look(desk, lead, "subject.phone").is_success


def test_the_journal_is_the_officers_and_his_look_is_an_entry(
    hub: Hub, card: tuple[Desk, str]
) -> None:
    desk, lead = card
    look(desk, lead, "subject.phone")
    with hub.database.read() as connection:
        subject = connection.execute(select(t.subject.c.id)).scalar_one()
    asked = {"subject_id": subject, "limit": 1}
    for user in ("sales1", "head", "admin", "director"):
        answer = hub.desk(user).post("/v1/pd/journal", asked)
        assert problem(answer)[:2] == (403, "not_officer"), user
    with hub.database.write() as connection:
        connection.execute(
            update(t.person).where(t.person.c.id == "head").values(role="pd_officer")
        )
    officer = hub.desk("head")
    hub.clock.pass_minutes(1)
    page = read(officer.post("/v1/pd/journal", asked), JournalPage)
    assert len(page.lines) == 1
    assert page.more
    (entry,) = entries(hub, who="head", event="read")
    assert (entry.subject_id, entry.detail) == (subject, {"via": "journal"})
    for broken in ({"after": "x"}, {"limit": -1}, {"who": "\x00"}, {"since": 2**70}):
        answer = officer.post("/v1/pd/journal", broken)
        assert problem(answer)[:2] == (400, "bad_request"), broken
