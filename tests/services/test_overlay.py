"""What waits for the hub, laid over the hub's rows, whatever happens in which order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.domain.model import Item
from desk.domain.operations import Comment, Create, EditFields, EditSubject, Intent, Move
from desk.protocol.messages import Forget, Page
from desk.schema.desk_tables import metadata
from desk.services import arrivals, overlay, queue
from desk.services.desk import Desk
from desk.services.errors import Refused
from tests.services.rooms import (
    NOW,
    a_lead,
    a_page,
    a_qualification,
    a_subject,
    furnish,
    mirrored,
    open_desk,
    ticking,
)

LEADS = [a_lead(number) for number in (1, 2, 3)]
ITEMS = [*LEADS, *(a_qualification(100 + n, lead) for n, lead in enumerate(LEADS))]
SUBJECTS = [a_subject(lead) for lead in LEADS]

items = st.sampled_from([item.id for item in ITEMS])
words = st.sampled_from(["лес", "щебень", "песок"])
intents: st.SearchStrategy[Intent] = st.one_of(
    st.builds(
        lambda item_id, transition, comment: Move(
            item_id=item_id, transition=transition, comment=comment, to="sales1"
        ),
        items,
        st.sampled_from(["start", "hand_off", "junk"]),
        words,
    ),
    st.builds(lambda item, word: EditFields(item_id=item, fields={"need": word}), items, words),
    st.builds(lambda item, word: EditSubject(item_id=item, fields={"name": word}), items, words),
    st.builds(lambda item, word: Comment(item_id=item, text=word), items, words),
    st.builds(lambda word: Create(kind="lead", title=word, subject={"name": word}), words),
)
hub_changes = st.tuples(items, st.sampled_from(["stage", "need", "away", "forget", "back"]), words)
steps = st.lists(
    st.one_of(
        intents,
        hub_changes,
        st.sampled_from(["rebase", "answer", "cover", "refuse"]),
    ),
    max_size=14,
)


class Room:
    """One desk, the hub's rows as the desk should know them, and what happens to both."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with desk.context.store.write() as connection:
            for table in metadata.tables.values():
                connection.execute(table.delete())
        furnish(desk, a_page(items=ITEMS, subjects=SUBJECTS))
        self.hub = {item.id: item for item in ITEMS}
        self.people = mirrored(desk)["person"]

    def take(self, step: Any) -> None:
        if isinstance(step, tuple):
            self._hub_changes(*step)
        elif isinstance(step, str):
            getattr(self, step)()
        else:
            with suppress(Refused):
                self.desk.do(step)

    def rebase(self) -> None:
        with self.desk.context.store.write() as connection:
            overlay.rebase(connection, self.desk.context)

    def answer(self) -> None:
        with self.desk.context.store.write() as connection:
            queue.accept(connection, [n.operation.id for n in queue.unanswered(connection, 1)])

    def refuse(self) -> None:
        with self.desk.context.store.write() as connection:
            queue.remove(connection, [n.operation.id for n in queue.unanswered(connection, 1)])
            overlay.rebase(connection, self.desk.context)

    def cover(self) -> None:
        self._pull(a_page(), last_op=10_000)

    def _hub_changes(self, item_id: str, what: str, word: str) -> None:
        item = self.hub.get(item_id) or next(one for one in ITEMS if one.id == item_id)
        if what == "forget":
            self.hub.pop(item_id, None)
            page = msgspec.structs.replace(a_page(), forget=[Forget(kind="item", id=item_id)])
            self._pull(page)
            return
        changed = _changed(item, what, word)
        self.hub[item_id] = changed
        subjects = [one for one in SUBJECTS if one.id == item.subject_id]
        self._pull(a_page(items=[changed], subjects=subjects))

    def _pull(self, page: Page, last_op: int = 0) -> None:
        with self.desk.context.store.write() as connection:
            overlay.restore(connection)
            arrivals.land(connection, [page])
            queue.cover(connection, last_op, NOW)
            overlay.replay(connection, self.desk.context.rulebook)

    def hub_rows(self) -> dict[str, list[Any]]:
        shown = {item.subject_id for item in self.hub.values()}
        return {
            "item": sorted(self.hub.values(), key=lambda item: item.id),
            "task": [],
            "entry": [],
            "subject": [one for one in SUBJECTS if one.id in shown],
            "person": self.people,
        }


def _changed(item: Item, what: str, word: str) -> Item:
    version = item.version + 1
    match what:
        case "stage":
            stage = "in_work" if item.stage == "new" else "new"
            return msgspec.structs.replace(item, stage=stage, version=version)
        case "need":
            return msgspec.structs.replace(
                item,
                version=version,
                fields=item.fields | {"need": word},
                field_versions=item.field_versions | {"need": version},
            )
        case "away":
            return msgspec.structs.replace(item, responsible="marketer2", version=version)
        case _:
            return msgspec.structs.replace(item, responsible="marketer1", version=version)


@pytest.fixture(scope="module")
def room_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("room"), clock=ticking()) as desk:
        yield desk


@settings(max_examples=50)
@given(steps=steps)
def test_laying_the_overlay_anew_changes_nothing(room_desk: Desk, steps: list[Any]) -> None:
    room = Room(room_desk)
    for step in steps:
        room.take(step)
        before = mirrored(room_desk)
        room.rebase()
        assert mirrored(room_desk) == before


@settings(max_examples=50)
@given(steps=steps)
def test_under_the_overlay_are_exactly_the_rows_of_the_hub(
    room_desk: Desk, steps: list[Any]
) -> None:
    room = Room(room_desk)
    for step in steps:
        room.take(step)
    with room_desk.context.store.write() as connection:
        overlay.restore(connection)
        queue.remove(connection, [one.id for one in queue.all_operations(connection)])
    assert mirrored(room_desk) == room.hub_rows()


@settings(max_examples=30)
@given(steps=steps)
def test_no_operation_leaves_the_queue_without_an_answer(room_desk: Desk, steps: list[Any]) -> None:
    room = Room(room_desk)
    kept = [step for step in steps if step not in ("answer", "refuse")]
    done = 0
    for step in kept:
        before = room_desk.status().pending
        room.take(step)
        done += room_desk.status().pending - before
    with room_desk.context.store.read() as connection:
        numbers = [one.number for one in queue.unanswered(connection, 1000)]
    assert numbers == list(range(1, done + 1))


def test_a_card_done_with_offline_is_pending_until_a_pull_covers_it(tmp_path: Path) -> None:
    with open_desk(tmp_path, clock=ticking()) as desk:
        room = Room(desk)
        item = ITEMS[3].id
        desk.do(Move(item_id=item, transition="hand_off", to="sales1"))
        assert desk.card(item).pending
        room.answer()
        assert desk.card(item).pending
        assert desk.status().pending == 0
        room.cover()
        assert not desk.card(item).pending


def test_an_entry_a_person_made_stays_when_another_change_arrives(tmp_path: Path) -> None:
    with open_desk(tmp_path, clock=ticking()) as desk:
        room = Room(desk)
        item = ITEMS[3].id
        desk.do(EditFields(item_id=item, fields={"need": "лес"}))
        room.take((item, "back", "x"))
        card = desk.card(item)
        assert card.item.fields["need"] == "лес"
        assert card.item.version == 3
