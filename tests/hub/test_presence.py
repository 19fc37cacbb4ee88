"""Who is at work, as colleagues see it and as a hand-off takes it."""

from __future__ import annotations

import pytest

from desk.hub import presence
from desk.hub.playbooks import current
from tests.hub.hubs import START, Hub, move, qualification

MINUTE = 60_000


@pytest.mark.parametrize(
    ("said", "seen_at", "present"),
    [
        ("auto", None, False),
        ("auto", START, True),
        ("auto", START - presence.AWAY_AFTER + 1, True),
        ("auto", START - presence.AWAY_AFTER, False),
        ("present", None, True),
        ("away", START, False),
    ],
)
def test_a_person_is_present_by_word_or_by_heartbeat(
    said: str, seen_at: int | None, present: bool
) -> None:
    assert presence.is_present(said, seen_at, START) is present


def test_colleagues_see_who_comes_and_who_was_not_heard_of(hub: Hub) -> None:
    head = hub.desk("head")
    head.bootstrap()
    assert not head.rows["person"]["sales1"].present
    hub.desk("sales1")
    head.pull()
    assert head.rows["person"]["sales1"].present
    hub.clock.pass_minutes(5)
    assert presence.refresh(hub.database, hub.clock.now)
    assert not presence.refresh(hub.database, hub.clock.now)
    head.pull()
    assert not head.rows["person"]["sales1"].present
    assert head.rows == head.fresh()


def test_a_heartbeat_is_any_request_but_written_once_a_minute(hub: Hub) -> None:
    desk = hub.desk("sales1")
    for minute in range(4):
        hub.clock.pass_minutes(1)
        assert desk.get("/v1/playbook").status_code == 200, minute
    assert not presence.refresh(hub.database, hub.clock.now + MINUTE)
    assert not presence.heartbeat(hub.database, "sales1", hub.clock.now - 59_999, hub.clock.now)


def test_who_said_to_be_away_stays_away_and_who_said_present_stays_present(hub: Hub) -> None:
    desk, head = hub.desk("sales1"), hub.desk("head")
    assert desk.post("/v1/presence", {"presence": "away"}).status_code == 204
    head.bootstrap()
    assert not head.rows["person"]["sales1"].present
    desk.post("/v1/presence", {"presence": "present"})
    hub.clock.pass_minutes(600)
    presence.refresh(hub.database, hub.clock.now)
    head.pull()
    assert head.rows["person"]["sales1"].present


def test_an_unknown_presence_is_refused(hub: Hub) -> None:
    assert hub.desk("sales1").post("/v1/presence", {"presence": "asleep"}).status_code == 400


def test_a_hand_off_knows_who_left_before_the_colleagues_do(hub: Hub) -> None:
    hub.desk("sales1")
    hub.clock.pass_minutes(4)
    hub.desk("sales2")
    _, card = qualification(hub)
    hub.clock.pass_minutes(2)
    marketer = hub.desk("marketer1")
    marketer.done(move(card, "hand_off"))
    marketer.bootstrap()
    assert marketer.rows["item"][card].responsible == "sales2"


def test_loads_are_counted_over_open_items_only(hub: Hub) -> None:
    hub.desk("sales1")
    hub.desk("sales2")
    marketer = hub.desk("marketer1")
    _, card = qualification(hub)
    marketer.done(move(card, "hand_off", to="sales1"))
    with hub.database.read() as connection:
        everybody = presence.people(connection, hub.clock.now)
        playbook = current(connection).playbook
        loads = {one.id: one.load for one in presence.with_load(connection, everybody, playbook)}
    assert (loads["sales1"], loads["sales2"], loads["marketer1"]) == (1, 0, 1)
