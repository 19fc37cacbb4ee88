"""One order for everybody: what commits later comes later, and nothing is passed over."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Connection

from desk.domain import decide as rules
from desk.domain.effects import Outcome
from desk.domain.model import Actor
from desk.domain.operations import Operation
from desk.domain.playbook import Playbook
from desk.domain.refusals import Conflict, Refusal
from desk.domain.scene import Scene
from desk.hub import changes, operations
from desk.hub.changes import Head
from desk.hub.database import Database
from tests.hub.hubs import Desk, Hub, new_lead, sent, session

PATIENCE = 20.0


def test_what_was_begun_earlier_and_commits_later_is_still_delivered(hub: Hub) -> None:
    """While one operation is under way another one is done and pulled; then the first commits."""
    if hub.database.is_sqlite:
        pytest.skip("writers of SQLite wait for each other from the start")
    slow, quick, reader = hub.desk("operator1"), hub.desk("operator2"), hub.desk("head")
    reader.bootstrap()
    asked, other = slow.operation(new_lead("Раньше начат")), new_lead("Раньше окончен")
    under_way, go_on = threading.Event(), threading.Event()

    def settle(
        scene: Scene, operation: Operation, actor: Actor, playbook: Playbook, now: int
    ) -> Outcome | Refusal | Conflict:
        under_way.set()
        assert go_on.wait(PATIENCE)
        return rules.settle(scene, operation, actor, playbook, now)

    def push() -> None:
        with Database(hub.url) as database:
            operations.push(database, session(hub, slow), [sent(asked)], hub.clock, settle)

    pushing = threading.Thread(target=push)
    pushing.start()
    assert under_way.wait(PATIENCE)
    quick.done(other)
    reader.pull()
    assert titles(reader) == {"Раньше окончен"}
    go_on.set()
    pushing.join(PATIENCE)
    reader.pull()
    assert titles(reader) == {"Раньше окончен", "Раньше начат"}
    assert reader.rows == reader.fresh()


@pytest.mark.parametrize("limit", [1, 1000])
def test_a_commit_between_looking_at_the_head_and_at_the_rows_is_not_passed_over(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    writer, reader = hub.desk("operator1"), hub.desk("head")
    writer.done(new_lead("Уже был"))
    reader.bootstrap()
    head = changes.head
    waiting = [new_lead(f"Вклинился {number}") for number in range(3)]
    writing = threading.local()

    def looked(connection: Connection) -> Head:
        found = head(connection)
        if waiting and not getattr(writing, "on", False):
            thread = threading.Thread(target=writer.done, args=(waiting.pop(),))
            thread.start()
            thread.join(PATIENCE)
        return found

    monkeypatch.setattr(changes, "head", looked)
    for _ in range(4):
        reader.pull(limit)
    assert titles(reader) == {"Уже был", *(f"Вклинился {number}" for number in range(3))}
    assert reader.rows == reader.fresh()


def titles(desk: Desk) -> set[str]:
    return {item.title for item in desk.rows.get("item", {}).values()}
