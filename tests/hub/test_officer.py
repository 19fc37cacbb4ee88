"""The officer for personal data at the hub: what he sees, decides and keeps."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from desk.domain.operations import Comment, GiveConsent, RequestErasure, WithdrawConsent
from desk.hub import officer_erasure
from desk.hub.setup import add_user
from desk.protocol import personal as p
from desk.schema import hub_tables as t
from tests.hub.hubs import PASSWORD, PEOPLE, Desk, Hub, new_lead, problem, read

DAY = 86_400_000


@pytest.fixture
def officer(hub: Hub) -> Desk:
    add_user(hub.database, "officer1", name="Олег Офицер", role="pd_officer", password=PASSWORD)
    return hub.desk("officer1")


def give(item: str, purpose: str = "processing", channel: str = "site") -> GiveConsent:
    return GiveConsent(item_id=item, purpose=purpose, text_version=1, channel=channel)


def withdraw(item: str, purpose: str = "processing") -> WithdrawConsent:
    return WithdrawConsent(item_id=item, purpose=purpose, channel="phone")


def lead(hub: Hub, name: str = "Иван Петров", **more: Any) -> tuple[Desk, str, str]:
    """A desk, a card on it, and the id of its subject."""
    desk = hub.desk("operator1")
    card = desk.done(new_lead(name=name, **more))
    with hub.database.read() as connection:
        query = select(t.item.c.subject_id).where(t.item.c.id == card)
        return desk, card, connection.execute(query).scalar_one()


def ask(officer: Desk, path: str, message: Any, kind: Any) -> Any:
    return read(officer.post(f"/v1/pd/{path}", message), kind)


def consents(officer: Desk, **asked: Any) -> list[tuple[str, str]]:
    page = ask(officer, "registry", p.RegistryQuery(**asked), p.RegistryPage)
    assert page.total == len(page.lines) or page.more or asked.get("after")
    return [(line.name, line.consent.purpose) for line in page.lines]


def requests(officer: Desk, **asked: Any) -> list[p.RequestLine]:
    return ask(officer, "requests", p.RequestsQuery(**asked), p.RequestsPage).lines


def told(hub: Hub, event: str) -> list[Any]:
    with hub.database.read() as connection:
        query = select(t.journal).where(t.journal.c.event == event).order_by(t.journal.c.seq)
        return [row for row in connection.execute(query) if row.who == "officer1"]


def test_nobody_but_the_officer_is_answered(hub: Hub) -> None:
    _, _, subject = lead(hub)
    posts: dict[str, Any] = {
        "registry": p.RegistryQuery(),
        "cards": p.CardsQuery(),
        "subject": p.AskSubject(subject_id=subject),
        "export": p.AskExport(subject_id=subject),
        "requests": p.RequestsQuery(),
        "request": p.NewRequest(subject_id=subject, kind="erase"),
        "request/answer": p.DecideRequest(request_id=subject),
        "request/extend": p.DecideRequest(request_id=subject),
        "request/reject": p.DecideRequest(request_id=subject),
        "request/execute": p.DecideRequest(request_id=subject),
        "incident": p.NewIncident(title="?"),
        "incident/notify": p.DecideIncident(incident_id=subject, note="?"),
        "incident/resolve": p.DecideIncident(incident_id=subject, note="?"),
        "document": p.AskDocument(document_id=subject),
        "extract": p.AskExtract(subject_id=subject),
    }
    gets = ("texts", "incidents", "documents")
    for user in sorted(set(PEOPLE) - {"operator2", "marketer2", "sales2", "officer1"}):
        desk = hub.desk(user)
        answers = [desk.post(f"/v1/pd/{path}", message) for path, message in posts.items()]
        answers += [desk.get(f"/v1/pd/{path}") for path in gets]
        assert {problem(one)[:2] for one in answers} == {(403, "not_officer")}, user


def test_the_registry_is_filtered_by_what_a_consent_says(hub: Hub, officer: Desk) -> None:
    desk, first, _ = lead(hub, "Анна")
    _, second, _ = lead(hub, "Борис", phone="+7 912 345-67-89", email="Boris@Example.com")
    desk.do(give(first), give(first, "mailing", "email"))
    hub.clock.now += 3 * DAY
    desk.do(give(second), withdraw(second), withdraw(second, "calls"))
    everything = consents(officer)
    assert sorted(everything[-2:]) == [("Анна", "mailing"), ("Анна", "processing")]
    assert len(everything) == 4
    assert consents(officer, purpose="mailing") == [("Анна", "mailing")]
    assert consents(officer, channel="email") == [("Анна", "mailing")]
    ended = consents(officer, standing="withdrawn")
    assert sorted(ended) == [("Борис", "calls"), ("Борис", "processing")]
    assert len(consents(officer, standing="given")) == 2
    start = hub.clock.now - DAY
    assert {name for name, _ in consents(officer, since=start)} == {"Борис"}
    assert {name for name, _ in consents(officer, until=start)} == {"Анна"}
    for contact in ("8 912 345-67-89", "boris@example.com"):
        assert {name for name, _ in consents(officer, contact=contact)} == {"Борис"}
    assert consents(officer, contact="nobody@example.com") == []
    desk.done(RequestErasure(item_id=first, channel="email"))
    assert {name for name, _ in consents(officer, stage="erasure_requested")} == {"Анна"}
    bad = officer.post("/v1/pd/registry", p.RegistryQuery(contact="Борис"))
    assert problem(bad)[:2] == (400, "bad_contact")


def test_pages_of_the_registry_bring_each_consent_once(hub: Hub, officer: Desk) -> None:
    desk, card, _ = lead(hub)
    for _ in range(7):
        desk.done(give(card))
    seen: list[str] = []
    after = ""
    while True:
        asked = p.RegistryQuery(limit=3, after=after)
        page = ask(officer, "registry", asked, p.RegistryPage)
        assert page.total == (None if after else 7)
        seen += [line.consent.id for line in page.lines]
        after = page.more
        if not after:
            break
    assert (len(seen), len(set(seen))) == (7, 7)


def test_cards_stand_in_the_stages_of_their_subjects(hub: Hub, officer: Desk) -> None:
    desk, card, subject = lead(hub, "Анна")
    lead(hub, "Борис")
    desk.done(RequestErasure(item_id=card, channel="email"))
    page = ask(officer, "cards", p.CardsQuery(stage="erasure_requested"), p.CardsPage)
    (line,) = page.lines
    assert (line.subject_id, line.name, line.open_requests) == (subject, "Анна", 1)
    assert line.due_at is not None
    assert line.due_at > hub.clock.now
    active = ask(officer, "cards", p.CardsQuery(stage="active", limit=1), p.CardsPage)
    assert [one.name for one in active.lines] == ["Борис"]
    assert (active.total, active.more) == (1, "")


def test_a_card_shows_the_very_text_that_was_agreed_to(hub: Hub, officer: Desk) -> None:
    desk, card, subject = lead(hub, "Анна", phone="+79123456789")
    desk.do(give(card), withdraw(card, "calls"))
    shown = ask(officer, "subject", p.AskSubject(subject_id=subject), p.SubjectCard)
    assert shown.subject.fields["phone"] == "+79123456789"
    texts = {one.consent.purpose: one.text for one in shown.consents}
    assert texts["calls"] is None
    assert texts["processing"].ru.startswith("Я согласен на обработку")
    assert [item.id for item in shown.items] == [card]
    missing = officer.post("/v1/pd/subject", p.AskSubject(subject_id=hub.new_id()))
    assert problem(missing)[:2] == (404, "no_subject")


def test_what_the_officer_looks_at_stands_in_the_journal(hub: Hub, officer: Desk) -> None:
    desk, card, subject = lead(hub, "Анна", phone="+79123456789")
    desk.done(give(card))
    asked = p.AskSubject(subject_id=subject, purpose="mailing")
    ask(officer, "subject", asked, p.SubjectCard)
    consents(officer)
    consents(officer, contact="+79120000000")
    card_read, page_read = told(hub, "read")
    assert (card_read.subject_id, card_read.purpose) == (subject, "mailing")
    assert set(card_read.fields) == {"subject.name", "subject.phone"}
    assert (page_read.count, page_read.detail["via"]) == (1, "registry")
    (looked_for,) = told(hub, "find")
    assert (looked_for.count, looked_for.subjects) == (0, b"")
    bad = msgspec.structs.replace(asked, purpose="curiosity")
    assert problem(officer.post("/v1/pd/subject", bad))[:2] == (400, "no_purpose")


def test_requests_come_by_deadline_and_count_working_days(hub: Hub, officer: Desk) -> None:
    desk, card, subject = lead(hub, "Анна")
    desk.do(give(card), withdraw(card))
    new = p.NewRequest(subject_id=subject, kind="rectify", channel="paper", note="фамилия")
    line = ask(officer, "request", new, p.RequestLine)
    assert (line.days_left, line.state, line.note, line.name) == (7, "open", "фамилия", "Анна")
    assert [one.kind for one in requests(officer)] == ["rectify", "erase"]
    again = officer.post("/v1/pd/request", new)
    assert problem(again)[:2] == (409, "open_already")
    future = msgspec.structs.replace(new, kind="access", received_at=hub.clock.now + 1)
    assert problem(officer.post("/v1/pd/request", future))[:2] == (400, "wrong_moment")


def test_a_term_is_extended_once_and_for_a_reason(hub: Hub, officer: Desk) -> None:
    _, _, subject = lead(hub)
    new = p.NewRequest(subject_id=subject, kind="access")
    line = ask(officer, "request", new, p.RequestLine)
    silent = officer.post("/v1/pd/request/extend", p.DecideRequest(request_id=line.id))
    assert problem(silent)[:2] == (400, "reason_needed")
    why = p.DecideRequest(request_id=line.id, reason="нужен архив")
    longer = ask(officer, "request/extend", why, p.RequestLine)
    assert (longer.days_left, longer.extension) == (line.days_left + 5, "нужен архив")
    second = officer.post("/v1/pd/request/extend", why)
    assert problem(second)[:2] == (409, "extended_already")


def test_an_answered_request_is_closed_for_good(hub: Hub, officer: Desk) -> None:
    _, _, subject = lead(hub)
    line = ask(officer, "request", p.NewRequest(subject_id=subject, kind="access"), p.RequestLine)
    done = p.DecideRequest(request_id=line.id, reason="копия отправлена")
    closed = ask(officer, "request/answer", done, p.RequestLine)
    assert (closed.state, closed.closed_by, closed.answer) == (
        "answered",
        "officer1",
        "копия отправлена",
    )
    assert problem(officer.post("/v1/pd/request/reject", done))[:2] == (409, "request_closed")
    assert requests(officer) == []
    assert [one.id for one in requests(officer, state="closed")] == [line.id]
    lost = p.DecideRequest(request_id=hub.new_id(), reason="?")
    assert problem(officer.post("/v1/pd/request/answer", lost))[:2] == (404, "no_request")


def test_a_demand_to_stop_ends_every_consent_and_objects_to_the_rest(
    hub: Hub, officer: Desk
) -> None:
    desk, card, subject = lead(hub)
    desk.done(give(card, "mailing"))
    desk.bootstrap()
    ask(officer, "request", p.NewRequest(subject_id=subject, kind="stop"), p.RequestLine)
    shown = ask(officer, "subject", p.AskSubject(subject_id=subject), p.SubjectCard)
    assert set(shown.subject.consents) == {"processing", "calls", "mailing"}
    assert all(one.withdrawn_at for one in shown.subject.consents.values())
    desk.pull()
    assert desk.rows["subject"][subject].consents == shown.subject.consents
    (refused,) = desk.do(Comment(item_id=card, text="?"))
    assert refused.code == "processing_stopped"


def test_an_erasure_the_officer_writes_down_blocks_and_its_rejection_frees(
    hub: Hub, officer: Desk
) -> None:
    desk, card, subject = lead(hub)
    desk.bootstrap()
    new = p.NewRequest(subject_id=subject, kind="erase", note="письмо")
    line = ask(officer, "request", new, p.RequestLine)
    assert line.blocked_at == hub.clock.now
    desk.pull()
    assert desk.rows["subject"][subject].stage == "erasure_requested"
    unanswerable = p.DecideRequest(request_id=line.id, reason="да")
    refused = officer.post("/v1/pd/request/answer", unanswerable)
    assert problem(refused)[:2] == (409, "not_to_answer")
    ask(officer, "request/reject", unanswerable, p.RequestLine)
    desk.pull()
    assert desk.rows["subject"][subject].stage == "active"
    events = {entry.event for entry in desk.rows["entry"].values()}
    assert {"erasure_requested", "erasure_rejected"} <= events
    desk.done(Comment(item_id=card, text="снова"))


def test_the_clocks_of_an_incident_run_until_it_is_told_of(hub: Hub, officer: Desk) -> None:
    new = p.NewIncident(title="Потерян ноутбук", people=120, found_at=hub.clock.now - 3_600_000)
    line = ask(officer, "incident", new, p.IncidentLine)
    assert line.notice_due == hub.clock.now + 23 * 3_600_000
    assert line.result_due == hub.clock.now + 71 * 3_600_000
    note = p.DecideIncident(incident_id=line.id, note="уведомление 17")
    assert ask(officer, "incident/notify", note, p.IncidentLine).notified_by == "officer1"
    again = officer.post("/v1/pd/incident/notify", note)
    assert problem(again)[:2] == (409, "request_closed")
    other = ask(officer, "incident", p.NewIncident(title="Второй"), p.IncidentLine)
    ask(officer, "incident/resolve", note, p.IncidentLine)
    listed = read(officer.get("/v1/pd/incidents"), p.Incidents).incidents
    assert [one.id for one in listed] == [other.id, line.id]
    assert len(told(hub, "incident")) == 4


def test_a_person_gets_all_of_his_data_for_machines_and_for_reading(
    hub: Hub, officer: Desk
) -> None:
    desk, card, subject = lead(hub, "Анна", phone="+79123456789")
    desk.do(give(card), Comment(item_id=card, text="просила перезвонить"))
    copy = ask(officer, "export", p.AskExport(subject_id=subject), p.Export)
    whole = msgspec.json.decode(copy.content)
    assert whole["subject"]["fields"]["phone"] == "+79123456789"
    assert [one["comment"] for one in whole["entries"] if one["comment"]] == ["просила перезвонить"]
    assert whole["consents"][0]["text"]["ru"].startswith("Я согласен")
    paper = ask(officer, "export", p.AskExport(subject_id=subject, format="pdf"), p.Export)
    assert paper.content.startswith(b"%PDF-")
    assert [row.detail["format"] for row in told(hub, "export")] == ["json", "pdf"]
    with hub.database.read() as connection:
        assert connection.execute(select(t.document)).first() is None


def test_an_extract_of_the_journal_is_kept_without_the_data_itself(hub: Hub, officer: Desk) -> None:
    desk, card, subject = lead(hub, "Анна Каренина", phone="+79123456789")
    desk.done(give(card))
    made = ask(officer, "extract", p.AskExtract(subject_id=subject), p.Documents).documents
    assert [(one.kind, one.format) for one in made] == [("extract", "pdf"), ("extract", "csv")]
    assert all(one.keep_until > hub.clock.now + 3 * 365 * DAY for one in made)
    files = {
        one.format: ask(officer, "document", p.AskDocument(document_id=one.id), p.Export)
        for one in made
    }
    table = files["csv"].content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table), delimiter=";"))
    assert rows[0][0] == "Дата и время"
    assert any(row[3] == "согласие" and row[1] == "operator1" for row in rows)
    assert "Каренина" not in table
    assert "9123456789" not in table
    listed = read(officer.get("/v1/pd/documents"), p.Documents).documents
    assert {one.id for one in listed} == {one.id for one in made}


def test_an_erasure_is_carried_out_and_leaves_an_act_and_no_data(hub: Hub, officer: Desk) -> None:
    desk, card, subject = lead(hub, "Анна Каренина", phone="+79123456789")
    desk.do(Comment(item_id=card, text="живёт на Лесной"), give(card))
    desk.done(RequestErasure(item_id=card, channel="email", note="письмо Анны"))
    desk.bootstrap()
    (line,) = requests(officer)
    once = p.DecideRequest(request_id=line.id)
    executed = ask(officer, "request/execute", once, p.RequestLine)
    assert (executed.state, executed.closed_by, executed.name) == ("executed", "officer1", "")
    assert (executed.note, requests(officer)) == ("", [])
    assert executed.outstanding > 0
    assert problem(officer.post("/v1/pd/request/execute", once))[:2] == (409, "request_closed")

    shown = ask(officer, "subject", p.AskSubject(subject_id=subject), p.SubjectCard)
    assert (shown.subject.stage, shown.subject.fields) == ("erased", {})
    assert shown.erasure is not None
    assert len(shown.erasure.devices) == executed.outstanding
    assert {one.consent.purpose for one in shown.consents} == {"processing"}
    kept = {(one.kind, one.format): one for one in shown.documents}
    assert set(kept) == {(kind, form) for kind in ("act", "extract") for form in ("pdf", "csv")}
    table = ask(
        officer, "document", p.AskDocument(document_id=kept["act", "csv"].id), p.Export
    ).content.decode("utf-8-sig")
    for told_of in (subject, line.id, "Имя; Телефон", "Олег Офицер", "Грузовая биржа", "Desk"):
        assert told_of in table
    for one in shown.documents:
        content = ask(officer, "document", p.AskDocument(document_id=one.id), p.Export).content
        for secret in ("Каренина", "9123456789", "Лесной"):
            assert secret.encode() not in content
    desk.pull()
    assert subject not in desk.rows["subject"]


def test_what_was_cut_short_after_the_erasure_is_finished_when_asked_again(
    hub: Hub, officer: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, card, _ = lead(hub, "Анна")
    desk.done(RequestErasure(item_id=card, channel="email"))
    (line,) = requests(officer)
    once = p.DecideRequest(request_id=line.id)

    def cut(*_args: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("desk.hub.documents.act", cut)
        assert officer.post("/v1/pd/request/execute", once).status_code == 500
    assert read(officer.get("/v1/pd/documents"), p.Documents).documents == []
    assert ask(officer, "request/execute", once, p.RequestLine).state == "executed"
    assert len(read(officer.get("/v1/pd/documents"), p.Documents).documents) == 4


def test_an_erasure_of_the_administrator_leaves_one_act_that_names_no_request(
    hub: Hub, officer: Desk
) -> None:
    _, _, subject = lead(hub, "Тайнова Канарейка")
    for _again in range(2):
        done = officer_erasure.by_administrator(
            hub.database, subject, "officer1", "Решение № 4", hub.clock(), hub.random.randbytes
        )
    with hub.database.read() as connection:
        rows = connection.execute(
            select(t.document).where(t.document.c.subject_id == subject)
        ).all()
    assert sorted((one.kind, one.format) for one in rows) == [
        ("act", "csv"), ("act", "pdf"), ("extract", "csv"), ("extract", "pdf"),
    ]  # fmt: skip
    (table,) = (one.content for one in rows if (one.kind, one.format) == ("act", "csv"))
    act = table.decode("utf-8-sig")
    assert "не поступал" in act
    assert "Решение № 4" in act
    assert "Канарейка" not in act
    assert done.number > 0


def test_only_a_request_to_erase_erases(hub: Hub, officer: Desk) -> None:
    _, _, subject = lead(hub)
    line = ask(officer, "request", p.NewRequest(subject_id=subject, kind="access"), p.RequestLine)
    refused = officer.post("/v1/pd/request/execute", p.DecideRequest(request_id=line.id))
    assert problem(refused)[:2] == (409, "not_to_erase")
