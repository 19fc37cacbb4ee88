"""The inbox: what was wanted, what stands on the hub, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from desk.domain.operations import Comment, EditFields, Move, Operation
from desk.protocol.messages import Result
from desk.services import inbox
from desk.services.desk import Desk
from desk.services.views import StatusChanged
from tests.screens.desks import NOW, StillApp, identifier
from tests.screens.steps import calm, on_screen, press, running

MakeApp = Callable[..., StillApp]
NEW = identifier(2)


def refuse(desk: Desk) -> None:
    """Put three answers of a hub into the inbox."""
    answers = (
        (
            EditFields(item_id=NEW, fields={"company": "ООО «Мое»"}, was={"company": "ООО «Было»"}),
            Result(
                number=1,
                id=identifier(901),
                result="conflict",
                code="field_conflict",
                args={"fields": "company"},
                theirs={"company": "ООО «Чужое»"},
            ),
        ),
        (
            Move(item_id=NEW, transition="start", seen_stage="new"),
            Result(
                number=2,
                id=identifier(902),
                result="conflict",
                code="stale",
                args={"stage": "handed"},
            ),
        ),
        (
            Comment(item_id=NEW, text="Очень длинная мысль"),
            Result(number=3, id=identifier(903), result="rejected", code="no_item"),
        ),
    )
    with desk.context.store.write() as connection:
        for intent, result in answers:
            operation = Operation(id=result.id, at=NOW, intent=intent)
            inbox.add(connection, desk.context, operation, result)
    desk.context.events.emit(StatusChanged())


@pytest.fixture
def refused(app: MakeApp) -> MakeApp:
    """The application on a desk with three entries in the inbox."""

    class Refused(StillApp):
        def open_desk(self, passphrase: str | None) -> Desk:
            desk = super().open_desk(passphrase)
            refuse(desk)
            return desk

    def make() -> StillApp:
        made = app()
        made.__class__ = Refused
        return made

    return make


async def test_a_conflict_shows_mine_theirs_and_base(refused: MakeApp) -> None:
    desk = refused()
    async with running(desk) as pilot:
        assert "3 in the inbox" in on_screen(desk)
        await press(pilot, "f6")
        text = on_screen(desk)
        for words in ("you wanted", "ООО «Мое»", "on the hub", "ООО «Чужое»", "ООО «Было»"):
            assert words in text


async def test_a_repeat_asks_anew(refused: MakeApp) -> None:
    desk = refused()
    async with running(desk) as pilot:
        await press(pilot, "f6", "j", "down", "r")
        assert desk.desk.status().conflicts == 2
        assert desk.desk.card(NEW).item.stage == "in_work"


async def test_text_goes_into_a_draft_of_the_card(refused: MakeApp) -> None:
    desk = refused()
    async with running(desk) as pilot:
        await press(pilot, "f6", "end", "c", "escape")
        assert desk.desk.draft(NEW, "comment") == {"text": "Очень длинная мысль"}
        await press(pilot, "enter", "c")
        assert "Очень длинная мысль" in on_screen(desk)


async def test_discarding_is_the_persons_alone(refused: MakeApp) -> None:
    desk = refused()
    async with running(desk) as pilot:
        await press(pilot, "f6", "d", "d", "d")
        assert desk.desk.inbox() == []
        assert "Nothing waits for you here." in on_screen(desk)
        await calm(pilot)
