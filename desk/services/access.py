"""The tokens of a session: kept in ``local.db``, and followed by others before they end.

The retry id is on the disk before the hub is asked and the answer before it is used, so whatever
ends in between, the next attempt gets the same answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from desk.protocol.messages import Refresh, Refreshed, Registered, SignedIn
from desk.services import device_key, settings
from desk.services.context import Context
from desk.services.device_key import Prover
from desk.services.errors import NotSignedIn

#: So long before its end a token is followed by another one, s: no request should fail first.
_AHEAD = 60.0


class Asks(Protocol):
    """Whoever can ask the hub for tokens."""

    def refresh(self, message: Refresh, prover: Prover) -> Refreshed:
        """See ``HubClient.refresh``."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Access:
    """One session's tokens. Of several threads that need others, one asks for them.

    ``connect`` makes a client without a session.
    """

    def __init__(
        self,
        context: Context,
        connect: Callable[[], Asks],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._connect = connect
        self._timer = timer
        self._renewing = threading.Lock()
        with context.store.read() as connection:
            self._token = settings.get(connection, settings.TOKEN) or ""
        #: When the token ends, by the timer; nobody knows of one that was kept by another process.
        self._ends: float | None = None

    def token(self) -> str:
        """The token to send. Raises ``NotSignedIn``, or what asking for another one raises."""
        if self._ends is not None and self._timer() >= self._ends - _AHEAD:
            return self.renewed(self._token)
        return self._token

    def renewed(self, refused: str) -> str:
        """The token to send in place of one that the hub refused, or that ends.

        Raises ``NotSignedIn`` where the session is over, ``HubUnreachable``, ``DiskFull``.
        """
        with self._renewing:
            if self._token == refused:
                self._renew()
            return self._token

    def _renew(self) -> None:
        context = self._context
        with context.store.write(durable=True) as connection:
            refresh = settings.get(connection, settings.REFRESH)
            device = device_key.mine(connection, context.random)
            if context.account is None or refresh is None or device is None:
                raise NotSignedIn
            retry = settings.get(connection, settings.RETRY) or context.new_id()
            settings.put(connection, settings.RETRY, retry)
        prover = Prover(device, context.account.hub_id, context.clock, context.random)
        client = self._connect()
        try:
            answer = client.refresh(Refresh(refresh=refresh, retry=retry), prover)
        finally:
            client.close()
        with context.store.write(durable=True) as connection:
            keep(connection, answer)
        self._token = answer.token
        self._ends = self._timer() + answer.expires_in / 1000


def keep(connection: Connection, tokens: SignedIn | Refreshed | Registered) -> None:
    """Keep the tokens of an answer."""
    settings.put(connection, settings.TOKEN, tokens.token)
    settings.put(connection, settings.REFRESH, tokens.refresh)
    settings.drop(connection, settings.RETRY)


def forget(connection: Connection) -> None:
    """The session is over."""
    settings.drop(connection, settings.TOKEN, settings.REFRESH, settings.RETRY)
