"""The way from a desk to a real hub, with faults on it."""

from __future__ import annotations

from collections.abc import Callable

import httpx

Fault = Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]


class FaultyWire(httpx.BaseTransport):
    """The way to the real hub, with one fault on each path where one is set."""

    def __init__(self) -> None:
        self._wire = httpx.HTTPTransport()
        self.faults: dict[str, list[Fault]] = {}
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        waiting = self.faults.get(path, [])
        if waiting:
            return waiting.pop(0)(request, lambda: self._pass(request))
        return self._wire.handle_request(request)

    def _pass(self, request: httpx.Request) -> httpx.Response:
        response = self._wire.handle_request(request)
        response.read()
        return response

    def close(self) -> None:
        self._wire.close()


def lose_answer(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
    """The hub does it, and the answer is lost."""
    go()
    raise httpx.ReadError("lost", request=request)


def cut_answer(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
    """Half of the answer comes."""
    whole = go()
    return httpx.Response(200, content=whole.content[: len(whole.content) // 2])


def answer(status: int, body: object = None, **headers: str) -> Fault:
    """Something else answers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def respond(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
        return httpx.Response(status, json=body or {}, headers=named)

    return respond


def passes(request: httpx.Request, go: Callable[[], httpx.Response]) -> httpx.Response:
    """No fault this time."""
    return go()
