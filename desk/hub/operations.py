"""Operations that desks push: each judged once, in order, in a transaction of its own.

Effect, change log, answer and the device's ``last_op`` are committed together, so an answer that
was lost on the way is given again when the same operation comes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec
import structlog
from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from desk.domain import decide as rules
from desk.domain.effects import Outcome
from desk.domain.ids import is_id
from desk.domain.model import Actor
from desk.domain.operations import Create, Move, Operation
from desk.domain.playbook import Playbook
from desk.domain.refusals import Conflict, Refusal
from desk.domain.scene import Scene, new_scene
from desk.hub import changes, conflicts, presence, store
from desk.hub.accounts import Session
from desk.hub.changes import Change
from desk.hub.database import Database, insert_missing, is_to_repeat
from desk.hub.errors import HubProblem, where
from desk.hub.playbooks import current
from desk.hub.projection import Reader
from desk.hub.upgrades import upgraded
from desk.protocol.messages import Pushed, Result
from desk.schema.hub_tables import crash, device, operation

#: An operation that crashed the hub so often is set aside.
CRASHES = 3
#: The most operations of one request that are answered; the rest is asked for again.
AT_ONCE = 200
#: How often a transaction is begun anew when the database asks for it.
_REPEATS = 5

_OPEN = (
    select(device.c.last_op, crash.c.crashes)
    .outerjoin(crash, and_(crash.c.device_id == device.c.id, crash.c.number == bindparam("number")))
    .where(device.c.id == bindparam("device"))
    .with_for_update(of=device)
)
_STORED = select(operation).where(operation.c.id == bindparam("operation"))
_ANSWER = insert(operation)
_ADVANCE = (
    update(device).where(device.c.id == bindparam("device")).values(last_op=bindparam("number"))
)

Settle: TypeAlias = Callable[[Scene, Operation, Actor, Playbook, int], Outcome | Refusal | Conflict]

_log = structlog.get_logger("desk.hub.operations")


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An operation as it arrived; what it asks is read later, so one that is unreadable is
    answered like any other and does not hold up the rest."""

    number: int
    operation: dict[str, object]


class SentPush(msgspec.Struct, frozen=True, kw_only=True):
    """``messages.Push`` as it arrived."""

    operations: list[Sent]


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    id: str
    body: dict[str, object]
    body_hash: bytes


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
    results: list[Result] = []
    for one in [_read(one) for one in sent[:AT_ONCE]]:
        try:
            results.append(_answer(database, session, one, clock(), settle))
        except HubProblem:
            if not results:
                raise
            break
    with database.read() as connection:
        last_op = connection.execute(
            select(device.c.last_op).where(device.c.id == session.device_id)
        ).scalar_one()
    return Pushed(results=results, last_op=last_op)


def _read(sent: Sent) -> _Asked:
    identifier = sent.operation.get("id")
    if not isinstance(identifier, str) or not is_id(identifier):
        raise HubProblem(400, "bad_request")
    body = msgspec.json.encode(sent.operation, order="deterministic")
    return _Asked(
        number=sent.number,
        id=identifier,
        body=sent.operation,
        body_hash=hashlib.sha256(body).digest(),
    )


def _answer(
    database: Database, session: Session, asked: _Asked, now: int, settle: Settle
) -> Result:
    ids = {"user": session.actor.id, "device": session.device_id, "number": asked.number}
    for _ in range(_REPEATS):
        try:
            with database.write() as connection:
                result = _answer_within(connection, session, asked, now, settle)
            _log.info("operation", **ids, id=asked.id, result=result.result, code=result.code)
            return result
        except HubProblem:
            raise
        except (OperationalError, InterfaceError) as error:
            if not is_to_repeat(error):
                raise HubProblem(503, "unavailable") from error
        except PoolTimeout as error:
            # The hub is busy: it is no fault of the operation.
            raise HubProblem(503, "unavailable") from error
        except Exception as error:  # noqa: BLE001 - whatever it is, the queue must go on
            crashes = _count_crash(database, session, asked, now)
            _log.error("operation_crashed", **ids, id=asked.id, crashes=crashes, at=where(error))
            if crashes < CRASHES:
                raise HubProblem(500, "failed") from None
    raise HubProblem(503, "unavailable")


def _answer_within(
    connection: Connection, session: Session, asked: _Asked, now: int, settle: Settle
) -> Result:
    opened = {"device": session.device_id, "number": asked.number}
    last_op, crashes = connection.execute(_OPEN, opened).one()
    stored = connection.execute(_STORED, {"operation": asked.id}).first()
    expected = {"expected": str(last_op + 1), "given": str(asked.number)}
    if asked.number > last_op + 1:
        raise HubProblem(409, "gap", expected)
    if stored is not None:
        if (stored.body_hash, stored.user_id) != (asked.body_hash, session.actor.id):
            raise HubProblem(409, "number_used", expected)
        if asked.number > last_op:
            _advance(connection, session, asked, crashes)
        result = msgspec.json.decode(stored.result, type=Result)
        return msgspec.structs.replace(result, number=asked.number)
    if asked.number <= last_op:
        raise HubProblem(409, "number_used", expected)
    result, log = _judge(connection, session, asked, now, settle, crashes or 0)
    answer = {
        "id": asked.id,
        "device_id": session.device_id,
        "number": asked.number,
        "user_id": session.actor.id,
        "body_hash": asked.body_hash,
        "received_at": now,
        "result": msgspec.json.encode(result).decode(),
    }
    connection.execute(_ANSWER, answer)
    _advance(connection, session, asked, crashes)
    if log:
        changes.write(connection, log, at=now, who=session.actor.id)
    return result


