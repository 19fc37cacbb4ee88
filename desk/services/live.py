"""Hints from the hub: an open stream of server-sent events, each saying only «look»."""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx

from desk.services.backoff import delay
from desk.services.errors import DeskError, HubUnreachable

if TYPE_CHECKING:
    from desk.services.network import Network

#: A stream that ends sooner counts as a failure, or a broken proxy would be asked without end.
_LASTING_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Hints:
    """The thread that listens; it rests while the network is off or the hub does not answer."""

    def __init__(self, network: Network, wake: Callable[[], None]) -> None:
        self._network = network
        self._wake = wake
        self._condition = threading.Condition()
        self._stopping = False
        self._rest_until = 0.0
        self._response: httpx.Response | None = None
        #: Whether the stream is open now.
        self.heard = False
        self.thread = threading.Thread(target=self._run, name="desk-hints", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """End, also in the middle of reading."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._cut()

    def reconnect(self) -> None:
        """Leave the stream and listen anew, at once: the session or the network is another."""
        self._cut()
        with self._condition:
            self._rest_until = 0.0
            self._condition.notify_all()

    def answered(self) -> None:
        """The hub answers: listen if it did not before."""
        with self._condition:
            self._condition.notify_all()

    def _run(self) -> None:
        failures = 0
        while self._wait_for_hub():
            asked, began = 0.0, time.monotonic()
            try:
                self._listen()
            except DeskError as error:
                asked = error.wait if isinstance(error, HubUnreachable) else 0.0
                if isinstance(error, HubUnreachable) and not asked:
                    # Nobody is to read «online» until the next look, which may be far away.
                    self._wake()
                _log.debug("hints ended: %s", error.code)
            except Exception as error:  # noqa: BLE001 - the thread must live; the type is logged
                _log.debug("hints ended: %s", type(error).__name__)
            finally:
                self._response = None
                self._hear(False)
            failures = 0 if time.monotonic() - began > _LASTING_SECONDS else failures + 1
            self._rest(delay(failures, asked, random.random))

    def _rest(self, seconds: float) -> None:
        with self._condition:
            self._rest_until = time.monotonic() + seconds
            while not self._stopping and (left := self._rest_until - time.monotonic()) > 0:
                self._condition.wait(left)

    def _wait_for_hub(self) -> bool:
        with self._condition:
            while not self._stopping and (self._network.paused or not self._network.online):
                self._condition.wait()
            return not self._stopping

    def _listen(self) -> None:
        with self._network.client().hints() as response:
            self._response = response
            if self._stopping or self._network.offline_by_choice:
                return
            self._hear(True)
            # What changed before the stream was open is not hinted at.
            self._wake()
            for line in response.iter_lines():
                if line.startswith("data:"):
                    self._wake()

    def _hear(self, heard: bool) -> None:
        if heard != self.heard:
            self.heard = heard
            self._network.tell_status()

    def _cut(self) -> None:
        """Shut the stream's socket: closing it would not wake the thread that reads it."""
        response = self._response
        stream = response.extensions.get("network_stream") if response is not None else None
        plain = stream.get_extra_info("socket") if stream is not None else None
        if isinstance(plain, socket.socket):
            with suppress(OSError):
                socket.socket.shutdown(plain, socket.SHUT_RDWR)
