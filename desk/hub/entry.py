"""How one comes in: sign-in, the tokens that follow, one's devices, sessions and password."""

from __future__ import annotations

import hashlib
from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from desk.hub import accounts, devices, presence, sessions
from desk.hub.accounts import Session
from desk.hub.database import hub_id
from desk.hub.gate import Hub, arrival, check_protocol
from desk.hub.playbooks import current
from desk.protocol.messages import (
    NewDevice,
    Refresh,
    Refreshed,
    Registered,
    SecondFactor,
    SignedIn,
    SignIn,
)
from desk.protocol.proofs import PROOF_HEADER
from desk.protocol.sessions import EndSession, NewPassword, Sessions

_Http = Request[Any, Any, Any]


async def signed(request: _Http) -> devices.Request:
    """What a proof must be of; the body is read once, whoever asks for it."""
    url = request.url
    return devices.Request(
        method=request.method,
        path=f"{url.path}?{url.query}" if url.query else url.path,
        body_hash=hashlib.sha256(await request.body()).digest(),
        header=request.headers.get(PROOF_HEADER, ""),
    )


@post("/v1/sign-in", opt={"public": True}, status_code=200, sync_to_thread=True)
def sign_in(
    hub: NamedDependency[Hub],
    request: _Http,
    signed: NamedDependency[devices.Request],
    data: JSONBody[SignIn],
) -> SignedIn:
    """The tokens of a session for a user's name and password on one device."""
    check_protocol(data.protocol)
    now = hub.clock()
    devices.prove(hub.database, signed, data.device, data.key, now)
    entered = accounts.sign_in(hub.database, data, arrival(hub, request), now, hub.random_bytes)
    if presence.heartbeat(hub.database, data.user, None, now):
        hub.hints.wake()
    with hub.database.read() as connection:
        installed = current(connection)
        return SignedIn(
            token=entered.tokens.token,
            refresh=entered.tokens.refresh,
            expires_in=entered.tokens.expires_in,
            person=entered.person,
            hub=hub_id(connection),
            company=installed.playbook.title.get("ru"),
            last_op=entered.last_op,
            playbook_version=installed.version,
        )


@post("/v1/second-factor", opt={"public": True}, status_code=200, sync_to_thread=True)
def second_factor(
    hub: NamedDependency[Hub],
    request: _Http,
    signed: NamedDependency[devices.Request],
    data: JSONBody[SignIn],
) -> SecondFactor:
    """A secret for an authenticator; the next sign-in that brings its code puts it in force."""
    check_protocol(data.protocol)
    now = hub.clock()
    devices.prove(hub.database, signed, data.device, data.key, now)
    came = arrival(hub, request)
    begun = accounts.begin_second_factor(hub.database, data, came, now, hub.random_bytes)
    return SecondFactor(secret=begun.secret, uri=begun.uri, recovery=begun.recovery)


@post("/v1/refresh", opt={"public": True}, status_code=200, sync_to_thread=True)
def refresh(
    hub: NamedDependency[Hub],
    request: _Http,
    signed: NamedDependency[devices.Request],
    data: JSONBody[Refresh],
) -> Refreshed:
    """The tokens that follow those of a session."""
    issued = accounts.refresh(
        hub.database, data, signed, arrival(hub, request), hub.clock(), hub.random_bytes
    )
    return Refreshed(token=issued.token, refresh=issued.refresh, expires_in=issued.expires_in)


@post("/v1/sign-out", status_code=204, sync_to_thread=True)
def sign_out(hub: NamedDependency[Hub], session: NamedDependency[Session]) -> None:
    """End the session."""
    accounts.sign_out(hub.database, session)


@post("/v1/device", status_code=200, sync_to_thread=True)
def register_device(
    hub: NamedDependency[Hub],
    session: NamedDependency[Session],
    signed: NamedDependency[devices.Request],
    data: JSONBody[NewDevice],
) -> Registered:
    """Make a copy of a profile a device of its own; the session of the original stays."""
    now = hub.clock()
    devices.prove_known(hub.database, signed, session.device_id, now)
    return accounts.register_device(hub.database, session, data, now, hub.random_bytes)


@get("/v1/sessions", sync_to_thread=True)
def list_sessions(hub: NamedDependency[Hub], session: NamedDependency[Session]) -> Sessions:
    """The sessions of whoever asks."""
    with hub.database.read() as connection:
        return Sessions(sessions=sessions.listed(connection, session, hub.clock()))


@post("/v1/sessions/end", status_code=204, sync_to_thread=True)
def end_session(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[EndSession]
) -> None:
    """End one of one's own sessions."""
    sessions.revoke(hub.database, session, data.id)


@post("/v1/password", status_code=204, sync_to_thread=True)
def change_password(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[NewPassword]
) -> None:
    """Take another password; one's other sessions end."""
    sessions.change_password(hub.database, session, data, hub.clock())


ROUTES = [
    sign_in,
    second_factor,
    refresh,
    sign_out,
    register_device,
    list_sessions,
    end_session,
    change_password,
]
