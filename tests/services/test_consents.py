"""Consents and withdrawals between desks and a real hub."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from desk.domain.consents import may_contact, processing_stopped
from desk.domain.model import Subject
from desk.domain.operations import Comment, GiveConsent, Move, RequestErasure, WithdrawConsent
from desk.protocol.personal import CardsQuery, RegistryQuery, RequestsQuery
from desk.services.desk import Desk
from desk.services.errors import OfficerProblem, Refused
from tests.services.test_story import a_new_lead, qualification_of

Sit = Callable[..., Desk]


def give(item: str, purpose: str = "processing") -> GiveConsent:
    return GiveConsent(item_id=item, purpose=purpose, text_version=1, channel="phone")


def subject_of(desk: Desk, item: str) -> Subject:
    subject = desk.card(item).subject
    assert subject is not None
    return subject


def refused(desk: Desk, intent: Comment | Move) -> str:
    with pytest.raises(Refused) as answer:
        desk.do(intent)
    return answer.value.refusal.code


def test_what_a_person_says_offline_reaches_the_registry_and_stops_every_desk(sit: Sit) -> None:
    operator, marketer, head = sit("operator1"), sit("marketer1"), sit("head")
    lead = a_new_lead(operator, "Согласие и отзыв")
    marketer.sync_once()
    item = qualification_of(marketer, lead)

    marketer.go_offline(True)
    marketer.do(give(item))
    marketer.do(give(item, "mailing"))
    book = marketer.playbook
    assert may_contact(book, subject_of(marketer, item), "mailings") is None
    marketer.go_offline(False)
    marketer.sync_once()
    assert marketer.inbox() == []

    head.sync_once()
    assert set(subject_of(head, lead).consents) == {"processing", "mailing"}
    head.do(WithdrawConsent(item_id=lead, purpose="processing", channel="email"))
    assert processing_stopped(book, subject_of(head, lead))
    head.sync_once()

    marketer.sync_once()
    assert refused(marketer, Comment(item_id=item, text="ещё")) == "processing_stopped"
    handing = Move(item_id=item, transition="hand_off", to="sales1")
    assert refused(marketer, handing) == "processing_stopped"
    for by in ("calls", "mailings"):
        assert may_contact(book, subject_of(marketer, item), by) is not None
    events = [entry.event for entry in head.card(lead).entries]
    assert "withdrawn.processing" in events


def test_work_done_offline_after_a_withdrawal_waits_in_the_inbox(sit: Sit) -> None:
    lead = a_new_lead(sit("operator1"), "Отзыв и работа")
    marketer, head = sit("marketer1"), sit("head")
    item = qualification_of(marketer, lead)
    head.do(WithdrawConsent(item_id=lead, purpose="processing", channel="phone"))
    head.sync_once()
    marketer.do(Comment(item_id=item, text="не потеряется"))
    marketer.sync_once()
    (entry,) = marketer.inbox()
    assert (entry.code, entry.mine) == ("processing_stopped", {"comment": "не потеряется"})


def test_only_the_officer_is_answered_and_he_sees_registry_and_requests(sit: Sit) -> None:
    operator = sit("operator1")
    lead = a_new_lead(operator, "Запрос на удаление")
    marketer = sit("marketer1")
    marketer.do(give(lead))
    marketer.do(RequestErasure(item_id=lead, channel="email", note="письмо 7"))
    marketer.sync_once()
    subject = subject_of(marketer, lead).id
    with pytest.raises(OfficerProblem) as answer:
        marketer.officer.registry(RegistryQuery())
    assert "officer" in str(answer.value)

    officer = sit("pd_officer")
    lines = officer.officer.registry(RegistryQuery(purpose="processing")).lines
    assert subject in {line.consent.subject_id for line in lines}
    cards = officer.officer.cards(CardsQuery(stage="erasure_requested")).lines
    assert subject in {line.subject_id for line in cards}
    (request,) = officer.officer.requests(RequestsQuery(subject_id=subject)).lines
    assert request.days_left in (9, 10)
    longer = officer.officer.extend(request.id, "ждём архив")
    assert longer.days_left == request.days_left + 5
    with pytest.raises(OfficerProblem):
        officer.officer.extend(request.id, "ещё раз")
