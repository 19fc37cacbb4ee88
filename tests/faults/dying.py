"""Hubs that die at one step of a push: ``python -m tests.faults.dying URL NOW``.

For each number read from the standard input a process is forked that serves the database at URL,
says its address on a line, and ends by SIGKILL at the step of that number: before a statement or
the commit of the first push, or after it; number 0 never comes. The next line ends it if it is
alive, and the number of steps it came to is said on a line. Forked from a process that has loaded
everything, a hub costs a tenth of a new one; Windows cannot. Its clock stands still at NOW.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from functools import partial
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from desk.hub import operations, passwords, server
from desk.hub.app import create_app


def main(url: str, now: int) -> None:
    """Serve and die until the input ends."""
    server.create_app = partial(create_app, clock=lambda: now)
    # What a start costs is not looked at here: the tables are there, and nobody signs in.
    server.bring_up = lambda *_: None
    passwords.prepare = lambda: None
    # Once before: what is made at the first time is there in every child.
    create_app(url)
    for line in sys.stdin:
        steps, written = os.pipe()
        child = os.fork()
        if not child:
            _live(url, int(line), written)
        os.close(written)
        sys.stdin.readline()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(steps, "rb") as reader:
            _say(str(len(reader.read())))


def _live(url: str, kill_at: int, steps: int) -> None:
    count = thread = 0
    push = operations.push

    def step(*_: Any) -> None:
        nonlocal count
        # What the hub does beside the push, as keeping the journal's ends, comes at any time.
        if count and threading.get_ident() == thread:
            os.write(steps, b".")
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

    def pushing(*arguments: Any, **options: Any) -> Any:
        nonlocal count, thread
        count, thread = 1, threading.get_ident()
        answer = push(*arguments, **options)
        step()
        return answer

    operations.push = pushing
    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    server.serve(url, port=0, on_ready=lambda hub: _say(hub.url))
    os._exit(0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
