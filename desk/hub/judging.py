"""Judging operations: the rules are asked in the order in which things were done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, bindparam, select

from desk.domain import decide as rules
from desk.domain.effects import Outcome
from desk.domain.ids import is_id
from desk.domain.journal import Access
from desk.domain.model import Actor, Person
from desk.domain.operations import Create, Move, Operation
from desk.domain.playbook import Playbook
from desk.domain.refusals import Conflict, Refusal
from desk.domain.scene import Scene, new_scene
from desk.hub import conflicts, presence, registry
from desk.hub.accounts import Session
from desk.hub.changes import Change
from desk.hub.playbooks import current
from desk.hub.projection import Reader
from desk.hub.store import Families
from desk.hub.upgrades import upgraded
from desk.protocol.messages import Result
from desk.schema.hub_tables import operation

Settle: TypeAlias = Callable[[Scene, Operation, Actor, Playbook, int], Outcome | Refusal | Conflict]

_EARLIER = select(operation.c.id, operation.c.result).where(
    operation.c.id.in_(bindparam("operations", expanding=True)),
    operation.c.user_id == bindparam("user"),
)


class Unusual(Exception):
    """Something that an operation is asked about only when its transaction is its own."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that arrived: ``number`` in its device's sequence; ``body`` is not read yet."""

    number: int
    id: str
    body: dict[str, object]
    body_hash: bytes


class Judge:
    """Judges the operations of one transaction; each sees what the ones before it did.

    ``log`` is what the change log must say of them, ``accesses`` what the journal must; both are
    for the caller to write.
    """

    def __init__(
        self,
        connection: Connection,
        session: Session,
        asked: Sequence[Asked],
        settle: Settle = rules.settle,
    ) -> None:
        """Read and lock all that ``asked`` is about, at once."""
        self._connection = connection
        self._session = session
        self._settle = settle
        self._installed = current(connection)
        self._wanted = {one.id: _read(one) for one in asked}
        readable = [one for one in self._wanted.values() if one is not None]
        items = {_about(one) for one in readable}
        self._families = Families(connection, [one for one in items if is_id(one)])
        self._is_done = _earlier(connection, session, readable)
        self._people: Sequence[Person] | None = None
        self.log: list[Change] = []
        self.accesses: list[Access] = []

    def judge(self, asked: Asked, now: int) -> Result:
        """The answer to one operation, judged at the moment ``now`` (ms).

        Raises `Unusual` where it can only be given once the operations before are committed.
        """
        result = self._answer(asked, now)
        self._is_done[asked.id] = is_done(result)
        return result

    def repeat(self, asked: Asked, given: Result, now: int) -> Result:
        """A conflict's answer that is given again, with what stands there and may be read by now.

        The values it was given with may have been masked since.
        """
        wanted, reader = self._wanted[asked.id], self._reader(now)
        scene = self._scene(reader, wanted) if wanted else None
        if wanted is None or scene is None:
            return msgspec.structs.replace(given, theirs={}, changed={})
        fields = tuple(given.theirs.keys() | given.changed.keys())
        conflict = Conflict(given.code, given.args, fields)
        return msgspec.structs.replace(
            given,
            theirs=conflicts.theirs(reader, scene, wanted, conflict),
            changed=conflicts.changed(self._connection, reader, scene, wanted, conflict),
        )

    def write(self) -> None:
        """Write the rows, but not the log, whose lock must be taken last."""
        self._families.write()

    def _answer(self, asked: Asked, now: int) -> Result:
        wanted = self._wanted[asked.id]
        if wanted is None:
            return _rejected(asked, Refusal("broken_operation"))
        # One the hub knows nothing of (a backup was restored) has nothing against it.
        if not all(self._is_done.get(earlier, True) for earlier in wanted.after):
            return refused(asked, "blocked")
        reader = self._reader(now)
        scene = self._scene(reader, wanted)
        if scene is None:
            return _rejected(asked, Refusal("no_item"))
        outcome = self._settle(scene, wanted, reader.actor, reader.playbook, now)
        match outcome:
            case Refusal():
                return _rejected(asked, outcome)
            case Conflict():
                return self._conflict(reader, scene, wanted, asked, outcome)
            case Outcome():
                self.log += self._families.take(scene, outcome)
                item_id = scene.item.id if scene.item else None
                self.accesses += registry.accesses(
                    reader.actor, self._session.device_id, item_id, outcome, now
                )
                result = "merged" if outcome.merged else "applied"
                return Result(number=asked.number, id=asked.id, result=result)

    def _reader(self, now: int) -> Reader:
        return Reader(
            actor=self._session.actor,
            playbook=self._installed.playbook,
            playbook_version=self._installed.version,
            policy_version=self._session.policy_version,
            now=now,
        )

    def _conflict(
        self, reader: Reader, scene: Scene, wanted: Operation, asked: Asked, conflict: Conflict
    ) -> Result:
        changed = {line.id for line in self.log}
        if scene.item is not None and changed & {scene.item.id, scene.item.subject_id}:
            # Who was first is looked up in the log, where these lines are not yet.
            raise Unusual
        return Result(
            number=asked.number,
            id=asked.id,
            result="conflict",
            code=conflict.code,
            args=conflict.args,
            theirs=conflicts.theirs(reader, scene, wanted, conflict),
            changed=conflicts.changed(self._connection, reader, scene, wanted, conflict),
        )

    def _scene(self, reader: Reader, wanted: Operation) -> Scene | None:
        """What the rules look at, or None where the actor sees no such item."""
        intent = wanted.intent
        # Only who is given something to do is looked up among the people.
        people = self._everybody(reader.now) if isinstance(intent, Create | Move) else ()
        scene = self._families.scene(_about(wanted), people)
        if isinstance(intent, Create):
            return scene or new_scene(wanted.id, people, "hub")
        if scene is None or scene.item is None or not reader.sees(scene.item):
            return None
        if isinstance(intent, Move) and _chooses(reader.playbook, scene, intent):
            # Loads are counted in the database.
            self._families.write()
            loaded = presence.with_load(self._connection, people, reader.playbook)
            return msgspec.structs.replace(scene, people=tuple(loaded))
        return scene

    def _everybody(self, now: int) -> Sequence[Person]:
        if self._people is None:
            self._people = presence.people(self._connection, now)
        return self._people


