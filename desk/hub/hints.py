"""Live hints: subscribers learn that the log has grown, nothing else.

The counter row is looked at a few times a second while anybody listens, so hints travel between
processes over both databases; a write of this process wakes its listeners at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from desk.hub import changes
from desk.hub.changes import Head
from desk.hub.database import Database

#: How often the counter row is looked at, s.
POLL = 0.25
#: A line that says nothing is sent after so much silence, s.
KEEP_ALIVE = 20.0
#: Between two hints, s: a burst of changes asks for one pull, not for many.
_PAUSE = 0.1


class Hints:
    """The end of the log as the listeners of one process know it. Lives in one event loop."""

    def __init__(self, database: Database, *, poll: float = POLL) -> None:
        self._database = database
        self._poll = poll
        self._head: Head | None = None
        self._grown = asyncio.Condition()
        self._nudge = asyncio.Event()
        self._listeners = 0
        self._watcher: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._telling: asyncio.Task[None] | None = None
        self._closed = False

    def wake(self) -> None:
        """Look at the log now; may be called from any thread."""
        self._soon(self._nudge.set)

    def close(self) -> None:
        """End all subscriptions; may be called from any thread or a signal handler."""
        self._closed = True
        self._soon(self._tell_soon)

    async def subscribe(self, keep_alive: float = KEEP_ALIVE) -> AsyncGenerator[Head | None]:
        """The end of the log now and whenever it has grown; None after so much silence."""
        self._enter()
        try:
            told: Head | None = None
            while not self._closed:
                try:
                    async with asyncio.timeout(keep_alive), self._grown:
                        await self._grown.wait_for(lambda told=told: self._news(told))
                except TimeoutError:
                    yield None
                    continue
                if self._head is not None and self._head != told:
                    told = self._head
                    yield told
        finally:
            self._leave()

    def _news(self, told: Head | None) -> bool:
        return self._closed or (self._head is not None and self._head != told)

    def _enter(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners += 1
        if self._watcher is None:
            self._watcher = self._loop.create_task(self._watch())

    def _leave(self) -> None:
        self._listeners -= 1
        if not self._listeners and self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
            # What is known now may be old by the time somebody listens again.
            self._head = None

    async def _watch(self) -> None:
        while True:
            self._nudge.clear()
            try:
                head = await asyncio.to_thread(self._look)
            except (DBAPIError, PoolTimeout):
                # The database is away for a while; listeners hear nothing new meanwhile.
                head = self._head
            if head != self._head:
                self._head = head
                await self._tell()
                await asyncio.sleep(_PAUSE)
            try:
                async with asyncio.timeout(self._poll):
                    await self._nudge.wait()
            except TimeoutError:
                continue

    def _look(self) -> Head:
        with self._database.read() as connection:
            return changes.head(connection)

    def _tell_soon(self) -> None:
        self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self._grown:
            self._grown.notify_all()

    def _soon(self, call: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)
