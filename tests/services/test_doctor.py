"""What an examination finds at a desk, and what it advises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from desk.domain.operations import Comment, Create
from desk.hub import administration
from desk.hub.database import Database
from desk.protocol.messages import PROTOCOL, PROTOCOL_MIN
from desk.services import doctor, settings
from desk.services.desk import Checkup, Desk
from desk.services.errors import DeskError, HubUnreachable
from tests.hub_process import HubProcess
from tests.services.rooms import NOW, a_lead, a_page, furnish, open_desk, ticking

Sit = Callable[..., Desk]


class Hub(httpx.BaseTransport):
    """A hub that says what a test wants."""

    def __init__(self, now: int = NOW, low: int = PROTOCOL_MIN, high: int = PROTOCOL) -> None:
        self.hello: dict[str, object] = {
            "product": "desk",
            "hub": "hub",
            "protocol_min": low,
            "protocol_max": high,
            "now": now,
        }
        self.page: dict[str, object] = {"cursor": "epoch:1", "last_op": 0, "playbook_version": 1}
        self.refusal: tuple[int, str] | None = None
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path == "/v1/handshake":
            return httpx.Response(200, json=self.hello)
        if self.refusal:
            return httpx.Response(self.refusal[0], json={"code": self.refusal[1]})
        asked = request.url.params.get("cursor", "")
        return httpx.Response(200, json={**self.page, "asked": asked})


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Checkup]:
    """Furnish a desk before a hub, let the test do something with it, and examine it."""

    def examined(
        hub: httpx.BaseTransport | None = None,
        before: Callable[[Desk], object] = lambda _desk: None,
        clock: Callable[[], int] = lambda: NOW,
    ) -> Checkup:
        with open_desk(tmp_path / "desk", clock=clock, transport=hub or Hub()) as desk:
            furnish(desk)
            before(desk)
            return desk.examine()

    return examined


def code(error: DeskError | None) -> str:
    return error.code if error else ""


def put(key: str, value: str) -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        with desk.context.store.write() as connection:
            settings.put(connection, key, value)

    return write


def test_a_desk_that_agrees_with_its_hub_needs_nothing(look: Callable[..., Checkup]) -> None:
    found = look()
    assert (found.why, found.repairs, found.pending, found.last_error) == (None, (), (), None)
    assert (found.user, found.hub, found.epoch) == ("marketer1", "http://127.0.0.1:9", "epoch")
    assert found.reachable
    assert found.protocol == (PROTOCOL_MIN, PROTOCOL)
    assert found.rows["person"] == 5
    assert found.file_bytes > 0


def test_what_waits_is_told_by_number_and_age(look: Callable[..., Checkup]) -> None:
    def work(desk: Desk) -> None:
        lead = a_lead(1)
        furnish(desk, a_page(items=[lead]))
        for text in ("раз", "два"):
            desk.do(Comment(item_id=lead.id, text=text))

    found = look(before=work, clock=ticking())
    assert found.pending == (1, 2)
    assert found.pending_since is not None
    assert NOW < found.pending_since < found.at
    assert found.repairs == ("sync",)
    assert found.rows["item"] == 1


def test_a_hub_that_does_not_answer_is_the_reason_and_nothing_is_known_of_it(
    look: Callable[..., Checkup],
) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no way", request=request)

    found = look(httpx.MockTransport(away), lambda desk: desk.go_offline(False))
    assert code(found.why) == "hub_unreachable"
    assert (found.reachable, found.protocol, found.clock_ms, found.repairs) == (
        False,
        None,
        None,
        (),
    )


def test_the_switch_goes_before_everything_and_the_hub_is_not_asked(
    look: Callable[..., Checkup],
) -> None:
    hub = Hub()
    found = look(hub, lambda desk: desk.go_offline(True))
    assert (code(found.why), found.repairs) == ("offline_by_choice", ("go_online",))
    assert hub.asked == []


def test_an_ended_session_asks_to_sign_in_and_keeps_what_waits(
    look: Callable[..., Checkup],
) -> None:
    hub = Hub()
    hub.refusal = (401, "not_signed_in")
    found = look(hub, lambda desk: desk.do(Create(kind="lead", title="Ждёт")))
    assert (code(found.why), found.repairs, found.pending) == ("not_signed_in", ("sign_in",), (1,))
    assert found.reachable


def test_whose_desk_it_is_stays_known_after_signing_out(look: Callable[..., Checkup]) -> None:
    found = look(before=lambda desk: desk.sign_out())
    assert (found.user, code(found.why), found.repairs) == (
        "marketer1",
        "not_signed_in",
        ("sign_in",),
    )


def test_a_new_profile_is_nobodys(tmp_path: Path) -> None:
    with open_desk(tmp_path / "desk") as desk:
        found = desk.examine()
    assert (found.user, found.hub, found.cursor) == (None, None, "")
    assert (code(found.why), found.repairs) == ("not_signed_in", ("sign_in",))


def test_a_hub_of_another_age_asks_for_an_update_and_tells_what_it_speaks(
    look: Callable[..., Checkup],
) -> None:
    found = look(Hub(low=PROTOCOL + 1, high=PROTOCOL + 3))
    assert (code(found.why), found.repairs) == ("wrong_protocol", ("update",))
    assert found.protocol == (PROTOCOL + 1, PROTOCOL + 3)


def test_a_first_fetch_that_was_broken_off_is_told(look: Callable[..., Checkup]) -> None:
    def forget_cursor(desk: Desk) -> None:
        with desk.context.store.write() as connection:
            settings.drop(connection, settings.CURSOR)

    found = look(before=forget_cursor)
    assert (code(found.why), found.repairs) == ("unfinished_fetch", ("sync",))


def test_a_cursor_the_hub_no_longer_takes_asks_for_an_exchange(
    look: Callable[..., Checkup],
) -> None:
    hub = Hub()
    hub.page["reset"] = True
    found = look(hub)
    assert (found.why, found.repairs) == (None, ("sync",))


def test_rows_that_differ_ask_to_be_reconciled(look: Callable[..., Checkup]) -> None:
    def differs(desk: Desk) -> None:
        put("digest_state", "differs")(desk)
        put("digest_at", str(NOW - 5))(desk)

    found = look(before=differs)
    assert (found.digest_state, found.digest_at, found.repairs) == (
        "differs",
        NOW - 5,
        ("reconcile",),
    )


@pytest.mark.parametrize(
    ("hub_now", "told"),
    [(NOW, 0), (NOW - 30_000, 30_000), (NOW - 365 * 86_400_000, 365 * 86_400_000)],
)
def test_the_clock_is_compared_with_half_the_way_taken_off(
    tmp_path: Path, hub_now: int, told: int
) -> None:
    seconds = iter((10.0, 10.4))
    hub = Hub(now=hub_now + 200)
    with open_desk(tmp_path / "desk", clock=lambda: NOW, transport=hub) as desk:
        furnish(desk)
        found = doctor.examine(
            desk.context, desk._network, desk.profile_dir / "local.db", lambda: next(seconds)
        )
    assert found.clock_ms == told
    assert ("set_clock" in found.repairs) == (told > doctor.CLOCK_TOLERANCE)


def test_another_process_can_tell_the_last_failure_and_that_it_is_over(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    class Broken(httpx.BaseTransport):
        away = False

        def __init__(self) -> None:
            self.wire = httpx.HTTPTransport()

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if self.away and request.url.path == "/v1/operations":
                return httpx.Response(418, json={"code": "teapot"})
            return self.wire.handle_request(request)

    wire = Broken()
    desk = sit("operator1", transport=wire)
    assert desk.examine().synced_at is not None
    desk.do(Create(kind="lead", title="Чайник"))
    wire.away = True
    for _ in range(2):
        with pytest.raises(DeskError):
            desk.sync_once()
    first_seen = desk.examine().last_error_at
    desk.close()

    with open_desk(tmp_path / "operator1", transport=wire) as again:
        found = again.examine()
        assert code(found.why) == code(found.last_error) == "hub_problem"
        assert found.why is not None
        assert found.why.values["reason"] == "teapot"
        assert found.last_error_at == first_seen is not None
        assert found.repairs == ("sync",)
        wire.away = False
        again.sync_once()
        found = again.examine()
        assert (found.why, code(found.last_error)) == (None, "hub_problem")
        assert found.repairs == ()


def test_a_session_ended_by_the_administrator_is_seen_without_an_exchange(
    sit: Sit, hub: HubProcess
) -> None:
    desk = sit("operator1")
    with Database(hub.db_url) as database:
        administration.revoke(database, desk.examine().device or "", NOW)
    assert code(desk.examine().why) == "not_signed_in"


def test_signing_in_anew_leaves_no_old_failure_standing(sit: Sit, hub: HubProcess) -> None:
    class Cut(httpx.BaseTransport):
        cut = True

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if self.cut:
                raise httpx.ConnectError("cut", request=request)
            return httpx.HTTPTransport().handle_request(request)

    wire = Cut()
    wire.cut = False
    desk = sit("operator1", transport=wire)
    wire.cut = True
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    assert desk.examine().why is not None
    wire.cut = False
    desk.sign_in(hub.url, "operator1", "demo")
    found = desk.examine()
    assert (found.why, found.repairs) == (None, ())


def test_the_moment_of_the_last_exchange_is_written_once_a_minute_at_most(
    tmp_path: Path,
) -> None:
    now = [NOW]
    with open_desk(tmp_path / "desk", clock=lambda: now[0], transport=Hub()) as desk:
        furnish(desk)
        told: list[int | None] = []
        for step in (0, 59_999, 1, -3_600_000):
            now[0] += step
            desk.sync_once()
            told.append(desk.examine().synced_at)
    assert told == [NOW, NOW, NOW + 60_000, NOW + 60_000 - 3_600_000]
