"""The officer's place: who sees it, what it shows, what is done there, and the hub that is away."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from desk.hub import erasure
from desk.protocol import personal as p
from desk.protocol.journal import JournalQuery
from desk.screens import pd_words
from desk.screens.palette import Palette
from desk.screens.pd_files import file_name
from desk.screens.pd_office import OfficeScreen
from desk.screens.pd_person import PersonScreen
from desk.services.desk import Desk
from desk.services.errors import HubUnreachable, OfficerProblem, OfflineByChoice
from desk.widgets.ledger import Ledger
from tests.screens.desks import DAY, HOSTILE, NOW, StillApp, identifier
from tests.screens.officers import NAMES, FakeOfficer
from tests.screens.steps import calm, on_screen, press, running, told, type_text

MakeApp = Callable[..., StillApp]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> FakeOfficer:
    """What answers in the place of the hub."""
    fake = FakeOfficer()
    monkeypatch.setattr(Desk, "officer", property(lambda _desk: fake))
    return fake


def painted(app: StillApp) -> str:
    return " ".join(on_screen(app).split())


async def test_nobody_but_the_officer_finds_the_place(app: MakeApp, hub: FakeOfficer) -> None:
    seller = app("sales1")
    async with running(seller) as pilot:
        await press(pilot, "ctrl+o")
        assert not isinstance(seller.screen, OfficeScreen)
        await press(pilot, "ctrl+p")
        assert isinstance(seller.screen, Palette)
        assert "Personal data" not in on_screen(seller)
    assert hub.asked == []


async def test_the_officer_reaches_it_by_the_same_key_on_a_russian_layout(
    app: MakeApp, hub: FakeOfficer
) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+щ")
        assert isinstance(office.screen, OfficeScreen)
        assert NAMES[0] in on_screen(office)
        await press(pilot, "д")  # l
        assert isinstance(hub.asked[-1], p.CardsQuery)
        assert hub.asked[-1].stage == "erasure_requested"


async def test_the_palette_offers_it_to_the_officer(app: MakeApp, hub: FakeOfficer) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+p")
        await type_text(pilot, "Personal")
        await press(pilot, "enter")
        assert isinstance(office.screen, OfficeScreen)
    assert hub.asked


async def test_overdue_and_near_requests_are_marked_by_a_sign_too(
    app: MakeApp, hub: FakeOfficer
) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", "right", "right", "right")
        lines = [line for line in on_screen(office).split("\n") if "2026" in line][:4]
        assert "‼" in lines[0]
        assert "overdue" in lines[0]
        assert "today" in lines[1]
        assert "! " in lines[2]
        assert "2 w. days" in lines[2]
        assert "!" not in lines[3]
        assert "Overdue by 2 working days" in on_screen(office)
    assert isinstance(hub.asked[-1], p.RequestsQuery)


async def test_both_clocks_of_an_incident_are_seen(app: MakeApp, hub: FakeOfficer) -> None:
    office = app("officer")
    async with running(office, (120, 30)) as pilot:
        await press(pilot, "ctrl+o", *["right"] * 4)
        shown = painted(office)
        assert "! 4 h 0 min left 52 h left" in shown
        assert "‼ overdue 28 h" in shown
        await press(pilot, "n")
        await type_text(pilot, "Lost disk")
        await press(pilot, "tab", "tab", "tab", "2", "enter")
        await calm(pilot)
    incident = next(one for one in hub.asked if isinstance(one, p.NewIncident))
    assert (incident.title, incident.found_at) == ("Lost disk", NOW - 2 * 3_600_000)


async def test_long_lists_come_page_by_page_as_one_goes_down(
    app: MakeApp, hub: FakeOfficer
) -> None:
    hub.people = 1000
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o")
        assert "1,000" in on_screen(office)
        assert len(office.screen.query_one(Ledger).rows) == 100
        await press(pilot, *["G"] * 3)
        assert len(office.screen.query_one(Ledger).rows) == 400
        assert [query.after.partition(":")[0] for query in hub.asked] == ["", "100", "200", "300"]


async def test_a_filter_goes_to_the_hub_and_is_named_above_the_lines(
    app: MakeApp, hub: FakeOfficer
) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", "right", "right", "f")
        await press(pilot, "tab", "tab", "tab", "tab", "tab", "tab")
        await type_text(pilot, "person@example.com")
        await press(pilot, "shift+tab", "shift+tab")
        await type_text(pilot, "01.11.2026")
        await press(pilot, "enter")
        asked = hub.asked[-1]
        assert isinstance(asked, p.RegistryQuery)
        assert asked.contact == "person@example.com"
        assert asked.since is not None
        assert NOW - 22 * DAY < asked.since < NOW - 20 * DAY
        assert "person@example.com" in on_screen(office)


async def test_without_the_hub_it_says_what_to_do_and_comes_back(
    app: MakeApp, hub: FakeOfficer
) -> None:
    hub.problem = HubUnreachable(hub="http://127.0.0.1:9")
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o")
        assert "The hub does not answer. Check the network." in on_screen(office)
        assert "R asks the hub anew." in on_screen(office)
        hub.problem = OfflineByChoice()
        await press(pilot, "r")
        assert "F9 switches the network on" in on_screen(office)
        hub.problem = None
        await press(pilot, "r")
        assert NAMES[0] in on_screen(office)
        assert office.screen.query_one(Ledger).has_focus


async def test_nothing_found_says_whether_a_filter_hides_it(app: MakeApp, hub: FakeOfficer) -> None:
    hub.people = 0
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", "space")
        assert "Nobody is here." in on_screen(office)
        await press(pilot, "f")
        await type_text(pilot, "a@b.example")
        await press(pilot, "enter")
        assert "Nothing matches the filter" in on_screen(office)


async def test_a_person_is_shown_with_consents_demands_and_cards(
    app: MakeApp, hub: FakeOfficer
) -> None:
    office = app("officer")
    async with running(office, (160, 45)) as pilot:
        await press(pilot, "ctrl+o", "enter")
        assert isinstance(office.screen, PersonScreen)
        shown = painted(office)
        for told in ("+7 912 000-01-00", "✗ withdrawn", "Wants it erased", "ООО «Зерно Юга»"):
            assert told in shown
    assert hub.asked[-2:] == [(identifier(1000), ""), "documents"]


async def test_what_is_wrong_is_said_of_the_field_by_its_title(
    app: MakeApp, hub: FakeOfficer
) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", *["right"] * 4, "n")
        await type_text(pilot, "Lost disk")
        await press(pilot, "tab", "tab", "tab")
        await type_text(pilot, "abc")
        await press(pilot, "ctrl+s")
        assert "“Found, hours ago” takes a number." in painted(office)
    assert not any(isinstance(one, p.NewIncident) for one in hub.asked)


def test_all_the_hub_erases_has_its_word() -> None:
    assert set(pd_words.CATEGORIES) == set(erasure.CATEGORIES)


async def test_an_erasure_names_what_will_happen_and_esc_does_nothing(
    app: MakeApp, hub: FakeOfficer
) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", "right", "right", "right", "space", "d")
        shown = painted(office)
        assert "This cannot be taken back." in shown
        assert "on every desk" in shown
        await press(pilot, "escape")
        assert len(hub.open_requests) == 4
        await press(pilot, "space", "d", "enter")
        assert len(hub.open_requests) == 3
        assert "2 devices have not confirmed" in told(office)
    assert ("erase", identifier(6001), "") in hub.asked


async def test_a_refusal_of_the_hub_stays_in_the_dialog(app: MakeApp, hub: FakeOfficer) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", "right", "right", "right", "down", "space", "a")
        await type_text(pilot, "Sent by mail")
        hub.problem = OfficerProblem(reason="request_closed")
        hub.problem.template = "This request is closed already. Open the list again."
        await press(pilot, "enter")
        assert "This request is closed already." in on_screen(office)
        hub.problem = None
        await press(pilot, "enter")
    assert ("answer", identifier(6002), "Sent by mail") in hub.asked


async def test_a_demand_is_written_down_for_the_person_under_the_cursor(
    app: MakeApp, hub: FakeOfficer
) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", "down", "space", "n")
        await press(pilot, "enter", "down", "enter")  # what is demanded: the first one
        await press(pilot, "tab", "tab", "enter", "down", "down", "enter")  # the channel
        await press(pilot, "ctrl+s")
    request = next(one for one in hub.asked if isinstance(one, p.NewRequest))
    assert request.subject_id == identifier(1001)
    assert request.kind in ("access", "rectify")
    assert request.channel
    assert request.received_at is None


async def test_a_file_is_saved_for_its_owner_alone_and_never_over_another(
    app: MakeApp, hub: FakeOfficer, tmp_path: Path
) -> None:
    place = tmp_path / "act.pdf"
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", *["right"] * 5, "enter")
        assert isinstance(office.screen, PersonScreen)
        await press(pilot, "escape", "space", "s")
        await press(pilot, "ctrl+u")
        await type_text(pilot, str(place))
        await press(pilot, "enter")
        assert place.read_bytes() == b"%PDF-1"
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        place.write_text("other")
        await press(pilot, "space", "s", "ctrl+u")
        await type_text(pilot, str(place))
        await press(pilot, "enter")
        assert "There is such a file already" in on_screen(office)
    assert place.read_text() == "other"


def test_a_name_from_the_hub_leads_nowhere_else() -> None:
    assert file_name("../../act-0.pdf") == "act-0.pdf"
    assert file_name("..\\.bashrc") == "bashrc"
    assert file_name("отчёт\x1b[2J.pdf") == "отчёт__2J.pdf"
    assert file_name("/") == "desk"


async def test_the_journal_is_filtered_by_person_from_his_card(
    app: MakeApp, hub: FakeOfficer
) -> None:
    office = app("officer")
    async with running(office, (160, 45)) as pilot:
        await press(pilot, "ctrl+o", "enter", "space", "j")
        assert isinstance(office.screen, OfficeScreen)
        assert "‼ A desk’s journal is broken" in on_screen(office)
    assert hub.asked[-1] == JournalQuery(subject_id=identifier(1000))


async def test_an_id_that_is_none_is_told_in_the_filter(app: MakeApp, hub: FakeOfficer) -> None:
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", "left", "f", *["tab"] * 5)
        await type_text(pilot, "нет")
        await press(pilot, "enter")
        assert "An id has Latin letters" in on_screen(office)
    assert isinstance(hub.asked[-1], JournalQuery)


async def test_what_people_wrote_cannot_drive_the_terminal(app: MakeApp, hub: FakeOfficer) -> None:
    hub.open_requests = [
        msgspec.structs.replace(one, name=HOSTILE, note=HOSTILE, extension=HOSTILE)
        for one in hub.open_requests
    ]
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o", "right", "right", "right")
        shown = on_screen(office)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[@click=app.quit]" in shown
        await press(pilot, "enter", "end")
        assert "[b]Ромашка[/b]" in on_screen(office)


async def test_the_wheel_and_a_click_go_through_the_lines(app: MakeApp, hub: FakeOfficer) -> None:
    hub.people = 300
    office = app("officer")
    async with running(office) as pilot:
        await press(pilot, "ctrl+o")
        table = office.screen.query_one(Ledger)
        await _click(pilot, table, 3)
        assert table.chosen is table.rows[2]
        await _click(pilot, table, 3)
        assert isinstance(office.screen, PersonScreen)


async def _click(pilot: Pilot[None], table: Ledger, line: int) -> None:
    await pilot.click(table, offset=(5, line))
    await calm(pilot)
