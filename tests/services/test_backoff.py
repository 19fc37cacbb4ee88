"""How long a desk waits before it asks again."""

from __future__ import annotations

import pytest

from desk.services.backoff import delay


@pytest.mark.parametrize("failures", range(40))
@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_the_wait_is_from_one_to_thirty_two_seconds(failures: int, chance: float) -> None:
    assert 1.0 <= delay(failures, 0.0, lambda: chance) <= 32.0


def test_the_wait_grows_and_is_spread() -> None:
    assert [delay(n, 0.0, lambda: 1.0) for n in (1, 2, 3, 4, 5, 6)] == [2, 4, 8, 16, 32, 32]
    assert delay(5, 0.0, lambda: 0.5) == 16


def test_what_the_hub_asks_for_is_the_least() -> None:
    assert delay(1, 90.0, lambda: 0.1) == 90.0
