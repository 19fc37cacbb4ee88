"""Consents on a card: what is shown, what is written down offline, and what it stops at once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from textual.pilot import Pilot

from desk.domain.model import Item, Standing, Subject
from desk.domain.playbook_loader import load
from desk.domain.rights import MASK
from desk.resources import playbooks_dir
from desk.screens import consent_words
from desk.screens.card import CardScreen
from tests.screens.desks import NOW, StillApp, identifier
from tests.screens.steps import calm, on_screen, press, running, type_text

MakeApp = Callable[..., StillApp]
CARD = identifier(32)
#: Opens the list of channels and takes the first one.
CHANNEL = ("enter", "home", "down", "enter")


def painted(app: StillApp) -> str:
    return " ".join(on_screen(app).split())


def subject_of(app: StillApp) -> Subject:
    subject = app.desk.card(CARD).subject
    assert subject is not None
    return subject


async def open_card(app: StillApp, pilot: Pilot[None]) -> None:
    app.open_card(CARD)
    await calm(pilot)
    assert isinstance(app.screen, CardScreen)


async def write_down(pilot: Pilot[None], *choice: str) -> None:
    await press(pilot, "P", *choice, *CHANNEL, "ctrl+s")


async def test_a_consent_is_written_down_without_the_hub_on_a_russian_layout(
    app: MakeApp,
) -> None:
    desk = app()
    async with running(desk, (120, 40)) as pilot:
        await open_card(desk, pilot)
        assert "Calls with offers ○ not asked for" in painted(desk)
        await press(pilot, "З", "2")
        assert "the company calls me with offers" in painted(desk)
        await press(pilot, *CHANNEL, "tab")
        await type_text(pilot, "call 118")
        await press(pilot, "enter", "ctrl+s")
        assert "✓ given" in on_screen(desk)
        assert "not sent yet" in on_screen(desk)
        standing = subject_of(desk).consents["calls"]
        assert (standing.text_version, standing.channel, standing.given_at) == (1, "site", NOW)


async def test_a_channel_has_to_be_chosen(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await open_card(desk, pilot)
        await press(pilot, "P", "1", "ctrl+s")
        assert "Fill this in." in on_screen(desk)
        assert subject_of(desk).consents == {}


async def test_a_withdrawal_stops_calls_at_once_and_says_so(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await open_card(desk, pilot)
        await write_down(pilot, "2")
        await write_down(pilot, "2")
        assert "✗ Do not call." in on_screen(desk)
        assert subject_of(desk).consents["calls"].withdrawn_at == NOW
        await press(pilot, "P")
        assert "✓ Give: Calls with offers" in on_screen(desk)


async def test_whoever_was_never_asked_may_object(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await open_card(desk, pilot)
        await press(pilot, "P", "down", "down", "down", "down", "down", "enter")
        assert "Stops at once: mailings." in on_screen(desk)
        await press(pilot, *CHANNEL, "ctrl+s")
        assert "Do not send mailings." in on_screen(desk)


async def test_a_request_for_erasure_blocks_the_card_and_is_made_once(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await open_card(desk, pilot)
        await write_down(pilot, "d")
        assert "‼ Erasure is requested: the card can only be closed." in on_screen(desk)
        assert subject_of(desk).stage == "erasure_requested"
        await press(pilot, "P", "d")
        assert "the officer decides" in painted(desk)
        await press(pilot, "1")
        assert "a new consent waits" in painted(desk)


async def test_what_was_typed_as_evidence_is_kept_when_one_leaves(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await open_card(desk, pilot)
        await press(pilot, "P", "1", "tab")
        await type_text(pilot, "letter 12")
        await press(pilot, "escape", "P", "1")
        assert "letter 12" in on_screen(desk)


def test_whoever_may_not_see_the_data_sees_that_the_consents_exist() -> None:
    playbook = load((playbooks_dir() / "freight.toml").read_text(encoding="utf-8"), "freight")
    masked = Subject(
        id=identifier(1),
        fields={"name": MASK},
        consents={
            "processing": Standing(given_at=NOW, text_version=1, channel="phone"),
            "calls": Standing(given_at=NOW, text_version=1, channel="site", withdrawn_at=NOW),
            "of old": Standing(given_at=NOW, text_version=1, channel="site"),
        },
    )
    told = {one.title: one.value for one in consent_words.facts(playbook, masked)}
    assert told["Processing of the request"].startswith("✓ given")
    assert told["Calls with offers"].startswith("✗ withdrawn")
    assert told["Advertising mailings"] == "○ not asked for"
    assert told["of old"].startswith("✓")
    assert MASK not in "".join(told.values())
    erased = msgspec.structs.replace(masked, stage="erased")
    card = Item(
        id=identifier(2),
        kind="lead",
        stage="new",
        title="",
        created_at=NOW,
        updated_at=NOW,
        stage_since=NOW,
        subject_id=erased.id,
    )
    assert "erased" in consent_words.stopped(playbook, card, erased)
    # A desk forgets him, and the card stays.
    assert "erased" in consent_words.stopped(playbook, card, None)
    own = msgspec.structs.replace(card, subject_id=None)
    assert consent_words.stopped(playbook, own, None) == ""
