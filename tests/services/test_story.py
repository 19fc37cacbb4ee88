"""Desks and a real hub: the hand-off, work without the network, and agreement afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from desk.domain.operations import Comment, Create, EditFields, EditSubject, Move
from desk.services.desk import Desk
from desk.services.errors import (
    HubUnreachable,
    NotSignedIn,
    OfflineByChoice,
    OtherAccount,
    Refused,
    WrongPassword,
)
from desk.services.views import Event, Progress, RowsChanged, StatusChanged
from tests.hub_process import PASSWORD, HubProcess
from tests.services.rooms import mirrored, open_desk

Sit = Callable[..., Desk]

#: Longer than anything takes that a test waits for; a failure, not a pause.
PATIENCE = 20.0


def a_new_lead(operator: Desk, title: str) -> str:
    """A lead that is given to marketer1; gives its id."""
    made = operator.do(
        Create(
            kind="lead",
            title=title,
            fields={"source": "site"},
            subject={"name": f"Иван из {title}", "phone": "8 912 345-67-89"},
        )
    )
    operator.do(Move(item_id=made.item_ids[0], transition="assign", to="marketer1"))
    operator.sync_once()
    assert operator.inbox() == []
    return made.item_ids[0]


def qualification_of(desk: Desk, lead: str) -> str:
    """The id of the lead's qualification."""
    linked = [one for one in desk.card(lead).linked if one.kind == "qualification"]
    assert len(linked) == 1
    return linked[0].id


def agrees_with_a_fresh_copy(desk: Desk, sit: Sit) -> None:
    """The desk has what a desk has that came a moment ago."""
    desk.sync_once()
    fresh = sit(desk.me.id, place=f"fresh-{desk.me.id}-{desk.context.new_id()}")
    assert mirrored(desk) == mirrored(fresh)


def test_a_lead_is_handed_off_and_accepted_and_both_desks_agree(sit: Sit) -> None:
    operator, marketer, sales = sit("operator1"), sit("marketer1"), sit("sales1")
    lead = a_new_lead(operator, "Рога и копыта")
    marketer.sync_once()
    item = qualification_of(marketer, lead)
    marketer.do(Move(item_id=item, transition="start"))
    marketer.do(Move(item_id=item, transition="hand_off", to="sales1"))
    assert marketer.card(item).pending
    assert marketer.card(item).item.responsible == "sales1"
    report = marketer.sync_once()
    assert (report.pushed, report.applied, report.rejected) == (2, 2, 0)
    assert not marketer.card(item).pending

    sales.sync_once()
    assert sales.card(item).item.stage == "handed"
    sales.do(Move(item_id=item, transition="accept"))
    sales.sync_once()
    marketer.sync_once()

    for desk in (marketer, sales):
        assert desk.card(item).item.stage == "accepted"
        assert desk.card(item).item.responsible == "marketer1"
        assert desk.card(lead).item.responsible == "sales1"
        assert [entry.event for entry in desk.card(item).entries][-2:] == ["hand_off", "accept"]
        agrees_with_a_fresh_copy(desk, sit)


def test_work_goes_on_without_the_network_and_is_sent_when_it_is_back(sit: Sit) -> None:
    marketer, sales = sit("marketer1"), sit("sales1")
    lead = a_new_lead(sit("operator1"), "Без сети")
    marketer.sync_once()
    item = qualification_of(marketer, lead)
    marketer.go_offline(True)
    marketer.do(Move(item_id=item, transition="start"))
    marketer.do(EditFields(item_id=item, fields={"need": "Возить лес"}))
    marketer.do(EditFields(item_id=item, fields={"need": "Возить лес в Китай"}))
    marketer.do(Comment(item_id=item, text="перезвонить"))
    marketer.do(Move(item_id=item, transition="hand_off", to="sales1"))
    with pytest.raises(OfflineByChoice):
        marketer.sync_once()
    status = marketer.status()
    assert (status.pending, status.online, status.offline_by_choice) == (5, False, True)
    sales.sync_once()
    assert sales.count(filter=f'id = "{item}"') == 0

    marketer.go_offline(False)
    report = marketer.sync_once()
    assert (report.applied + report.merged, report.conflicts, report.rejected) == (5, 0, 0)
    sales.sync_once()
    assert sales.card(item).item.fields["need"] == "Возить лес в Китай"
    agrees_with_a_fresh_copy(marketer, sit)


def test_two_people_edit_different_fields_and_both_edits_stand(sit: Sit) -> None:
    lead = a_new_lead(sit("operator1"), "Два поля")
    marketer, head = sit("marketer1"), sit("head")
    item = qualification_of(marketer, lead)
    head.do(EditFields(item_id=item, fields={"next_step": "позвонить"}))
    marketer.do(EditFields(item_id=item, fields={"need": "лес"}))
    head.sync_once()
    assert marketer.sync_once().merged == 1
    head.sync_once()
    for desk in (marketer, head):
        fields = desk.card(item).item.fields
        assert (fields["next_step"], fields["need"]) == ("позвонить", "лес")


