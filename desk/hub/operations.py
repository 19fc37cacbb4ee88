"""Operations that desks push: each answered once, in order.

Effect, change log, answer and the device's ``last_op`` are committed together, so an answer that
was lost on the way is given again when the same operation comes again.

Operations that nothing is unusual about share a transaction with their neighbours, for most of
its cost is that there is one. Wherever anything is, nothing of the group happened, and each of it
is answered in a transaction of its own; only there crashes are counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from desk.domain import decide as rules
from desk.domain.ids import is_id
from desk.hub import changes, journal, store
from desk.hub.accounts import Session
from desk.hub.database import Database, insert_missing, is_to_repeat
from desk.hub.errors import HubProblem, where
from desk.hub.judging import Asked, Judge, Settle, Unusual, refused
from desk.protocol.messages import Pushed, Result
from desk.schema.hub_tables import crash, device, operation

#: An operation that crashed the hub so often is set aside.
CRASHES = 3
#: The most operations of one request that are answered; the rest is asked for again.
AT_ONCE = 200
#: The most operations that share a transaction: more would save little more, while whoever works
#: on the same cards waits for the whole group, and on SQLite everybody who writes.
TOGETHER = 25
#: How often a transaction is begun anew when the database asks for it.
_REPEATS = 5

_OPEN = (
    select(
        device.c.last_op,
        select(func.max(crash.c.crashes))
        .where(
            crash.c.device_id == bindparam("device"),
            crash.c.number.between(bindparam("first"), bindparam("last")),
        )
        .scalar_subquery()
        .label("crashes"),
    )
    .where(device.c.id == bindparam("device"))
    .with_for_update(of=device)
)
_STORED = select(operation).where(operation.c.id == bindparam("operation"))
_ANY_STORED = (
    select(operation.c.id)
    .where(operation.c.id.in_(bindparam("operations", expanding=True)))
    .limit(1)
)
_ANSWER = insert(operation)
_ADVANCE = (
    update(device).where(device.c.id == bindparam("device")).values(last_op=bindparam("number"))
)

_log = structlog.get_logger("desk.hub.operations")


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An operation as it arrived; what it asks is read later, so one that is unreadable is
    answered like any other and does not hold up the rest."""

    number: int
    operation: dict[str, object]


class SentPush(msgspec.Struct, frozen=True, kw_only=True):
    """``messages.Push`` as it arrived."""

    operations: list[Sent]


def push(
    database: Database,
    session: Session,
    sent: Sequence[Sent],
    clock: Callable[[], int],
    settle: Settle = rules.settle,
) -> Pushed:
    """Answer the operations in order, at most ``AT_ONCE`` of them.

    Where one cannot be answered now, the answers before it are returned; where it is the first,
    `HubProblem` is raised: ``gap`` or ``number_used`` (409), ``failed`` (500), ``unavailable``
    (503), ``bad_request`` (400).
    """
    asked = [_read(one) for one in sent[:AT_ONCE]]
    results: list[Result] = []
    try:
        for result in _Desk(database, session, clock, settle).answers(asked):
            results.append(result)  # noqa: PERF402 - those before a problem are kept
    except HubProblem:
        if not results:
            raise
    with database.read() as connection:
        last_op = connection.execute(
            select(device.c.last_op).where(device.c.id == session.device_id)
        ).scalar_one()
    return Pushed(results=results, last_op=last_op)


def _read(sent: Sent) -> Asked:
    identifier = sent.operation.get("id")
    if not isinstance(identifier, str) or not is_id(identifier):
        raise HubProblem(400, "bad_request")
    return Asked(
        number=sent.number,
        id=identifier,
        body=sent.operation,
        body_hash=_hash_of(sent.operation),
    )


def _hash_of(body: dict[str, object]) -> bytes:
    """What tells two operations of one number apart.

    The form, and that it builds on nothing, are left out: a desk that was updated before it had
    its answer sends the same operation with both.
    """
    asked = {k: v for k, v in body.items() if k != "schema" and (k != "after" or v)}
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).digest()


def _without_values(result: Result) -> Result:
    """An answer as it is kept: values are read anew where it is given again."""
    return msgspec.structs.replace(result, theirs=dict.fromkeys(result.theirs))


