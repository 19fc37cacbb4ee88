"""What commands print: data and tables on stdout, everything said to a person on stderr.

Foreign text passes `shown` on its way, so that no card can steer the terminal.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence

from desk.domain.clean import clean

_CELL = 60
_TEXT = 4000


def prepare() -> None:
    """Russian text goes out as UTF-8 whatever the locale; what cannot be written becomes `?`."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            encoding = None if stream.isatty() else "utf-8"
            reconfigure(encoding=encoding, errors="replace")


def put(line: str = "") -> None:
    """A line of the command's result."""
    print(line, flush=True)


def put_json(value: object) -> None:
    """The command's result for a program: one JSON value."""
    import msgspec

    put(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def tell(line: str) -> None:
    """A line for the person at the terminal, not a part of the result."""
    print(line, file=sys.stderr, flush=True)


def shown(text: str, limit: int = _TEXT, *, lines: bool = False) -> str:
    """Foreign text as it may be printed."""
    return clean(text, limit, lines=lines)


def progress(text: str) -> None:
    """A line that the next one overwrites; left out where stderr is not a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


def end_progress() -> None:
    """Clear the line of `progress`."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def put_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()
) -> None:
    """Rows in aligned columns; ``right`` are the columns of numbers."""
    numbers = frozenset(right)
    body = [[_short(shown(cell, _TEXT), _CELL) for cell in row] for row in rows]
    table = [list(head), *body]
    widths = [max(cell_width(row[at]) for row in table) for at in range(len(head))]
    for row in table:
        cells = [
            _pad(cell, width, left=at in numbers)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        put("  ".join(cells).rstrip())


def put_pairs(pairs: Iterable[tuple[str, str]], indent: str = "") -> None:
    """Names and values under one another."""
    kept = [(name, shown(value, lines=True)) for name, value in pairs]
    width = max((cell_width(name) for name, _value in kept), default=0)
    for name, value in kept:
        first, *more = value.split("\n")
        put(f"{indent}{_pad(name, width)}  {first}".rstrip())
        for line in more:
            put(f"{indent}{' ' * width}  {line}")


def cell_width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _short(text: str, limit: int) -> str:
    if cell_width(text) <= limit:
        return text
    while cell_width(text) >= limit:
        text = text[:-1]
    return text.rstrip() + "…"


def _pad(text: str, width: int, *, left: bool = False) -> str:
    blank = " " * (width - cell_width(text))
    return blank + text if left else text + blank
