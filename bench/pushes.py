"""Sending what waits: one desk with a long queue, and eight desks at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

from bench.figures import Fact, Line
from bench.hubs import PASSWORD, Hub, postgresql, round_trips, serving, set_up
from bench.plan import Plan
from bench.world import World, say
from desk.commands.session import DEMO_SECRET
from desk.domain.model import Value
from desk.domain.operations import Comment, Create, EditFields, Intent
from desk.services.desk import Desk
from desk.services.push import Answers, push

_DESKS = 8
_PEOPLE = [(f"operator{number}", "operator") for number in range(1, _DESKS + 1)]
_AT_LEAST = {"SQLite": 300.0, "PostgreSQL": 500.0}


def measure(plan: Plan, world: World) -> list[Line | Fact]:
    """The same queue on both databases; eight desks on PostgreSQL alone, by one hub and by two."""
    say("pushing to SQLite")
    sqlite = f"sqlite:///{world.folder / 'push.db'}"
    set_up(sqlite, _PEOPLE)
    with serving(sqlite) as hub:
        lines: list[Line | Fact] = [_one(plan, world.folder, hub, "SQLite")[0]]
    say("pushing to PostgreSQL")
    with postgresql() as url:
        set_up(url, _PEOPLE)
        with serving(url) as hub, serving(url) as other:
            line, alone = _one(plan, world.folder, hub, "PostgreSQL")
            lines.append(line)
            lines += [_many(plan, world.folder, hubs, alone) for hubs in ([hub], [hub, other])]
    return lines


def _one(plan: Plan, folder: Path, hub: Hub, database: str) -> tuple[Fact, float]:
    trips = round_trips(hub.url, plan.trips)
    rate = _push(plan.pushed, folder / f"push-{database}", [hub], 1)
    least = _AT_LEAST[database]
    return Fact(
        f"push, one desk, {database}",
        f"{rate:.0f}/s",
        runs=plan.pushed,
        beside=trips.what,
        floor=f"{1 / trips.median:.0f}/s",
        aim=f"≥ {least:.0f}/s: {'yes' if rate >= least else 'NO'}",
    ), rate


def _many(plan: Plan, folder: Path, hubs: Sequence[Hub], alone: float) -> Fact:
    rate = _push(plan.pushed // 4, folder / f"push-many-{len(hubs)}", hubs, _DESKS)
    by = "" if len(hubs) == 1 else f", {len(hubs)} hub processes"
    return Fact(
        f"push, {_DESKS} desks at once, PostgreSQL{by}",
        f"{rate:.0f}/s",
        runs=plan.pushed // 4 * _DESKS,
        beside="one desk",
        floor=f"{alone:.0f}/s",
        aim=f"≥ one desk: {'yes' if rate >= alone else 'NO'}",
    )


def _push(count: int, folder: Path, hubs: Sequence[Hub], desks: int) -> float:
    """Operations a second that ``desks`` desks, each with ``count`` in its queue, get answered.

    The desks take turns to choose a hub.
    """
    with ExitStack() as stack:
        opened = [
            stack.enter_context(Desk.open(folder / str(number), DEMO_SECRET))
            for number in range(desks)
        ]
        for desk, (user, _), hub in zip(opened, _PEOPLE, cycle(hubs), strict=False):
            desk.sign_in(hub.url, user, PASSWORD)
            desk.sync_once()
            _fill(desk, count)
        threads = stack.enter_context(ThreadPoolExecutor(desks))
        began = time.perf_counter()
        answered = list(threads.map(_send, opened))
        seconds = time.perf_counter() - began
    assert sum(answered) == count * desks, "something was refused"
    return count * desks / seconds


def _send(desk: Desk) -> int:
    answers = Answers()
    push(desk.context, desk._network.client(), answers)
    return answers.applied + answers.merged


def _fill(desk: Desk, count: int) -> None:
    """Queue what an operator does all day: a lead, its data, and a note, again and again."""
    lead = ""
    for number in range(count):
        intent: Intent
        match number % 4:
            case 0:
                subject: dict[str, Value] = {
                    "name": f"Клиент {number}",
                    "phone": "+7 495 123-45-67",
                }
                intent = Create(kind="lead", title=f"Лид {number}", subject=subject)
            case 1:
                intent = EditFields(item_id=lead, fields={"request": f"Груз {number}"})
            case _:
                intent = Comment(item_id=lead, text=f"Перезвонить в {number} часов")
        done = desk.do(intent)
        lead = done.item_ids[0] if number % 4 == 0 else lead
