"""The stream of hints: heard, cut, silent, refused; and what the desk does then."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue

import httpx
import pytest

from desk.domain.operations import Create
from desk.services import backoff, hub_client
from desk.services.desk import Desk
from desk.services.errors import DamagedFile, HubUnreachable
from desk.services.hub_client import HubClient
from desk.services.live import Hints
from desk.services.loop import SyncLoop
from desk.services.network import Network
from tests.hub_process import PASSWORD, HubProcess

Sit = Callable[..., Desk]
PATIENCE = 20.0
NEVER = 3600.0


class Wire(httpx.BaseTransport):
    """The way to the real hub. It can be cut, and the stream of hints is one of the test's."""

    def __init__(self) -> None:
        self._wire = httpx.HTTPTransport()
        self.asked: list[str] = []
        self.tell: Callable[[], object] = int
        self.is_cut = False
        #: Streams are answered while this is set.
        self.hold = threading.Event()
        self.hold.set()
        self.streams: list[httpx.SyncByteStream | int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        self.tell()
        if self.is_cut:
            raise httpx.ReadTimeout("silent", request=request)
        if request.url.path == "/v1/hints" and self.streams:
            assert self.hold.wait(PATIENCE)
            stream = self.streams.pop(0)
            if isinstance(stream, int):
                return httpx.Response(stream, json={"code": "not_signed_in"})
            return httpx.Response(200, stream=stream)
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


class Stream(httpx.SyncByteStream):
    """A stream that is open until the test says how it ends."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self._said: Queue[str | Exception | None] = Queue()

    def __iter__(self) -> Iterator[bytes]:
        self.opened.set()
        while isinstance(said := self._said.get(timeout=PATIENCE), str):
            yield said.encode()
        if said is not None:
            raise said

    def say(self, text: str) -> None:
        self._said.put(text)

    def end(self, error: Exception | None = None) -> None:
        self._said.put(error)


class Watch:
    """Waits until something is true of the desk or its wire, told by their own events."""

    def __init__(self, desk: Desk, wire: Wire | None = None) -> None:
        self._changed = threading.Condition()
        desk.listen(self._hear)
        if wire is not None:
            wire.tell = self._hear

    def _hear(self, _: object = None) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, true: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, PATIENCE)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes before a desk tries again."""
    monkeypatch.setattr(backoff, "delay", lambda *_: 0.01)
    monkeypatch.setattr("desk.services.live.delay", lambda *_: 0.01)


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure a desk does not try again while the test lasts."""
    monkeypatch.setattr(backoff, "delay", lambda *_: NEVER)
    monkeypatch.setattr("desk.services.live.delay", lambda *_: NEVER)


@pytest.fixture
def exchanged(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Released whenever an exchange of the background is done."""
    done = threading.Semaphore(0)
    answered = Hints.answered

    def note(hints: Hints) -> None:
        answered(hints)
        done.release()

    monkeypatch.setattr(Hints, "answered", note)
    return done


@contextmanager
def a_silent_hub() -> Iterator[str]:
    """The address of a hub that opens the stream, says one thing and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                    b"transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n"
                )
                over.wait(PATIENCE)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            thread.join(PATIENCE)


def test_a_stream_that_is_open_but_silent_is_a_dead_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_client, "WATCHDOG_SECONDS", 0.05)
    heard: list[str] = []
    with a_silent_hub() as url:
        client = HubClient(url)

        def read() -> None:
            with client.hints() as response:
                heard.extend(response.iter_lines())

        with pytest.raises(HubUnreachable):
            read()
        client.close()
    assert heard[:1] == ["data: 1"]


def test_after_a_partition_on_one_way_the_queue_empties_without_a_new_write(
    sit: Sit, at_once: None
) -> None:
    wire, stream = Wire(), Stream()
    desk = sit("operator1", transport=wire)
    watch = Watch(desk, wire)
    wire.streams = [stream]
    desk.start()
    watch.until(lambda: desk.hears_hints)
    wire.is_cut = True
    desk.do(Create(kind="lead", title="В туннеле"))
    watch.until(lambda: not desk.status().online)
    assert desk.hears_hints
    stream.end(httpx.ReadTimeout("silent"))
    watch.until(lambda: not desk.hears_hints)
    assert desk.status().pending == 1
    wire.is_cut = False
    watch.until(lambda: desk.status().pending == 0 and desk.hears_hints)
    assert (desk.status().online, desk.status().last_error) == (True, "")


def test_a_lost_stream_is_said_at_once_and_the_hub_is_not_stormed(
    sit: Sit, exchanged: threading.Semaphore, never: None
) -> None:
    wire, stream = Wire(), Stream()
    desk = sit("operator1", transport=wire)
    watch = Watch(desk, wire)
    wire.streams = [stream]
    desk.start()
    assert exchanged.acquire(timeout=PATIENCE)
    watch.until(lambda: desk.hears_hints)
    asked = len(wire.asked)
    stream.end(httpx.ReadError("cut"))
    watch.until(lambda: not desk.hears_hints)
    assert (desk.status().online, desk.status().last_error) == (False, "hub_unreachable")
    assert len(wire.asked) == asked
    # What a person does now is tried at once all the same.
    desk.do(Create(kind="lead", title="Сразу"))
    watch.until(lambda: desk.status().pending == 0 and desk.status().online)


def test_a_stream_that_the_hub_ended_in_order_is_opened_again(sit: Sit, at_once: None) -> None:
    wire, first, second = Wire(), Stream(), Stream()
    desk = sit("operator1", transport=wire)
    wire.streams = [first, second]
    desk.start()
    assert first.opened.wait(PATIENCE)
    first.end()
    assert second.opened.wait(PATIENCE)
    second.end()


def test_a_desk_that_is_not_let_in_listens_again_only_after_signing_in(
    sit: Sit, hub: HubProcess, exchanged: threading.Semaphore, never: None
) -> None:
    wire, stream = Wire(), Stream()
    desk = sit("operator1", transport=wire)
    watch = Watch(desk, wire)
    # Once with the token there is, once with the one after it.
    wire.streams = [401, 401, stream]
    wire.hold.clear()
    desk.start()
    assert exchanged.acquire(timeout=PATIENCE)
    wire.hold.set()
    watch.until(lambda: desk.status().last_error == "not_signed_in")
    desk.do(Create(kind="lead", title="Ждёт входа"))
    assert wire.asked.count("/v1/hints") == 2
    assert desk.status().pending == 1
    desk.sign_in(hub.url, "operator1", PASSWORD)
    watch.until(lambda: desk.status().pending == 0 and desk.hears_hints)
    assert wire.asked.count("/v1/hints") == 3
    stream.end()


def test_a_stream_whose_token_has_ended_is_opened_again_at_once(
    sit: Sit, monkeypatch: pytest.MonkeyPatch, exchanged: threading.Semaphore, never: None
) -> None:
    monkeypatch.setattr("desk.services.live._LASTING_SECONDS", -1.0)
    wire, first, second = Wire(), Stream(), Stream()
    wire.streams = [first, second]
    desk = sit("operator1", transport=wire)
    watch = Watch(desk)
    desk.start()
    assert first.opened.wait(PATIENCE)
    first.say("event: renew\n\n")
    assert second.opened.wait(PATIENCE)
    watch.until(lambda: desk.hears_hints)
    assert desk.status().last_error == ""
    second.end()


def test_signing_out_leaves_the_stream(sit: Sit, never: None) -> None:
    desk = sit("operator1")
    watch = Watch(desk)
    desk.start()
    watch.until(lambda: desk.hears_hints)
    desk.sign_out()
    watch.until(lambda: not desk.hears_hints)
    assert desk.status().last_error == ""


def test_a_desk_is_not_made_to_look_by_a_hint_at_what_it_has(
    sit: Sit, never: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, stream = Wire(), Stream()
    desk = sit("operator1", transport=wire)
    watch = Watch(desk, wire)
    wire.streams = [stream]
    desk.start()
    watch.until(lambda: desk.hears_hints)
    stream.say("data: another\n\n")
    # Once when it sat down, once when it started, once for the hint.
    watch.until(lambda: wire.asked.count("/v1/changes") == 3)
    asked = list(wire.asked)
    looked = threading.Semaphore(0)
    lacks = Network.lacks

    def look(network: Network, cursor: str) -> bool:
        looked.release()
        return lacks(network, cursor)

    monkeypatch.setattr(Network, "lacks", look)
    # When it looks for the second time, what the first hint led to is done.
    for _ in range(2):
        stream.say(f"data: {desk.status().cursor}\n\n")
        assert looked.acquire(timeout=PATIENCE)
    assert wire.asked == asked
    stream.say("data: another\n\n")
    watch.until(lambda: len(wire.asked) > len(asked))
    stream.end()


def test_a_hint_that_cannot_be_looked_up_does_not_end_the_exchanges(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full or damaged disk is a failed exchange like any other."""
    failed = threading.Event()

    def damaged(_cursor: str) -> bool:
        failed.set()
        raise DamagedFile(file="local.db")

    network = desk._network
    exchanged = Queue[None]()
    monkeypatch.setattr(network, "sync_once", lambda: exchanged.put(None))
    monkeypatch.setattr(network, "lacks", damaged)
    monkeypatch.setattr(backoff, "delay", lambda *_: 0.0)
    loop = SyncLoop(network)
    loop.start()
    try:
        exchanged.get(timeout=PATIENCE)
        loop._hint("epoch:2")
        assert failed.wait(PATIENCE)
        loop.wake()
        exchanged.get(timeout=PATIENCE)
    finally:
        loop.stop()
