"""What desks say of consents arrives in the registry, with its journal, in one transaction."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from desk.domain.consents import text_hash
from desk.domain.operations import Comment, GiveConsent, RequestErasure, WithdrawConsent
from desk.domain.playbook_loader import load
from desk.hub import administration, texts
from desk.hub.errors import SetupError
from desk.schema import hub_tables as t
from tests.hub.hubs import FREIGHT, Hub, new_lead, qualification

PURPOSE = load(FREIGHT, "freight.toml").purposes["processing"]
CHANGED = FREIGHT.replace("Я согласен на обработку", "Я даю согласие на обработку")


def rows(hub: Hub, table: Any) -> list[Any]:
    with hub.database.read() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def give(item: str, purpose: str = "processing", version: int = 1) -> GiveConsent:
    return GiveConsent(
        item_id=item,
        purpose=purpose,
        text_version=version,
        channel="site",
        evidence="https://example.org/form",
    )


def withdraw(item: str, purpose: str = "processing") -> WithdrawConsent:
    return WithdrawConsent(item_id=item, purpose=purpose, channel="phone")


def test_a_consent_is_kept_with_the_very_text_it_was_given_to(hub: Hub) -> None:
    desk = hub.desk("operator1")
    desk.done(give(desk.done(new_lead())))
    (consent,) = rows(hub, t.consent)
    assert (consent.purpose, consent.text_version, consent.given_by) == (
        "processing",
        1,
        "operator1",
    )
    assert consent.text_hash == text_hash(PURPOSE)
    with hub.database.read() as connection:
        (text,) = connection.execute(select(t.consent_text)).all()
    assert (text.hash, text.ru) == (consent.text_hash, PURPOSE.text.ru)


def test_what_is_taken_back_ends_the_row_and_stops_everybody_at_once(hub: Hub) -> None:
    _, card = qualification(hub)
    marketer, head = hub.desk("marketer1"), hub.desk("head")
    marketer.do(give(card), give(card, "mailing"))
    head.done(withdraw(card))
    ended = {row.purpose: row.withdrawn_by for row in rows(hub, t.consent)}
    assert ended == {"processing": "head", "mailing": None}
    (refused,) = marketer.do(Comment(item_id=card, text="ещё раз"))
    assert (refused.result, refused.code) == ("rejected", "processing_stopped")


def test_a_group_of_operations_gives_and_takes_back_in_its_order(hub: Hub) -> None:
    desk = hub.desk("operator1")
    card = desk.done(new_lead())
    results = desk.do(give(card), withdraw(card), give(card), Comment(item_id=card, text="да"))
    assert [one.result for one in results] == ["applied"] * 4
    ended = [row.withdrawn_at is not None for row in rows(hub, t.consent)]
    assert sorted(ended) == [False, True]


def test_taking_it_back_opens_a_request_that_a_new_consent_ends(hub: Hub) -> None:
    desk = hub.desk("operator1")
    card = desk.done(new_lead())
    desk.do(give(card), withdraw(card))
    (request,) = rows(hub, t.pd_request)
    assert (request.kind, request.ground, request.state) == ("erase", "withdrawal", "open")
    assert 29 * 86_400_000 < request.due_at - request.received_at < 32 * 86_400_000
    hub.clock.pass_minutes(5)
    desk.done(give(card))
    (request,) = rows(hub, t.pd_request)
    assert (request.state, request.closed_by) == ("void", "operator1")


def test_a_demand_of_erasure_has_a_deadline_and_says_when_it_blocked(hub: Hub) -> None:
    desk = hub.desk("operator1")
    card = desk.done(new_lead())
    desk.done(RequestErasure(item_id=card, channel="email", note="письмо 7"))
    (request,) = rows(hub, t.pd_request)
    with hub.database.read() as connection:
        (opened,) = texts.opened(connection, t.pd_request, [request])
    assert (request.ground, opened["note"]) == ("request", "письмо 7")
    assert request.blocked_at == request.received_at
    assert request.due_at > request.received_at + 12 * 86_400_000
    (subject,) = rows(hub, t.subject)
    assert subject.stage == "erasure_requested"


def test_an_operation_sent_again_is_no_second_consent(hub: Hub) -> None:
    desk = hub.desk("operator1")
    card = desk.done(new_lead())
    again = desk.operation(give(card))
    for _ in range(2):
        desk.send(again)
    assert len(rows(hub, t.consent)) == 1


def test_the_journal_tells_of_consents_by_ids_and_codes(hub: Hub) -> None:
    desk = hub.desk("operator1")
    card = desk.done(new_lead())
    desk.do(give(card), withdraw(card, "calls"), withdraw(card))
    with hub.database.read() as connection:
        told = [
            (row.event, row.purpose, row.detail["did"], row.who, row.item_id == card)
            for row in connection.execute(select(t.journal).order_by(t.journal.c.seq))
            if row.event in ("consent", "request")
        ]
    assert told == [
        ("consent", "processing", "given", "operator1", True),
        ("consent", "calls", "objected", "operator1", True),
        ("consent", "processing", "withdrawn", "operator1", True),
        ("request", "processing", "received", "operator1", True),
    ]


def test_the_old_text_stays_when_a_playbook_brings_another(hub: Hub) -> None:
    desk = hub.desk("operator1")
    card = desk.done(new_lead())
    second = CHANGED.replace('id = "processing"', 'id = "processing"\nversion = 2', 1)
    administration.install_playbook(hub.database, second, "second.toml", hub.clock.now)
    desk.do(give(card, version=1), give(card, version=2))
    old, new = sorted(rows(hub, t.consent), key=lambda row: row.text_version)
    with hub.database.read() as connection:
        texts = {row.hash: row.ru for row in connection.execute(select(t.consent_text))}
    assert texts[old.text_hash] == PURPOSE.text.ru
    assert texts[new.text_hash].startswith("Я даю согласие")


def test_another_text_under_the_same_version_is_not_installed(hub: Hub) -> None:
    with pytest.raises(SetupError) as refused:
        administration.install_playbook(hub.database, CHANGED, "second.toml", hub.clock.now)
    assert refused.value.code == "text_changed"
    assert refused.value.arguments == {"purpose": "processing", "version": "1"}
