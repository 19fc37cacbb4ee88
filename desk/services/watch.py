"""Looking, a little at a time, whether what is here is what the hub shows this person.

After an exchange, once a minute at most, the digest of one window of items is compared; the next
time it is the next window's turn. A window that differs is fetched anew, at most once an hour: if
something differs again before, no repair helps, and the desk says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from sqlalchemy import Connection

from desk.protocol.messages import Range
from desk.services import settings, sight
from desk.services.comparison import Comparison, Differing
from desk.services.context import Context
from desk.services.hub_client import HubClient
from desk.services.reconcile import Reconcile
from desk.services.views import Progress, StatusChanged, Verdict

#: Between two looks, and between two repairs, ms.
_LOOK_EVERY = 60_000
_REPAIR_EVERY = 3_600_000

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
    comparison = Comparison(context, client, masks)
    window = comparison.window_from(begin)
    found = comparison.differing([window], cursor=cursor)
    if not found.moved:
        _conclude(context, client, tell, found, repair=may_repair, following=window.high)


def verify(context: Context, client: HubClient, tell: Tell, *, repair: bool) -> Verdict:
    """Compare everything, and with ``repair`` fetch anew what differs. Call it after a pull."""
    with context.store.read() as connection:
        cursor = settings.get(connection, settings.CURSOR)
        masks = sight.known_masks(connection)
    if cursor is None or masks is None:
        return Verdict(same=False, differing=0, repaired=False)
    comparison = Comparison(context, client, masks)
    windows = comparison.windows()
    found = comparison.differing(
        windows, cursor=cursor, tell=lambda n: tell(Progress(min(n, len(windows)), len(windows)))
    )
    count = _count(context, found.ranges)
    _conclude(context, client, tell, found, repair=repair, following="")
    tell(None)
    repaired = repair and bool(found.ranges)
    return Verdict(same=not found.ranges, differing=count, repaired=repaired)


def _conclude(
    context: Context,
    client: HubClient,
    tell: Tell,
    found: Differing,
    *,
    repair: bool,
    following: str,
) -> None:
    state: Literal["same", "repaired", "differs"] = "same"
    if found.ranges:
        state = "repaired" if repair else "differs"
    if state == "repaired":
        Reconcile(context, client, tell).replace(found.ranges)
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
    from desk.services.comparison import item_ids

    with context.store.read() as connection:
        return sum(len(item_ids(connection, one)) for one in ranges)
