"""A hub that really listens: in a thread of the test, or as a process that can be killed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

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


def main() -> None:
    """Serve the database named by the first argument and write the address, for a test."""

    def say(serving: Serving) -> None:
        sys.stdout.write(f"{serving.url}\n")
        sys.stdout.flush()

    serve(sys.argv[1], port=0, on_ready=say)


if __name__ == "__main__":
    main()
