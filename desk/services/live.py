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
from desk.services.errors import DeskError, HubUnreachable, NotSignedIn

if TYPE_CHECKING:
    from desk.services.network import Network

#: A stream that ends sooner counts as a failure, or a broken proxy would be asked without end.
_LASTING_SECONDS = 10.0

#: What the hub says when the token of the stream has ended: come in again with the next one.
_RENEW = "event: renew"

_log = logging.getLogger(__name__)


class _Renew(Exception):
    """The stream ended in order, and is to be opened again at once."""


class Hints:
    """The thread that listens; it rests while the network is off or the hub does not answer."""

    def __init__(
        self, network: Network, hint: Callable[[str], None], lost: Callable[[], None]
    ) -> None:
        """``hint`` is called with the cursor of each hint, ``lost`` when the stream has ended or
        was refused, and it is to be found out whether the hub still answers."""
        self._network = network
        self._hint = hint
        self._lost = lost
        self._condition = threading.Condition()
        self._stopping = False
        self._rest_until = 0.0
        self._response: httpx.Response | None = None
        #: Counts how often the stream was given up on purpose.
        self._given_up = 0
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
        self.leave()

    def leave(self) -> None:
        """End the stream and listen anew, at once: the session or the network is another."""
        with self._condition:
            self._given_up += 1
            self._rest_until = 0.0
            self._condition.notify_all()
        self._cut()

    def answered(self) -> None:
        """The hub answers, or may be asked again: listen if it did not before."""
        with self._condition:
            self._condition.notify_all()

    def _run(self) -> None:
        failures = 0
        while (given_up := self._wait_for_hub()) is not None:
            began = time.monotonic()
            error: DeskError | None = None
            try:
                error = self._listen_until_it_ends(given_up)
            except _Renew:
                # At once, but not for ever: a hub may be out of order.
                if time.monotonic() - began > _LASTING_SECONDS:
                    continue
            failures = 0 if time.monotonic() - began > _LASTING_SECONDS else failures + 1
            asked = error.wait if isinstance(error, HubUnreachable) else 0.0
            with self._condition:
                if self._given_up != given_up:
                    failures = 0
                    continue
                self._rest_until = time.monotonic() + delay(failures, asked, random.random)
            if not asked:
                # Nobody is to read «online» until the next exchange, which may be far away.
                self._lost()

    def _wait_for_hub(self) -> int | None:
        """Until it makes sense to listen: how often it was given up so far; None to end."""
        with self._condition:
            while not self._stopping:
                left = self._rest_until - time.monotonic()
                if self._network.paused or not self._network.online:
                    self._condition.wait()
                elif left > 0:
                    self._condition.wait(left)
                else:
                    return self._given_up
            return None

    def _listen_until_it_ends(self, given_up: int) -> DeskError | None:
        """Listen; why it ended, where the hub or the network has said so."""
        try:
            self._listen(given_up)
        except _Renew:
            raise
        except DeskError as error:
            _log.debug("hints ended: %s", error.code)
            is_cut = isinstance(error, HubUnreachable) and self.heard
            if (is_cut or isinstance(error, NotSignedIn)) and self._given_up == given_up:
                self._network.lost(error)
            return error
        except Exception as error:  # noqa: BLE001 - the thread must live; the type is logged
            _log.debug("hints ended: %s", type(error).__name__)
        finally:
            self._response = None
            self._hear(False)
        return None

    def _listen(self, given_up: int) -> None:
        with self._network.client().hints() as response:
            self._response = response
            if self._given_up != given_up or self._network.offline_by_choice:
                return
            self._hear(True)
            # The first one comes at once, for what changed before the stream was open.
            for line in response.iter_lines():
                if line == _RENEW:
                    raise _Renew
                if line.startswith("data:"):
                    self._hint(line.removeprefix("data:").strip())

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
