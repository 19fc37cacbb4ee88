"""How the exchange stands: in plain words, with a key for each repair."""

from __future__ import annotations

from collections.abc import Callable

from desk.screens.checkup import CheckupDialog
from desk.screens.form import FormScreen
from desk.screens.inbox import InboxScreen
from desk.services.errors import HubUnreachable, OfflineByChoice
from desk.services.views import Checkup, Verdict
from tests.screens.desks import HOUR, MINUTE, NOW, StillApp, replace
from tests.screens.steps import on_screen, press, running, told, type_text

MakeApp = Callable[..., StillApp]
FINE = Checkup(
    at=NOW,
    user="marketer1",
    hub="http://127.0.0.1:9",
    device="device",
    pending=(),
    pending_since=None,
    uncovered=0,
    inbox=0,
    why=None,
    last_error=None,
    last_error_at=None,
    synced_at=NOW - MINUTE,
    reachable=True,
    protocol=(1, 2),
    clock_ms=40,
    digest_state="same",
    digest_at=NOW - HOUR,
    cursor="1.1:1",
    epoch="1",
    rows={"item": 12},
    file_bytes=1_000_000,
    wal_bytes=0,
    to_scrub=False,
    repairs=(),
)
STUCK = replace(
    FINE,
    pending=(3, 4, 5),
    pending_since=NOW - 2 * HOUR,
    why=HubUnreachable(hub="http://127.0.0.1:9"),
    last_error=HubUnreachable(hub="http://127.0.0.1:9"),
    last_error_at=NOW - HOUR,
    reachable=False,
    protocol=None,
    clock_ms=None,
)


def found(app: StillApp, checkup: Checkup) -> None:
    """Let the desk find this."""
    app.desk.examine = lambda: checkup  # type: ignore[method-assign]


async def test_a_desk_in_order_says_so_and_closes(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        found(desk, FINE)
        await press(pilot, "ctrl+t")
        text = on_screen(desk)
        for words in ("the hub answers", "as the hub's", "the same as on the hub · 11:30"):
            assert words in text
        assert "Everything is in order." in text
        await press(pilot, "enter")
        assert desk.screen is desk._board


async def test_what_stands_in_the_way_is_said_in_plain_words(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        found(desk, STUCK)
        await press(pilot, "ctrl+t")
        text = " ".join(on_screen(desk).replace("│", "").split())
        assert "3, since 10:30" in text
        assert "‼ The hub http://127.0.0.1:9 does not answer." in text
        assert "not known while the hub does not answer" in text


async def test_a_repair_that_is_offered_is_done_with_enter(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        found(desk, replace(FINE, inbox=2, digest_state="differs", repairs=("reconcile", "inbox")))
        asked: list[bool] = []

        def verify(*, repair: bool = False) -> Verdict:
            asked.append(repair)
            return Verdict(same=False, differing=3, repaired=True)

        desk.desk.verify = verify  # type: ignore[method-assign]
        await press(pilot, "ctrl+t", "enter")
        assert asked == [True]
        assert "3 cards differed and were mended." in told(desk)
        await press(pilot, "ctrl+t", "down", "enter")
        assert isinstance(desk.screen, InboxScreen)


async def test_the_network_is_switched_on_from_there(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        await press(pilot, "f9")
        found(desk, replace(STUCK, why=OfflineByChoice(), repairs=("go_online",)))
        await press(pilot, "ctrl+t", "enter")
        assert not desk.desk.status().offline_by_choice


async def test_advice_that_no_key_can_follow_is_only_said(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        found(desk, replace(FINE, clock_ms=-3_600_000, repairs=("set_clock",)))
        await press(pilot, "ctrl+t")
        text = on_screen(desk)
        assert "3,600 s behind the hub" in text
        assert "‼ Set the clock of this machine" in text
        await press(pilot, "enter")
        assert desk.screen is desk._board


async def test_it_is_found_by_its_name_also_over_a_form(app: MakeApp) -> None:
    desk = app()
    async with running(desk) as pilot:
        found(desk, FINE)
        await press(pilot, "enter", "e", "f8")
        await type_text(pilot, "state of")
        await press(pilot, "enter")
        assert isinstance(desk.screen, CheckupDialog)
        await press(pilot, "escape")
        assert isinstance(desk.screen, FormScreen)
