"""By when what the law demands has to be done: working days, calendar days, hours.

Days are those of one zone. The day after a demand came is the first one, and a term ends with the
last moment of its last day. A calendar of working days is passed in.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TypeAlias

import msgspec

from desk.domain.playbook import Terms

#: Whether people work on that day.
Calendar: TypeAlias = Callable[[date], bool]

_HOUR = 3_600_000
#: A calendar in which nobody works for so long is broken, days.
_LONGEST_REST = 60


class Clocks(msgspec.Struct, frozen=True):
    """By when the authority must hear of an incident, and of what the inquiry found, ms."""

    notice_due: int
    result_due: int


def due(
    received_at: int, kind: str, ground: str, terms: Terms, calendar: Calendar, zone: tzinfo
) -> int:
    """The last moment (ms) for what came at ``received_at``.

    ``kind`` and ``ground`` are those of ``desk.protocol.personal``.
    """
    day = day_of(received_at, zone)
    if kind == "erase" and ground in ("withdrawal", "purpose_reached"):
        return end_of(day + timedelta(days=terms.destroy_days), zone)
    count = {
        "access": terms.access,
        "rectify": terms.rectify,
        "stop": terms.stop,
        "erase": terms.unlawful if ground == "unlawful" else terms.erase,
    }[kind]
    return end_of(later(day, count, calendar), zone)


def extended(due_at: int, terms: Terms, calendar: Calendar, zone: tzinfo) -> int:
    """The new last moment (ms) of a term that is extended."""
    return end_of(later(day_of(due_at, zone), terms.extension, calendar), zone)


def clocks(found_at: int, terms: Terms) -> Clocks:
    """The clocks of an incident that was found at ``found_at`` (ms); they run day and night."""
    return Clocks(found_at + terms.notice_hours * _HOUR, found_at + terms.result_hours * _HOUR)


def days_left(now: int, due_at: int, calendar: Calendar, zone: tzinfo) -> int:
    """How many working days come after today up to and with the last one.

    0 on the last day itself; once it is past, how many working days ago it was, below 0.
    """
    today, last = day_of(now, zone), day_of(due_at, zone)
    if today <= last:
        return _between(today, last, calendar)
    return -max(1, _between(last, today, calendar))


def later(day: date, count: int, calendar: Calendar) -> date:
    """The ``count``-th working day after ``day``. Raises `ValueError` for a broken calendar."""
    rest = 0
    while count > 0:
        day += timedelta(days=1)
        rest = 0 if calendar(day) else rest + 1
        count -= rest == 0
        if rest > _LONGEST_REST:
            raise ValueError("the calendar has no working days")
    return day


def day_of(moment: int, zone: tzinfo) -> date:
    """The day of a moment (ms)."""
    return datetime.fromtimestamp(moment / 1000, zone).date()


def end_of(day: date, zone: tzinfo) -> int:
    """The last millisecond of a day."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return int(midnight.timestamp() * 1000) - 1


def _between(first: date, last: date, calendar: Calendar) -> int:
    """How many working days there are after ``first`` up to and with ``last``."""
    days = (last - first).days
    return sum(calendar(first + timedelta(days=number)) for number in range(1, days + 1))
