"""The background threads: one exchanges, one listens for hints.

Hints say only that something changed. When they fail, or none comes, the hub is asked at intervals.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from desk.services.backoff import delay
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
        self._wanted = True
        self._failures = 0
        self._not_before = 0.0
        self._hints = Hints(network, self.wake)
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
            self._wanted = True
            self._condition.notify_all()

    def begin_anew(self) -> None:
        """The switch was turned or the session is another: what failed before says nothing."""
        with self._condition:
            self._failures, self._not_before = 0, 0.0
        self._hints.reconnect()
        self.wake()

    def _run(self) -> None:
        while self._wait():
            try:
                self._network.sync_once()
                self._failures = 0
                self._hints.answered()
            except DeskError as error:
                self._failed(error.code, error.wait if isinstance(error, HubUnreachable) else 0.0)
            except Exception as error:  # noqa: BLE001 - the thread must live; the type is logged
                if not self._stopping:
                    _log.debug("exchange failed: %s", type(error).__name__)
                    self._failed("failed", 0.0)

    def _wait(self) -> bool:
        """Until there is a reason to exchange; False when it is time to end."""
        with self._condition:
            asked = time.monotonic() + (_ASK_WITH_HINTS if self.hears_hints else _ASK_WITHOUT_HINTS)
            while not self._stopping:
                now = time.monotonic()
                due = max(self._not_before, 0.0 if self._wanted else asked)
                if self._network.paused:
                    self._condition.wait()
                elif now >= due:
                    self._wanted = False
                    return True
                else:
                    self._condition.wait(due - now)
            return False

    def _failed(self, code: str, asked: float) -> None:
        with self._condition:
            self._failures += 1
            self._wanted = True
            self._not_before = time.monotonic() + delay(self._failures, asked, random.random)
        _log.debug("exchange failed: %s, in a row: %d", code, self._failures)
