"""The hub's HTTP interface (``desk.protocol.messages`` has the table of it)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

import structlog
from litestar import Litestar, Request, get, post
from litestar.config.compression import CompressionConfig
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.middleware import DefineMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromQuery, JSONBody, QueryParameter
from litestar.response import Stream
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from desk import __version__
from desk.domain.ids import is_id
from desk.hub import (
    accesses,
    accounts,
    changes,
    devices,
    digests,
    entry,
    journal,
    journal_routes,
    lease_routes,
    officer_routes,
    operations,
    passwords,
    presence,
    pull,
    registry,
    rowsecurity,
    subject_routes,
)
from desk.hub.accounts import Session
from desk.hub.database import Database, hub_id
from desk.hub.errors import HubProblem, SetupError
from desk.hub.gate import (
    Gate,
    Hub,
    access_log,
    answer_failure,
    answer_http,
    answer_problem,
    answer_unavailable,
    fence,
    guard,
    reader_of,
)
from desk.hub.hints import KEEP_ALIVE, Hints, Listener
from desk.hub.operations import SentPush
from desk.hub.playbooks import current
from desk.hub.projection import Reader
from desk.hub.setup import milliseconds
from desk.protocol.messages import (
    PROTOCOL,
    PROTOCOL_MIN,
    Compare,
    Compared,
    Handshake,
    Page,
    PlaybookSource,
    Presence,
    Pushed,
)

#: The largest request the hub reads, bytes.
LARGEST_REQUEST = 4 * 1024 * 1024
#: How often it is looked who is not heard of any more, s.
_PRESENCE_ROUND = 30.0
#: How often old changes are looked for, and how long writers are let in between two parts, s.
_PRUNE_ROUND = 3600.0
_PRUNE_PAUSE = 0.2
#: How often the ends of the journal's chains are kept beside the keys, s.
_ANCHOR_ROUND = 2.0
_THREADS = 32

_log = structlog.get_logger("desk.hub")
_Http = Request[Any, Any, Any]


@get("/v1/handshake", opt={"public": True}, sync_to_thread=True)
def handshake(hub: NamedDependency[Hub]) -> Handshake:
    """What this hub is, for anybody and any protocol version."""
    with hub.database.read() as connection:
        identifier = hub_id(connection)
    return Handshake(
        product="desk",
        hub=identifier,
        protocol_min=PROTOCOL_MIN,
        protocol_max=PROTOCOL,
        now=hub.clock(),
    )


@get("/v1/playbook", sync_to_thread=True)
def playbook(hub: NamedDependency[Hub]) -> PlaybookSource:
    """The playbook in force."""
    with hub.database.read() as connection:
        installed = current(connection)
    return PlaybookSource(version=installed.version, source=installed.source)


@post("/v1/operations", status_code=200, sync_to_thread=True)
def push(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[SentPush]
) -> Pushed:
    """Judge queued operations in order; `operation` is `desk.domain.operations.Operation`."""
    try:
        return operations.push(hub.database, session, data.operations, hub.clock)
    finally:
        hub.hints.wake()


@get("/v1/changes", sync_to_thread=True)
def pull_changes(
    hub: NamedDependency[Hub],
    session: NamedDependency[Session],
    cursor: Annotated[str, QueryParameter(max_length=100)],
    limit: FromQuery[int] = pull.CHANGES_LIMIT,
) -> Page:
    """What changed after the cursor, as far as the reader may see it."""
    with hub.database.read() as connection:
        reader = reader_of(hub, session, connection)
        rowsecurity.enter(connection, reader)
        page = pull.since(connection, reader, session.device_id, cursor, limit)
    return accesses.deliver(hub.database, session, reader, page, "changes")


@get("/v1/snapshot", sync_to_thread=True)
def snapshot(
    hub: NamedDependency[Hub],
    session: NamedDependency[Session],
    after: Annotated[str, QueryParameter(max_length=36)] = "",
    limit: FromQuery[int] = pull.SNAPSHOT_LIMIT,
    until: Annotated[str, QueryParameter(max_length=36)] = "",
    order: FromQuery[Literal["newest", "urgent"]] = "newest",
) -> Page:
    """What the reader may see: all of it, or from ``after`` down to ``until``; the newest first.

    Of ``order`` "urgent", enough to begin to work.
    """
    if not all(is_id(bound) for bound in (after, until) if bound):
        raise HubProblem(400, "bad_request")
    with hub.database.read() as connection:
        reader = reader_of(hub, session, connection)
        rowsecurity.enter(connection, reader)
        if order == "urgent":
            page = pull.head_start(connection, reader, session.device_id, limit)
        else:
            page = pull.snapshot(connection, reader, session.device_id, after, limit, until)
    via = "urgent" if order == "urgent" else "snapshot"
    return accesses.deliver(hub.database, session, reader, page, via)


@post("/v1/digests", status_code=200, sync_to_thread=True)
def compare(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[Compare]
) -> Compared:
    """Whether a desk holds what its reader may see, by ranges of item ids."""
    with hub.database.read() as connection:
        reader = reader_of(hub, session, connection)
        rowsecurity.enter(connection, reader)
        return digests.compare(connection, reader, data)


@post("/v1/presence", status_code=204, sync_to_thread=True)
def say_presence(
    hub: NamedDependency[Hub], session: NamedDependency[Session], data: JSONBody[Presence]
) -> None:
    """A person says whether he is at work."""
    if presence.say(hub.database, session.actor.id, data.presence, hub.clock()):
        hub.hints.wake()


@get("/v1/hints", media_type="text/event-stream")
async def hints(hub: NamedDependency[Hub], session: NamedDependency[Session]) -> Stream:
    """Server-sent events: the head's cursor at the start and whenever the reader has news."""
    reader = await asyncio.to_thread(reader_of, hub, session)
    return Stream(
        _events(hub, session, reader),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    hub: Hub, session: Session, reader: Reader, keep_alive: float = KEEP_ALIVE
) -> AsyncIterator[str]:
    beaten = reader.now
    listener = Listener(reader)
    async with contextlib.aclosing(hub.hints.subscribe(listener, keep_alive)) as heads:
        async for told in heads:
            head, now = told, hub.clock()
            if now >= session.expires_at:
                # Whoever has the session has its next token; a stolen one hears no more than this.
                yield "event: renew\n\n"
                return
            is_due = now - beaten >= presence.HEARTBEAT
            if is_due or listener.person_changed:
                beaten = now if is_due else beaten
                known = listener.reader.cursor("", 0)
                if not await _renew(hub, session, listener, is_due=is_due):
                    return
                if listener.reader.cursor("", 0) != known:
                    # With other rights there is something to look at, whether or not it is new.
                    head = head or hub.hints.head
            if head is None:
                yield ": alive\n\n"
            else:
                yield f"data: {listener.reader.cursor(head.epoch, head.seq)}\n\n"


