"""What a terminal showed after each piece of output, worked out when nothing is measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pyte

from bench.terminal import HEIGHT, WIDTH, Piece, Silent

#: Private sequences of newer terminals, which pyte would show as text.
_UNKNOWN = re.compile(r"\x1b\[[<>=?][0-9;]*[a-z$]*[up]")


def lines(pieces: Sequence[Piece]) -> list[str]:
    """The screen after all of them."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    _feeder(screen)(b"".join(piece.data for piece in pieces))
    return list(screen.display)


def first_piece(pieces: Sequence[Piece], shows: Callable[[list[str]], bool]) -> Piece:
    """The output after which the screen first met the condition. Raises `Silent` if none did."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    feed = _feeder(screen)
    for piece in pieces:
        feed(piece.data)
        if shows(list(screen.display)):
            return piece
    raise Silent("the screen never showed what was waited for")


def any_text(display: list[str]) -> bool:
    """Whether anything is painted yet."""
    return any(line.strip() for line in display)


def _feeder(screen: pyte.Screen) -> Callable[[bytes], None]:
    stream = pyte.Stream(screen)
    rest = b""

    def feed(data: bytes) -> None:
        nonlocal rest
        data = rest + data
        # A read may end within a letter or a sequence; such an end waits for the next one.
        cut = max(data.rfind(b"\x1b"), len(data) - 4, 0)
        whole, rest = _split(data, cut)
        stream.feed(_UNKNOWN.sub("", whole.decode(errors="replace")))

    return feed


def _split(data: bytes, cut: int) -> tuple[bytes, bytes]:
    tail = data[cut:]
    if tail.startswith(b"\x1b"):
        return (data, b"") if tail[-1:].isalpha() or len(tail) > 64 else (data[:cut], tail)
    for length in (1, 2, 3):
        last = data[-length:]
        if last and last[0] >= 0xC0:
            needed = 2 if last[0] < 0xE0 else 3 if last[0] < 0xF0 else 4
            return (data[:-length], last) if length < needed else (data, b"")
    return data, b""
