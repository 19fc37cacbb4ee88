"""Live hints: a desk learns that the log has grown by something it may see, nothing else.

When the log grows, each process reads what is new once and hints at those of its listeners whom it
concerns. A write of this process wakes it at once. A write of another process is told by
PostgreSQL (`desk.hub.notices`); what was not told, and everything on SQLite, is found by looking
at the counter row now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from desk.hub import changes, concern
from desk.hub.changes import Head
from desk.hub.concern import Piece
from desk.hub.database import Database
from desk.hub.errors import where
from desk.hub.projection import Reader

if TYPE_CHECKING:
    from desk.hub.notices import Notices

#: How often the counter row is looked at, s.
POLL = 1.0
#: The same while the other processes' writes are told: only for what was lost on the way.
POLL_BESIDE_NOTICES = 5.0
#: A line that says nothing is sent after so much silence, s.
KEEP_ALIVE = 20.0
#: Between two hints, s: a burst of changes asks for one pull, not for many.
_PAUSE = 0.1

_log = structlog.get_logger("desk.hub.hints")


class Listener:
    """One open stream: whose it is, and what it is still to be told."""

    def __init__(self, reader: Reader) -> None:
        """``reader`` says what concerns it; whoever holds the stream keeps it up to date."""
        self.reader = reader
        #: Whether its person was changed since this was last set to False.
        self.person_changed = False
        self._owed: Head | None = None
        self._woken = asyncio.Event()

    def tell(self, head: Head) -> None:
        """There is something to look at, up to ``head``."""
        self._owed = head
        self._woken.set()

    def wake(self) -> None:
        """Have the waiting end, with nothing to look at."""
        self._woken.set()

    async def wait(self) -> Head | None:
        """What it was told, or None where it was woken only."""
        await self._woken.wait()
        self._woken.clear()
        owed, self._owed = self._owed, None
        return owed


class Hints:
    """The end of the log as the listeners of one process know it. Lives in one event loop."""

    def __init__(self, database: Database, *, poll: float | None = None) -> None:
        """``poll`` replaces both intervals at which the counter row is looked at, s."""
        self._database = database
        self._poll = poll
        self._nudge = asyncio.Event()
        self._listeners: set[Listener] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._notices: Notices | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        #: Where the log ended when it was last looked at; None while nobody listens.
        self.head: Head | None = None

    def wake(self) -> None:
        """Look at the log now; may be called from any thread."""
        self._soon(self._nudge.set)

    def close(self) -> None:
        """End all subscriptions; may be called from any thread or a signal handler."""
        self._closed = True
        self._soon(self._wake_all)

    async def subscribe(
        self, listener: Listener, keep_alive: float = KEEP_ALIVE
    ) -> AsyncGenerator[Head | None]:
        """The end of the log now, and whenever something was written that concerns the listener;
        None after so much silence."""
        self._enter(listener)
        try:
            while not self._closed:
                try:
                    async with asyncio.timeout(keep_alive):
                        head = await listener.wait()
                except TimeoutError:
                    yield None
                    continue
                if head is not None:
                    yield head
        finally:
            self._leave(listener)

    def _enter(self, listener: Listener) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners.add(listener)
        if self.head is not None:
            listener.tell(self.head)
        if self._watcher is None:
            self._watcher = self._loop.create_task(self._watch())
            self._notices = _listen(self._database, self.wake)

    def _leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if self._listeners or self._watcher is None:
            return
        self._watcher.cancel()
        self._watcher = None
        if self._notices is not None:
            self._notices.stop()
            self._notices = None
        # What is known now may be old by the time somebody listens again.
        self.head = None

    async def _watch(self) -> None:
        while True:
            self._nudge.clear()
            if await self._looked():
                await asyncio.sleep(_PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval()):
                    await self._nudge.wait()

    def _interval(self) -> float:
        if self._poll is not None:
            return self._poll
        is_told = self._notices is not None and self._notices.listening
        return POLL_BESIDE_NOTICES if is_told else POLL

    async def _looked(self) -> bool:
        """Look at the log and tell whom it concerns; whether it has grown."""
        asked = tuple(self._listeners)
        try:
            head, piece, concerned = await asyncio.to_thread(self._look, self.head, asked)
        except (DBAPIError, PoolTimeout):
            # The database is away for a while; listeners hear nothing new meanwhile.
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are to hear more
            _log.error("hints_failed", at=where(error))
            return False
        if piece is None:
            return False
        self.head = head
        # Who came in the meantime was told the end that was known before.
        for listener in self._listeners.difference(asked).union(concerned):
            listener.person_changed |= listener.reader.actor.id in piece.people
            listener.tell(head)
        return True

    def _look(
        self, known: Head | None, listeners: Sequence[Listener]
    ) -> tuple[Head, Piece | None, list[Listener]]:
        with self._database.read() as connection:
            head = changes.head(connection)
            if known is not None and (known.epoch, known.seq) == (head.epoch, head.seq):
                return head, None, []
            first = known is None
            piece = Piece(everybody=True) if first else concern.between(connection, known, head)
        return head, piece, [one for one in listeners if piece.concerns(one.reader)]

    def _wake_all(self) -> None:
        for listener in self._listeners:
            listener.wake()

    def _soon(self, call: Callable[[], object]) -> None:
        # The loop may be closed by the time another thread calls.
        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(call)


def _listen(database: Database, heard: Callable[[], None]) -> Notices | None:
    """What tells of other processes' writes, on a database that can."""
    if database.is_sqlite:
        return None
    from desk.hub.notices import Notices

    notices = Notices(database, heard)
    notices.start()
    return notices
