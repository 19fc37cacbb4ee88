"""The proxy does to an exchange exactly what its plan says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.faults.plans import KINDS, Exchange, Fault, Plan
from tests.faults.proxy import Proxy

PATIENCE = 20.0


class Counting(BaseHTTPRequestHandler):
    """Answers with how many requests came before, and with what was sent."""

    asked: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.asked.append(f"{self.path} {body}")
        answer = f"{len(self.asked)} {body}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        with suppress(OSError):
            self.stream()

    def stream(self) -> None:
        for number in range(3):
            self.wfile.write(f"data: {number}\n\n".encode())
            self.wfile.flush()
            self.server.went_on.wait(PATIENCE)  # pyright: ignore[reportAttributeAccessIssue]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.went_on = threading.Event()
        super().__init__(("127.0.0.1", 0), type("Mine", (Counting,), {"asked": self.asked}))
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        thread = threading.Thread(target=one.serve_forever, args=(0.01,))
        thread.start()
        yield one
        one.went_on.set()
        one.shutdown()
        thread.join()


def ask(proxy: Proxy, body: str = "x", path: str = "/a") -> str:
    with httpx.Client(timeout=PATIENCE) as client:
        return client.post(f"{proxy.url}{path}", content=body).text


def test_without_a_plan_everything_passes(server: Server) -> None:
    with Proxy(server.url) as proxy:
        assert ask(proxy, "x" * 300_000) == "1 " + "x" * 300_000
        assert ask(proxy, "", "/b?c=d") == "2 "
    assert server.asked[1] == "/b?c=d "


def test_what_is_cut_before_never_arrives_and_what_is_cut_after_is_done(server: Server) -> None:
    with Proxy(server.url, Plan({"/a": ["cut_before", "cut_after", None]})) as proxy:
        for done in (0, 1):
            with pytest.raises(httpx.TransportError):
                ask(proxy)
            assert len(server.asked) == done
        assert ask(proxy) == "2 x"


@pytest.mark.parametrize("part", [0.0, 0.2, 0.9, 1.0])
def test_a_truncated_answer_is_never_taken_for_a_whole_one(server: Server, part: float) -> None:
    with (
        Proxy(server.url, Plan({"/a": [Fault("truncate", part=part)]})) as proxy,
        pytest.raises(httpx.TransportError),
    ):
        ask(proxy, "x" * 1000)
    assert len(server.asked) == 1


def test_a_request_sent_twice_is_answered_once(server: Server) -> None:
    with Proxy(server.url, Plan({"/a": ["twice"]})) as proxy:
        assert ask(proxy) == "2 x"
    assert server.asked == ["/a x", "/a x"]


def test_an_older_answer_of_the_same_path_comes_again(server: Server) -> None:
    with Proxy(server.url, Plan({"/a": [None, None, "older"], "/b": ["older"]})) as proxy:
        given = {ask(proxy, "x"), ask(proxy, "y")}
        assert ask(proxy, "z") in given
        assert ask(proxy, "w", "/b") == "3 w"
    assert len(server.asked) == 3


def test_something_else_answers_and_says_how_long_to_wait(server: Server) -> None:
    plan = Plan({"/a": [Fault("status", status=429, retry_after="7")]})
    with Proxy(server.url, plan) as proxy:
        answer = httpx.post(f"{proxy.url}/a", content="x", timeout=PATIENCE)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert server.asked == []


def test_what_is_held_goes_on_when_it_is_released(server: Server) -> None:
    plan = Plan({"/a": ["hold"]})
    with Proxy(server.url, plan) as proxy:
        heard: list[str] = []
        asking = threading.Thread(target=lambda: heard.append(ask(proxy)))
        asking.start()
        assert plan.waiting.wait(PATIENCE)
        assert server.asked == []
        assert ask(proxy, "y", "/b") == "1 y"
        plan.release()
        asking.join(PATIENCE)
    assert heard == ["2 x"]


def test_a_silent_line_did_what_was_asked_and_is_cut_when_it_heals(server: Server) -> None:
    plan = Plan({"/a": ["silent"]})
    with Proxy(server.url, plan) as proxy:
        failed = threading.Event()

        def asks() -> None:
            with pytest.raises(httpx.TransportError):
                ask(proxy)
            failed.set()

        asking = threading.Thread(target=asks)
        asking.start()
        assert plan.waiting.wait(PATIENCE)
        assert server.asked == ["/a x"]
        assert not failed.is_set()
        plan.heal()
        asking.join(PATIENCE)
        assert failed.is_set()
        assert ask(proxy) == "2 x"


def test_a_stream_passes_through_as_it_comes_and_can_be_cut(server: Server) -> None:
    with (
        Proxy(server.url) as proxy,
        httpx.Client(timeout=PATIENCE) as client,
        client.stream("GET", f"{proxy.url}/hints") as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines) == "data: 0"
        proxy.cut_streams()
        with pytest.raises(httpx.TransportError):
            list(lines)


def test_every_answer_of_the_hub_is_seen_also_one_that_is_lost(server: Server) -> None:
    seen: list[Exchange] = []
    with Proxy(server.url, Plan({"/a": ["cut_after"]}), lambda: seen.append) as proxy:
        with pytest.raises(httpx.TransportError):
            ask(proxy, "lost")
        ask(proxy, "heard")
    assert [(one.request, one.answer.text) for one in seen] == [
        (b"lost", "1 lost"),
        (b"heard", "2 heard"),
    ]


def test_a_seed_gives_the_same_faults_each_time() -> None:
    def drawn(seed: int) -> list[str | None]:
        plan = Plan(seed=seed, rate=0.5, kinds=KINDS[:3])
        faults = [plan.next("/a") for _ in range(40)]
        return [one.kind if one else None for one in faults]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert set(drawn(1)) == {None, *KINDS[:3]}


def test_a_hub_that_is_not_there_is_a_line_that_is_cut() -> None:
    with Proxy("http://127.0.0.1:9") as proxy, pytest.raises(httpx.TransportError):
        ask(proxy)
