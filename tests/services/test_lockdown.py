"""When a desk has to lock, and what keeps a process's memory from the disk."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desk.services import lockdown
from desk.services.lockdown import IdleClock, Rules, ShiftClock


class Timer:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_idle_desk_is_over_when_nobody_touched_it_so_long() -> None:
    timer = Timer()
    idle = IdleClock(timer, 600)
    timer.now += 599
    assert (idle.left, idle.is_over) == (1, False)
    idle.touch()
    timer.now += 599
    assert not idle.is_over
    timer.now += 1
    assert idle.is_over
    timer.now += 1000
    assert idle.left == 0


def test_a_shift_ends_once_and_whoever_opens_the_desk_later_has_the_next_day() -> None:
    rules = Rules(shift_ends=(18, 30))
    morning = datetime(2026, 9, 21, 9, 0, tzinfo=UTC)
    shift = ShiftClock(rules, morning)
    assert not shift.is_over(morning.replace(hour=18, minute=29))
    evening = morning.replace(hour=18, minute=30)
    assert shift.is_over(evening)
    again = ShiftClock(rules, evening)
    assert again.ends == datetime(2026, 9, 22, 18, 30, tzinfo=UTC)
    assert not ShiftClock(Rules(), morning).is_over(evening)


def test_rules_come_back_as_they_were_kept(tmp_path: Path) -> None:
    assert lockdown.rules(tmp_path) == Rules(10, None)
    kept = Rules(5, (8, 5))
    lockdown.keep_rules(tmp_path, kept)
    assert lockdown.rules(tmp_path) == kept


@pytest.mark.parametrize(
    "text", ["idle_minutes = 600", "idle_minutes = true", "idle_minutes = '7'", "=", "\0"]
)
def test_a_file_cannot_keep_a_desk_from_locking(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock.toml").write_text(f'{text}\nshift_ends = "25:00"\n')
    assert lockdown.rules(tmp_path) == Rules(10, None)
    with pytest.raises(ValueError, match="60"):
        lockdown.keep_rules(tmp_path, Rules(60))


def test_who_is_asked_to_lock_hears_it_once(tmp_path: Path) -> None:
    assert not lockdown.is_asked(tmp_path)
    lockdown.ask(tmp_path)
    waits: list[float] = []

    def hear(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            assert lockdown.is_asked(tmp_path)

    assert lockdown.is_answered(tmp_path, hear)
    assert len(waits) == 3
    assert not lockdown.is_asked(tmp_path)


def test_what_nobody_hears_is_taken_back(tmp_path: Path) -> None:
    lockdown.ask(tmp_path)
    assert not lockdown.is_answered(tmp_path, lambda _: None)
    assert not lockdown.is_asked(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_hardened_process_leaves_no_core_dump() -> None:
    script = (
        "import ctypes, resource; from desk.services import lockdown; lockdown.harden();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "(0, 0) 0\n"
