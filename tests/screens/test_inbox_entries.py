"""What entries of the inbox say: whose value stands, since when, and what builds on what."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from desk.domain.operations import Comment, Create, EditFields, Intent, Move
from desk.protocol.messages import Changed
from desk.screens.inbox import InboxScreen
from desk.screens.notice import Question
from desk.screens.prompt import Prompt
from desk.services.desk import Desk
from desk.services.views import InboxEntry, Status, StatusChanged
from tests.screens.desks import MINUTE, NOW, StillApp, identifier, replace
from tests.screens.steps import calm, on_screen, press, running, told, type_text

MakeApp = Callable[..., StillApp]
MakeInbox = Callable[..., StillApp]
CARD, ABSENT = identifier(22), identifier(777)
HAND_OFF, EDIT, NOTE = (identifier(number) for number in (901, 902, 903))


def entry(identifier_: str, intent: Intent, result: str, **more: object) -> InboxEntry:
    """An entry about one card, answered a minute ago."""
    values: dict[str, object] = {
        "item_id": CARD,
        "code": "",
        "args": {},
        "mine": {},
        "theirs": {},
        "base": {},
        "at": NOW - MINUTE,
    }
    return InboxEntry(id=identifier_, intent=intent, result=result, **(values | more))  # type: ignore[arg-type]


STALE = entry(
    HAND_OFF,
    Move(item_id=CARD, transition="hand_off", seen_stage="in_work"),
    "conflict",
    code="stale",
    args={"stage": "accepted"},
    mine={"stage": "handed"},
    theirs={"stage": "accepted"},
    base={"stage": "in_work"},
    changed={"stage": Changed("sales2", NOW - 27 * MINUTE)},
)
BLOCKED_EDIT = entry(
    EDIT,
    EditFields(item_id=CARD, fields={"need": "на месяц"}),
    "blocked",
    code="blocked",
    mine={"need": "на месяц"},
    after=HAND_OFF,
)
BLOCKED_NOTE = entry(
    NOTE,
    Comment(item_id=CARD, text="позвонить"),
    "blocked",
    code="blocked",
    mine={"comment": "позвонить"},
    after=EDIT,
)


@pytest.fixture
def inbox(app: MakeApp) -> MakeInbox:
    """The application on a desk whose inbox holds the entries given."""

    def make(*entries: InboxEntry) -> StillApp:
        class Waiting(Desk):
            waiting: ClassVar[list[InboxEntry]] = list(entries)

            def inbox(self) -> list[InboxEntry]:
                return list(self.waiting)

            def status(self) -> Status:
                return replace(super().status(), conflicts=len(self.waiting))

            def discard(self, entry_id: str) -> None:
                type(self).waiting = [one for one in self.waiting if one.id != entry_id]

        class App(StillApp):
            def open_desk(self, passphrase: str | None) -> Desk:
                desk = super().open_desk(passphrase)
                desk.__class__ = Waiting
                return desk

        made = app()
        made.__class__ = App
        return made

    return make


def lines_with(text: str, word: str) -> list[str]:
    """The lines of the screen that hold a word."""
    return [line for line in text.splitlines() if word in line]


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_stale_move_shows_titles_of_stages_and_who_was_first(
    inbox: MakeInbox, size: tuple[int, int]
) -> None:
    desk = inbox(STALE)
    async with running(desk, size) as pilot:
        await press(pilot, "f6")
        text = on_screen(desk)
        row = lines_with(text, "≠ Stage")[0]
        assert row.index("Handed to sales") < row.index("Accepted by sales")
        assert row.index("Accepted by sales") < row.index("With marketing")
        assert "Ирина Савицкая" in text
        assert "Nov 22 12:03" in text
        assert "handed" not in text


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_long_value_wraps_within_its_column(
    inbox: MakeInbox, size: tuple[int, int]
) -> None:
    long = " ".join(f"слово{number}" for number in range(20))
    desk = inbox(
        entry(
            EDIT,
            EditFields(item_id=CARD, fields={"request": long}),
            "conflict",
            code="field_conflict",
            args={"fields": "request"},
            mine={"request": long},
            theirs={"request": "чужое"},
            base={"request": "было раньше"},
        )
    )
    async with running(desk, size) as pilot:
        await press(pilot, "f6", "tab", "end")
        lines = on_screen(desk).splitlines()
        parts = [line for line in lines if "слово" in line]
        assert len(parts) > 3
        assert len({line.index("слово") for line in parts}) == 1
        await press(pilot, "home")
        first = lines_with(on_screen(desk), "слово0")[0]
        assert first.index("слово0") < first.index("чужое") < first.index("было раньше")


async def test_a_field_that_nobody_else_changed_is_not_said_to_be_empty(inbox: MakeInbox) -> None:
    fields = {"company": "ООО «Мое»", "need": "на месяц"}
    desk = inbox(
        entry(
            EDIT,
            EditFields(item_id=CARD, fields=dict(fields)),
            "conflict",
            code="field_conflict",
            args={"fields": "company"},
            mine=fields,
            base={"company": "ООО «Было»", "need": None},
        )
    )
    async with running(desk) as pilot:
        await press(pilot, "f6")
        text = on_screen(desk)
        assert "not shown to you" in lines_with(text, "≠ Company")[0]
        assert "nobody else" in lines_with(text, "Need")[0]


async def test_blocked_entries_stand_under_what_they_build_on(inbox: MakeInbox) -> None:
    desk = inbox(BLOCKED_NOTE, BLOCKED_EDIT, STALE)
    async with running(desk) as pilot:
        await press(pilot, "f6")
        listed = on_screen(desk).splitlines()[1:4]
        assert "Hand off" in listed[0]
        assert "└ … Change of fields" in listed[1]
        assert "  └ … Comment" in listed[2]
        assert "2 more of your actions build on this one" in on_screen(desk)
        await press(pilot, "down")
        assert "It builds on “Hand off to sales” above." in on_screen(desk)
        await press(pilot, "r")
        assert "It builds on “Hand off to sales” above." in told(desk)


async def test_what_builds_on_nothing_any_more_may_be_repeated(inbox: MakeInbox) -> None:
    desk = inbox(BLOCKED_EDIT)
    async with running(desk) as pilot:
        await press(pilot, "f6")
        assert "is not here any more" in on_screen(desk)
        assert isinstance(desk.screen, InboxScreen)
        assert desk.screen.why_not("list.retry") is None


async def test_discarding_what_others_build_on_says_so_first(inbox: MakeInbox) -> None:
    desk = inbox(STALE, BLOCKED_EDIT)
    async with running(desk) as pilot:
        await press(pilot, "f6", "d")
        assert isinstance(desk.screen, Question)
        assert "1 more of your actions builds on it. It stays here" in " ".join(
            on_screen(desk).split()
        )
        await press(pilot, "escape")
        assert len(desk.desk.inbox()) == 2
        await press(pilot, "d", "enter")
        assert desk.desk.inbox() == [BLOCKED_EDIT]


async def test_an_entry_about_a_card_that_left_sight_still_reads_well(inbox: MakeInbox) -> None:
    gone = entry(
        HAND_OFF,
        Move(item_id=ABSENT, transition="hand_off", fields={"need": "на месяц"}, comment="жду"),
        "rejected",
        item_id=ABSENT,
        code="no_item",
        mine={"stage": "handed", "need": "на месяц", "comment": "жду"},
    )
    desk = inbox(gone)
    async with running(desk) as pilot:
        await press(pilot, "f6")
        text = on_screen(desk)
        for words in ("Hand off to sales", "(a card you no longer see)", "«жду»", "на месяц"):
            assert words in text
        assert "Handed to sales" in lines_with(text, "Stage")[0]
        await press(pilot, "enter")
        assert "not yours to see" in told(desk)
        await press(pilot, "c")
        assert desk.clipboard == "жду\nNeed: на месяц"


async def test_a_refused_new_card_shows_all_that_was_typed(inbox: MakeInbox) -> None:
    create = Create(kind="lead", title="ООО «Луч», 5 т", subject={"name": "Семён"})
    desk = inbox(
        entry(
            EDIT,
            create,
            "rejected",
            item_id=EDIT,
            code="role_may_not_create",
            mine={"name": "Семён"},
        )
    )
    async with running(desk) as pilot:
        await press(pilot, "f6")
        assert "New card · ООО «Луч», 5 т" in on_screen(desk)
        assert "Семён" in lines_with(on_screen(desk), "Name")[0]
        await press(pilot, "c")
        assert desk.clipboard == "ООО «Луч», 5 т\nName: Семён"


async def test_a_conflict_in_the_middle_of_a_call_only_raises_the_counter(inbox: MakeInbox) -> None:
    desk = inbox()
    async with running(desk) as pilot:
        await press(pilot, "enter", "c")
        await type_text(pilot, "кли")
        screen, focused = desk.screen, desk.focused
        type(desk.desk).waiting = [STALE]  # type: ignore[attr-defined]
        desk.desk.context.events.emit(StatusChanged())
        await calm(pilot)
        await type_text(pilot, "ент")
        assert (desk.screen, desk.focused) == (screen, focused)
        assert isinstance(screen, Prompt)
        assert "клиент" in on_screen(desk)
        assert told(desk) == ""
        await press(pilot, "escape", "escape")
        assert "1 in the inbox" in on_screen(desk)


async def test_entries_that_come_leave_the_cursor_on_its_entry(inbox: MakeInbox) -> None:
    other = entry(identifier(900), Comment(item_id=CARD, text="раньше"), "rejected", code="no_item")
    desk = inbox(STALE)
    async with running(desk) as pilot:
        await press(pilot, "f6")
        type(desk.desk).waiting = [other, STALE]  # type: ignore[attr-defined]
        desk.desk.context.events.emit(StatusChanged())
        await calm(pilot)
        assert isinstance(desk.screen, InboxScreen)
        assert desk.screen.chosen is not None
        assert desk.screen.chosen.entry == STALE
