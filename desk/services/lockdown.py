"""When an unlocked desk has to lock, and what keeps its memory to itself meanwhile.

Locking is the application's: it drops its keys and starts anew, for freed strings stay in memory.
Here is who may ask for it: another process, a person who is away, the end of the shift.
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

#: A file in the profile that asks the application to lock; it works alike on every system.
_ASKED = "local.ask"
_RULES = "lock.toml"
#: After how many idle minutes a desk may be set to lock, and after how many it does by itself.
IDLE_MINUTES = range(5, 11)
_IDLE_MINUTES = 10
_PR_SET_DUMPABLE = 4
_SEM_NO_ERROR_BOXES = 0x0001 | 0x0002
_ANSWER_SECONDS = 5.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Rules:
    """When a desk locks by itself."""

    idle_minutes: int = _IDLE_MINUTES
    #: When the shift ends by the clock on the wall, hours and minutes; None is never.
    shift_ends: tuple[int, int] | None = None


class IdleClock:
    """How long nobody has touched the keyboard. ``now`` is in seconds and never goes back."""

    def __init__(self, now: Callable[[], float], limit: float) -> None:
        """``limit`` is in seconds."""
        self._now = now
        self._limit = limit
        self._touched = now()

    def touch(self) -> None:
        """Somebody is there."""
        self._touched = self._now()

    @property
    def left(self) -> float:
        """Seconds until it is over; 0 when it is."""
        return max(0.0, self._touched + self._limit - self._now())

    @property
    def is_over(self) -> bool:
        """Whether it is time to lock."""
        return self.left == 0.0


class ShiftClock:
    """The end of a shift that is under way since ``started``."""

    def __init__(self, rules: Rules, started: datetime) -> None:
        self.ends = _next(rules.shift_ends, started)

    def is_over(self, now: datetime) -> bool:
        """Whether it is time to lock; a desk opened after that has the next day's end."""
        return self.ends is not None and now >= self.ends


def running_seconds() -> float:
    """Seconds that go on while the machine sleeps, where the system can tell."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


def rules(profile: Path) -> Rules:
    """The profile's rules; what is missing, unreadable or out of bounds is as by itself."""
    try:
        kept = tomllib.loads((profile / _RULES).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return Rules()
    minutes = kept.get("idle_minutes")
    return Rules(
        minutes if isinstance(minutes, int) and minutes in IDLE_MINUTES else _IDLE_MINUTES,
        time_of_day(str(kept.get("shift_ends", ""))),
    )


def keep_rules(profile: Path, kept: Rules) -> None:
    """Write the rules. Raises ``ValueError`` for minutes out of bounds, ``OSError``."""
    if kept.idle_minutes not in IDLE_MINUTES:
        raise ValueError(kept.idle_minutes)
    lines = [f"idle_minutes = {kept.idle_minutes}\n"]
    if kept.shift_ends is not None:
        hours, minutes = kept.shift_ends
        lines.append(f'shift_ends = "{hours:02}:{minutes:02}"\n')
    (profile / _RULES).write_text("".join(lines), encoding="utf-8")


def time_of_day(text: str) -> tuple[int, int] | None:
    """Hours and minutes of "18:00"; none where it is no time of day."""
    try:
        read = datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - no day and no zone in it
    except ValueError:
        return None
    return read.hour, read.minute


def ask(profile: Path) -> None:
    """Ask the application of the profile to lock. Raises ``OSError``."""
    (profile / _ASKED).touch()


def is_asked(profile: Path) -> bool:
    """Whether somebody asks for it; whoever is told so, answers by locking."""
    try:
        (profile / _ASKED).unlink()
    except OSError:
        return False
    return True


def is_answered(
    profile: Path, wait: Callable[[float], None] = time.sleep, patience: float = _ANSWER_SECONDS
) -> bool:
    """Whether the application hears what it is asked, within ``patience`` seconds.

    What it has not heard by then is taken back.
    """
    for _ in range(round(patience / _LOOK_SECONDS)):
        if not (profile / _ASKED).exists():
            return True
        wait(_LOOK_SECONDS)
    return not is_asked(profile)


def harden() -> None:
    """Let no crash write this process's memory to the disk, and no other process read it.

    On Windows only the error box is closed: dumps for Windows Error Reporting are the
    administrator's to switch off.
    """
    with suppress(OSError, AttributeError, ValueError, ImportError):
        if sys.platform == "win32":
            import ctypes

            ctypes.windll.kernel32.SetErrorMode(_SEM_NO_ERROR_BOXES)
            return
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform == "linux":
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _next(ends: tuple[int, int] | None, started: datetime) -> datetime | None:
    if ends is None:
        return None
    hours, minutes = ends
    today = started.replace(hour=hours, minute=minutes, second=0, microsecond=0)
    return today if today > started else today + timedelta(days=1)