async def _renew(hub: Hub, session: Session, listener: Listener, *, is_due: bool) -> bool:
    """Look whether somebody still may listen, and what concerns him now; False where he may not.

    With ``is_due`` also note that he is there: an open stream is a desk at work, whose person may
    be reading.
    """
    listener.person_changed = False
    # A database that is away for a while does not end the stream; the next beat is a minute off.
    with contextlib.suppress(DBAPIError, PoolTimeout):
        reader = await asyncio.to_thread(_renewed, hub, session)
        if reader is None:
            return False
        listener.reader = reader
        user = reader.actor.id
        if is_due and await asyncio.to_thread(
            presence.heartbeat, hub.database, user, None, reader.now
        ):
            hub.hints.wake()
    return True


def _renewed(hub: Hub, session: Session) -> Reader | None:
    with contextlib.suppress(HubProblem):
        return reader_of(hub, session)
    return None


def create_app(
    database: Database | str,
    *,
    clock: Callable[[], int] = milliseconds,
    random_bytes: Callable[[int], bytes] = os.urandom,
    bind_host: str = "127.0.0.1",
    behind_proxy: bool = False,
) -> Litestar:
    """The ASGI application over a hub that was set up.

    ``bind_host`` is the address it will listen on: accounts that are for loopback only are
    refused anywhere else. ``hints`` in the application's state ends the live streams.
    """
    store = Database(database) if isinstance(database, str) else database
    hub = Hub(
        database=store,
        clock=clock,
        random_bytes=random_bytes,
        hints=Hints(store),
        is_loopback=accounts.is_loopback(bind_host),
        behind_proxy=behind_proxy,
    )
    app = Litestar(
        [
            handshake,
            *entry.ROUTES,
            *lease_routes.ROUTES,
            playbook,
            push,
            pull_changes,
            snapshot,
            compare,
            say_presence,
            hints,
            *journal_routes.ROUTES,
            *officer_routes.ROUTES,
            *subject_routes.ROUTES,
        ],
        dependencies={
            "hub": Provide(lambda: hub, sync_to_thread=False),
            "session": Provide(_session, sync_to_thread=False),
            "signed": Provide(entry.signed),
        },
        before_send=[guard(hub)],
        middleware=[access_log, fence(hub), DefineMiddleware(Gate, hub=hub)],
        exception_handlers={
            HubProblem: answer_problem,
            HTTPException: answer_http,
            DBAPIError: answer_unavailable,
            PoolTimeout: answer_unavailable,
            SetupError: answer_unavailable,
            Exception: answer_failure,
        },
        compression_config=CompressionConfig(
            backend="gzip", gzip_compress_level=5, exclude=["^/v1/hints"]
        ),
        request_max_body_size=LARGEST_REQUEST,
        openapi_config=_openapi(),
        logging_config=None,
        debug=False,
        signature_types=[Hub, Session, devices.Request],
        lifespan=[lambda _app: _living(hub, close=isinstance(database, str))],
    )
    app.state.hints = hub.hints
    return app


