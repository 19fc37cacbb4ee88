"""A whole copy from the hub: page by page into a shadow copy, which is then put in place at once.

What the operator sees until then is what he had; an empty desk gets the most urgent and the newest
items first, so that it can be worked on within a moment. Each page is committed with the place to
go on from, and the writer is free between two pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from sqlalchemy import Connection

from desk.protocol.messages import Page
from desk.services import arrivals, collector, queue, settings, shadow
from desk.services.ahead import Ahead
from desk.services.arrivals import Arrived
from desk.services.context import Context
from desk.services.errors import HubProblem, HubUnreachable
from desk.services.hub_client import HubClient
from desk.services.landing import Landing
from desk.services.store import Store
from desk.services.views import Progress

#: Items of a page: decoding one holds everything else up for some 10 ms, writing one holds a
#: writer up for some 50 ms.
_ITEMS = 500
#: Rows of what was replaced that are overwritten in one transaction.
_CLEARED = 2000
#: Items of the head start, not counting their families: a few screens of a board.
_HEAD_START = 300
#: How often in one bootstrap the epoch or the rights may become others.
_BEGINNINGS = 4


class _Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot that is arriving: what its first page said, and the last id that came."""

    cursor: str
    last_op: int
    total: int
    after: str

    @property
    def place(self) -> str:
        """The epoch and the rights it was begun under."""
        return arrivals.place(self.cursor)


def begun(connection: Connection) -> bool:
    """Whether one was broken off: it has to be ended before changes can be pulled."""
    return _begun(connection) is not None


def clear(store: Store) -> None:
    """Overwrite what a bootstrap replaced, the writer being free now and then."""
    with store.read() as connection:
        left = shadow.is_aside(connection)
    if not left:
        return
    while left:
        with store.write() as connection:
            shadow.clear_some(connection, _CLEARED)
            left = shadow.is_aside(connection)
    store.scrub()


class Bootstrap:
    """One bootstrap of one desk; ``tell`` hears of its progress and may raise to stop it.

    Stopped in whichever way, the next one goes on where it was.
    """

    def __init__(
        self, context: Context, client: HubClient, tell: Callable[[Progress | None], None]
    ) -> None:
        self._context = context
        self._client = client
        self._tell = tell
        self._landing = Landing(context, client)
        self._arrived = Arrived()

    def run(self) -> Arrived:
        """Fetch everything and put it in place. Raises what the hub makes it raise.

        The cursor is then where the first page began: what changed since is to be pulled.
        """
        clear(self._context.store)
        if self._context.items() == 0:
            self._start_ahead()
        for _ in range(_BEGINNINGS):
            whole = self._fetch()
            if whole is not None:
                self._put_in_place(whole)
            clear(self._context.store)
            if whole is not None:
                return self._arrived
        raise HubProblem(hub=self._client.hub, reason="resets")

    def _start_ahead(self) -> None:
        page = self._client.head_start(_HEAD_START)
        self._landing.learn(page)
        with self._context.store.write() as connection:
            self._landing.land(connection, lambda: arrivals.land(connection, [page]))
        self._landing.landed(None, people=True)

    def _fetch(self) -> _Begun | None:
        """Bring every page into the shadow copy.

        None where the epoch or the reader's rights became others on the way: begin anew.
        """
        with self._context.store.read() as connection:
            begun = _begun(connection)
            done = shadow.items(connection) if begun else 0
        for page in self._pages(begun.after if begun else ""):
            self._landing.learn(page)
            found = _Begun(
                cursor=page.cursor, last_op=page.last_op, total=page.total, after=page.after
            )
            if begun is not None and begun.place != found.place:
                self._abandon()
                return None
            begun = self._keep(page, begun, found)
            done += len(page.items)
            self._tell(Progress(done, max(begun.total, done)))
        return begun

    def _pages(self, after: str) -> Iterator[Page]:
        """The pages below ``after``; each is fetched while the one before is written."""
        coming = self._ask(after)
        while True:
            page = coming.result()
            if not answers(page, after):
                # Another answer than the one asked for: lost and repeated on its way.
                raise HubUnreachable(hub=self._client.hub)
            after = page.after
            if page.more:
                coming = self._ask(after)
            yield page
            if not page.more:
                return

    def _ask(self, after: str) -> Ahead[Page]:
        return Ahead(lambda: self._snapshot(after))

    def _snapshot(self, after: str) -> Page:
        with collector.put_off():
            return self._client.snapshot(after, _ITEMS)

    def _keep(self, page: Page, begun: _Begun | None, found: _Begun) -> _Begun:
        with collector.put_off(), self._context.store.write() as connection:
            if begun is None:
                shadow.begin(connection)
                begun = found
            arrivals.put(connection, page, shadow.ROWS)
            begun = msgspec.structs.replace(begun, after=page.after)
            settings.put(connection, settings.SNAPSHOT, msgspec.json.encode(begun).decode())
        self._arrived.pulled += arrivals.size(page)
        return begun

    def _abandon(self) -> None:
        with self._context.store.write() as connection:
            shadow.abandon(connection)
            settings.drop(connection, settings.SNAPSHOT)

    def _put_in_place(self, whole: _Begun) -> None:
        with self._context.store.write() as connection:
            covered = queue.cover(connection, whole.last_op, self._context.clock())
            self._landing.land(connection, lambda: _swap(connection), covered)
            arrivals.forget_missing(connection)
            # Pages of changes that wait belong to the rows that are gone.
            arrivals.unstage(connection)
            known = settings.number(connection, settings.LAST_OP)
            settings.put(connection, settings.LAST_OP, str(max(known, whole.last_op)))
            settings.put(connection, settings.CURSOR, whole.cursor)
            settings.drop(connection, settings.SNAPSHOT)
        self._landing.landed(None, people=True)


def _begun(connection: Connection) -> _Begun | None:
    raw = settings.get(connection, settings.SNAPSHOT)
    return msgspec.json.decode(raw, type=_Begun) if raw is not None else None


def answers(page: Page, after: str) -> bool:
    """Whether a page is the one that was asked for: ids below ``after``, the newest first."""
    if page.asked != after:
        return False
    above = after
    for item in page.items:
        if above and item.id >= above:
            return False
        above = item.id
    return page.after == above and (not page.more or bool(page.items))


def _swap(connection: Connection) -> set[str]:
    shadow.swap(connection)
    return set()
