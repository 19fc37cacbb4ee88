"""A desk that dies at any statement: it shows the old rows or the new ones, and ends where one ends
that did not die. Real processes are killed in ``tests/services/test_crash.py``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

from tests.services.rooms import mirrored
from tests.simulation import disk
from tests.simulation.places import PEOPLE
from tests.simulation.world import Seat, World

#: How many moments a desk dies at in each test, spread evenly over its statements; all of them in
#: a search.
MOMENTS = 7
SEARCHING = os.environ.get("HYPOTHESIS_PROFILE") == "searching"


def at_each_moment(
    world: World, seat: Seat, work: Callable[[], object], look: Callable[[], None]
) -> None:
    """Do ``work`` again and again from the same files until the desk dies, each time at another
    moment, and ``look`` at the desk afterwards; at last it does not die."""
    kept = world.folder / "kept"
    seat.open.close()
    shutil.copytree(seat.folder, kept)

    def begin() -> None:
        shutil.rmtree(seat.folder)
        shutil.copytree(kept, seat.folder)
        world.open(seat)

    begin()
    steps = disk.statements_of(work)
    seat.open.close()
    stride = 1 if SEARCHING else max(1, steps // MOMENTS)
    for moment in range(1 + steps % stride // 2, steps, stride):
        begin()
        assert disk.killed(seat.folder, moment, work)
        seat.open.close()
        disk.bring_back(seat.folder)
        world.open(seat)
        look()
        seat.open.close()
    begin()
    work()


def dies_while_it_syncs(world: World, n: int) -> None:
    seat = world.seats[n]
    old = mirrored(seat.open)
    seen: list[dict[str, list[Any]]] = []

    def look() -> None:
        seen.append(mirrored(seat.open))
        seat.open.sync_once()
        world.check(seat)

    def sync() -> None:
        seat.open.sync_once()

    at_each_moment(world, seat, sync, look)
    new = mirrored(seat.open)
    assert old != new
    assert all(rows in (old, new) for rows in seen)


def test_while_it_pulls_what_changed_and_what_left_its_sight(world: World) -> None:
    world.edit(1, 0, 0)
    world.edit_person(1, 1, 0)
    world.sync(1)
    world.sit("head")
    for _ in range(2):
        # The head takes two of the cards back that were handed off.
        world.pass_on(3, 1)
    world.sync(3)
    dies_while_it_syncs(world, 2)


def test_while_it_reconciles_after_its_rights_were_narrowed(world: World) -> None:
    world.change_role(list(PEOPLE).index("marketer1"), 2)
    dies_while_it_syncs(world, 1)


def test_while_a_mask_takes_single_fields(world: World) -> None:
    world.change_playbook(0, 3)
    dies_while_it_syncs(world, 1)


def test_while_it_compares_with_a_hub_that_was_restored(world: World) -> None:
    world.back_up()
    world.comment(1, 0)
    world.edit(1, 1, 1)
    world.sync(1)
    world.sync(2)
    world.restore()
    dies_while_it_syncs(world, 2)


def test_while_everything_comes(world: World) -> None:
    world.sit("marketer2")
    seat = world.seats[3]
    with seat.open.context.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM setting WHERE key = 'cursor'")
    world.edit(1, 0, 0)
    world.sync(1)
    dies_while_it_syncs(world, 3)


def test_while_an_entry_of_the_inbox_is_retried_it_waits_there_or_in_the_queue(
    world: World,
) -> None:
    world.edit_same(0, 1, 0, 0)
    world.sync(0)
    world.sync(1)
    seat = world.seats[1]
    (entry,) = seat.open.inbox()

    def look() -> None:
        kept = [one.id for one in seat.open.inbox()]
        assert (kept, seat.open.status().pending) in (([entry.id], 0), ([], 1))

    at_each_moment(world, seat, lambda: seat.open.retry(entry.id), look)
    seat.open.sync_once()
    assert seat.open.inbox() == []
