"""A terminal that goes away ends the application: through a real pseudo-terminal."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select

import pytest

from desk.screens.terminal import HUNG_UP
from desk.services.desk import Desk
from tests.screens.desks import PASSPHRASE
from tests.widgets.terminals import ROOT, needs_terminal

pytestmark = needs_terminal
_PATIENCE = 30.0
_SOON = 10.0


class Window:
    """A terminal's window with the application in it, which no signal of the terminal reaches.

    So it is under `make` and in a multiplexer that is killed: they hear of the end, it does not.
    """

    def __init__(self, folder: Path) -> None:
        import fcntl
        import pty
        import termios

        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        secret = folder.parent / "secret"
        secret.write_text(PASSPHRASE, encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "desk", "--profile", str(folder), "--lang", "en"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            cwd=ROOT,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                "PYTHONPATH": str(ROOT),
                "DESK_PASSPHRASE_FILE": str(secret),
            },
        )
        os.close(slave)
        self._open = True

    def until_shown(self, text: str) -> None:
        seen, deadline = b"", time.monotonic() + _PATIENCE
        while text.encode() not in seen:
            if time.monotonic() > deadline:
                pytest.fail(f"not shown in time: {text}")
            if select([self._master], [], [], 0.1)[0]:
                seen += os.read(self._master, 1 << 16)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def close(self) -> None:
        if self._open:
            os.close(self._master)
            self._open = False


@contextmanager
def window(folder: Path) -> Iterator[Window]:
    one = Window(folder)
    try:
        yield one
    finally:
        one.close()
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def test_a_closed_window_ends_the_desk_and_keeps_what_was_typed(
    profile: Callable[..., Path],
) -> None:
    folder = profile()
    with window(folder) as shown:
        shown.until_shown("Дроздов")
        shown.type("\r")
        shown.until_shown("History")
        shown.type("c")
        shown.until_shown("Write")
        shown.type("wait")
        shown.until_shown("wait")
        shown.close()
        assert shown.process.wait(_SOON) == HUNG_UP
    with Desk.open(folder, PASSPHRASE) as desk:
        drafts = [desk.draft(one.item_id, one.form) for one in desk.drafts()]
        assert drafts == [{"text": "wait"}]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_to_end_ends_the_desk_in_good_order(
    profile: Callable[..., Path], number: signal.Signals
) -> None:
    folder = profile()
    with window(folder) as shown:
        shown.until_shown("Дроздов")
        shown.process.send_signal(number)
        assert shown.process.wait(_SOON) == HUNG_UP
        assert not list(folder.glob("crash-*"))
