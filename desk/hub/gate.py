"""What stands before every handler: protocol, token, heartbeat; and how refusals are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.exceptions import HTTPException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from desk.hub import accounts, presence
from desk.hub.accounts import Arrival
from desk.hub.database import Database
from desk.hub.errors import HubProblem, SetupError, where
from desk.hub.hints import Hints
from desk.hub.playbooks import current
from desk.hub.projection import Reader
from desk.protocol.messages import PROTOCOL, PROTOCOL_HEADER, PROTOCOL_MIN, Problem
from desk.protocol.problems import english_problem

_log = structlog.get_logger("desk.hub.http")
_BEARER = "Bearer "
_PROTOCOL_DIGITS = 8
#: What a proxy adds: then the address it connects from says nothing of where a request began.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
_GUARDS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_HSTS = "max-age=31536000"
_STATUS = {400: "bad_request", 401: "not_signed_in", 404: "not_found", 413: "too_large"}


class Hub(msgspec.Struct, frozen=True, kw_only=True):
    """What the handlers of one process share; no state of the company is in it."""

    database: Database
    clock: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    hints: Hints
    is_loopback: bool
    #: Whether a proxy speaks TLS for the hub, and says so of each request.
    behind_proxy: bool = False


class Gate(AbstractAuthenticationMiddleware):
    """Lets a request in that speaks the protocol and carries a valid token."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        """``hub`` is what the handlers share."""
        super().__init__(app, exclude=["^/schema"], exclude_from_auth_key="public")
        self._hub = hub

    async def authenticate_request(
        self, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> AuthenticationResult:
        """The session of the token; raises `HubProblem`."""
        check_protocol(connection.headers.get(PROTOCOL_HEADER))
        header = connection.headers.get("authorization", "")
        if not header.startswith(_BEARER):
            raise HubProblem(401, "not_signed_in")
        token = header.removeprefix(_BEARER)
        session = await asyncio.to_thread(self._enter, token, arrival(self._hub, connection))
        return AuthenticationResult(user=session.actor, auth=session)

    def _enter(self, token: str, came: Arrival) -> accounts.Session:
        hub = self._hub
        now = hub.clock()
        session = accounts.authenticate(hub.database, token, came, now)
        if presence.heartbeat(hub.database, session.actor.id, session.seen_at, now):
            hub.hints.wake()
        return session


def arrival(hub: Hub, connection: ASGIConnection[Any, Any, Any, Any]) -> Arrival:
    """Where the request came from."""
    if hub.behind_proxy:
        # The last one is the proxy's own word; what stands before it anybody may have written.
        told = connection.headers.get("x-forwarded-for", "")
        return Arrival(told.rpartition(",")[2].strip(), is_local=False)
    address = connection.client.host if connection.client else ""
    forwarded = any(name in connection.headers for name in _FORWARDED)
    is_local = hub.is_loopback and accounts.is_loopback(address) and not forwarded
    return Arrival(address, is_local)


def reader_of(hub: Hub, session: accounts.Session, connection: Connection | None = None) -> Reader:
    """Who reads, by the rights of this very view of the database: a role that changed since the
    session was looked at must not name one policy, and the rows of the view be of another.

    Raises `HubProblem` ``not_signed_in``.
    """
    if connection is None:
        with hub.database.read() as opened:
            return reader_of(hub, session, opened)
    now = hub.clock()
    standing = accounts.renewed(connection, session, now)
    if standing is None:
        raise HubProblem(401, "not_signed_in")
    installed = current(connection)
    return Reader(
        actor=standing.actor,
        playbook=installed.playbook,
        playbook_version=installed.version,
        policy_version=standing.policy_version,
        now=now,
    )


def fence(hub: Hub) -> Callable[[ASGIApp], ASGIApp]:
    """Refuse what did not come to the proxy by TLS, where there is one."""

    def fenced(app: ASGIApp) -> ASGIApp:
        async def checked(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and hub.behind_proxy:
                told = Headers.from_scope(scope).get("x-forwarded-proto", "")
                if told.rpartition(",")[2].strip() != "https":
                    raise HubProblem(403, "tls_needed")
            await app(scope, receive, send)

        return checked

    return fenced


def guard(hub: Hub) -> Callable[[Message, Scope], Awaitable[None]]:
    """What every answer tells a browser: keep nothing, guess nothing, run and frame nothing."""

    async def guarded(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders(message)
        for name, value in _GUARDS.items():
            headers[name] = value
        if hub.behind_proxy or scope["scheme"] == "https":
            headers["Strict-Transport-Security"] = _HSTS

    return guarded


def check_protocol(given: str | int | None) -> None:
    """Refuse a protocol this build does not speak (426); a request that names none may pass."""
    if given is None:
        return
    text = str(given)
    is_number = text.isdecimal() and len(text) <= _PROTOCOL_DIGITS
    if is_number and PROTOCOL_MIN <= int(text) <= PROTOCOL:
        return
    mine = text if is_number else "?"
    args = {"low": str(PROTOCOL_MIN), "high": str(PROTOCOL), "mine": mine}
    raise HubProblem(426, "wrong_protocol", args)


def answer_problem(_request: Request[Any, Any, Any], error: HubProblem) -> Response[Problem]:
    """The answer to a request that the hub refuses."""
    return _response(error.status, error.code, error.arguments, error.headers)


def answer_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """The answer to a request that the framework refuses; its text may quote what was sent."""
    return _response(error.status_code, _STATUS.get(error.status_code, "bad_request"))


def answer_unavailable(
    _request: Request[Any, Any, Any], error: DBAPIError | PoolTimeout | SetupError
) -> Response[Problem]:
    """The answer while the database is away."""
    _log.error("database", at=where(error))
    return _response(503, "unavailable", headers={"Retry-After": "2"})


def answer_failure(_request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """The answer to a request on which the hub itself failed."""
    _log.error("failed", at=where(error))
    return _response(500, "failed")


def access_log(app: ASGIApp) -> ASGIApp:
    """Log each request by the template of its path: no query, no address, ids only."""

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began = time.monotonic()
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, noting)
        finally:
            session = scope.get("auth")
            _log.info(
                "request",
                method=scope["method"],
                path=scope.get("path_template", ""),
                status=status,
                user=session.actor.id if isinstance(session, accounts.Session) else "",
                ms=round((time.monotonic() - began) * 1000),
            )

    return logged


def _response(
    status: int,
    code: str,
    args: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[Problem]:
    problem = Problem(code=code, args=args or {}, detail=english_problem(code, args or {}))
    return Response(
        problem, status_code=status, headers=headers or {}, media_type="application/json"
    )
