"""Word between the hub processes of one PostgreSQL that something was written.

`changes.write` notifies within its transaction, so the word comes with the commit and never
without it. Litestar's channels are not used: their PostgreSQL backend publishes on a connection
of its own, outside the transaction, stays deaf once its listening connection was lost, and needs
an event loop that psycopg cannot use on Windows.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

import psycopg
import structlog

from desk.hub.changes import CHANNEL
from desk.hub.database import Database

#: How long is waited after a connection that was lost or refused, s: doubled from the first on.
_FIRST_WAIT = 0.25
_LONGEST_WAIT = 8.0
#: A server that went away without a word is noticed within 20 s.
_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}

_Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_log = structlog.get_logger("desk.hub.notices")


class Notices:
    """A thread that listens on a connection of its own, and connects anew when it is lost."""

    def __init__(self, database: Database, heard: Callable[[], None]) -> None:
        """``heard`` is called in the thread: when something was written, and when it begins to
        listen, for what was written before is not told."""
        self._database = database
        self._heard = heard
        self._stopped = threading.Event()
        self._poked, self._poke = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="hub-notices", daemon=True)
        #: Whether what others write is heard now.
        self.listening = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; does not wait for it."""
        self._stopped.set()
        with suppress(OSError):
            self._poke.send(b"\0")

    def join(self, timeout: float) -> None:
        """Wait until it has ended, at most ``timeout`` s."""
        self._thread.join(timeout)

    def _run(self) -> None:
        wait = _FIRST_WAIT
        with self._poked, self._poke:
            while not self._stopped.is_set():
                try:
                    with self._connect() as connection:
                        wait = _FIRST_WAIT
                        self._listen(connection)
                except (psycopg.Error, OSError):
                    # Its text may name hosts and users; that it was lost is enough.
                    _log.warning("notices_lost", again_in=wait)
                finally:
                    self.listening = False
                self._stopped.wait(wait)
                wait = min(_LONGEST_WAIT, wait * 2)

    def _connect(self) -> _Connection:
        engine = self._database.engine
        arguments, options = engine.dialect.create_connect_args(self._database.url)
        alive = {"connect_timeout": 10, **_ALIVE}
        return psycopg.connect(*arguments, **{**alive, **options}, autocommit=True)

    def _listen(self, connection: _Connection) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        self.listening = True
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._poked, selectors.EVENT_READ)
            self._heard()
            while not self._stopped.is_set():
                selector.select()
                if list(connection.notifies(timeout=0)):
                    self._heard()
