"""A change made on one desk, until another desk's local copy has it."""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack

from bench.figures import Aim, Line, Series, Took
from bench.hubs import PASSWORD, Hub, postgresql, round_trips, serving, set_up
from bench.plan import Plan
from bench.world import World, say
from desk.commands.session import DEMO_SECRET
from desk.domain.operations import Comment, Create
from desk.services.desk import Desk

_PEOPLE = [("operator1", "operator"), ("head", "head")]
_PATIENCE = 30.0
#: Between two changes, s: people do not write in step with the hub's own pauses.
_PAUSES = (0.1, 0.4)


def measure(plan: Plan, world: World) -> list[Line]:
    """Two desks with their background threads and one hub, on both databases."""
    sqlite = f"sqlite:///{world.folder / 'live.db'}"
    set_up(sqlite, _PEOPLE)
    with serving(sqlite) as hub:
        lines = [_line(plan, world, hub, "SQLite")]
    with postgresql() as url:
        set_up(url, _PEOPLE)
        # The two desks are on two hub processes: the hint goes through PostgreSQL.
        with serving(url) as hub, serving(url) as other:
            lines.append(_line(plan, world, hub, "two hubs, PostgreSQL", other))
    return lines


def _line(plan: Plan, world: World, hub: Hub, name: str, other: Hub | None = None) -> Line:
    say(f"watching changes travel: {name}")
    trips = round_trips(hub.url, plan.trips)
    with ExitStack() as stack:
        writer, reader = (
            stack.enter_context(Desk.open(world.folder / name / user, DEMO_SECRET))
            for user, _ in _PEOPLE
        )
        writer.sign_in(hub.url, "operator1", PASSWORD)
        reader.sign_in((other or hub).url, "head", PASSWORD)
        lead = writer.do(Create(kind="lead", title="Лид")).item_ids[0]
        seen = _Seen(reader, lead)
        for desk in (writer, reader):
            desk.sync_once()
            desk.start()
        seen.until(lambda: writer.hears_hints and reader.hears_hints)
        runs = [_travel(writer, seen, lead, number) for number in range(plan.hints)]
    return Line(Series(f"change seen on another desk, {name}", runs), 1, trips, Aim("p95", 0.3))


def _travel(writer: Desk, seen: _Seen, lead: str, number: int) -> Took:
    time.sleep(random.uniform(*_PAUSES))
    text = f"примечание {number}"
    began = time.perf_counter()
    writer.do(Comment(item_id=lead, text=text))
    seen.until(lambda: text in seen.texts)
    return Took(time.perf_counter() - began, 0.0)


class _Seen:
    """What another desk's copy says of one lead, read anew at each of its events."""

    def __init__(self, desk: Desk, lead: str) -> None:
        self._desk = desk
        self._lead = lead
        self._changed = threading.Condition()
        self.texts: set[str] = set()
        desk.listen(self._look)

    def until(self, true: object) -> None:
        assert callable(true)
        with self._changed:
            if not self._changed.wait_for(true, _PATIENCE):
                raise TimeoutError

    def _look(self, _: object) -> None:
        if not self._desk.rows("lead", limit=1):
            return
        texts = {entry.comment for entry in self._desk.card(self._lead).entries}
        with self._changed:
            self.texts = texts
            self._changed.notify_all()
