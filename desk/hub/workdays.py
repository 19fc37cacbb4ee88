"""Russia's calendar of working days, with the days that were moved, as ``holidays`` knows them."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from desk.domain import deadlines
from desk.domain.playbook import Terms

_COUNTRY = "RU"


class Workdays:
    """Deadlines by the terms of a playbook."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.zone = ZoneInfo(terms.zone)

    def due(self, received_at: int, kind: str, ground: str) -> int:
        """The last moment (ms) of what came at ``received_at``."""
        return deadlines.due(received_at, kind, ground, self.terms, is_working, self.zone)

    def extended(self, due_at: int) -> int:
        """The last moment (ms) of a term that is extended."""
        return deadlines.extended(due_at, self.terms, is_working, self.zone)

    def left(self, now: int, due_at: int) -> int:
        """The working days that are left; below 0 once it is late."""
        return deadlines.days_left(now, due_at, is_working, self.zone)

    def kept_until(self, now: int) -> int:
        """The last moment (ms) for which a document of ``now`` is kept."""
        day = deadlines.day_of(now, self.zone)
        years = self.terms.keep_years
        # A 29 February ends on 1 March: never a day too early.
        last = day.replace(year=day.year + years, day=1) + timedelta(days=day.day - 1)
        return deadlines.end_of(last, self.zone)


def is_working(day: date) -> bool:
    """Whether people work on that day in Russia."""
    return day in _working_days(day.year)


@cache
def _working_days(year: int) -> frozenset[date]:
    from holidays import country_holidays

    calendar = country_holidays(_COUNTRY, years=year)
    first = date(year, 1, 1)
    days = (first + timedelta(days=number) for number in range(366))
    return frozenset(day for day in days if day.year == year and calendar.is_working_day(day))
