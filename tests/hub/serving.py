"""A hub that really listens: in a thread of the test, or as a process that can be killed."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from desk.hub import operations
from desk.hub.judging import Judge
from desk.hub.server import Serving, serve


@contextmanager
def listening(url: str) -> Iterator[httpx.Client]:
    """The hub at ``url`` on a free port of loopback."""
    ready = threading.Event()
    serving: list[Serving] = []

    def take(one: Serving) -> None:
        serving.append(one)
        ready.set()

    thread = threading.Thread(target=serve, args=(url, "127.0.0.1", 0), kwargs={"on_ready": take})
    thread.start()
    try:
        assert ready.wait(30)
        with httpx.Client(base_url=serving[0].url, timeout=30) as client:
            yield client
    finally:
        for one in serving:
            one.stop()
        thread.join(30)
    assert not thread.is_alive()


#: Where the process can be made to die: after something was done, but before its commit.
STEPS: dict[str, tuple[type[Any], str]] = {
    "judged": (Judge, "judge"),
    "written": (Judge, "write"),
    "logged": (operations._Desk, "_carry_out"),
}


def die_at(step: str, times: int) -> None:
    """Die as by SIGKILL once the step was done so many times."""
    owner, name = STEPS[step]
    done = getattr(owner, name)
    left = itertools.count(times - 1, -1)

    def last(*arguments: Any) -> Any:
        result = done(*arguments)
        if not next(left):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, last)


def main() -> None:
    """Serve the database named by the first argument and write the address, for a test.

    A step and a number may follow: at which the process dies.
    """
    if len(sys.argv) > 2:
        die_at(sys.argv[2], int(sys.argv[3]))

    def say(serving: Serving) -> None:
        sys.stdout.write(f"{serving.url}\n")
        sys.stdout.flush()

    serve(sys.argv[1], port=0, on_ready=say)


if __name__ == "__main__":
    main()
