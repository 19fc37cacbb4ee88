"""How long a desk waits before it asks again, and how many desks come back at once."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import fullest_second
from desk.services.backoff import (
    FIRST_SECONDS,
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    Pace,
    around,
    delay,
)

DESKS = 500
FAILURES = st.integers(0, 2000)
ASKED = st.sampled_from([0.0, 0.5, 2.0, 90.0])
CHANCE = st.floats(0.0, 1.0)


@given(FAILURES, CHANCE)
def test_the_wait_is_from_one_to_thirty_two_seconds(failures: int, chance: float) -> None:
    assert SHORTEST_SECONDS <= delay(failures, 0.0, lambda: chance) <= LONGEST_SECONDS


def test_the_wait_grows_with_every_failure_up_to_the_longest() -> None:
    longest = [delay(failures, 0.0, lambda: 1.0) for failures in range(6)]
    assert longest == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS, 32.0, 32.0, 32.0]


@given(FAILURES, ASKED, CHANCE)
def test_what_the_hub_asks_for_is_the_least(failures: int, asked: float, chance: float) -> None:
    assert delay(failures, asked, lambda: chance) >= asked


def test_a_single_desk_is_back_within_a_few_seconds() -> None:
    assert delay(0, 0.0, lambda: 1.0) <= 8.0


@given(FAILURES, ASKED)
def test_no_second_gathers_the_desks_that_wait(failures: int, asked: float) -> None:
    moments = [delay(failures, asked, lambda n=n: n / DESKS) for n in range(DESKS)]
    assert fullest_second(moments) <= math.ceil(DESKS / (FIRST_SECONDS - 1.0)) + 1


@given(st.integers(0, 2**32), st.floats(0.0, 300.0))
def test_five_hundred_desks_come_back_to_a_restarted_hub_without_a_storm(
    seed: int, away: float
) -> None:
    """All lose the hub at the moment 0; it answers again after ``away`` seconds."""
    chance = random.Random(seed).random
    back: list[float] = []
    for _ in range(DESKS):
        pace = Pace(chance)
        pace.take(0.0)
        pace.lost(0.0)
        while (now := pace.due) < away:
            pace.take(now)
            pace.failed(now, 0.0)
        back.append(now)
    # 100 are to be expected in the worst second; chance never makes it more than 150.
    assert fullest_second(back) <= 150
    assert max(back) <= away + LONGEST_SECONDS + FIRST_SECONDS


@given(st.lists(CHANCE, min_size=2, max_size=2, unique=True))
def test_desks_that_asked_together_do_not_ask_together_again(chances: list[float]) -> None:
    early, late = (around(60.0, lambda one=one: one) for one in sorted(chances))
    assert 45.0 <= early <= late <= 75.0
    assert Counter(around(60.0, lambda n=n: n / 100) for n in range(100)).most_common(1)[0][1] == 1


def a_pace(chance: float = 0.5) -> Pace:
    """One whose first exchange is done at the moment 0, with the next look a minute away."""
    pace = Pace(lambda: chance)
    assert pace.due == 0.0
    assert pace.take(0.0)
    pace.succeeded(0.0, 60.0)
    return pace


def test_without_a_reason_the_hub_is_asked_at_the_interval() -> None:
    pace = a_pace()
    assert pace.due == 60.0
    assert pace.take(60.0)


def test_a_reason_makes_it_due_at_once_but_not_sooner_than_a_failure_allows() -> None:
    pace = a_pace()
    pace.wake()
    assert pace.due <= 1.0
    assert pace.take(1.0)
    assert pace.failed(1.0, 10.0) == 1
    pace.wake()
    pace.hint()
    assert pace.due >= 11.0


def test_a_failed_exchange_is_made_up_for_without_a_new_reason() -> None:
    pace = a_pace()
    pace.wake()
    pace.take(1.0)
    pace.failed(1.0, 0.0)
    assert pace.due <= 1.0 + 2 * FIRST_SECONDS
    assert pace.take(pace.due)
    assert pace.failed(pace.due, 0.0) == 2


def test_a_lost_stream_asks_to_look_soon_but_holds_up_nothing_that_is_to_be_sent() -> None:
    pace = a_pace()
    pace.lost(10.0)
    assert 11.0 <= pace.due <= 10.0 + FIRST_SECONDS
    pace.wake()
    assert pace.due <= 10.0


def test_a_hint_alone_is_not_yet_a_reason() -> None:
    pace = a_pace()
    pace.hint()
    assert pace.due <= 1.0
    assert not pace.take(1.0)
    assert pace.due == 60.0
    pace.hint()
    pace.wake()
    assert pace.take(2.0)


@pytest.mark.parametrize("failures", [1, 7])
def test_beginning_anew_forgets_what_failed_before(failures: int) -> None:
    pace = a_pace()
    for _ in range(failures):
        pace.failed(5.0, 0.0)
    pace.begin_anew()
    assert pace.due == 0.0
    assert pace.failed(6.0, 0.0) == 1
