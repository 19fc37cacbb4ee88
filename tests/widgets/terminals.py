"""A program in a pseudo-terminal: what it is sent, and every byte it writes."""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
needs_terminal = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no pseudo-terminal in the standard library"
)
_PATIENCE = 30.0


class Terminal:
    """The other end of a running program's terminal."""

    def __init__(self, process: int, descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.raw = b""

    def send(self, text: str) -> None:
        """Type `text`."""
        os.write(self._descriptor, text.encode())

    def until(self, done: Callable[[bytes], bool]) -> None:
        """Read until `done` says so of all bytes so far; fail where that takes too long."""
        deadline = time.monotonic() + _PATIENCE
        while not done(self.raw):
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._descriptor], [], [], left)[0]
            if not ready:
                pytest.fail(f"not shown in time; the end of it: {self.raw[-600:]!r}")
            if not self._read():
                pytest.fail(f"the program ended; the end of it: {self.raw[-2000:]!r}")

    def until_shown(self, text: str) -> None:
        """Read until `text` was written in one piece."""
        encoded = text.encode()
        self.until(lambda raw: encoded in raw)

    def until_the_end(self, patience: float = _PATIENCE) -> int:
        """Read until the program ends, or is killed for taking too long; its exit code."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if select.select([self._descriptor], [], [], 0.1)[0] and not self._read():
                break
        else:
            os.kill(self.process, signal.SIGKILL)
        _pid, status = os.waitpid(self.process, 0)
        self.process = 0
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        with suppress(OSError):  # Linux answers the end of a terminal with an error.
            chunk = os.read(self._descriptor, 1 << 16)
            self.raw += chunk
            return bool(chunk)
        return False


@contextmanager
def running(module: str, *arguments: str, size: tuple[int, int] = (80, 24)) -> Iterator[Terminal]:
    """The module `module` running in a terminal of `size` (columns, lines)."""
    import fcntl
    import pty
    import termios

    process, descriptor = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.environ.update(
            TERM="xterm-256color",
            COLORTERM="truecolor",
            PYTHONPATH=str(ROOT),
            COLUMNS=str(size[0]),
            LINES=str(size[1]),
        )
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    terminal = Terminal(process, descriptor)
    try:
        yield terminal
    finally:
        if terminal.process:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        os.close(descriptor)
