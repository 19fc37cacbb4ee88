"""Looking a desk over: what waits, why it waits, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from desk.protocol.messages import Handshake
from desk.services import inbox, mishaps, queue, settings
from desk.services.context import Account, Context
from desk.services.errors import (
    EXIT_UNREACHABLE,
    BrokenPlaybook,
    DeskError,
    HubUnreachable,
    NotAHub,
    NotSignedIn,
    OfflineByChoice,
    WrongProtocol,
)
from desk.services.mishaps import Mishap
from desk.services.network import Network
from desk.services.rows import ROWS
from desk.services.views import Checkup, Repair
from desk.text import N_

#: A clock that is wrong by more than this is worth a word, ms.
CLOCK_TOLERANCE = 60_000
#: A person waits for the answer, s.
_PATIENCE = 4.0
#: Failures that are over when the hub answers and knows the session.
_PASSING = (HubUnreachable.code, NotAHub.code, WrongProtocol.code, NotSignedIn.code)


class UnfinishedFetch(DeskError):
    """The first fetch has not come to its end; told, never raised."""

    code = "unfinished_fetch"
    template = N_("Not all cards have been fetched yet. Fetch them: it goes on where it was.")
    exit_code = EXIT_UNREACHABLE


@dataclass(frozen=True, slots=True)
class _Kept:
    """What ``local.db`` tells."""

    account: Account | None
    token: str
    device: str | None
    pending: tuple[int, ...]
    pending_since: int | None
    uncovered: int
    inbox: int
    mishap: Mishap | None
    mishap_at: int | None
    synced_at: int | None
    digest_state: str
    digest_at: int | None
    cursor: str
    rows: dict[str, int]


@dataclass(slots=True)
class _Heard:
    """What the hub said, and why it said no more."""

    answer: Handshake | None = None
    clock_ms: int | None = None
    #: Whether the hub no longer takes the cursor.
    reset: bool = False
    error: DeskError | None = None

    @property
    def protocol(self) -> tuple[int, int] | None:
        if self.answer is not None:
            return self.answer.protocol_min, self.answer.protocol_max
        if isinstance(self.error, WrongProtocol) and "low" in self.error.values:
            return int(self.error.values["low"]), int(self.error.values["high"])
        return None


def examine(
    context: Context, network: Network, database: Path, timer: Callable[[], float]
) -> Checkup:
    """Look everything over: two short questions to the hub, and no row is changed.

    ``timer`` gives seconds and measures the way to the hub and back: the clock may stand still.
    """
    with context.store.read() as connection:
        kept = _read(connection)
    heard = _Heard()
    if kept.account is not None and not network.offline_by_choice:
        heard = _ask(context, network, kept, timer)
    why = OfflineByChoice() if network.offline_by_choice else _why(kept, heard)
    account = kept.account
    return Checkup(
        at=context.clock(),
        user=account.person.id if account else None,
        hub=account.hub if account else None,
        device=kept.device,
        pending=kept.pending,
        pending_since=kept.pending_since,
        uncovered=kept.uncovered,
        inbox=kept.inbox,
        why=why,
        last_error=kept.mishap.error() if kept.mishap else None,
        last_error_at=kept.mishap_at,
        synced_at=kept.synced_at,
        reachable=heard.protocol is not None,
        protocol=heard.protocol,
        clock_ms=heard.clock_ms,
        digest_state=kept.digest_state,
        digest_at=kept.digest_at,
        cursor=kept.cursor,
        epoch=kept.cursor.partition(":")[0].partition(".")[0],
        rows=kept.rows,
        file_bytes=_size(database),
        wal_bytes=_size(database.with_name(f"{database.name}-wal")),
        to_scrub=context.store.to_scrub,
        repairs=tuple(_repairs(kept, heard, why)),
    )


def _read(connection: Connection) -> _Kept:
    account = settings.get(connection, settings.ACCOUNT)
    pending, since = queue.waiting(connection)
    return _Kept(
        account=msgspec.json.decode(account, type=Account) if account is not None else None,
        token=settings.get(connection, settings.TOKEN) or "",
        device=settings.get(connection, settings.DEVICE),
        pending=pending,
        pending_since=since,
        uncovered=queue.count_accepted(connection),
        inbox=inbox.count(connection),
        mishap=mishaps.last(connection),
        mishap_at=_moment(connection, settings.LAST_ERROR_AT),
        synced_at=_moment(connection, settings.SYNCED_AT),
        digest_state=settings.get(connection, settings.DIGEST_STATE) or "",
        digest_at=_moment(connection, settings.DIGEST_AT),
        cursor=settings.get(connection, settings.CURSOR) or "",
        rows={kind: _count(connection, kind) for kind in ROWS},
    )


def _ask(context: Context, network: Network, kept: _Kept, timer: Callable[[], float]) -> _Heard:
    """Who answers, what time it has, and whether it knows the session and the cursor."""
    heard = _Heard()
    assert kept.account is not None
    try:
        client = network.visit(kept.account.hub, _PATIENCE, signed_in=bool(kept.token))
    except DeskError as error:
        heard.error = error
        return heard
    try:
        asked_at, started = context.clock(), timer()
        heard.answer = client.handshake()
        half = (timer() - started) * 1000 / 2
        heard.clock_ms = round(asked_at + half - heard.answer.now)
        if kept.token:
            heard.reset = client.changes(kept.cursor, 1).reset
    except DeskError as error:
        heard.error = error
    finally:
        client.close()
    return heard


def _why(kept: _Kept, heard: _Heard) -> DeskError | None:
    if kept.account is None or not kept.token:
        return NotSignedIn()
    if heard.error is not None:
        return heard.error
    if _stands(kept) and kept.mishap is not None and kept.mishap.code not in _PASSING:
        return kept.mishap.error()
    return None if kept.cursor else UnfinishedFetch()


def _repairs(kept: _Kept, heard: _Heard, why: DeskError | None) -> Generator[Repair]:
    match why:
        case NotSignedIn():
            yield "sign_in"
        case OfflineByChoice():
            yield "go_online"
        case WrongProtocol() | BrokenPlaybook():
            yield "update"
        case _ if heard.error is None and _is_behind(kept, heard):
            yield "sync"
        case _:
            pass
    if heard.clock_ms is not None and abs(heard.clock_ms) > CLOCK_TOLERANCE:
        yield "set_clock"
    if kept.digest_state == "differs":
        yield "reconcile"
    if kept.inbox:
        yield "inbox"


def _is_behind(kept: _Kept, heard: _Heard) -> bool:
    """Whether an exchange has something to do that does not come by itself every minute."""
    waits = bool(kept.pending or kept.uncovered)
    return waits or heard.reset or not kept.cursor or _stands(kept)


def _stands(kept: _Kept) -> bool:
    """Whether the last exchange failed."""
    return kept.mishap is not None and not kept.mishap.over


def _count(connection: Connection, kind: str) -> int:
    sql = f"SELECT count(*) FROM {kind}"  # noqa: S608 - names of our own tables
    return int(connection.exec_driver_sql(sql).scalar_one())


def _moment(connection: Connection, key: str) -> int | None:
    value = settings.get(connection, key)
    return int(value) if value is not None else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
