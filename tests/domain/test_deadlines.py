"""Working days around the holidays of Russia, and the clocks of an incident."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.domain.deadlines import clocks, day_of, days_left, due, end_of, extended, later
from desk.domain.playbook import Terms

MOSCOW = ZoneInfo("Europe/Moscow")
TERMS = Terms()
RUSSIA = holidays.country_holidays("RU")
WORKS = RUSSIA.is_working_day

days = st.dates(date(2025, 1, 1), date(2027, 12, 1))
counts = st.integers(1, 30)


def at(day: str, hour: int = 12) -> int:
    moment = datetime.fromisoformat(f"{day}T{hour:02}:00:00").replace(tzinfo=MOSCOW)
    return int(moment.timestamp() * 1000)


def last_day(received: str, kind: str, ground: str = "request", hour: int = 12) -> str:
    moment = due(at(received, hour), kind, ground, TERMS, WORKS, MOSCOW)
    return day_of(moment, MOSCOW).isoformat()


@pytest.mark.parametrize(
    ("received", "kind", "expected"),
    [
        # An ordinary fortnight.
        ("2026-09-01", "access", "2026-09-15"),
        # New Year: 31 December 2026 is off, too; work begins on 11 January.
        ("2026-12-24", "access", "2027-01-18"),
        ("2026-12-30", "access", "2027-01-22"),
        ("2026-12-30", "rectify", "2027-01-19"),
        # Received on a holiday: the first day that counts is the first working one.
        ("2027-01-03", "access", "2027-01-22"),
        # May 2026: 1 May and 11 May (for the 9th, a Saturday) are off.
        ("2026-04-28", "access", "2026-05-14"),
        ("2026-04-28", "rectify", "2026-05-08"),
        # May 2027: 3 May (for the 1st) and 10 May (for the 9th) are off.
        ("2027-04-27", "stop", "2027-05-13"),
        # 20 February 2027 is a working Saturday for 22 February.
        ("2027-02-18", "rectify", "2027-03-02"),
        # 4 November.
        ("2026-10-30", "erase", "2026-11-16"),
    ],
)
def test_a_term_counts_the_days_on_which_people_work(
    received: str, kind: str, expected: str
) -> None:
    assert last_day(received, kind) == expected


def test_a_day_is_that_of_the_zone_and_not_of_greenwich() -> None:
    assert last_day("2026-09-01", "access", hour=1) == "2026-09-15"
    assert last_day("2026-09-01", "access", hour=23) == "2026-09-15"


def test_a_term_ends_with_the_last_millisecond_of_its_last_day() -> None:
    moment = due(at("2026-09-01"), "access", "request", TERMS, WORKS, MOSCOW)
    assert moment + 1 == at("2026-09-16", 0)


def test_what_is_not_needed_any_more_is_destroyed_in_thirty_calendar_days() -> None:
    assert last_day("2026-12-20", "erase", "withdrawal") == "2027-01-19"
    assert last_day("2026-12-20", "erase", "purpose_reached") == "2027-01-19"
    assert last_day("2026-04-28", "erase", "unlawful") == "2026-05-14"


def test_an_extension_adds_five_working_days_to_the_term() -> None:
    first = due(at("2026-12-24"), "access", "request", TERMS, WORKS, MOSCOW)
    assert day_of(extended(first, TERMS, WORKS, MOSCOW), MOSCOW) == date(2027, 1, 25)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2026-12-30", 6),
        ("2027-01-05", 6),
        ("2027-01-11", 5),
        ("2027-01-18", 0),
        ("2027-01-19", -1),
        ("2027-01-23", -4),
    ],
)
def test_days_left_are_working_days_and_below_zero_once_it_is_late(
    today: str, expected: int
) -> None:
    last = due(at("2026-12-24"), "access", "request", TERMS, WORKS, MOSCOW)
    assert days_left(at(today), last, WORKS, MOSCOW) == expected


def test_late_is_late_though_nobody_has_worked_since() -> None:
    friday = end_of(date(2026, 9, 4), MOSCOW)
    assert days_left(at("2026-09-05"), friday, WORKS, MOSCOW) == -1


def test_the_clocks_of_an_incident_run_through_holidays() -> None:
    found = at("2026-12-31", 18)
    told = clocks(found, TERMS)
    assert (told.notice_due, told.result_due) == (at("2027-01-01", 18), at("2027-01-03", 18))


def test_a_calendar_without_working_days_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(ValueError, match="no working days"):
        later(date(2026, 1, 1), 1, lambda _day: False)


@given(days, counts)
def test_the_last_day_is_a_working_one_and_so_many_lie_between(day: date, count: int) -> None:
    last = later(day, count, WORKS)
    between = [day + timedelta(days=n) for n in range(1, (last - day).days + 1)]
    assert WORKS(last)
    assert sum(map(WORKS, between)) == count


@given(days, counts, counts)
def test_terms_add_up(day: date, first: int, second: int) -> None:
    assert later(later(day, first, WORKS), second, WORKS) == later(day, first + second, WORKS)


@given(days, counts)
def test_days_left_begin_with_the_whole_term_and_end_with_none(day: date, count: int) -> None:
    last = end_of(later(day, count, WORKS), MOSCOW)
    assert days_left(at(day.isoformat(), 0), last, WORKS, MOSCOW) == count
    assert days_left(last, last, WORKS, MOSCOW) == 0
    assert days_left(last + 1, last, WORKS, MOSCOW) < 0
