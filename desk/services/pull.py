"""Fetching what changed since the cursor, each pull applied in one local transaction.

All pages but the last are staged as they came, and applied together with the cursor, the removal of
covered operations and the overlay laid anew, so that a crash at any moment leaves one state or the
other. Where there is no cursor, or the hub does not know it any more, a bootstrap comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from sqlalchemy import Connection

from desk.protocol.messages import Page
from desk.services import arrivals, bootstrap, queue, settings
from desk.services.arrivals import Arrived
from desk.services.bootstrap import Bootstrap
from desk.services.context import Context
from desk.services.errors import HubUnreachable
from desk.services.hub_client import HubClient
from desk.services.landing import Landing
from desk.services.views import Progress

_CHANGES = 500


class Pull:
    """One pull of one desk; ``tell`` hears of its progress and may raise to stop it."""

    def __init__(
        self, context: Context, client: HubClient, tell: Callable[[Progress | None], None]
    ) -> None:
        self._context = context
        self._client = client
        self._tell = tell
        self._landing = Landing(context, client)
        self._people = False
        self.arrived = Arrived()
        #: The last operation of this device that the hub knew of when it answered last.
        self.last_op = 0

    def run(self) -> Page | None:
        """Fetch until there is nothing more. Raises what the hub makes it raise.

        The answer is the hub's page where it does not know the cursor any more (``reset``). A pull
        that was broken off goes on where it was.
        """
        bootstrap.clear(self._context.store)
        with self._context.store.read() as connection:
            cursor = settings.get(connection, settings.CURSOR)
            begin = cursor is None or bootstrap.begun(connection)
        if begin:
            whole = Bootstrap(self._context, self._client, self._tell).run()
            self.arrived.pulled += whole.pulled
        return self._changes()

    def _changes(self) -> Page | None:
        """Fetch and apply what changed; the hub's answer when it asks to begin anew."""
        with self._context.store.read() as connection:
            staged = arrivals.last_staged(connection)
            cursor = staged.cursor if staged else settings.get(connection, settings.CURSOR) or ""
        fetched = 0
        while True:
            page = self._client.changes(cursor, _CHANGES)
            if page.asked != cursor or (page.more and page.cursor == cursor):
                # Another answer than the one asked for, lost and repeated on its way; or one that
                # leads nowhere.
                raise HubUnreachable(hub=self._client.hub)
            self.last_op = page.last_op
            if page.reset:
                return page
            self._landing.learn(page)
            if not page.more:
                break
            cursor = page.cursor
            with self._context.store.write() as connection:
                arrivals.stage(connection, page)
            fetched += arrivals.size(page)
            self._tell(Progress(fetched, 0))
        self.arrived.cursor = page.cursor
        if staged or fetched or self._is_new(page):
            self._apply(page)
        return None

    def _is_new(self, page: Page) -> bool:
        """Whether a pull's only page says anything."""
        with self._context.store.read() as connection:
            return (
                bool(arrivals.size(page) or page.forget)
                or settings.get(connection, settings.CURSOR) != page.cursor
                or queue.is_covered(connection, page.last_op)
                or self._landing.has_new_playbook
            )

    def _apply(self, last: Page) -> None:
        with self._context.store.write() as connection:
            covered = queue.cover(connection, last.last_op, self._context.clock())
            touched = self._landing.land(connection, lambda: self._write(connection, last), covered)
            known = settings.number(connection, settings.LAST_OP)
            settings.put(connection, settings.LAST_OP, str(max(known, last.last_op)))
            settings.put(connection, settings.CURSOR, last.cursor)
            arrivals.unstage(connection)
        self._landing.landed(touched, people=self._people)

    def _write(self, connection: Connection, last: Page) -> set[str]:
        pages = chain(arrivals.staged(connection), [last])
        return arrivals.land(connection, self._counted(pages))

    def _counted(self, pages: Iterable[Page]) -> Iterator[Page]:
        for page in pages:
            self.arrived.pulled += arrivals.size(page)
            self.arrived.forgotten += len(page.forget)
            self._people = self._people or bool(page.people)
            if page.forget:
                self._context.store.to_scrub = True
            yield page