def _advance(connection: Connection, session: Session, asked: _Asked, crashes: int | None) -> None:
    connection.execute(_ADVANCE, {"device": session.device_id, "number": asked.number})
    if crashes is not None:
        connection.execute(
            delete(crash).where(
                crash.c.device_id == session.device_id, crash.c.number <= asked.number
            )
        )


def _judge(
    connection: Connection, session: Session, asked: _Asked, now: int, settle: Settle, crashes: int
) -> tuple[Result, list[Change]]:
    if crashes >= CRASHES:
        return _refused(asked, "quarantined"), []
    wanted = _read_operation(asked)
    if wanted is None:
        return _rejected(asked, Refusal("broken_operation")), []
    if _builds_on_nothing(connection, session, wanted):
        return _refused(asked, "blocked"), []
    installed = current(connection)
    reader = Reader(
        actor=session.actor,
        playbook=installed.playbook,
        playbook_version=installed.version,
        policy_version=session.policy_version,
        now=now,
    )
    scene = _scene(connection, reader, wanted)
    if scene is None:
        return _rejected(asked, Refusal("no_item")), []
    outcome = settle(scene, wanted, session.actor, installed.playbook, now)
    match outcome:
        case Refusal():
            return _rejected(asked, outcome), []
        case Conflict():
            return Result(
                number=asked.number,
                id=asked.id,
                result="conflict",
                code=outcome.code,
                args=outcome.args,
                theirs=conflicts.theirs(reader, scene, wanted, outcome),
                changed=conflicts.changed(connection, reader, scene, wanted, outcome),
            ), []
        case Outcome():
            result = "merged" if outcome.merged else "applied"
            log = store.save(connection, scene, outcome)
            return Result(number=asked.number, id=asked.id, result=result), log


def _read_operation(asked: _Asked) -> Operation | None:
    body = upgraded(asked.body)
    try:
        return msgspec.convert(body, Operation) if body is not None else None
    except msgspec.ValidationError:
        return None


def _builds_on_nothing(connection: Connection, session: Session, wanted: Operation) -> bool:
    """Whether an earlier operation that this one builds on was not carried out.

    One the hub knows nothing of (a backup was restored) has nothing against it.
    """
    if not wanted.after:
        return False
    query = select(operation.c.result).where(
        operation.c.id.in_(wanted.after), operation.c.user_id == session.actor.id
    )
    answers = [msgspec.json.decode(row.result, type=Result) for row in connection.execute(query)]
    return any(answer.result not in ("applied", "merged") for answer in answers)


def _scene(connection: Connection, reader: Reader, wanted: Operation) -> Scene | None:
    """What the rules look at, or None where the actor sees no such item."""
    intent = wanted.intent
    # Only who is given something to do is looked up among the people.
    moves = isinstance(intent, Create | Move)
    people = presence.people(connection, reader.now) if moves else []
    if isinstance(intent, Create):
        there = store.load_scene(connection, wanted.id, people)
        return there or new_scene(wanted.id, people, "hub")
    scene = store.load_scene(connection, intent.item_id, people) if is_id(intent.item_id) else None
    if scene is None or scene.item is None or not reader.sees(scene.item):
        return None
    if isinstance(intent, Move) and _chooses(reader.playbook, scene, intent):
        loaded = presence.with_load(connection, people, reader.playbook)
        return msgspec.structs.replace(scene, people=tuple(loaded))
    return scene


def _chooses(playbook: Playbook, scene: Scene, intent: Move) -> bool:
    kind = playbook.kind(scene.item.kind) if scene.item else None
    transition = kind.transitions.get(intent.transition) if kind else None
    return transition is not None and transition.choose is not None


def _refused(asked: _Asked, result: Literal["quarantined", "blocked"]) -> Result:
    return Result(number=asked.number, id=asked.id, result=result, code=result)


def _rejected(asked: _Asked, refusal: Refusal) -> Result:
    return Result(
        number=asked.number,
        id=asked.id,
        result="rejected",
        code=refusal.code,
        args=refusal.args,
    )


def _crashes(connection: Connection, session: Session, asked: _Asked) -> int:
    query = select(crash.c.crashes).where(
        crash.c.device_id == session.device_id, crash.c.number == asked.number
    )
    return connection.execute(query).scalar_one_or_none() or 0


def _count_crash(database: Database, session: Session, asked: _Asked, now: int) -> int:
    key = {"device_id": session.device_id, "number": asked.number}
    with database.write() as connection:
        insert_missing(connection, crash, {**key, "crashes": 0, "last_at": now})
        connection.execute(
            update(crash)
            .where(crash.c.device_id == session.device_id, crash.c.number == asked.number)
            .values(crashes=crash.c.crashes + 1, last_at=now)
        )
        return _crashes(connection, session, asked)
