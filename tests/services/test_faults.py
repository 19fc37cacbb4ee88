"""What the network does to an exchange, and what must be so afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from unittest.mock import Mock

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from desk.domain.operations import Comment, Create, EditFields
from desk.services import settings
from desk.services.desk import Desk
from desk.services.errors import (
    ClonedProfile,
    DiskFull,
    HubProblem,
    HubUnreachable,
    NotAHub,
    NotSignedIn,
    WrongProtocol,
)
from desk.services.hub_client import HubClient
from tests.hub_process import PASSWORD, HubProcess
from tests.services.rooms import mirrored
from tests.services.wires import FaultyWire, answer, cut_answer, lose_answer, passes

Sit = Callable[..., Desk]


@pytest.fixture
def wire() -> FaultyWire:
    return FaultyWire()


def agree(desk: Desk, fresh: Desk) -> None:
    assert mirrored(desk) == mirrored(fresh)
    assert desk.status().pending == 0


def test_an_answer_lost_after_the_hub_did_it_leaves_one_effect(sit: Sit, wire: FaultyWire) -> None:
    desk = sit("operator1", transport=wire)
    made = desk.do(Create(kind="lead", title="Один раз")).item_ids[0]
    desk.do(Comment(item_id=made, text="одно примечание"))
    wire.faults["/v1/operations"] = [lose_answer]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    assert desk.status().pending == 2
    assert desk.sync_once().applied == 2
    assert [one.event for one in desk.card(made).entries] == ["create", "comment"]
    agree(desk, sit("operator1", place="fresh"))


def test_a_pull_that_brings_the_effect_before_its_answer_shows_it_once(
    sit: Sit, wire: FaultyWire
) -> None:
    desk = sit("operator1", transport=wire)
    made = desk.do(Create(kind="lead", title="Раньше ответа")).item_ids[0]
    desk.do(EditFields(item_id=made, fields={"request": "везти"}))
    wire.faults["/v1/operations"] = [lose_answer, answer(503)]
    for _ in range(2):
        with pytest.raises(HubUnreachable):
            desk.sync_once()
    assert desk.sync_once().applied == 2
    assert len(desk.card(made).entries) == 1
    agree(desk, sit("operator1", place="fresh"))


@pytest.mark.parametrize("path", ["/v1/operations", "/v1/changes", "/v1/snapshot"])
def test_an_answer_cut_off_is_asked_for_again(
    sit: Sit, hub: HubProcess, wire: FaultyWire, path: str
) -> None:
    sit("operator1").do(Create(kind="lead", title="Чтобы было что везти"))
    desk = sit("operator1", place="cut", transport=wire)
    if path == "/v1/snapshot":
        with desk.context.store.write() as connection:
            settings.drop(connection, settings.CURSOR)
    desk.do(Create(kind="lead", title="Обрыв"))
    wire.faults[path] = [cut_answer]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    desk.sync_once()
    agree(desk, sit("operator1", place="fresh"))


def test_a_session_that_ended_pauses_the_queue_and_drops_nothing(
    sit: Sit, hub: HubProcess, wire: FaultyWire
) -> None:
    desk = sit("operator1", transport=wire)
    made = [desk.do(Create(kind="lead", title=f"Лид {n}")).item_ids[0] for n in range(60)]
    wire.faults["/v1/operations"] = [passes, answer(401, {"code": "not_signed_in"})]
    wire.faults["/v1/refresh"] = [answer(401, {"code": "not_signed_in"})]
    with pytest.raises(NotSignedIn):
        desk.sync_once()
    status = desk.status()
    assert (status.pending, status.last_error) == (10, "not_signed_in")
    assert {row.item.id for row in desk.rows()} >= set(made)
    desk.do(Comment(item_id=made[0], text="работа продолжается"))
    desk.sign_in(hub.url, "operator1", PASSWORD)
    assert desk.sync_once().applied == 11
    agree(desk, sit("operator1", place="fresh"))


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_hub_is_a_hub_that_does_not_answer_now(
    sit: Sit, wire: FaultyWire, status: int
) -> None:
    desk = sit("operator1", transport=wire)
    desk.do(Create(kind="lead", title="Занято"))
    wire.faults["/v1/operations"] = [answer(status, retry_after="7")]
    with pytest.raises(HubUnreachable) as raised:
        desk.sync_once()
    assert raised.value.wait == 7.0
    assert desk.status().pending == 1


@pytest.mark.parametrize(("asked", "waited"), [("1e300", 900.0), ("inf", 900.0), ("nan", 0.0)])
def test_a_hub_cannot_silence_a_desk_by_a_wait_out_of_this_world(
    sit: Sit, wire: FaultyWire, asked: str, waited: float
) -> None:
    desk = sit("operator1", transport=wire)
    desk.do(Create(kind="lead", title="Занято"))
    wire.faults["/v1/operations"] = [answer(503, retry_after=asked)]
    with pytest.raises(HubUnreachable) as raised:
        desk.sync_once()
    assert raised.value.wait == waited


def test_another_hubs_rules_are_read_though_they_have_the_same_version(sit: Sit) -> None:
    desk = sit("operator1")
    assert desk.playbook.title.en == "Freight exchange"
    with desk.context.store.write() as connection:
        other = settings.get(connection, settings.PLAYBOOK) or ""
        settings.put(connection, settings.PLAYBOOK, other.replace("Freight exchange", "Elsewhere"))
    desk.context.reload()
    assert (desk.playbook.title.en, desk.playbook.version) == ("Elsewhere", 1)


def test_a_desk_whose_numbers_are_used_whatever_it_does_stops_and_says_so(
    sit: Sit, wire: FaultyWire
) -> None:
    desk = sit("operator1", transport=wire)
    desk.do(Create(kind="lead", title="Копия"))
    wire.faults["/v1/operations"] = [answer(409, {"code": "number_used"})] * 2
    with pytest.raises(ClonedProfile):
        desk.sync_once()
    assert desk.status().last_error == "cloned_profile"
    assert desk.status().pending == 1


def test_a_copied_profile_becomes_a_device_of_its_own_and_both_go_on(sit: Sit) -> None:
    first, second = sit("operator1"), sit("operator1", place="copy")
    with first.context.store.read() as one, second.context.store.write() as other:
        for key in (settings.DEVICE, settings.DEVICE_KEY, settings.TOKEN, settings.REFRESH):
            settings.put(other, key, settings.get(one, key) or "")
    made = [first.do(Create(kind="lead", title="Подлинник")).item_ids[0]]
    first.sync_once()
    made += [second.do(Create(kind="lead", title=f"Копия {n}")).item_ids[0] for n in range(2)]
    assert second.sync_once().applied == 2
    made += [first.do(Create(kind="lead", title="Снова подлинник")).item_ids[0]]
    first.sync_once()
    with first.context.store.read() as one, second.context.store.read() as other:
        devices = {settings.get(store, settings.DEVICE) for store in (one, other)}
    assert len(devices) == 2
    for desk in (first, second):
        desk.sync_once()
        assert {row.item.id for row in desk.rows()} >= set(made)
        agree(desk, sit("operator1", place=f"fresh {desk.profile_dir.name}"))


def test_a_hub_restored_from_a_backup_is_sent_again_what_it_forgot(
    sit: Sit, wire: FaultyWire
) -> None:
    desk = sit("operator1", transport=wire)
    with desk.context.store.write() as connection:
        settings.put(connection, settings.LAST_OP, "40")
    made = desk.do(Create(kind="lead", title="После восстановления"))
    assert desk.sync_once().applied == 1
    assert desk.card(made.item_ids[0]).pending is False
    assert desk.do(Create(kind="lead", title="Дальше"))
    assert desk.sync_once().applied == 1


def test_a_hub_that_never_has_enough_is_not_asked_for_ever(sit: Sit, wire: FaultyWire) -> None:
    desk = sit("operator1", transport=wire)
    desk.do(Create(kind="lead", title="Пропуск"))
    gap = answer(409, {"code": "gap", "args": {"expected": "99", "given": "1"}})
    wire.faults["/v1/operations"] = [gap] * 3
    with pytest.raises(HubProblem):
        desk.sync_once()
    assert desk.status().pending == 1


def test_what_is_done_while_a_pull_is_fetched_lies_over_what_it_brings(
    sit: Sit, wire: FaultyWire
) -> None:
    desk, other = sit("operator1", transport=wire), sit("operator1", place="laptop")
    lead = other.do(Create(kind="lead", title="Одновременно")).item_ids[0]
    other.sync_once()
    desk.sync_once()
    other.do(EditFields(item_id=lead, fields={"request": "там"}))
    other.sync_once()

    def work(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
        desk.do(EditFields(item_id=lead, fields={"route_to": "Омск"}))
        desk.do(Comment(item_id=lead, text="здесь"))
        return go()

    wire.faults["/v1/changes"] = [work]
    desk.sync_once()
    card = desk.card(lead)
    assert (card.item.fields["request"], card.item.fields["route_to"]) == ("там", "Омск")
    assert (card.entries[-1].comment, card.pending) == ("здесь", True)
    desk.sync_once()
    agree(desk, sit("operator1", place="fresh"))


def test_a_page_that_comes_again_takes_nothing_back(sit: Sit, wire: FaultyWire) -> None:
    desk, other = sit("operator1", transport=wire), sit("operator1", place="laptop")
    lead = other.do(Create(kind="lead", title="Дважды")).item_ids[0]
    given: list[httpx.Response] = []

    def keep(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
        given.append(go())
        return given[0]

    for request, fault in (("раз", keep), ("два", passes)):
        other.do(EditFields(item_id=lead, fields={"request": request}))
        other.sync_once()
        wire.faults["/v1/changes"] = [fault]
        desk.sync_once()
        assert desk.card(lead).item.fields["request"] == request
    wire.faults["/v1/changes"] = [lambda *_: given[0]]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    assert desk.card(lead).item.fields["request"] == "два"
    desk.sync_once()
    agree(desk, sit("operator1", place="fresh"))


def test_an_accepted_operation_stays_laid_over_until_a_pull_covers_it(
    sit: Sit, wire: FaultyWire
) -> None:
    desk = sit("operator1", transport=wire)
    lead = desk.do(Create(kind="lead", title="Не мигает")).item_ids[0]
    wire.faults["/v1/changes"] = [lose_answer]
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    assert desk.status().pending == 0
    assert (desk.card(lead).item.title, desk.card(lead).pending) == ("Не мигает", True)
    desk.sync_once()
    assert desk.card(lead).pending is False
    agree(desk, sit("operator1", place="fresh"))


def test_an_operation_that_crashes_the_hub_goes_to_the_inbox_and_the_later_ones_go_on(
    sit: Sit, wire: FaultyWire
) -> None:
    desk = sit("operator1", transport=wire)
    poison = desk.do(Create(kind="lead", title="Яд")).operation_id
    later = desk.do(Create(kind="lead", title="После яда")).operation_id
    results = [
        {"number": 1, "id": poison, "result": "quarantined", "code": "quarantined"},
        {"number": 2, "id": later, "result": "applied"},
    ]
    # The real hub knows of neither: one that had answered two would have forgotten them.
    wire.faults["/v1/operations"] = [answer(200, {"results": results, "last_op": 0})]
    report = desk.sync_once()
    assert (report.rejected, report.applied) == (1, 1)
    (entry,) = desk.inbox()
    assert entry.intent == Create(kind="lead", title="Яд")
    assert desk.count(filter=f'id = "{poison}"') == 0


def test_a_hub_of_another_protocol_is_told_apart(hub: HubProcess, wire: FaultyWire) -> None:
    hello = {"product": "desk", "hub": "h", "protocol_min": 7, "protocol_max": 9, "now": 0}
    client = open_client(hub, wire)
    wire.faults["/v1/handshake"] = [answer(200, hello)]
    with pytest.raises(WrongProtocol):
        client.handshake()
    wire.faults["/v1/handshake"] = [answer(426, {"code": "wrong_protocol"})]
    with pytest.raises(WrongProtocol):
        client.handshake()


@pytest.mark.parametrize("status", [200, 404, 302])
def test_something_else_at_the_address_is_not_a_hub(
    hub: HubProcess, wire: FaultyWire, status: int
) -> None:
    client = open_client(hub, wire)
    wire.faults["/v1/handshake"] = [answer(status, {"hello": "world"})]
    with pytest.raises(NotAHub):
        client.handshake()


def open_client(hub: HubProcess, wire: FaultyWire) -> HubClient:
    return HubClient(hub.url, transport=wire)


def test_a_full_disk_is_said_and_what_was_kept_before_stays(desk: Desk) -> None:
    desk.save_draft("item", "form", {"text": "коротко"})
    with desk.context.store.write() as connection:
        (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull):
        desk.save_draft("item", "form", {"text": "я" * 400_000})
    assert desk.draft("item", "form") == {"text": "коротко"}


def test_a_disk_that_is_full_when_the_answer_comes_loses_no_operation(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = sit("operator1")
    made = desk.do(Create(kind="lead", title="Диск полон")).item_ids[0]
    with monkeypatch.context() as patched:
        patched.setattr("desk.services.queue.accept", Mock(side_effect=DiskFull))
        with pytest.raises(DiskFull):
            desk.sync_once()
    assert desk.status().pending == 1
    assert desk.sync_once().applied == 1
    assert len(desk.card(made).entries) == 1
    agree(desk, sit("operator1", place="fresh"))


def test_the_text_of_an_error_carries_no_values(desk: Desk) -> None:
    sql = "INSERT INTO draft (item_id, form, nothing) VALUES (?, ?, ?)"
    with pytest.raises(OperationalError) as raised, desk.context.store.write() as connection:
        connection.exec_driver_sql(sql, ("canary-71c2",) * 3)
    assert "canary-71c2" not in f"{raised.value!r} {raised.value}"


def until(desk: Desk, true: Callable[[], bool]) -> None:
    """Wait until an event of the desk makes something true."""
    changed = threading.Condition()

    def hear(_: object) -> None:
        with changed:
            changed.notify_all()

    unsubscribe = desk.listen(hear)
    with changed:
        assert changed.wait_for(true, 20.0)
    unsubscribe()


def test_after_a_partition_the_queue_empties_without_a_new_write(
    sit: Sit, wire: FaultyWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.services.backoff.delay", lambda *_: 0.02)
    desk = sit("operator1", transport=wire)
    wire.faults["/v1/operations"] = [answer(503), lose_answer, answer(502), cut_answer]
    wire.faults["/v1/changes"] = [lose_answer]
    made = desk.do(Create(kind="lead", title="Через разрыв")).item_ids[0]
    desk.start()
    until(desk, lambda: desk.status().pending == 0 and not desk.card(made).pending)
    # The rows are here before the exchange has ended.
    until(desk, lambda: desk.status().online)
    assert desk.status().last_error == ""
    assert len(desk.card(made).entries) == 1


def test_the_background_rests_after_a_session_ended_until_one_signs_in(
    sit: Sit, hub: HubProcess, wire: FaultyWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.services.backoff.delay", lambda *_: 0.0)
    desk = sit("operator1", transport=wire)
    wire.faults["/v1/operations"] = [answer(401, {"code": "not_signed_in"})]
    wire.faults["/v1/refresh"] = [answer(401, {"code": "not_signed_in"})]
    desk.do(Create(kind="lead", title="Сессия кончилась"))
    desk.start()
    until(desk, lambda: desk.status().last_error == "not_signed_in")
    desk.do(Create(kind="lead", title="Работа продолжается"))
    assert desk.status().pending == 2
    assert wire.asked.count("/v1/operations") == 1
    desk.sign_in(hub.url, "operator1", PASSWORD)
    until(desk, lambda: desk.status().pending == 0)
    assert desk.status().last_error == ""


def test_stopping_does_not_wait_for_a_hub_that_is_silent(sit: Sit, wire: FaultyWire) -> None:
    desk = sit("operator1", transport=wire)
    asked, released = threading.Event(), threading.Event()

    def hang(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
        asked.set()
        released.wait(20.0)
        raise httpx.ReadTimeout("silent", request=request)

    wire.faults["/v1/changes"] = [hang]
    desk.start()
    assert asked.wait(20.0)
    began = time.monotonic()
    desk.close()
    assert time.monotonic() - began < 1.5
    released.set()
