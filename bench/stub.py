"""A hub that only says what it was given: for desks in other processes, over loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec

from desk.protocol.messages import PROTOCOL, PROTOCOL_MIN, Compare, Compared, Handshake, Page

_KEEP_ALIVE = 5.0


class Stub:
    """What the stub answers, and what it was asked.

    ``pages`` holds compressed answers by the cursor they are asked with; to any other cursor the
    answer is that nothing is new.
    """

    def __init__(self, pages: Mapping[str, bytes]) -> None:
        self.url = ""
        self._pages = pages
        self._open: set[str] = set()
        self._changed = threading.Condition()
        self._asked: list[tuple[float, str]] = []
        self._hints = 0
        self._closed = False

    def offer(self, *cursors: str) -> None:
        """Let the pages for these cursors be had from now on."""
        with self._changed:
            self._open.update(cursors)

    def hint(self) -> None:
        """Say to everybody who listens that something changed."""
        with self._changed:
            self._hints += 1
            self._changed.notify_all()

    def was_asked(self, cursor: str) -> bool:
        """Whether somebody came with this cursor."""
        with self._changed:
            return any(one == cursor for _, one in self._asked)

    def wait_for(self, cursor: str, seconds: float) -> float:
        """Wait until somebody comes with this cursor, and give the moment he did."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: any(one == cursor for _, one in self._asked), seconds
            ):
                raise TimeoutError(cursor)
            return next(at for at, one in self._asked if one == cursor)

    def close(self) -> None:
        """End the streams."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def changes(self, cursor: str) -> tuple[bytes, bool]:
        """The answer, and whether it is compressed."""
        with self._changed:
            self._asked.append((time.perf_counter(), cursor))
            self._changed.notify_all()
            if cursor in self._open:
                return self._pages[cursor], True
        page = Page(cursor=cursor, asked=cursor, last_op=0, playbook_version=1)
        return msgspec.json.encode(page), False

    def next_hint(self, seen: int) -> int | None:
        """How many hints there were, once there are more than ``seen`` or a while has passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._hints > seen, _KEEP_ALIVE)
            return None if self._closed else self._hints


@contextmanager
def serving(pages: Mapping[str, bytes]) -> Generator[Stub]:
    """A stub that listens on a free port until the block ends."""
    stub = Stub(pages)

    class Handler(_Handler):
        answers = stub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        stub.close()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: Stub

    def do_GET(self) -> None:
        """Handshake, changes or hints."""
        asked = urlsplit(self.path)
        if asked.path == "/v1/changes":
            self._answer(*self.answers.changes(parse_qs(asked.query)["cursor"][0]))
        elif asked.path == "/v1/hints":
            self._hint()
        else:
            hello = Handshake(
                product="desk",
                hub="bench",
                protocol_min=PROTOCOL_MIN,
                protocol_max=PROTOCOL,
                now=0,
            )
            self._answer(msgspec.json.encode(hello), False)

    def do_POST(self) -> None:
        """A comparison, answered by that something changed meanwhile: nothing is to be mended."""
        asked = self.rfile.read(int(self.headers["content-length"]))
        cursor = msgspec.json.decode(asked, type=Compare).cursor
        self._answer(msgspec.json.encode(Compared(cursor=cursor, moved=True)), False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
        """Nobody reads it."""

    def _answer(self, body: bytes, compressed: bool) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        if compressed:
            self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def _hint(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        seen: int | None = 0
        while (now := self.answers.next_hint(seen)) is not None:
            self.wfile.write(b"data: bench\n\n" if now > seen else b": alive\n\n")
            seen = now
