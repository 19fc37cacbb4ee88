"""When things happen: requests through a working week, people's work in working hours.

Moscow time, which has no summer time; all moments are UTC milliseconds.
"""

from __future__ import annotations

from bisect import bisect
from datetime import date
from itertools import accumulate
from random import Random

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_MOSCOW = 3 * HOUR
#: Requests of a day, Monday first.
_DAYS = (1060, 1040, 1000, 980, 920, 360, 240)
_HOURS = (2, 1, 1, 1, 1, 2, 4, 10, 30, 70, 90, 90, 80, 70, 80, 80, 70, 60, 40, 25, 15, 10, 7, 4)
_OPENS, _CLOSES = 9, 19
_SUNDAY = 6


def local_day(moment: int) -> int:
    """The number of the local day since the epoch."""
    return (moment + _MOSCOW) // DAY


def arrivals(chance: Random, now: int, count: int) -> list[int]:
    """Moments of ``count`` requests before ``now``, the oldest first."""
    moments: list[int] = []
    day = local_day(now)
    while len(moments) < count:
        wanted = round(_DAYS[_weekday(day)] * chance.uniform(0.92, 1.08))
        moments += [one for one in _moments_of(chance, day, wanted) if one < now]
        day -= 1
    moments.sort()
    return moments[len(moments) - count :]


def at_work(moment: int, chance: Random) -> int:
    """``moment``, or soon after the office opens next."""
    day = local_day(moment)
    hour = (moment + _MOSCOW) % DAY // HOUR
    if hour < _OPENS:
        opens = day
    elif hour >= _CLOSES:
        opens = day + 1
    elif _weekday(day) == _SUNDAY:
        opens = day
    else:
        return moment
    if _weekday(opens) == _SUNDAY:
        opens += 1
    return opens * DAY - _MOSCOW + _OPENS * HOUR + chance.randrange(90 * MINUTE)


def later(chance: Random, moment: int, mean: float) -> int:
    """A working moment that follows after ``mean`` ms on average."""
    return at_work(moment + MINUTE + round(chance.expovariate(1 / mean)), chance)


def iso_date(day: int) -> str:
    """``YYYY-MM-DD`` of a local day."""
    return date.fromordinal(day + 719163).isoformat()


def _moments_of(chance: Random, day: int, count: int) -> list[int]:
    steps = list(accumulate(_HOURS))
    begin = day * DAY - _MOSCOW
    return [
        begin + bisect(steps, chance.randrange(steps[-1])) * HOUR + chance.randrange(HOUR)
        for _ in range(count)
    ]


def _weekday(day: int) -> int:
    # The epoch was a Thursday.
    return (day + 3) % 7