class _Desk:
    """The device that pushes, for one request."""

    def __init__(
        self, database: Database, session: Session, clock: Callable[[], int], settle: Settle
    ) -> None:
        self._database = database
        self._session = session
        self._clock = clock
        self._settle = settle
        self._last = 0

    def answers(self, asked: Sequence[Asked]) -> Iterator[Result]:
        """The answers in order, each once it is committed; raises `HubProblem`."""
        for first in range(0, len(asked), TOGETHER):
            group = asked[first : first + TOGETHER]
            results = self._together(group) if len(group) > 1 else None
            if results is None:
                yield from map(self._alone, group)
            else:
                yield from results

    def _together(self, asked: Sequence[Asked]) -> list[Result] | None:
        """The answers to a group in one transaction; None where it takes one for each."""
        try:
            with self._database.write() as connection:
                results = self._group(connection, asked)
        except Unusual:
            return None
        except PoolTimeout as error:
            raise HubProblem(503, "unavailable") from error
        except Exception as error:  # noqa: BLE001 - whose fault it is shows when each is alone
            _log.warning("group_undone", **self._who(), at=where(error))
            return None
        for one, result in zip(asked, results, strict=True):
            self._note(one, result)
        return results

    def _group(self, connection: Connection, asked: Sequence[Asked]) -> list[Result]:
        last_op, crashes = self._open(connection, asked[0].number, asked[-1].number)
        ids = {one.id for one in asked}
        is_next = [one.number for one in asked] == list(range(last_op + 1, last_op + 1 + len(ids)))
        known = connection.execute(_ANY_STORED, {"operations": list(ids)}).first()
        if crashes is not None or not is_next or known is not None:
            raise Unusual
        return self._carry_out(connection, asked)

    def _alone(self, asked: Asked) -> Result:
        """The answer to one operation, in a transaction of its own."""
        for _ in range(_REPEATS):
            try:
                with self._database.write() as connection:
                    result = self._one(connection, asked)
            except HubProblem:
                raise
            except (OperationalError, InterfaceError) as error:
                if not is_to_repeat(error):
                    raise HubProblem(503, "unavailable") from error
            except PoolTimeout as error:
                # The hub is busy: it is no fault of the operation.
                raise HubProblem(503, "unavailable") from error
            except Exception as error:  # noqa: BLE001 - whatever it is, the queue must go on
                self._crashed(asked, error)
            else:
                self._note(asked, result)
                return result
        raise HubProblem(503, "unavailable")

    def _one(self, connection: Connection, asked: Asked) -> Result:
        last_op, crashes = self._open(connection, asked.number, asked.number)
        stored = connection.execute(_STORED, {"operation": asked.id}).first()
        expected = {"expected": str(last_op + 1), "given": str(asked.number)}
        if asked.number > last_op + 1:
            raise HubProblem(409, "gap", expected)
        if stored is None:
            is_used = asked.number <= last_op
        else:
            mine = (asked.body_hash, self._session.actor.id)
            is_used = (stored.body_hash, stored.user_id) != mine
        if is_used:
            raise HubProblem(409, "number_used", expected)
        if crashes is not None:
            self._forget_crashes(connection, asked.number)
        if stored is not None:
            if asked.number > last_op:
                self._advance(connection, asked.number)
            result = msgspec.json.decode(stored.result, type=Result)
            if result.theirs or result.changed:
                judge = Judge(connection, self._session, [asked], self._settle)
                result = judge.repeat(asked, result, self._now())
            return msgspec.structs.replace(result, number=asked.number)
        if crashes is not None and crashes >= CRASHES:
            result = refused(asked, "quarantined")
            self._keep(connection, [asked], [result], self._now())
            return result
        (result,) = self._carry_out(connection, [asked])
        return result

    def _carry_out(self, connection: Connection, asked: Sequence[Asked]) -> list[Result]:
        """Judge the operations and write all that follows, the log last."""
        judge = Judge(connection, self._session, asked, self._settle)
        results = [judge.judge(one, self._now()) for one in asked]
        judge.write()
        self._keep(connection, asked, results, self._last)
        if judge.accesses:
            journal.write(connection, judge.accesses)
        if judge.log:
            changes.write(connection, judge.log, at=self._last, who=self._session.actor.id)
        return results

    def _open(self, connection: Connection, first: int, last: int) -> Row[int, int | None]:
        """Lock the device; its last operation, and the most crashes of one of these."""
        asked = {"device": self._session.device_id, "first": first, "last": last}
        return connection.execute(_OPEN, asked).one()

    def _keep(
        self, connection: Connection, asked: Sequence[Asked], results: Sequence[Result], now: int
    ) -> None:
        answers = [
            {
                "id": one.id,
                "device_id": self._session.device_id,
                "number": one.number,
                "user_id": self._session.actor.id,
                "body_hash": one.body_hash,
                "received_at": now,
                "result": msgspec.json.encode(_without_values(result)).decode(),
            }
            for one, result in zip(asked, results, strict=True)
        ]
        store.write_rows(connection, _ANSWER, answers)
        self._advance(connection, asked[-1].number)

    def _advance(self, connection: Connection, number: int) -> None:
        connection.execute(_ADVANCE, {"device": self._session.device_id, "number": number})

    def _now(self) -> int:
        """The moment of the next operation, ms: never that of the one before, for a timeline is
        sorted by it, and what was done after an outcome is told by it from what was before."""
        self._last = max(self._clock(), self._last + 1)
        return self._last

    def _who(self) -> dict[str, str]:
        return {"user": self._session.actor.id, "device": self._session.device_id}

    def _note(self, asked: Asked, result: Result) -> None:
        said = {"id": asked.id, "number": asked.number, "result": result.result}
        _log.info("operation", **self._who(), **said, code=result.code)

    def _crashed(self, asked: Asked, error: Exception) -> None:
        """Count a crash; raises `HubProblem` while the operation is to be sent again."""
        crashes = self._count_crash(asked)
        said = {"id": asked.id, "number": asked.number, "crashes": crashes}
        _log.error("operation_crashed", **self._who(), **said, at=where(error))
        if crashes < CRASHES:
            raise HubProblem(500, "failed") from None

    def _count_crash(self, asked: Asked) -> int:
        now = self._clock()
        key = {"device_id": self._session.device_id, "number": asked.number}
        mine = (crash.c.device_id == self._session.device_id, crash.c.number == asked.number)
        counted = update(crash).where(*mine).values(crashes=crash.c.crashes + 1, last_at=now)
        with self._database.write() as connection:
            insert_missing(connection, crash, {**key, "crashes": 0, "last_at": now})
            connection.execute(counted)
            return connection.execute(select(crash.c.crashes).where(*mine)).scalar_one()

    def _forget_crashes(self, connection: Connection, number: int) -> None:
        mine = crash.c.device_id == self._session.device_id
        connection.execute(delete(crash).where(mine, crash.c.number <= number))
