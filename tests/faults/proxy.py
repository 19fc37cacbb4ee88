"""A proxy on loopback between a desk and a real hub, which does to an exchange what a plan says.

One connection carries one exchange: the proxy asks the hub to close after it, and so does the
client then. Server-sent streams pass through as they come.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.faults.plans import Answer, Exchange, Fault, Plan, Watch

_CHUNK = 65536
#: Nothing of a test takes so long; a hub or a desk that hangs ends the exchange.
_PATIENCE = 60.0


class Proxy:
    """Listens on ``url`` and passes on to ``hub``, which may change; see ``plan``."""

    def __init__(
        self,
        hub: str,
        plan: Plan | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.hub = hub
        self.plan = plan or Plan()
        self._watch = watch
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._accepting.start()

    def cut_streams(self) -> None:
        """Cut every open connection, as a network that goes away does."""
        with self._guard:
            cut = list(self._open)
        for one in cut:
            # First all: cutting one may end the thread that closes the other one.
            _reset_when_closed(one)
        for one in cut:
            _cut(one)

    def close(self) -> None:
        """End; every thread of the proxy has ended afterwards."""
        self._closed = True
        self.plan.heal()
        # A thread that waits in accept() is woken by a connection, on every system.
        with contextlib.suppress(OSError):
            socket.create_connection(self._server.getsockname(), 1).close()
        self._accepting.join(_PATIENCE)
        self._server.close()
        self.cut_streams()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed:
            client, _ = self._server.accept()
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads = [one for one in self._threads if one.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with self._held(client), contextlib.suppress(OSError, EOFError):
            head, body = _message(client)
            self._exchange(client, head, body)

    def _exchange(self, client: socket.socket, head: bytes, body: bytes) -> None:
        _, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        path = urlsplit(target).path
        fault = self.plan.next(path)
        kind = fault.kind if fault else None
        if fault is None or kind in ("twice", "truncate", "cut_after", "silent", "hold"):
            if kind == "hold":
                self.plan.wait_for_release()
            if kind == "twice":
                self._ask(None, path, head, body)
            answer = self._ask(client, path, head, body)
            if answer is None:
                return
        elif kind == "older":
            answer = self.plan.older(path, fault)
        elif kind == "status":
            answer = _refusal(fault)
        else:
            _cut(client)
            return
        if fault is None and 200 <= answer.status < 300:
            self.plan.keep(path, answer)
        self._deliver(client, answer, fault)

    def _deliver(self, client: socket.socket, answer: Answer, fault: Fault | None) -> None:
        whole = _written(answer)
        kind = fault.kind if fault else None
        if kind == "silent":
            self.plan.wait_for_healing()
        if kind in ("silent", "cut_after"):
            _cut(client)
        elif fault is not None and kind == "truncate":
            # Something is always missing, and not the head alone comes.
            client.sendall(whole[: max(1, int(len(whole) * min(fault.part, 0.99)))])
            _cut(client)
        else:
            client.sendall(whole)

    def _ask(
        self, client: socket.socket | None, path: str, head: bytes, body: bytes
    ) -> Answer | None:
        """The hub's answer; None where it was a stream that passed through or there is no hub."""
        answered = self._watch() if self._watch else None
        parts = urlsplit(self.hub)
        try:
            upstream = socket.create_connection((parts.hostname, parts.port), _PATIENCE)
        except OSError:
            if client is not None:
                _cut(client)
            return None
        with self._held(upstream):
            try:
                upstream.sendall(_closing(head) + body)
                received = b""
                while b"\r\n\r\n" not in received:
                    part = upstream.recv(_CHUNK)
                    if not part:
                        raise EOFError
                    received += part
                if b"text/event-stream" in received.partition(b"\r\n\r\n")[0].lower():
                    if client is not None:
                        _pass_through(upstream, client, received)
                    return None
                while part := upstream.recv(_CHUNK):
                    received += part
                answer = _read(received)
            except (OSError, EOFError):
                if client is not None:
                    _cut(client)
                return None
        if answered is not None:
            answered(Exchange(path, body, answer))
        return answer

    @contextlib.contextmanager
    def _held(self, one: socket.socket) -> Iterator[None]:
        one.settimeout(_PATIENCE)
        with self._guard:
            self._open.add(one)
        try:
            yield
        finally:
            with self._guard:
                self._open.discard(one)
            with contextlib.suppress(OSError):
                one.close()


def _message(client: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        part = client.recv(_CHUNK)
        if not part:
            raise EOFError
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(_headers(head).get("content-length", "0"))
    while len(body) < length:
        part = client.recv(_CHUNK)
        if not part:
            raise EOFError
        body += part
    return head + b"\r\n\r\n", body


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
        if name
    }


def _closing(head: bytes) -> bytes:
    """The request's head, asking the hub to close the connection afterwards."""
    lines = head.rstrip(b"\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n"


def _read(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    headers = _headers(head)
    if "chunked" in headers.get("transfer-encoding", ""):
        body = _joined(body)
    elif len(body) < int(headers.get("content-length", "0")):
        raise EOFError
    kept = ("content-type", "content-encoding", "retry-after", "etag", "vary")
    status = int(head.split(b" ", 2)[1])
    return Answer(status, tuple((name, headers[name]) for name in kept if name in headers), body)


def _joined(body: bytes) -> bytes:
    whole = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if not length:
            return whole
        if len(rest) < length + 2:
            raise EOFError
        whole += rest[:length]
        body = rest[length + 2 :]


def _written(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} X"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines += [f"content-length: {len(answer.body)}", "connection: close"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body


def _refusal(fault: Fault) -> Answer:
    headers = (("content-type", "application/json"), ("retry-after", fault.retry_after))
    return Answer(fault.status, headers, b"{}")


def _pass_through(upstream: socket.socket, client: socket.socket, received: bytes) -> None:
    client.sendall(received)
    upstream.settimeout(None)
    while part := upstream.recv(_CHUNK):
        client.sendall(part)


def _cut(one: socket.socket) -> None:
    """Reset the connection: whoever reads it hears at once, and sees no end in order."""
    with contextlib.suppress(OSError):
        # A thread of ours that reads it is woken by this, and by nothing that follows.
        one.shutdown(socket.SHUT_RD)
    _reset_when_closed(one)
    with contextlib.suppress(OSError):
        one.close()


def _reset_when_closed(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
