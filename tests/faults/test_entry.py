"""Answers lost while one comes in or goes on: no session and no code is lost with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from desk.hub import enrolment, sessions, tokens
from desk.hub.database import Database
from desk.schema import hub_tables as t
from desk.services import access
from desk.services.desk import Desk, wall_clock
from desk.services.errors import CodeNeeded, HubUnreachable, NotSignedIn
from tests.faults.plans import Kind, Plan
from tests.faults.proxy import Proxy
from tests.hub_process import PASSWORD, HubProcess
from tests.services.conftest import cheap_passphrases as cheap_passphrases
from tests.services.rooms import open_desk

LOSSES: tuple[Kind, ...] = ("cut_after", "truncate", "cut_before")
REFRESH = "/v1/refresh"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """One hub for all tests of this file."""
    started = HubProcess(tmp_path_factory.mktemp("hub")).start()
    yield started
    started.kill()


@pytest.fixture
def database(process: HubProcess) -> Iterator[Database]:
    """The hub's database, past the hub."""
    with Database(process.db_url) as opened:
        yield opened


@pytest.fixture
def proxy(process: HubProcess) -> Iterator[Proxy]:
    """The way to it."""
    with Proxy(process.url, Plan()) as opened:
        yield opened


@pytest.fixture
def sit(proxy: Proxy, tmp_path: Path) -> Iterator[Callable[[], Desk]]:
    """Open the desk, signed in the first time; the one before is closed."""
    opened: list[Desk] = []

    def sit_down() -> Desk:
        for one in opened:
            one.close()
        opened[:] = [open_desk(tmp_path / "desk")]
        if not opened[0].signed_in:
            opened[0].sign_in(proxy.url, "operator1", PASSWORD)
        return opened[0]

    yield sit_down
    for one in opened:
        one.close()


def expire(database: Database) -> None:
    """Every access token has had its time."""
    with database.write() as connection:
        connection.execute(update(t.token).values(expires_at=0))


def asked(proxy: Proxy) -> int:
    return sum(path == REFRESH for path, _ in proxy.plan.seen)


@pytest.mark.parametrize("loss", [*LOSSES, "twice"])
def test_tokens_whose_answer_was_lost_are_asked_for_again(
    loss: Kind, sit: Callable[[], Desk], proxy: Proxy, database: Database
) -> None:
    desk = sit()
    expire(database)
    proxy.plan.add(REFRESH, loss)
    if loss == "twice":
        desk.sync_once()
    else:
        with pytest.raises(HubUnreachable):
            desk.sync_once()
    desk.sync_once()
    expire(database)
    desk.sync_once()
    assert desk.status().last_error == ""


@pytest.mark.parametrize("loss", LOSSES)
def test_a_desk_that_was_killed_before_it_had_the_answer_goes_on_after_it(
    loss: Kind, sit: Callable[[], Desk], proxy: Proxy, database: Database
) -> None:
    desk = sit()
    expire(database)
    proxy.plan.add(REFRESH, loss)
    with pytest.raises(HubUnreachable):
        desk.sync_once()
    sit().sync_once()


def test_a_desk_that_was_killed_before_it_kept_the_answer_goes_on_after_it(
    sit: Callable[[], Desk], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = sit()
    expire(database)
    with monkeypatch.context() as patch:
        patch.setattr(access, "keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            desk.sync_once()
    desk = sit()
    desk.sync_once()
    expire(database)
    desk.sync_once()


def test_of_several_threads_one_asks_for_the_next_tokens(
    sit: Callable[[], Desk], proxy: Proxy, database: Database
) -> None:
    desk = sit()
    expire(database)
    before = asked(proxy)
    gate = threading.Barrier(4)

    def look(_: int) -> int:
        gate.wait(20)
        return len(desk.sessions())

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(look, range(4)))) == 1
    assert asked(proxy) - before == 1


def test_a_token_is_followed_by_another_before_it_ends(
    sit: Callable[[], Desk], proxy: Proxy, database: Database
) -> None:
    desk = sit()
    expire(database)
    desk.sync_once()
    before = asked(proxy)
    desk.sync_once()
    assert asked(proxy) == before
    tokens_of = desk._network._tokens(proxy.url)
    later = tokens.ACCESS_LIFE / 1000
    timer = tokens_of._timer
    tokens_of._timer = lambda: timer() + later
    desk.sync_once()
    assert asked(proxy) == before + 1


def test_a_copy_of_a_profile_that_comes_second_ends_the_session_and_loses_no_work(
    sit: Callable[[], Desk], proxy: Proxy, database: Database, tmp_path: Path
) -> None:
    import shutil

    desk = sit()
    desk.close()
    shutil.copytree(tmp_path / "desk", tmp_path / "copy")
    expire(database)
    sit().sync_once()
    with open_desk(tmp_path / "copy") as thief, pytest.raises(NotSignedIn):
        thief.sync_once()
    with pytest.raises(NotSignedIn):
        sit().sync_once()


@pytest.mark.parametrize("loss", ["cut_after", "truncate"])
def test_a_code_whose_answer_was_lost_has_enrolled_the_device(
    loss: Kind, proxy: Proxy, database: Database, tmp_path: Path
) -> None:
    sessions.demand(database, "code", None)
    try:
        given = enrolment.give(database, "operator1", wall_clock(), bytes)
        with open_desk(tmp_path / "new") as desk:
            with pytest.raises(CodeNeeded):
                desk.sign_in(proxy.url, "operator1", PASSWORD)
            proxy.plan.add("/v1/sign-in", loss)
            with pytest.raises(HubUnreachable):
                desk.sign_in(proxy.url, "operator1", PASSWORD, enrolment=given.code)
            before = _devices(database)
            desk.sign_in(proxy.url, "operator1", PASSWORD)
            assert _devices(database) == before
            desk.sync_once()
    finally:
        sessions.demand(database, "open", None)


def _devices(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(t.device)).scalar_one()
