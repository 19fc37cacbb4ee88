"""Agreeing with the hub again, where the log of changes is no help.

The reader's role, a mask or the playbook changed, the hub was restored from a backup, the desk was
away for longer than the log is kept, or a digest differs. The ranges that differ are found by
digests and fetched, and put in place in one transaction: rows that are no longer shown are purged,
single fields are shown anew under their new mask. Where most differs, a bootstrap is cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from desk.protocol.messages import Page, Range
from desk.services import arrivals, settings, sight
from desk.services.arrivals import Arrived
from desk.services.bootstrap import Bootstrap, answers
from desk.services.comparison import Comparison, RightsChanged, item_ids
from desk.services.context import Context
from desk.services.errors import HubUnreachable
from desk.services.hub_client import HubClient
from desk.services.landing import Landing
from desk.services.rows import ITEMS, PEOPLE, SUBJECTS
from desk.services.views import Progress

#: Items of a page of a range.
_ITEMS = 500
#: Up to so many items in differing ranges are fetched; they are in memory until the last is here.
_MOST_ITEMS = 4000

Tell = Callable[[Progress | None], None]


class _TooMany(Exception):
    """The hub has more in the ranges than is to be held in memory."""


class Reconcile:
    """One reconcile of one desk; ``tell`` hears of its progress and may raise to stop it.

    Broken off, it is begun anew: nothing is changed before all is here.
    """

    def __init__(self, context: Context, client: HubClient, tell: Tell) -> None:
        self._context = context
        self._client = client
        self._tell = tell
        self._landing = Landing(context, client)

    def run(self, reset: Page) -> Arrived:
        """Agree after the answer ``reset``; the cursor is then one to go on from."""
        with self._context.store.read() as connection:
            masks = sight.known_masks(connection)
        if masks is None or self._context.items() == 0:
            return self._bootstrap()
        self._landing.learn(reset)
        place = arrivals.place(reset.cursor)
        comparison = Comparison(self._context, self._client, masks, place)
        windows = comparison.windows()
        try:
            found = comparison.differing(windows, tell=lambda n: self._tell(Progress(n, 0)))
            return self._replace(found.ranges, found.cursor, people=reset)
        except RightsChanged:
            # Nothing was changed: the next pull is told to begin anew, with whom it concerns.
            return Arrived()
        except _TooMany:
            return self._bootstrap()

    def mend(self, ranges: Sequence[Range], cursor: str) -> None:
        """Fetch anew ranges that differ at ``cursor``, where the next pull still starts.

        Raises ``RightsChanged``.
        """
        try:
            self._replace(ranges, cursor)
        except _TooMany:
            self._bootstrap()

    def _replace(
        self, ranges: Sequence[Range], cursor: str, *, people: Page | None = None
    ) -> Arrived:
        """Fetch the ranges and put them in place of what is here, in one transaction.

        With ``people`` of new rights, too, the next pull starts at ``cursor``.
        """
        if self._count(ranges) > _MOST_ITEMS:
            raise _TooMany
        arrived = Arrived()
        fetched: list[tuple[Range, list[Page]]] = []
        items = 0
        for one in ranges:
            fetched.append((one, pages := self._fetch(one, arrivals.place(cursor), arrived, items)))
            items += sum(len(page.items) for page in pages)
        with self._context.store.write() as connection:

            def write() -> set[str]:
                touched: set[str] = set()
                for one, pages in fetched:
                    touched |= _put(connection, one, pages, arrived)
                if people is not None:
                    PEOPLE.put(connection, people.people)
                arrivals.forget_missing(connection)
                return touched

            touched = self._landing.land(connection, write)
            if people is not None:
                settings.put(connection, settings.CURSOR, cursor)
                # Pages of changes that wait were asked for from another cursor.
                arrivals.unstage(connection)
        self._context.store.to_scrub = True
        self._landing.landed(touched, people=people is not None)
        return arrived

    def _bootstrap(self) -> Arrived:
        return Bootstrap(self._context, self._client, self._tell).run()

    def _count(self, ranges: Iterable[Range]) -> int:
        with self._context.store.read() as connection:
            return sum(len(item_ids(connection, one)) for one in ranges)

    def _fetch(self, one: Range, place: str, arrived: Arrived, before: int) -> list[Page]:
        """The pages of a range; ``before`` items are in memory already."""
        pages: list[Page] = []
        after = one.high
        while True:
            page = self._client.snapshot(after, _ITEMS, until=one.low)
            if not answers(page, after) or any(item.id < one.low for item in page.items):
                raise HubUnreachable(hub=self._client.hub)
            if arrivals.place(page.cursor) != place:
                raise RightsChanged
            before += len(page.items)
            if before > _MOST_ITEMS:
                raise _TooMany
            self._landing.learn(page)
            pages.append(page)
            arrived.pulled += arrivals.size(page)
            self._tell(Progress(arrived.pulled, 0))
            if not page.more:
                return pages
            after = page.after


def _put(connection: Connection, one: Range, pages: Sequence[Page], arrived: Arrived) -> set[str]:
    """Put a range's rows in place of those here; gives the items that were or are in it."""
    gone = item_ids(connection, one)
    subjects = {item.subject_id for item in ITEMS.get(connection, gone) if item.subject_id}
    for table, column in (("task", "item_id"), ("entry", "item_id"), ("item", "id")):
        sql = f"DELETE FROM {table} WHERE {column} >= ? AND (? = '' OR {column} < ?)"  # noqa: S608
        connection.exec_driver_sql(sql, (one.low, one.high, one.high))
    for page in pages:
        arrivals.put(connection, page)
    still = {item.subject_id for item in ITEMS.where(connection, "subject_id", subjects)}
    SUBJECTS.delete(connection, subjects - still)
    come = {item.id for page in pages for item in page.items}
    arrived.forgotten += len(set(gone) - come)
    return {*gone, *come}
