"""What may happen to an exchange between a desk and its hub, and when: faults as data.

The proxy (real sockets) and the wire (in process) carry the same plans out.
"""

from __future__ import annotations

import gzip
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "cut_before",  # the request never reaches the hub
    "cut_after",  # the hub did it, and its answer is lost
    "truncate",  # a part of the answer comes
    "twice",  # the hub gets the request two times; the second answer comes
    "older",  # an answer that the same path gave before comes, and the hub is not asked
    "status",  # something else answers, with a status and Retry-After
    "hold",  # the hub is asked when the plan is released
    "silent",  # the hub did it, and nothing comes until the plan is healed: then the line is cut
]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Those that end by themselves, whoever looks on.
SUDDEN: tuple[Kind, ...] = ("cut_before", "cut_after", "truncate", "twice", "older", "status")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    ``part`` of the answer comes through where it is truncated; an older answer is the one so many
    answers ``back``, or any of them.
    """

    kind: Kind
    status: int = 503
    retry_after: str = "0"
    part: float = 0.5
    back: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as the hub gave it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        """Its words, unpacked."""
        packed = dict(self.headers).get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a desk asked and what the hub answered to it, whether or not that arrived."""

    path: str
    request: bytes
    answer: Answer


#: Called when a desk asks the hub something; what it gives is called with the answer.
Watch: TypeAlias = Callable[[], Callable[[Exchange], None]]


class Plan:
    """Which exchange has which fault: the n-th of a path by a list, or each by a seed and a rate.

    An exhausted list has no faults. Safe to use from several threads.
    """

    def __init__(
        self,
        listed: Mapping[str, Iterable[Fault | Kind | None]] | None = None,
        *,
        seed: int = 0,
        rate: float = 0.0,
        kinds: tuple[Kind, ...] = SUDDEN,
    ) -> None:
        self._guard = threading.Lock()
        self._random = random.Random(seed)
        self._rate, self._kinds = rate, kinds
        self._listed: dict[str, list[Fault | None]] = {}
        self._released, self._healed = threading.Event(), threading.Event()
        self._answers: dict[str, list[Answer]] = {}
        #: Set while an exchange is held or silent.
        self.waiting = threading.Event()
        #: Every exchange so far: its path and the kind of its fault.
        self.seen: list[tuple[str, Kind | None]] = []
        for path, faults in (listed or {}).items():
            self.add(path, *faults)

    def add(self, path: str, *faults: Fault | Kind | None) -> None:
        """Faults of the next exchanges of ``path``; None lets one pass."""
        with self._guard:
            made = [Fault(one) if isinstance(one, str) else one for one in faults]
            self._listed.setdefault(path, []).extend(made)

    def heal(self) -> None:
        """No faults from now on; what is held goes on, and silent lines are cut."""
        with self._guard:
            self._listed.clear()
            self._rate = 0.0
        self._released.set()
        self._healed.set()

    def release(self) -> None:
        """What is held goes on."""
        self._released.set()

    def next(self, path: str) -> Fault | None:
        """The fault of the exchange that begins now."""
        with self._guard:
            waiting = self._listed.get(path)
            fault = waiting.pop(0) if waiting else self._drawn()
            if fault is not None and fault.kind == "older" and not self._answers.get(path):
                fault = None
            if fault is not None and fault.kind == "hold":
                self._released.clear()
            if fault is not None and fault.kind == "silent":
                self._healed.clear()
            self.seen.append((path, fault.kind if fault else None))
            return fault

    def keep(self, path: str, answer: Answer) -> None:
        """Remember a good answer: it may come again."""
        with self._guard:
            self._answers.setdefault(path, []).append(answer)

    def older(self, path: str, fault: Fault) -> Answer:
        """One of the answers the path gave before."""
        with self._guard:
            given = self._answers[path]
            return given[-min(fault.back, len(given))] if fault.back else self._random.choice(given)

    def wait_for_release(self) -> None:
        """Until ``release`` or ``heal``."""
        self.waiting.set()
        self._released.wait()
        self.waiting.clear()

    def wait_for_healing(self) -> None:
        """Until ``heal``."""
        self.waiting.set()
        self._healed.wait()
        self.waiting.clear()

    def _drawn(self) -> Fault | None:
        if self._random.random() >= self._rate:
            return None
        kind = self._random.choice(self._kinds)
        status = self._random.choice((429, 500, 502, 503))
        return Fault(kind, status=status, part=self._random.random())