def test_the_same_field_edited_by_two_waits_in_the_inbox_of_the_second(sit: Sit) -> None:
    lead = a_new_lead(sit("operator1"), "Одно поле")
    marketer, head = sit("marketer1"), sit("head")
    item = qualification_of(marketer, lead)
    head.do(EditFields(item_id=item, fields={"need": "щебень"}))
    head.sync_once()
    marketer.do(EditFields(item_id=item, fields={"need": "песок"}))
    marketer.do(EditFields(item_id=item, fields={"need": "крупный песок"}))
    report = marketer.sync_once()
    assert (report.conflicts, report.rejected) == (1, 1)
    first, second = marketer.inbox()
    assert (second.result, second.after) == ("blocked", first.id)
    assert (first.result, first.code) == ("conflict", "field_conflict")
    assert (first.mine, first.base) == ({"need": "песок"}, {"need": None})
    assert first.theirs["need"] == "щебень"
    assert marketer.card(item).item.fields["need"] == "щебень"
    assert marketer.status().conflicts == 2

    marketer.discard(first.id)
    marketer.retry(second.id)
    assert marketer.inbox() == []
    assert marketer.sync_once().conflicts == 0
    head.sync_once()
    assert head.card(item).item.fields["need"] == "крупный песок"


def test_a_stage_that_another_changed_first_waits_in_the_inbox(sit: Sit) -> None:
    lead = a_new_lead(sit("operator1"), "Кто первый")
    marketer, again = sit("marketer1"), sit("marketer1", place="laptop")
    item = qualification_of(marketer, lead)
    again.do(Move(item_id=item, transition="hand_off", to="sales1"))
    again.sync_once()
    marketer.do(Move(item_id=item, transition="start", comment="моё"))
    marketer.sync_once()
    (entry,) = marketer.inbox()
    assert entry.intent == Move(item_id=item, transition="start", seen_stage="new", comment="моё")
    assert entry.mine == {"stage": "in_work", "comment": "моё"}
    assert (entry.base, entry.theirs) == ({"stage": "new"}, {"stage": "handed"})
    assert entry.changed["stage"].who == "marketer1"
    assert marketer.card(item).item.stage == "handed"
    with pytest.raises(Refused):
        marketer.retry(entry.id)
    assert [one.id for one in marketer.inbox()] == [entry.id]


def test_what_leaves_sight_leaves_the_desk_with_all_that_belongs_to_it(sit: Sit) -> None:
    lead = a_new_lead(sit("operator1"), "Уходит")
    marketer, sales, head = sit("marketer1"), sit("sales1"), sit("head")
    item = qualification_of(marketer, lead)
    marketer.do(Move(item_id=item, transition="hand_off", to="sales1"))
    marketer.sync_once()
    sales.sync_once()
    assert sales.find("Иван из Уходит")
    sales.do(Move(item_id=item, transition="return", comment="не наш профиль"))
    sales.sync_once()
    head.sync_once()
    head.do(Move(item_id=item, transition="hand_off", to="sales2"))
    head.sync_once()
    sales.sync_once()
    assert sales.count(filter=f'id = "{item}"') == 0
    assert sales.find("Иван из Уходит") == []
    agrees_with_a_fresh_copy(sales, sit)


def test_what_is_refused_here_is_not_queued(sit: Sit) -> None:
    marketer = sit("marketer1")
    lead = a_new_lead(sit("operator1"), "Отказ")
    marketer.sync_once()
    item = qualification_of(marketer, lead)
    before = mirrored(marketer)
    for intent, code in (
        (Move(item_id=item, transition="accept"), "role_may_not"),
        (Move(item_id=item, transition="fly"), "unknown_transition"),
        (Move(item_id="nothing", transition="start"), "no_item"),
        (EditSubject(item_id=item, fields={"shoe_size": 43}), "unknown_field"),
    ):
        with pytest.raises(Refused) as refused:
            marketer.do(intent)
        assert refused.value.refusal.code == code
    assert marketer.status().pending == 0
    assert mirrored(marketer) == before


def test_a_wrong_password_is_said_and_nothing_is_kept(hub: HubProcess, tmp_path: Path) -> None:
    with open_desk(tmp_path / "new") as desk:
        for user, password in (("marketer1", "wrong"), ("nobody", PASSWORD)):
            with pytest.raises(WrongPassword):
                desk.sign_in(hub.url, user, password)
        assert not desk.signed_in
        with pytest.raises(NotSignedIn):
            desk.rows()


