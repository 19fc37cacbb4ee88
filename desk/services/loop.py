"""The background threads: one exchanges, one listens for hints.

Hints say only that something changed. When they fail, or none comes, the hub is asked at intervals.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from desk.services.backoff import Pace
from desk.services.errors import DeskError, HubUnreachable
from desk.services.live import Hints

if TYPE_CHECKING:
    from desk.services.network import Network

#: How often the hub is asked without a hint: while hints are heard, and while they are not.
_ASK_WITH_HINTS = 60.0
_ASK_WITHOUT_HINTS = 10.0
_STOP_SECONDS = 0.8

_log = logging.getLogger(__name__)


class SyncLoop:
    """Keeps one desk and its hub in agreement until it is stopped."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._condition = threading.Condition()
        self._stopping = False
        self._pace = Pace(random.random)
        self._hinted = ""
        self._hints = Hints(network, self._hint, self._lost)
        self._thread = threading.Thread(target=self._run, name="desk-sync", daemon=True)

    @property
    def hears_hints(self) -> bool:
        """Whether the stream of hints is open."""
        return self._hints.heard

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._hints.start()

    def stop(self) -> None:
        """End both threads; one that hangs in the network is left to end by itself."""
        deadline = time.monotonic() + _STOP_SECONDS
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._hints.stop()
        for thread in (self._thread, self._hints.thread):
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def wake(self) -> None:
        """Exchange soon, though not sooner than a failure allows."""
        with self._condition:
            self._pace.wake()
            self._condition.notify_all()

    def begin_anew(self) -> None:
        """The switch was turned or the session is another: what failed before says nothing."""
        with self._condition:
            self._pace.begin_anew()
            self._condition.notify_all()
        self._hints.answered()

    def leave_stream(self) -> None:
        """End the stream of hints; it is opened anew when there is a session and a network."""
        self._hints.leave()

    def _hint(self, cursor: str) -> None:
        with self._condition:
            self._hinted = cursor
            self._pace.hint()
            self._condition.notify_all()

    def _lost(self) -> None:
        with self._condition:
            self._pace.lost(time.monotonic())
            self._condition.notify_all()

    def _run(self) -> None:
        while (hinted := self._wait()) is not None:
            self._exchange(hinted)

    def _exchange(self, hinted: str) -> None:
        try:
            # A hint at what this desk has just done itself comes while it fetches that.
            if hinted and not self._network.lacks(hinted):
                return
            self._network.sync_once()
        except DeskError as error:
            self._failed(error.code, error.wait if isinstance(error, HubUnreachable) else 0.0)
            return
        except Exception as error:  # noqa: BLE001 - the thread must live; the type is logged
            if not self._stopping:
                self._failed(type(error).__name__, 0.0)
            return
        interval = _ASK_WITH_HINTS if self.hears_hints else _ASK_WITHOUT_HINTS
        with self._condition:
            self._pace.succeeded(time.monotonic(), interval)
        self._hints.answered()

    def _wait(self) -> str | None:
        """Until there is a reason to exchange: "", or the cursor of a hint that may be one.

        None when it is time to end.
        """
        with self._condition:
            while not self._stopping:
                now = time.monotonic()
                if self._network.paused:
                    self._condition.wait()
                elif now >= self._pace.due:
                    return "" if self._pace.take(now) else self._hinted
                else:
                    self._condition.wait(min(self._pace.due - now, threading.TIMEOUT_MAX))
            return None

    def _failed(self, what: str, asked: float) -> None:
        with self._condition:
            failures = self._pace.failed(time.monotonic(), asked)
        _log.debug("exchange failed: %s, in a row: %d", what, failures)
