"""When to ask the hub again: after a failure, after a stream was lost, and without a reason.

Many desks lose one hub at the same moment. Each waits a time drawn evenly from a range, with no
floor, no cap and no wish of the hub's that would gather them again, so the fullest second of their
return holds one part in as many as the range has seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable

SHORTEST_SECONDS = 1.0
LONGEST_SECONDS = 32.0
#: The longest wait before the first attempt; each failure doubles it. So one person is back within
#: a few seconds, and 500 desks are 70 a second, which one hub process bears (`bench/crowd.py`).
FIRST_SECONDS = 8.0
#: By how much of itself an interval is lengthened or shortened.
_AROUND = 0.25


def delay(failures: int, asked: float, chance: Callable[[], float]) -> float:
    """Seconds to wait after ``failures`` in a row, from the ``asked`` ones of Retry-After on.

    ``chance`` gives a number from 0 to 1.
    """
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures, 10))
    return max(asked, SHORTEST_SECONDS) + chance() * (longest - SHORTEST_SECONDS)


def around(seconds: float, chance: Callable[[], float]) -> float:
    """An interval that is not the same for all who begin it at the same moment."""
    return seconds * (1.0 + _AROUND * (2.0 * chance() - 1.0))


class Pace:
    """When the next exchange is due. Moments are seconds of one clock that only goes forward."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._wanted = True
        self._hinted = False
        self._failures = 0
        self._not_before = 0.0
        self._look_at = math.inf

    @property
    def due(self) -> float:
        """The moment of the next exchange."""
        return max(self._not_before, 0.0 if self._wanted or self._hinted else self._look_at)

    def wake(self) -> None:
        """There is a reason, though none to come sooner than a failure allows."""
        self._wanted = True

    def hint(self) -> None:
        """There may be a reason."""
        self._hinted = True

    def lost(self, now: float) -> None:
        """The stream ended: look soon whether the hub answers, but not when all others do."""
        self._look_at = min(self._look_at, now + delay(0, 0.0, self._chance))

    def take(self, now: float) -> bool:
        """Take what made an exchange due; False where that was but a hint."""
        is_sure = self._wanted or now >= self._look_at
        self._wanted = self._hinted = False
        return is_sure

    def succeeded(self, now: float, interval: float) -> None:
        """The exchange is done; the next one without a reason is about ``interval`` s away."""
        self._failures = 0
        self._look_at = now + around(interval, self._chance)

    def failed(self, now: float, asked: float) -> int:
        """The exchange failed, and the hub ``asked`` for so many seconds; how many in a row."""
        self._failures += 1
        self._wanted = True
        self._not_before = now + delay(self._failures, asked, self._chance)
        return self._failures

    def begin_anew(self) -> None:
        """What failed before says nothing: the session or the network is another."""
        self._failures, self._not_before = 0, 0.0
        self._wanted = True
