"""A terminal that goes away: a closed window, a lost connection, a killed multiplexer.

Nobody tells a process whose terminal is gone: the signal goes to the terminal's own group, which
need not be this one's, and the application would wait for ever for keys that cannot come, with the
vault open. So the terminal is looked at, and its end is the end of the application.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

#: What a shell says of a command that a hang-up ended.
HUNG_UP = 129
_LOOK_SECONDS = 0.5
#: How long the end in good order may take before the process ends as it is, s.
_PATIENCE_SECONDS = 5.0


@contextmanager
def watched(leave: Callable[[], None]) -> Iterator[None]:
    """Call ``leave``, once and in another thread, when the terminal of the body has gone.

    A hang-up or a request to end, sent as a signal, is the same to a person: it calls ``leave``
    too. Whatever ``leave`` begins has to end the body soon, or the process ends without it.
    """
    if sys.platform == "win32":
        # Windows ends the processes of a console that is closed by itself.
        yield
        return
    over, told = threading.Event(), threading.Event()

    def tell(_number: int, _frame: object) -> None:
        told.set()

    def watch() -> None:
        while not told.wait(_LOOK_SECONDS):
            if terminal and is_gone(0):
                break
        if over.is_set():
            return
        last = threading.Timer(_PATIENCE_SECONDS, _end_anyhow, (over,))
        last.daemon = True
        last.start()
        leave()

    terminal = os.isatty(0)
    signals = (signal.SIGHUP, signal.SIGTERM)
    before = [signal.signal(number, tell) for number in signals]
    watcher = threading.Thread(target=watch, name="terminal", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        told.set()
        watcher.join()
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def is_gone(descriptor: int) -> bool:
    """Whether what was a terminal has nobody at its other end any more."""
    import termios

    try:
        termios.tcgetattr(descriptor)
    except (termios.error, ValueError):
        return True
    return False


def deafen(driver: object) -> None:
    """Throw away what a Textual driver still writes: the terminal takes nothing any more.

    Its writing thread has ended of an error by then, and whoever writes waits for room in the
    queue for ever.
    """
    writer = getattr(driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    if queue is None:
        return
    with queue.mutex:
        queue.maxsize = sys.maxsize
        queue.not_full.notify_all()


def _end_anyhow(over: threading.Event) -> None:
    if not over.is_set():
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(HUNG_UP)