def test_a_hub_that_is_down_does_not_stop_the_work(sit: Sit, tmp_path: Path) -> None:
    hub = HubProcess(tmp_path).start()
    with open_desk(tmp_path / "alone") as desk:
        desk.sign_in(hub.url, "operator1", PASSWORD)
        desk.sync_once()
        hub.kill()
        made = desk.do(Create(kind="lead", title="Пока хаб лежит"))
        with pytest.raises(HubUnreachable):
            desk.sync_once()
        assert (desk.status().pending, desk.status().last_error) == (1, "hub_unreachable")
        hub.start()
        assert desk.sync_once().applied == 1
        assert [row.item.id for row in desk.rows()] == [made.item_ids[0]]
        assert (desk.status().online, desk.status().last_error) == (True, "")
    hub.kill()


def test_signing_out_keeps_unsent_work_for_its_owner(sit: Sit, hub: HubProcess) -> None:
    desk = sit("operator1")
    desk.do(Create(kind="lead", title="Не отправлено"))
    desk.sign_out()
    with pytest.raises(NotSignedIn):
        desk.rows()
    with pytest.raises(OtherAccount):
        desk.sign_in(hub.url, "marketer1", PASSWORD)
    desk.sign_in(hub.url, "operator1", PASSWORD)
    assert desk.sync_once().applied == 1


def test_another_user_finds_nothing_of_the_one_before(sit: Sit, hub: HubProcess) -> None:
    desk = sit("operator1", place="shared")
    a_new_lead(desk, "Чужая смена")
    desk.sign_in(hub.url, "sales2", PASSWORD)
    assert desk.count() == 0
    desk.sync_once()
    assert desk.find("Чужая смена") == []
    assert desk.me.role == "sales"


class Wait:
    """Events of a desk, and waiting until one of them makes something true."""

    def __init__(self, desk: Desk) -> None:
        self._changed = threading.Condition()
        self.events: list[Event] = []
        desk.listen(self._hear)

    def _hear(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def until(self, true: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, PATIENCE)


def test_a_change_arrives_by_a_hint_long_before_the_desk_would_ask(sit: Sit) -> None:
    lead = a_new_lead(sit("operator1"), "Подсказка")
    marketer, head = sit("marketer1"), sit("head")
    item = qualification_of(marketer, lead)
    wait = Wait(marketer)
    marketer.start()
    wait.until(lambda: marketer.hears_hints)
    began = time.monotonic()
    head.do(Comment(item_id=item, text="видно сразу"))
    head.sync_once()
    wait.until(lambda: any(one.comment == "видно сразу" for one in marketer.card(item).entries))
    assert time.monotonic() - began < 5
    assert any(isinstance(e, RowsChanged) and e.ids and item in e.ids for e in wait.events)


def test_the_background_sends_what_is_done_and_stops_within_a_second(sit: Sit) -> None:
    desk = sit("operator1")
    wait = Wait(desk)
    desk.start()
    wait.until(lambda: desk.hears_hints)
    desk.do(Create(kind="lead", title="В фоне"))
    wait.until(lambda: desk.status().pending == 0)
    desk.go_offline(True)
    desk.do(Create(kind="lead", title="Без сети"))
    wait.until(lambda: not desk.hears_hints)
    assert desk.status().pending == 1
    desk.go_offline(False)
    wait.until(lambda: desk.status().pending == 0)
    began = time.monotonic()
    desk.stop()
    assert time.monotonic() - began < 1


def test_what_is_done_while_a_pull_is_applied_survives(sit: Sit) -> None:
    desk, other = sit("operator1"), sit("operator1", place="laptop")
    lead = a_new_lead(other, "Одновременно")
    desk.sync_once()
    failed: list[BaseException] = []

    def exchange() -> None:
        try:
            for _ in range(8):
                desk.sync_once()
        except BaseException as error:  # noqa: BLE001 - it is told by the thread that waits
            failed.append(error)

    busy = threading.Thread(target=exchange)
    busy.start()
    for number in range(24):
        desk.do(Comment(item_id=lead, text=f"здесь {number}"))
        if number % 6 == 0:
            other.do(EditFields(item_id=lead, fields={"request": f"там {number}"}))
            other.sync_once()
    busy.join(PATIENCE)
    assert failed == []
    desk.sync_once()
    said = [entry.comment for entry in desk.card(lead).entries if entry.event == "comment"]
    assert sorted(said) == sorted(f"здесь {number}" for number in range(24))
    assert (desk.status().pending, desk.inbox()) == (0, [])
    agrees_with_a_fresh_copy(desk, sit)


def test_when_everything_has_arrived_nothing_says_that_it_is_still_coming(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    a_new_lead(sit("operator1"), "Тверь — Омск")
    heard: list[Event] = []
    with open_desk(tmp_path / "marketer1") as marketer:
        marketer.sign_in(hub.url, "marketer1", PASSWORD)
        marketer.listen(heard.append)
        marketer.sync_once()
        syncing = marketer.status().syncing

    kinds = [type(event) for event in heard]
    assert Progress in kinds
    assert StatusChanged in kinds[kinds.index(Progress) :]
    assert not isinstance(heard[-1], Progress)
    assert syncing is None
