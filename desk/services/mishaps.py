"""The last exchange that failed, kept in ``local.db`` so that another process can tell of it."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from desk.services import settings
from desk.services.errors import (
    AlteredCopy,
    BrokenPlaybook,
    ClonedProfile,
    DamagedFile,
    DeskError,
    DiskFull,
    HubProblem,
    HubUnreachable,
    InsecureHub,
    NotAHub,
    NotSignedIn,
    TakenProfile,
    UntrustedHub,
    WrongProtocol,
)

#: What an exchange can fail of.
_KNOWN: dict[str, type[DeskError]] = {
    error.code: error
    for error in (
        AlteredCopy,
        BrokenPlaybook,
        ClonedProfile,
        DamagedFile,
        DiskFull,
        HubProblem,
        HubUnreachable,
        InsecureHub,
        NotAHub,
        NotSignedIn,
        TakenProfile,
        UntrustedHub,
        WrongProtocol,
    )
}


class Mishap(msgspec.Struct, frozen=True, kw_only=True):
    """An error by its code, with what fills its sentence. It is ``over`` when an exchange has
    succeeded since: a flag, because clocks go backwards."""

    code: str
    values: dict[str, str] = {}
    over: bool = False

    def error(self) -> DeskError:
        """The error as it was raised."""
        return _KNOWN.get(self.code, DeskError)(**self.values)


def note(connection: Connection, error: DeskError, now: int) -> None:
    """Keep what an exchange failed of; the same failure again keeps its first moment."""
    failed = Mishap(code=error.code, values=error.values)
    if last(connection) != failed:
        _put(connection, failed)
        settings.put(connection, settings.LAST_ERROR_AT, str(now))


def pass_over(connection: Connection) -> None:
    """An exchange succeeded, or the session is another: what failed before stands no longer."""
    before = last(connection)
    if before is not None and not before.over:
        _put(connection, msgspec.structs.replace(before, over=True))


def last(connection: Connection) -> Mishap | None:
    """The last failure, if there was one."""
    raw = settings.get(connection, settings.LAST_ERROR)
    return msgspec.json.decode(raw, type=Mishap) if raw is not None else None


def _put(connection: Connection, mishap: Mishap) -> None:
    settings.put(connection, settings.LAST_ERROR, msgspec.json.encode(mishap).decode())
