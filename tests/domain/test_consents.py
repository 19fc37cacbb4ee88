"""What a person agrees to, takes back or demands, and what it ends."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.domain.consents import (
    BELIEVED,
    CHANNELS,
    closes,
    may_contact,
    processing_stopped,
    text_hash,
)
from desk.domain.decide import settle
from desk.domain.effects import Outcome
from desk.domain.model import Consent, Item, Standing, Subject
from desk.domain.operations import (
    CloseTask,
    Comment,
    EditFields,
    EditSubject,
    GiveConsent,
    Move,
    RequestErasure,
    WithdrawConsent,
)
from desk.domain.refusals import Refusal
from desk.domain.transitions import possible
from tests.domain.world import FREIGHT, World


def give(item: Item, purpose: str = "processing", **more: Any) -> GiveConsent:
    given: dict[str, Any] = {"text_version": 1, "channel": "site", **more}
    return GiveConsent(item_id=item.id, purpose=purpose, **given)


def withdraw(item: Item, purpose: str = "processing", **more: Any) -> WithdrawConsent:
    return WithdrawConsent(item_id=item.id, purpose=purpose, **{"channel": "phone", **more})


def subject_of(world: World, item: Item) -> Subject:
    return world.subjects[item.subject_id or ""]


def code(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def purposes_text() -> str:
    return text_hash(FREIGHT.purposes["processing"])


def test_a_consent_is_a_row_of_the_registry_and_a_line_of_the_timeline() -> None:
    world = World()
    lead = world.lead()
    outcome = world.do("marketer1", give(lead, evidence="form 12\x1b[31m"))
    (consent,) = outcome.consents
    assert consent == Consent(
        id=consent.id,
        subject_id=lead.subject_id or "",
        purpose="processing",
        text_version=1,
        text_hash=purposes_text(),
        channel="site",
        evidence=consent.evidence,
        given_at=world.now,
        given_by="marketer1",
    )
    assert "\x1b" not in consent.evidence
    assert [entry.event for entry in outcome.entries] == ["consent.processing"]
    standing = Standing(given_at=world.now, text_version=1, channel="site")
    assert subject_of(world, lead).consents == {"processing": standing}


def test_a_consent_is_to_one_purpose_and_says_nothing_of_another() -> None:
    world = World()
    lead = world.lead()
    world.do("marketer1", give(lead))
    assert may_contact(FREIGHT, subject_of(world, lead), "mailings") == Refusal("do_not_mail")
    world.do("marketer1", give(lead, "mailing"))
    assert may_contact(FREIGHT, subject_of(world, lead), "mailings") is None


def test_what_was_agreed_to_an_older_text_names_that_text_and_not_the_newest() -> None:
    world = World()
    lead = world.lead()
    newest = msgspec.structs.replace(FREIGHT.purposes["processing"], version=3)
    world.playbook = msgspec.structs.replace(FREIGHT, purposes={"processing": newest})
    (consent,) = world.do("marketer1", give(lead, text_version=2)).consents
    assert (consent.text_version, consent.text_hash) == (2, "")
    assert code(world.ask("marketer1", give(lead, text_version=4))) == "unknown_text"
    assert code(world.ask("marketer1", give(lead, text_version=0))) == "unknown_text"


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        (lambda lead: give(lead, "astrology"), "unknown_purpose"),
        (lambda lead: withdraw(lead, "astrology"), "unknown_purpose"),
        (lambda lead: give(lead, channel="pigeon"), "unknown_channel"),
        (lambda lead: withdraw(lead, channel="pigeon"), "unknown_channel"),
        (lambda lead: RequestErasure(item_id=lead.id, channel="pigeon"), "unknown_channel"),
        (lambda lead: give(lead, evidence="x" * 1001), "comment_too_long"),
    ],
)
def test_what_cannot_be_written_down_is_refused(intent: Any, expected: str) -> None:
    world = World()
    assert code(world.ask("marketer1", intent(world.lead()))) == expected


def test_taking_the_consent_to_processing_back_stops_edits_notes_and_moves_at_once() -> None:
    world = World()
    lead, item = world.handed()
    world.do("sales1", give(item))
    outcome = world.do("sales1", withdraw(item))
    assert [one.purpose for one in outcome.withdrawals] == ["processing"]
    assert processing_stopped(FREIGHT, subject_of(world, lead))
    for who, intent in (
        ("marketer1", EditFields(item_id=lead.id, fields={"request": "возить лес"})),
        ("marketer1", EditSubject(item_id=lead.id, fields={"name": "Иван"})),
        ("marketer1", Comment(item_id=lead.id, text="позвонить завтра")),
        ("sales1", Move(item_id=item.id, transition="accept")),
        ("sales1", Move(item_id=item.id, transition="return", comment="нет")),
    ):
        assert code(world.ask(who, intent)) == "processing_stopped", intent
    assert code(world.ask("sales1", withdraw(item))) == "withdrawn_already"


def test_a_stopped_card_may_still_be_closed() -> None:
    world = World()
    lead = world.lead()
    item = world.qualification(lead)
    world.do("marketer1", withdraw(item))
    shown = possible(world.scene(item.id), world.actor("marketer1"), FREIGHT, world.now)
    free = {one.transition.id for one in shown if one.refusal is None}
    assert free == {"junk"}
    junk = Move(item_id=item.id, transition="junk", fields={"junk_stage": "junk_refused"})
    world.do("marketer1", msgspec.structs.replace(junk, comment="отозвал согласие"))
    assert world.items[lead.id].stage == "junk_refused"


def test_only_what_ends_the_work_counts_as_closing() -> None:
    closing = {
        (kind.id, one.id)
        for kind in FREIGHT.kinds.values()
        for one in kind.transitions.values()
        if closes(FREIGHT, kind, one)
    }
    assert closing == {
        ("lead", "junk"),
        ("qualification", "junk"),
        ("deal", "win"),
        ("deal", "lose"),
    }


def test_what_was_planned_with_a_person_who_wants_none_of_it_is_dropped() -> None:
    world = World()
    _, item = world.handed()
    assert any(task.closed_at is None for task in world.tasks.values())
    world.do("sales1", withdraw(item))
    assert all(task.closed_at is not None for task in world.tasks.values())
    assert code(
        world.ask("sales1", CloseTask(item_id=item.id, task_id=next(iter(world.tasks))))
    ) in ("no_task", "not_yours")


def test_a_new_consent_makes_work_possible_again() -> None:
    world = World()
    lead = world.lead()
    world.do("marketer1", give(lead))
    world.do("marketer1", withdraw(lead))
    world.do("marketer1", give(lead))
    assert not processing_stopped(FREIGHT, subject_of(world, lead))
    world.do("marketer1", Comment(item_id=lead.id, text="снова можно"))


def test_a_consent_written_down_before_it_was_taken_back_restores_nothing() -> None:
    world = World()
    lead = world.lead()
    world.do("marketer1", give(lead))
    early = world.operation(give(lead))
    world.now += 60_000
    world.do("marketer1", withdraw(lead))
    answer = settle(
        world.scene(lead.id), early, world.actor("marketer1"), FREIGHT, world.now + 1000
    )
    assert code(answer) == "withdrawn_since"


def test_who_never_agreed_may_object_and_is_not_called_any_more() -> None:
    world = World()
    lead = world.lead()
    assert may_contact(FREIGHT, subject_of(world, lead), "calls") is None
    (objection,) = world.do("marketer1", withdraw(lead, "calls")).consents
    assert (objection.text_version, objection.text_hash) == (0, "")
    assert objection.withdrawn_at == objection.given_at == world.now
    assert may_contact(FREIGHT, subject_of(world, lead), "calls") == Refusal("do_not_call")
    world.do("marketer1", Comment(item_id=lead.id, text="пишем письмо"))


def test_taking_the_processing_back_starts_the_term_of_destruction() -> None:
    world = World()
    lead = world.lead()
    world.do("marketer1", give(lead))
    (request,) = world.do("marketer1", withdraw(lead, evidence="звонок")).requests
    assert (request.kind, request.ground, request.purpose) == ("erase", "withdrawal", "processing")
    assert (request.received_at, request.note) == (world.now, "звонок")
    assert world.do("marketer1", withdraw(lead, "mailing")).requests == ()


def test_a_demand_of_erasure_blocks_the_person_until_it_is_decided() -> None:
    world = World()
    lead = world.lead()
    item = world.qualification(lead)
    ask = RequestErasure(item_id=item.id, channel="email", note="письмо 7")
    outcome = world.do("marketer1", ask)
    (request,) = outcome.requests
    assert (request.kind, request.ground, request.channel) == ("erase", "request", "email")
    assert subject_of(world, lead).stage == "erasure_requested"
    assert [entry.event for entry in outcome.entries] == ["erasure_requested"]
    edit = EditFields(item_id=lead.id, fields={"request": "лес"})
    assert code(world.ask("marketer1", edit)) == "processing_stopped"
    assert code(world.ask("marketer1", ask)) == "erasure_requested"
    assert code(world.ask("marketer1", give(lead))) == "erasure_requested"
    assert may_contact(FREIGHT, subject_of(world, lead), "calls") == Refusal("processing_stopped")
    world.do("marketer1", withdraw(lead, "mailing"))


def test_of_an_erased_person_nothing_is_written_down_any_more() -> None:
    world = World()
    lead = world.lead()
    erased = msgspec.structs.replace(subject_of(world, lead), stage="erased")
    world.subjects[erased.id] = erased
    for intent in (
        give(lead),
        withdraw(lead),
        RequestErasure(item_id=lead.id, channel="phone"),
    ):
        assert code(world.ask("marketer1", intent)) == "erased"


def test_what_was_said_without_the_network_has_the_moment_it_was_said_at() -> None:
    world = World()
    lead = world.lead()
    (consent,) = world.do("marketer1", give(lead)).consents
    early = world.operation(withdraw(lead))
    told = settle(world.scene(lead.id), early, world.actor("head"), FREIGHT, world.now + 3_600_000)
    assert isinstance(told, Outcome)
    assert told.withdrawals[0].at == told.requests[0].received_at == early.at
    late = msgspec.structs.replace(early, at=0)
    told = settle(world.scene(lead.id), late, world.actor("head"), FREIGHT, world.now)
    assert isinstance(told, Outcome)
    assert told.withdrawals[0].at == world.now - BELIEVED
    assert consent.given_at == world.now


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["give", "withdraw", "erase"]),
            st.sampled_from(sorted(FREIGHT.purposes)),
            st.sampled_from(sorted(CHANNELS)),
        ),
        max_size=12,
    )
)
def test_whatever_is_said_the_registry_and_the_subject_agree(
    said: list[tuple[str, str, str]],
) -> None:
    world = World()
    lead = world.lead()
    rows: list[Consent] = []
    for what, purpose, channel in said:
        intent = {
            "give": give(lead, purpose, channel=channel),
            "withdraw": withdraw(lead, purpose, channel=channel),
            "erase": RequestErasure(item_id=lead.id, channel=channel),
        }[what]
        answer = world.ask("marketer1", intent)
        if not isinstance(answer, Outcome):
            continue
        ended = {one.purpose for one in answer.withdrawals}
        rows = [
            msgspec.structs.replace(row, withdrawn_at=world.now)
            if row.purpose in ended and row.withdrawn_at is None
            else row
            for row in rows
        ]
        rows += answer.consents
    subject = subject_of(world, lead)
    for purpose, standing in subject.consents.items():
        last = [row for row in rows if row.purpose == purpose][-1]
        assert (last.given_at, last.withdrawn_at) == (standing.given_at, standing.withdrawn_at)
        assert last.text_version == standing.text_version
    assert {row.purpose for row in rows} == set(subject.consents)
