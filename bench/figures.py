"""Measured times and the table of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple

_FIGURES = ("median", "p95", "cpu")
_HEADS = ("measured", "leads", "runs", *_FIGURES, "beside", *_FIGURES, "ratio", "aim")
_TEXTS = (0, 6)


class Took(NamedTuple):
    """What one run took, in seconds."""

    #: As a person waits.
    seconds: float
    #: As the process worked; the rest was waiting for the disk, or for a busy machine.
    cpu: float


def timed(work: Callable[[], object]) -> Took:
    """Do the work in this process."""
    began, worked = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - began, time.process_time() - worked)


@dataclass(frozen=True, slots=True)
class Series:
    """One thing done again and again."""

    what: str
    runs: Sequence[Took]

    @property
    def median(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def p95(self) -> float:
        """The least time that 95 of 100 runs do not exceed; of few runs, the longest."""
        return sorted(run.seconds for run in self.runs)[math.ceil(0.95 * len(self.runs)) - 1]

    @property
    def cpu(self) -> float:
        """The median of the processor's time."""
        return median(run.cpu for run in self.runs)

    def cells(self) -> tuple[str, ...]:
        return show(self.median), show(self.p95), show(self.cpu) if self.cpu else ""


@dataclass(frozen=True, slots=True)
class Aim:
    """What the median or the p95 should stay under, in seconds, or the median beside its floor."""

    of: Literal["median", "p95", "ratio"]
    limit: float


@dataclass(frozen=True, slots=True)
class Line:
    """A series beside its floor: what a minimal program takes for the same."""

    series: Series
    leads: int
    beside: Series | None = None
    aim: Aim | None = None

    def cells(self) -> tuple[str, ...]:
        """The line as text, in the order of the table's heads."""
        own, floor = self.series, self.beside
        return (
            own.what,
            f"{self.leads:,}".replace(",", " ") if self.leads else "",
            str(len(own.runs)),
            *own.cells(),
            floor.what if floor else "",
            *(floor.cells() if floor else ("", "", "")),
            f"{self.ratio:.1f}" if self.ratio is not None else "",
            self._aim(),
        )

    @property
    def ratio(self) -> float | None:
        """The median beside that of the floor."""
        floor = self.beside.median if self.beside else 0.0
        return self.series.median / floor if floor else None

    def _aim(self) -> str:
        aim = self.aim
        if aim is None:
            return ""
        limit = f"{aim.limit:.1f}" if aim.of == "ratio" else show(aim.limit)
        reached = self.ratio if aim.of == "ratio" else getattr(self.series, aim.of)
        said = "yes" if reached is not None and reached < aim.limit else "NO"
        return f"{aim.of} < {limit}: {said}"


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure that is no time: a rate, a size, a share; written with its unit."""

    what: str
    figure: str
    runs: int = 1
    #: What it is to be compared with.
    beside: str = ""
    floor: str = ""
    aim: str = ""

    def cells(self) -> tuple[str, ...]:
        """The figure as text, in the order of the table's heads."""
        floor = (self.beside, self.floor, "", "")
        return (self.what, "", str(self.runs), self.figure, "", "", *floor, "", self.aim)


def fullest_second(moments: Iterable[float]) -> int:
    """How many of the moments, in seconds, the fullest second has, wherever it begins."""
    ordered = sorted(moments)
    begin = most = 0
    for end, moment in enumerate(ordered):
        while moment - ordered[begin] >= 1.0:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def show(seconds: float) -> str:
    """A time with three digits that mean something."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = seconds * 1000
    if milliseconds >= 100:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds:.1f} ms" if milliseconds >= 1 else f"{milliseconds:.2f} ms"


def table(lines: Iterable[Line | Fact]) -> str:
    """The lines as a Markdown table that reads well as plain text."""
    rows = [_HEADS, *(line.cells() for line in lines)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEADS))]
    rule = "|".join(
        "-" * (width + 2) if n in _TEXTS else "-" * (width + 1) + ":"
        for n, width in enumerate(widths)
    )
    shown = ["| " + " | ".join(_fit(row, widths)) + " |" for row in rows]
    return "\n".join([shown[0], f"|{rule}|", *shown[1:]])


def _fit(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    for n, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if n in _TEXTS else cell.rjust(width)
