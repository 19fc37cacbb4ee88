"""Fetching: the first snapshot page by page, then changes, each pull in one local transaction.

A first snapshot is shown as it arrives; each page is committed with the place to go on from. All
other pages are staged as they came, and applied together with the cursor, the removal of covered
operations and the overlay laid anew, so that a crash at any moment leaves one state or the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from desk.protocol.messages import Page, PlaybookSource
from desk.services import arrivals, overlay, queue, settings
from desk.services.ahead import Ahead
from desk.services.context import Context, Rulebook, read_playbook
from desk.services.hub_client import HubClient
from desk.services.views import Progress, StatusChanged

_SNAPSHOT_ITEMS = 1000
_CHANGES = 2000


@dataclass(slots=True)
class Arrived:
    """How many rows a pull brought and took."""

    pulled: int = 0
    forgotten: int = 0
    cursor: str = ""


class Pull:
    """One pull of one desk; ``tell`` hears of its progress."""

    def __init__(
        self, context: Context, client: HubClient, tell: Callable[[Progress | None], None]
    ) -> None:
        self._context = context
        self._client = client
        self._tell = tell
        self._arrived = Arrived()
        self._playbook: PlaybookSource | None = None
        self._scrub = False

    def run(self) -> Arrived:
        """Fetch until there is nothing more. Raises what the hub makes it raise.

        A pull that was broken off goes on where it was.
        """
        with self._context.store.read() as connection:
            cursor = settings.get(connection, settings.CURSOR)
            resetting = settings.get(connection, settings.STAGING_RESET) is not None
        try:
            if cursor is None or resetting:
                self._snapshot(resetting=resetting)
            if not self._changes():
                self._begin_reset()
                self._snapshot(resetting=True)
                self._changes()
        finally:
            self._tell(None)
        if self._scrub or self._context.store.to_scrub:
            self._context.store.scrub()
        return self._arrived

    def _snapshot(self, *, resetting: bool) -> None:
        with self._context.store.read() as connection:
            after = settings.get(connection, settings.SNAPSHOT_AFTER) or ""
            done = arrivals.count_items(connection, staged=resetting) if after else 0
        total = 0
        for page in self._pages(after):
            self._learn(page)
            if resetting:
                self._stage_snapshot(page)
            else:
                self._apply_snapshot(page)
            done += len(page.items)
            total = max(total, page.total)
            self._tell(Progress(done, max(total, done) if total else 0))

    def _pages(self, after: str) -> Iterator[Page]:
        """The pages of a snapshot; each is fetched while the one before is written."""
        coming = self._ask(after)
        while True:
            page = coming.result()
            if not page.more:
                yield page
                return
            coming = self._ask(page.after)
            yield page

    def _ask(self, after: str) -> Ahead[Page]:
        return Ahead(lambda: self._client.snapshot(after, _SNAPSHOT_ITEMS))

    def _apply_snapshot(self, page: Page) -> None:
        with self._context.store.write() as connection:
            touched = self._lay(connection, [page])
            self._move_on(connection, page)
            if not page.more:
                self._end_snapshot(connection)
        self._committed([page], touched)

    def _stage_snapshot(self, page: Page) -> None:
        with self._context.store.write() as connection:
            arrivals.stage(connection, page)
            self._move_on(connection, page)
            if page.more:
                return
            overlay.restore(connection)
            arrivals.clear(connection)
            pages = arrivals.staged(connection)
            for one in pages:
                arrivals.put(connection, one)
            self._finish(connection, pages)
            arrivals.forget_missing(connection)
            self._end_snapshot(connection)
        self._scrub = True
        self._committed(pages, None)

    def _move_on(self, connection: Connection, page: Page) -> None:
        # The first page's cursor: what changed while the others came is in the pull after it.
        if settings.get(connection, settings.SNAPSHOT_CURSOR) is None:
            settings.put(connection, settings.SNAPSHOT_CURSOR, page.cursor)
        settings.put(connection, settings.SNAPSHOT_AFTER, page.after)

    def _end_snapshot(self, connection: Connection) -> None:
        cursor = settings.get(connection, settings.SNAPSHOT_CURSOR) or ""
        settings.put(connection, settings.CURSOR, cursor)
        settings.drop(
            connection,
            settings.SNAPSHOT_CURSOR,
            settings.SNAPSHOT_AFTER,
            settings.STAGING_RESET,
        )
        arrivals.unstage(connection)

    def _begin_reset(self) -> None:
        with self._context.store.write() as connection:
            arrivals.unstage(connection)
            settings.drop(connection, settings.SNAPSHOT_CURSOR, settings.SNAPSHOT_AFTER)
            settings.put(connection, settings.STAGING_RESET, "1")

    def _changes(self) -> bool:
        """Fetch and apply what changed; False when the hub asks for a snapshot instead."""
        with self._context.store.read() as connection:
            pages = arrivals.staged(connection)
            cursor = pages[-1].cursor if pages else settings.get(connection, settings.CURSOR)
        while True:
            page = self._client.changes(cursor or "", _CHANGES)
            if page.reset:
                return False
            self._learn(page)
            pages.append(page)
            cursor = page.cursor
            if not page.more:
                break
            with self._context.store.write() as connection:
                arrivals.stage(connection, page)
            self._tell(Progress(sum(arrivals.size(one) for one in pages), 0))
        self._apply_changes(pages)
        return True

    def _apply_changes(self, pages: list[Page]) -> None:
        last = pages[-1]
        self._arrived.cursor = last.cursor
        with self._context.store.read() as connection:
            nothing_new = (
                not any(arrivals.size(page) or page.forget for page in pages)
                and settings.get(connection, settings.CURSOR) == last.cursor
                and not queue.is_covered(connection, last.last_op)
            )
        if nothing_new and self._playbook is None:
            return
        with self._context.store.write() as connection:
            touched = overlay.restore(connection)
            touched |= arrivals.land(connection, pages)
            queue.drop_covered(connection, last.last_op)
            touched |= self._finish(connection, pages)
            known = settings.number(connection, settings.LAST_OP)
            settings.put(connection, settings.LAST_OP, str(max(known, last.last_op)))
            settings.put(connection, settings.CURSOR, last.cursor)
            arrivals.unstage(connection)
        self._scrub = self._scrub or any(page.forget for page in pages)
        self._committed(pages, touched)

    def _lay(self, connection: Connection, pages: Sequence[Page]) -> set[str]:
        touched = overlay.restore(connection)
        touched |= arrivals.land(connection, pages)
        return touched | self._finish(connection, pages)

    def _finish(self, connection: Connection, pages: Sequence[Page]) -> set[str]:
        """New rules and a new role first, then the overlay by them."""
        rulebook = self._rules(connection, pages)
        return overlay.replay(connection, rulebook)

    def _rules(self, connection: Connection, pages: Sequence[Page]) -> Rulebook:
        rulebook = self._context.rulebook
        if self._playbook is not None:
            settings.put(connection, settings.PLAYBOOK, self._playbook.source)
            settings.put(connection, settings.PLAYBOOK_VERSION, str(self._playbook.version))
            playbook = read_playbook(self._playbook.source, self._playbook.version)
            rulebook = Rulebook(playbook, rulebook.actor)
        return Rulebook(rulebook.playbook, arrivals.new_actor(connection, rulebook.actor, pages))

    def _learn(self, page: Page) -> None:
        """Fetch the playbook that the page's rows are written under, if it is not known here."""
        known = self._playbook.version if self._playbook else self._context.playbook_version
        if page.playbook_version != known:
            self._playbook = self._client.playbook()
            read_playbook(self._playbook.source, self._playbook.version)

    def _committed(self, pages: Sequence[Page], touched: set[str] | None) -> None:
        self._arrived.pulled += sum(arrivals.size(page) for page in pages)
        self._arrived.forgotten += sum(len(page.forget) for page in pages)
        people = any(page.people for page in pages)
        if people or self._playbook is not None:
            self._context.reload()
            self._playbook = None
        self._context.rows_changed(touched, people=people)
        self._context.events.emit(StatusChanged())
