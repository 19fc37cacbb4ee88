"""What sync promises, each against the one thing that threatens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from desk.domain.operations import Move
from desk.services import settings
from desk.services.errors import DiskFull, HubProblem, HubUnreachable
from tests.faults.plans import Fault
from tests.services.rooms import mirrored
from tests.simulation import disk
from tests.simulation.backends import Fresh
from tests.simulation.places import START, InProcess
from tests.simulation.world import FIELDS, HOUR, SKEWS, YEAR, World

LOCKED = OperationalError("COMMIT", {}, Exception("database is locked"))


def a_day(folder: Path, fresh: Fresh, skew: Callable[[int, int], int]) -> dict[str, Any]:
    """The same day whatever the desks' clocks say (``skew`` by desk and hour); what comes of it,
    without ids."""
    folder.mkdir()
    place = InProcess(fresh(folder), 1)
    world = World(folder, place)

    def at(hour: int) -> None:
        place.pass_time(START + hour * HOUR - place.clock())
        for seat in world.seats:
            seat.skew = skew(seat.number, hour)

    try:
        at(1)
        for _ in range(3):
            world.create(0)
            world.pass_on(0, 0)
        world.edit_person(0, 1, 0)
        world.sync(0)
        world.sync(1)
        at(2)
        for _ in range(2):
            world.pass_on(1, 1)
        world.edit_same(0, 1, 0, 0)
        world.comment(1, 0)
        world.sync(1)
        world.sync(0)
        world.sync(2)
        at(3)
        world.pass_on(2, 0)
        world.close_task(2, 0)
        world.sync(2)
        sight = world.come_to_rest()
        inboxes = [[entry.code for entry in seat.open.inbox()] for seat in world.seats]
        items = sorted(
            (one.kind, one.title, one.stage, one.responsible, one.round, one.score, one.version,
             one.created_at // HOUR, (one.due_at or 0) // HOUR, sorted(one.fields.items()))
            for one in sight.rows["item"]
        )  # fmt: skip
        tasks = sorted((one.title, one.due_at // HOUR, one.assignee) for one in sight.rows["task"])
        entries = sorted(
            (one.event, one.at // HOUR, one.comment, one.who or "") for one in sight.rows["entry"]
        )
        return {"items": items, "tasks": tasks, "entries": entries, "inboxes": inboxes}
    finally:
        world.close()
        place.close()


def test_whatever_the_clocks_of_the_desks_say_the_same_comes_of_it(
    fresh_sqlite: Fresh, tmp_path: Path
) -> None:
    """A year ahead, each another one, an hour's jump, and steps back in the middle of the day."""
    true = a_day(tmp_path / "true", fresh_sqlite, lambda *_: 0)
    assert true["inboxes"] != [[], [], []]
    skews: dict[str, Callable[[int, int], int]] = {
        "ahead": lambda *_: YEAR,
        "each another": lambda desk, _: SKEWS[1 + desk],
        "summer time ends": lambda _, hour: HOUR if hour < 2 else 0,
        "steps back": lambda _, hour: -YEAR - 2 * HOUR * hour,
    }
    for name, skew in skews.items():
        assert a_day(tmp_path / name, fresh_sqlite, skew) == true, name


@pytest.mark.parametrize("leads", [0, 3])
@pytest.mark.parametrize("error", [DiskFull, LOCKED], ids=["full", "busy"])
def test_a_disk_that_fails_after_the_hub_accepted_loses_no_operation(
    world: World, error: Any, leads: int
) -> None:
    """At the end of each transaction of an exchange: of the answers, of the pages, of the rows."""
    seat = world.seats[1]
    failed = 0
    for transaction in range(40):
        world.comment(1, transaction)
        world.edit(1, transaction, transaction)
        world.edit(0, transaction, 0)
        for _ in range(leads):
            world.create(0)
        world.sync(0)
        before = len(world.oracle.answers())
        try:
            with disk.failing(seat.open.context.store, transaction, error):
                seat.open.sync_once()
        except (DiskFull, OperationalError):
            failed += 1
            assert len(world.oracle.answers()) > before
            seat.open.sync_once()
            world.check(seat)
        else:
            break
    assert failed > 1
    world.come_to_rest()


@pytest.mark.parametrize("path", ["/v1/changes", "/v1/snapshot", "/v1/operations"])
def test_an_answer_to_an_earlier_question_is_never_taken_for_the_one_asked_for(
    world: World, path: str
) -> None:
    """Whatever was answered before comes again, at each question of an exchange in turn."""
    seat = world.seats[1]
    for nth, back in ((0, 1), (0, 2), (1, 1), (1, 3), (2, 2), (3, 1)):
        if path == "/v1/snapshot":
            world.change_role(1, 1 if nth % 2 else 3)
        for _ in range(4):
            world.create(0)
        world.comment(1, nth)
        world.sync(0)
        before = mirrored(seat.open)
        seat.plan.add(path, *[None] * nth, Fault("older", back=back))
        try:
            seat.open.sync_once()
        except (HubUnreachable, HubProblem):
            assert mirrored(seat.open) == before
        else:
            seat.plan.heal()
            world.check(seat)
        seat.plan.heal()
        world.come_to_rest()


def test_pages_cut_off_anywhere_change_nothing_before_all_have_come(world: World) -> None:
    seat = world.seats[1]
    for nth in range(3):
        for _ in range(5):
            world.create(0)
        world.sync(0)
        before = mirrored(seat.open)
        seat.plan.add("/v1/changes", *[None] * nth, "truncate")
        with pytest.raises(HubUnreachable):
            seat.open.sync_once()
        assert mirrored(seat.open) == before
        seat.plan.heal()
        seat.open.sync_once()
        assert mirrored(seat.open) != before
    world.come_to_rest()


def test_what_others_do_while_everything_comes_is_here_afterwards(world: World) -> None:
    """After each page of a snapshot rows that have come already change, come, and leave sight."""
    world.sit("marketer2")
    seat = world.seats[3]
    with seat.open.context.store.write() as connection:
        settings.drop(connection, settings.CURSOR)
    pages = 0

    def others_work() -> None:
        nonlocal pages
        pages += 1
        seat.meanwhile = ("/v1/snapshot", others_work)
        world.edit(1, 0, pages)
        world.edit_person(0, 1, 0)
        world.create(0)
        world.pass_on(1, pages)
        world.sync(0)
        world.sync(1)

    seat.meanwhile = ("/v1/snapshot", others_work)
    seat.open.sync_once()
    seat.meanwhile = None
    assert pages > 3
    world.check(seat)
    world.come_to_rest()


def test_what_leaves_sight_leaves_nothing_of_itself_among_what_was_sent(world: World) -> None:
    """A value of a colleague's that one's own accepted edit has replaced goes with the card."""
    card = next(row.item for row in world.seats[2].open.rows(kind="qualification"))
    for seat in (1, 2):
        shown = [row.item.id for row in world.seats[seat].open.rows()]
        world.edit(seat, shown.index(card.id), FIELDS["qualification"].index("next_step"))
        world.sync(seat)
        world.sync(2)
    theirs = world.seats[2].open.card(card.id).item.fields["next_step"]
    assert disk.tables_with(world.seats[2].open, str(theirs)) != ["item"]
    world.sit("head")
    head = world.seats[3].open
    head.do(Move(item_id=card.id, transition="return", comment="ещё раз"))
    head.sync_once()
    world.sync(2)
    assert card.id not in {row.item.id for row in world.seats[2].open.rows()}
    world.check(world.seats[2])
