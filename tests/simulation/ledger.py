"""What people asked for and were told is done: none of it may be lost, none may happen twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from desk.domain.operations import (
    Comment,
    Create,
    EditFields,
    EditSubject,
    Intent,
    Move,
    Operation,
)
from desk.services import queue, settings
from desk.services.desk import Desk
from tests.simulation.oracle import Judged, Sight, canaries

DONE = ("applied", "merged")


@dataclass
class Asked:
    """One operation that was acknowledged.

    ``settled``: the person retried or discarded it, or it need not outlive a restored backup.
    """

    id: str
    user: str
    intent: Intent
    settled: bool = False

    @property
    def words(self) -> frozenset[str]:
        """What its maker typed."""
        return typed(self.intent)


@dataclass
class Ledger:
    """Every acknowledged operation by id."""

    asked: dict[str, Asked] = field(default_factory=dict[str, Asked])
    #: How many operations were asked for, by what they do; for a report.
    counts: Counter[str] = field(default_factory=Counter[str])

    def note(self, identifier: str, user: str, intent: Intent) -> None:
        """A person was told that it is done here and waits for the hub."""
        if identifier not in self.asked:
            self.asked[identifier] = Asked(identifier, user, intent)
            name = intent.transition if isinstance(intent, Move) else type(intent).__name__
            self.counts[name] += 1

    def settle(self, identifier: str) -> None:
        """The person decided about an entry of the inbox."""
        if identifier in self.asked:
            self.asked[identifier].settled = True

    def give_up(self, answers: dict[str, Judged], kept: set[str]) -> None:
        """A backup is restored: what was done and is kept by nobody may be lost with it."""
        for key, one in self.asked.items():
            if _is_done(answers.get(key)) and key not in kept:
                one.settled = True

    def words_of(self, user: str) -> frozenset[str]:
        """Everything a person typed."""
        mine = [one.words for one in self.asked.values() if one.user == user]
        return frozenset[str]().union(*mine)

    def lost(
        self, answers: dict[str, Judged], kept: dict[str, frozenset[str]]
    ) -> list[tuple[str, str]]:
        """Operations that are neither done nor in an inbox; ``kept`` has the inboxes' texts."""
        missing: list[tuple[str, str]] = []
        for one in self.asked.values():
            answer = answers.get(one.id)
            if one.settled or (answer is not None and answer.result.result in DONE):
                continue
            if one.id not in kept:
                missing.append((one.id, answer.result.result if answer else "never answered"))
            elif not one.words <= kept[one.id]:
                missing.append((one.id, "without its text"))
        return missing

    def wrong_effects(self, answers: dict[str, Judged], sight: Sight) -> list[str]:
        """Effects that are there twice, or not at all, or were overwritten by nobody."""
        done = {key: self.asked[key] for key in self.asked if _is_done(answers.get(key))}
        found: list[str] = []
        comments = Counter(entry.comment for entry in sight.rows["entry"])
        titles = Counter(item.title for item in sight.rows["item"] if item.kind == "lead")
        rounds: Counter[str] = Counter()
        for key, one in self.asked.items():
            times = 1 if key in done else 0
            if isinstance(one.intent, Comment) and comments[one.intent.text] != times:
                found.append(f"comment {key}: {comments[one.intent.text]} times, not {times}")
            if isinstance(one.intent, Create) and titles[one.intent.title] != times:
                found.append(f"lead {key}: {titles[one.intent.title]} times, not {times}")
            if isinstance(one.intent, Move) and one.intent.transition == "hand_off":
                rounds[one.intent.item_id] += times
        found += (
            f"{item.id} was handed off {rounds[item.id]}×, says {item.round}"
            for item in sight.items.values()
            if item.kind == "qualification" and item.round != rounds[item.id]
        )
        return found + _overwritten(done, answers, sight)


def typed(intent: Intent) -> frozenset[str]:
    """The canaries in what a person typed, without what he saw when he did."""
    if isinstance(intent, EditFields | EditSubject):
        intent = msgspec.structs.replace(intent, was={})
    return canaries(msgspec.json.encode(intent).decode())


def waiting(desk: Desk) -> list[Operation]:
    """What a desk's queue holds, answered or not."""
    with desk.context.store.read() as connection:
        return queue.all_operations(connection)


def kept_operations(desk: Desk) -> set[str]:
    """The ids of the operations that a desk could still send, or send again."""
    with desk.context.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT id FROM sent UNION SELECT id FROM queue")
        return {row[0] for row in rows}


def device_of(desk: Desk) -> str | None:
    """The device that a desk is for the hub."""
    with desk.context.store.read() as connection:
        return settings.get(connection, settings.DEVICE)


def _is_done(answer: Judged | None) -> bool:
    return answer is not None and answer.result.result in DONE


def _overwritten(done: dict[str, Asked], answers: dict[str, Judged], sight: Sight) -> list[str]:
    """Fields that do not hold what the last edit put there; several hubs share one clock."""
    last: dict[tuple[str, str], tuple[int, object, str]] = {}
    for key, one in done.items():
        for row, name, value in _edits(one, sight):
            at = answers[key].at
            if (row, name) not in last or last[row, name][0] < at:
                last[row, name] = (at, value, key)
            elif last[row, name][0] == at:
                # Which of the two came last is not known.
                last[row, name] = (at, None, "")
    fields = {row.id: row.fields for kind in ("item", "subject") for row in sight.rows[kind]}
    return [
        f"{name} of {row} is not what {key} put there last"
        for (row, name), (_, value, key) in last.items()
        if key and fields.get(row, {}).get(name) != value
    ]


def _edits(one: Asked, sight: Sight) -> Iterable[tuple[str, str, object]]:
    intent = one.intent
    if isinstance(intent, EditFields):
        for name, value in intent.fields.items():
            yield intent.item_id, name, value
    elif isinstance(intent, EditSubject) and intent.item_id in sight.items:
        subject = sight.items[intent.item_id].subject_id
        for name, value in intent.fields.items():
            if subject is not None:
                yield subject, name, value
