"""The way from a desk to a hub of the same process, with the faults of a plan: no sockets."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.faults.plans import Answer, Exchange, Fault, Plan, Watch

Send = Callable[[httpx.Request], httpx.Response]


class Wire(httpx.BaseTransport):
    """A transport for ``Desk.open`` that asks by ``send`` and does what ``plan`` says."""

    def __init__(self, send: Send, plan: Plan | None = None, watch: Watch | None = None) -> None:
        self._send = send
        self.plan = plan or Plan()
        self._watch = watch

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        fault = self.plan.next(path)
        answer = self._answer(request, path, fault)
        if fault is None and 200 <= answer.status < 300:
            self.plan.keep(path, answer)
        body = answer.body
        if fault is not None and fault.kind == "truncate":
            body = body[: int(len(body) * min(fault.part, 0.99))]
        return httpx.Response(answer.status, headers=answer.headers, content=body, request=request)

    def _answer(self, request: httpx.Request, path: str, fault: Fault | None) -> Answer:
        match fault.kind if fault else None:
            case "cut_before":
                raise httpx.ConnectError("cut", request=request)
            case "older":
                assert fault is not None
                return self.plan.older(path, fault)
            case "status":
                assert fault is not None
                headers = (("retry-after", fault.retry_after),)
                return Answer(fault.status, headers, b"{}")
            case "twice":
                self._pass(request)
            case "hold":
                self.plan.wait_for_release()
            case _:
                pass
        answer = self._pass(request)
        if fault is not None and fault.kind == "silent":
            self.plan.wait_for_healing()
        if fault is not None and fault.kind in ("cut_after", "silent"):
            raise httpx.ReadError("lost", request=request)
        return answer

    def _pass(self, request: httpx.Request) -> Answer:
        answered = self._watch() if self._watch else None
        response = self._send(request)
        response.read()
        kept = ("content-type", "retry-after", "etag")
        headers = tuple((n, response.headers[n]) for n in kept if n in response.headers)
        answer = Answer(response.status_code, headers, response.content)
        if answered is not None:
            answered(Exchange(request.url.path, request.content, answer))
        return answer
