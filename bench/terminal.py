"""A program in a pseudo-terminal, with the moment of every piece of its output.

The time that counts is that of the last byte a key calls forth: until then the screen shows a
mixture. The end of a frame cannot be seen in the stream itself (a key may paint several frames, and
what comes after the last is nothing), so it is told by a quiet spell; the spell is not counted,
only the moment of the byte before it. Reading is all that happens between a key and that moment:
what the screen shows is worked out afterwards (`pictures`).
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bench.figures import Took

if sys.platform != "win32":
    import fcntl
    import termios

WIDTH, HEIGHT = 120, 40
#: No frame of one key comes later than this after the one before it, s.
QUIET = 0.05
_PATIENCE = 120.0
_NOT_OURS = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE")
_READ = 1 << 20
#: Textual asks whether the terminal paints whole frames at once; present-day ones say yes.
_ASKED, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_FRAME_END = b"\x1b[?2026l"


class Silent(Exception):
    """The program ended, or did not show what was waited for."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some output, when it came, and what the processor had worked for it by then, seconds."""

    at: float
    worked: float
    data: bytes


def missing() -> str:
    """Why there is no pseudo-terminal here; empty where there is."""
    if sys.platform == "win32":
        return "Windows has no pseudo-terminal that Python can open"
    return ""


class Terminal:
    """A running program and the terminal it believes to be in."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self._ours = ours
        self._tail = b""
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=dict(environment),
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._ours)

    def until(self, mark: str) -> list[Piece]:
        """The output up to the piece that completes `mark`, which must be painted in one go."""
        wanted = mark.encode()
        pieces: list[Piece] = []
        seen = b""
        end = time.monotonic() + _PATIENCE
        while wanted not in seen:
            piece = self._read(max(0.0, end - time.monotonic()))
            if piece is None:
                raise Silent("the board did not appear")
            pieces.append(piece)
            seen = seen[-len(wanted) :] + piece.data
        return pieces

    def settle(self, quiet: float = QUIET, first: float | None = None) -> list[Piece]:
        """The output until nothing came for `quiet` seconds; `first` is how long to wait for the
        first of it."""
        pieces: list[Piece] = []
        wait = quiet if first is None else first
        while (piece := self._read(wait)) is not None:
            pieces.append(piece)
            wait = quiet
        return pieces

    def since_start(self, piece: Piece) -> Took:
        """From the start of the program to a piece of its output."""
        return Took(piece.at - self._started, piece.worked)

    def press(self, key: bytes, quiet: float = QUIET) -> Took:
        """Press a key, and wait until the last byte of what it painted."""
        return self.press_in_frames(key, quiet)[1]

    def press_in_frames(self, key: bytes, quiet: float) -> tuple[Took, Took]:
        """Press a key, and wait for the end of the first frame and for the last byte."""
        self.settle(0.0)
        worked = self._worked()
        pressed = time.perf_counter()
        os.write(self._ours, key)
        pieces = self.settle(quiet, first=10.0)
        if not pieces:
            raise Silent("a key painted nothing")
        first = next((piece for piece in pieces if _FRAME_END in piece.data), pieces[-1])
        frame, whole = (
            Took(piece.at - pressed, piece.worked - worked) for piece in (first, pieces[-1])
        )
        return frame, whole

    def send(self, keys: bytes) -> None:
        """Press keys that need not be measured, and that may paint nothing."""
        for key in keys:
            os.write(self._ours, bytes((key,)))
            self.settle(first=4 * QUIET)

    def _read(self, wait: float) -> Piece | None:
        ready, _, _ = select.select([self._ours], [], [], wait)
        if not ready:
            return None
        try:
            data = os.read(self._ours, _READ)
        except OSError:
            # Linux's way to say that nobody has the other end open any more.
            raise Silent("the program ended") from None
        piece = Piece(time.perf_counter(), self._worked(), data)
        self._answer(data)
        return piece

    def _worked(self) -> float:
        if sys.platform != "linux":
            return 0.0
        # The clock of another process, numbered as clock_getcpuclockid(3) does.
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def _answer(self, data: bytes) -> None:
        near = self._tail + data
        if _ASKED in near:
            os.write(self._ours, _ANSWER)
            near = near.rpartition(_ASKED)[2]
        self._tail = near[1 - len(_ASKED) :]


def environment(**more: str) -> dict[str, str]:
    """What a program gets of ours: nothing that changes colours, language, size or secrets."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DESK_", "TEXTUAL")) and name not in _NOT_OURS
    }
    return {
        **kept,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **more,
    }
