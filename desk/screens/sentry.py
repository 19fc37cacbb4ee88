"""When the open application warns its person, and when it locks by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from desk.services import lockdown
from desk.services.lockdown import IdleClock, Rules, ShiftClock

#: How long before an idle desk locks it says so, s.
WARNING_SECONDS = 30
#: How long a person may go on after the end of the shift, to end the call he is in.
GRACE = timedelta(minutes=5)


class Watchword(Enum):
    """What there is to say or to do now."""

    IDLE_SOON = "idle_soon"
    IDLE = "idle"
    SHIFT_ENDS = "shift_ends"
    SHIFT_SOON = "shift_soon"
    SHIFT_OVER = "shift_over"
    #: The person came back after a warning.
    BACK = "back"


def _wall() -> datetime:
    return datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds that never go back, and the clock on the wall."""

    seconds: Callable[[], float] = lockdown.running_seconds
    wall: Callable[[], datetime] = _wall


class Sentry:
    """Looks at the clocks when asked to; each watchword is given once."""

    def __init__(self, rules: Rules, clocks: Clocks) -> None:
        self._wall = clocks.wall
        self._idle = IdleClock(clocks.seconds, rules.idle_minutes * 60)
        self._shift = ShiftClock(rules, clocks.wall())
        self._warned = False
        self._told: set[Watchword] = set()

    @property
    def locks_at(self) -> datetime | None:
        """When the desk locks after the end of the shift."""
        return self._shift.ends + GRACE if self._shift.ends else None

    def touch(self) -> None:
        """Somebody is there. Too late is too late: what is over stays over."""
        if not self._idle.is_over:
            self._idle.touch()

    def look(self) -> Watchword | None:
        """What the clocks say now."""
        if self._idle.is_over:
            return Watchword.IDLE
        of_shift = self._look_at_shift(self._wall())
        if of_shift is not None and of_shift not in self._told:
            self._told.add(of_shift)
            return of_shift
        soon = self._idle.left <= WARNING_SECONDS
        if soon != self._warned:
            self._warned = soon
            return Watchword.IDLE_SOON if soon else Watchword.BACK
        return None

    def _look_at_shift(self, now: datetime) -> Watchword | None:
        if not self._shift.is_over(now) or self.locks_at is None:
            return None
        left = self.locks_at - now
        if left <= timedelta():
            return Watchword.SHIFT_OVER
        if left <= timedelta(seconds=WARNING_SECONDS):
            return Watchword.SHIFT_SOON
        return Watchword.SHIFT_ENDS