@contextlib.asynccontextmanager
async def _living(hub: Hub, *, close: bool) -> AsyncGenerator[None]:
    # Python's own choice follows the cores; here most threads wait for the database.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "hub"))
    await asyncio.to_thread(passwords.prepare)
    all_rounds = (_presence_rounds, _pruning_rounds, _anchoring_rounds)
    rounds = [asyncio.create_task(one(hub)) for one in all_rounds]
    try:
        yield
    finally:
        for one in rounds:
            one.cancel()
        hub.hints.close()
        if close:
            hub.database.close()


async def _presence_rounds(hub: Hub) -> None:
    while True:
        await asyncio.sleep(_PRESENCE_ROUND)
        # A database that is away for a while is tried again in the next round.
        with contextlib.suppress(DBAPIError, PoolTimeout):
            if await asyncio.to_thread(presence.refresh, hub.database, hub.clock()):
                hub.hints.wake()


async def _pruning_rounds(hub: Hub) -> None:
    while True:
        pruned = 0
        with contextlib.suppress(DBAPIError, PoolTimeout):
            pruned = await asyncio.to_thread(_prune, hub)
        await asyncio.sleep(_PRUNE_PAUSE if pruned else _PRUNE_ROUND)


async def _anchoring_rounds(hub: Hub) -> None:
    told: set[str] = set()
    while True:
        # Where the keys are away for a while, the ends are kept in a later round.
        with contextlib.suppress(DBAPIError, PoolTimeout, SetupError):
            lost = await asyncio.to_thread(journal.anchor, hub.database)
            for stream in lost.keys() - told:
                _log.error("journal_broken", stream=stream, seq=lost[stream])
            told |= lost.keys()
        await asyncio.sleep(_ANCHOR_ROUND)


def _prune(hub: Hub) -> int:
    now = hub.clock()
    with hub.database.write() as connection:
        documents = registry.prune_documents(connection, now)
        return documents + changes.prune(connection, now - changes.RETENTION)


def _session(request: _Http) -> Session:
    return request.auth


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Desk hub",
        version=__version__,
        description="What a desk asks of the hub. Refusals are `Problem`s.",
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
        ),
        security=[{"token": []}],
        use_handler_docstrings=True,
        # The pages that show it load their scripts from elsewhere, so there is only the text.
        render_plugins=[JsonRenderPlugin(path="/openapi.json"), YamlRenderPlugin()],
        path="/schema",
    )
