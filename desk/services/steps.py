"""Telling how an exchange goes on, step by step: counts and versions, never a value of a row."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from desk.protocol.messages import Compared, Handshake, Page, PlaybookSource, Pushed
from desk.services import arrivals
from desk.services.views import Step, StepName

Told = Callable[[Step], None]


class Steps:
    """Turns what the hub answers in one exchange into steps; ``waiting`` operations are to go."""

    def __init__(
        self, told: Told, waiting: int, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._told = told
        self._waiting = waiting
        self._sent = 0
        self._timer = timer
        self._began = timer()
        #: When the last operation was answered.
        self._answered = self._began
        self._rows = 0
        self._forgotten = 0

    def hear(self, message: msgspec.Struct) -> None:
        """A message came from the hub; may be called from any thread."""
        match message:
            case Handshake():
                self._tell("greeted", low=message.protocol_min, high=message.protocol_max)
            case PlaybookSource():
                self._tell("playbook", version=message.version)
            case Pushed():
                self._sent += len(message.results)
                self._answered = self._timer()
                self._tell("sent", sent=self._sent, of=max(self._waiting, self._sent))
            case Page() if message.reset:
                self._tell("reset")
            case Page():
                rows, forget = arrivals.size(message), len(message.forget)
                self._rows += rows
                self._forgotten += forget
                self._tell("page", rows=rows, forget=forget)
            case Compared():
                self._tell("compared", ranges=len(message.digests))
            case _:
                pass

    def end(self) -> None:
        """Everything that was fetched is in the local copy."""
        took = round((self._timer() - self._answered) * 1000)
        self._tell("written", rows=self._rows, forgotten=self._forgotten, ms=took)

    def _tell(self, name: StepName, **counts: int) -> None:
        self._told(Step(name, self._timer() - self._began, counts))
