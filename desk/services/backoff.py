"""How long to wait before the next attempt."""

from __future__ import annotations

from collections.abc import Callable

SHORTEST_SECONDS = 1.0
LONGEST_SECONDS = 32.0


def delay(failures: int, asked: float, chance: Callable[[], float]) -> float:
    """Seconds to wait after ``failures`` in a row, at least the ``asked`` ones of Retry-After.

    ``chance`` gives a number from 0 to 1: many desks that lost one hub do not return at once.
    """
    spread = chance() * 2.0 ** min(failures, 10)
    return max(asked, SHORTEST_SECONDS, min(LONGEST_SECONDS, spread))