def is_done(result: Result) -> bool:
    """Whether an operation was carried out."""
    return result.result in ("applied", "merged")


def refused(asked: Asked, result: Literal["quarantined", "blocked"]) -> Result:
    """The answer to an operation that the rules are not asked about."""
    return Result(number=asked.number, id=asked.id, result=result, code=result)


def _rejected(asked: Asked, refusal: Refusal) -> Result:
    return Result(
        number=asked.number,
        id=asked.id,
        result="rejected",
        code=refusal.code,
        args=refusal.args,
    )


def _read(asked: Asked) -> Operation | None:
    body = upgraded(asked.body)
    try:
        return msgspec.convert(body, Operation) if body is not None else None
    except msgspec.ValidationError:
        return None


def _about(wanted: Operation) -> str:
    """The id of the item: for a new one, the operation's."""
    return wanted.id if isinstance(wanted.intent, Create) else wanted.intent.item_id


def _earlier(
    connection: Connection, session: Session, operations: Sequence[Operation]
) -> dict[str, bool]:
    """Whether what the operations build on was carried out, as far as the hub knows."""
    here = {one.id for one in operations}
    names = {name for one in operations for name in one.after} - here
    if not names:
        return {}
    found = connection.execute(_EARLIER, {"operations": list(names), "user": session.actor.id})
    return {row.id: is_done(msgspec.json.decode(row.result, type=Result)) for row in found}


def _chooses(playbook: Playbook, scene: Scene, intent: Move) -> bool:
    kind = playbook.kind(scene.item.kind) if scene.item else None
    transition = kind.transitions.get(intent.transition) if kind else None
    return transition is not None and transition.choose is not None
