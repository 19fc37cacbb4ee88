"""Looking, a little at a time, whether what is here is what the hub shows this person.

After an exchange, once a minute at most, the digest of one window of items is compared; the next
time it is the next window's turn. A window that differs is fetched anew, at most once an hour: if
something differs again before, no repair helps, and the desk says so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from sqlalchemy import Connection

from desk.protocol.messages import Range
from desk.services import arrivals, settings, sight
from desk.services.comparison import Comparison, Differing, RightsChanged, item_ids
from desk.services.context import Context
from desk.services.hub_client import HubClient
from desk.services.reconcile import Reconcile
from desk.services.views import Progress, StatusChanged, Verdict

#: Between two looks, and between two repairs, ms.
_LOOK_EVERY = 60_000
_REPAIR_EVERY = 3_600_000
#: How often everything is compared again, since it changes meanwhile.
_TRIES = 4

Tell = Callable[[Progress | None], None]


def glance(context: Context, client: HubClient, tell: Tell) -> None:
    """Compare the next window, if it is time. Call it after a pull."""
    with context.store.read() as connection:
        if not _is_over(connection, settings.DIGEST_AT, _LOOK_EVERY, context.clock()):
            return
        begin = settings.get(connection, settings.DIGEST_NEXT) or ""
        cursor = settings.get(connection, settings.CURSOR)
        masks = sight.known_masks(connection)
        may_repair = _is_over(connection, settings.REPAIRED_AT, _REPAIR_EVERY, context.clock())
    if cursor is None or masks is None:
        return
    comparison = Comparison(context, client, masks, arrivals.place(cursor))
    window = comparison.window_from(begin)
    try:
        found = comparison.differing([window], cursor=cursor)
        if found.moved:
            return
        if found.ranges and may_repair:
            Reconcile(context, client, tell).mend(found.ranges, cursor)
    except RightsChanged:
        # The next pull is told so.
        return
    _conclude(context, bool(found.ranges), repaired=may_repair, following=window.high)


def verify(
    context: Context, client: HubClient, tell: Tell, *, repair: bool, catch_up: Callable[[], None]
) -> Verdict:
    """Compare everything, and with ``repair`` fetch anew what differs. Call it after a pull.

    Others go on working meanwhile: what changed is compared again after ``catch_up``, another
    exchange.
    """
    try:
        for _ in range(_TRIES):
            with suppress(RightsChanged):
                verdict = _compare_all(context, client, tell, repair=repair, catch_up=catch_up)
                if verdict is not None:
                    return verdict
            catch_up()
        return Verdict(same=False, differing=0, repaired=False)
    finally:
        tell(None)


def _compare_all(
    context: Context, client: HubClient, tell: Tell, *, repair: bool, catch_up: Callable[[], None]
) -> Verdict | None:
    """None where nothing can be said, since something changes again and again."""
    todo: list[Range] | None = None
    differ: list[Range] = []
    for _ in range(_TRIES):
        with context.store.read() as connection:
            cursor = settings.get(connection, settings.CURSOR)
            masks = sight.known_masks(connection)
        if cursor is None or masks is None:
            return None
        comparison = Comparison(context, client, masks, arrivals.place(cursor))
        ranges = comparison.windows() if todo is None else todo
        found = _look(comparison, ranges, cursor, tell)
        differ += found.ranges
        todo = sorted(found.moved, key=lambda one: one.low)
        if not todo:
            break
        catch_up()
    else:
        return None
    count = _count(context, differ)
    repaired = repair and bool(differ)
    if repaired:
        Reconcile(context, client, tell).mend(differ, cursor)
    _conclude(context, bool(differ), repaired=repair, following="")
    return Verdict(same=not differ, differing=count, repaired=repaired)


def _look(comparison: Comparison, ranges: list[Range], cursor: str, tell: Tell) -> Differing:
    total = len(ranges)
    return comparison.differing(
        ranges, cursor=cursor, tell=lambda n: tell(Progress(min(n, total), total))
    )


def _conclude(context: Context, differs: bool, *, repaired: bool, following: str) -> None:
    state: Literal["same", "repaired", "differs"] = "same"
    if differs:
        state = "repaired" if repaired else "differs"
    now = str(context.clock())
    with context.store.write() as connection:
        was = settings.get(connection, settings.DIGEST_STATE)
        # A difference that was found stays said until everything was looked at again.
        if state != "same" or was != "differs" or not following:
            settings.put(connection, settings.DIGEST_STATE, state)
        settings.put(connection, settings.DIGEST_AT, now)
        settings.put(connection, settings.DIGEST_NEXT, following)
        if state == "repaired":
            settings.put(connection, settings.REPAIRED_AT, now)
    if state != "same":
        context.events.emit(StatusChanged())


def _is_over(connection: Connection, key: str, wait: int, now: int) -> bool:
    """Whether the moment kept under ``key`` is long enough ago; a clock set back does not count."""
    return abs(now - settings.number(connection, key)) >= wait


def _count(context: Context, ranges: list[Range]) -> int:
    with context.store.read() as connection:
        return sum(len(item_ids(connection, one)) for one in ranges)
