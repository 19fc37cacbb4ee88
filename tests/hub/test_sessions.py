"""One's sessions, how they end, and passwords."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from desk.hub import administration, passwords, sessions, throttle
from desk.hub.errors import SetupError
from desk.protocol.sessions import Sessions
from desk.schema import hub_tables as t
from tests.hub.hubs import PASSWORD, Hub, problem, read

NEW = "верёвочка 42 лиса"


@pytest.fixture
def backend() -> str:
    """What differs between the databases is looked at where tokens and accounts are."""
    return "sqlite"


def test_one_sees_ones_own_sessions_and_ends_them_one_by_one(hub: Hub) -> None:
    first, stranger = hub.desk("head"), hub.desk("sales1")
    hub.clock.pass_minutes(1)
    second = hub.desk("head")
    listed = read(first.get("/v1/sessions"), Sessions).sessions
    assert [(one.device, one.current) for one in listed] == [
        (second.device, False),
        (first.device, True),
    ]
    assert {one.device_name for one in listed} == {"a test"}
    (theirs,) = read(stranger.get("/v1/sessions"), Sessions).sessions
    assert problem(first.post("/v1/sessions/end", {"id": theirs.id}))[:2] == (
        404,
        "no_such_session",
    )
    assert first.post("/v1/sessions/end", {"id": listed[0].id}).status_code == 204
    assert second.get("/v1/playbook").status_code == 401
    assert stranger.get("/v1/playbook").is_success
    assert [one.current for one in read(first.get("/v1/sessions"), Sessions).sessions] == [True]


def test_another_password_ends_the_other_sessions_and_keeps_this_one(hub: Hub) -> None:
    here, there = hub.desk("head"), hub.desk("head")
    answer = here.post("/v1/password", {"current": PASSWORD, "new": NEW})
    assert answer.status_code == 204
    assert here.get("/v1/playbook").is_success
    assert there.get("/v1/playbook").status_code == 401
    assert hub.sign_in("head").status_code == 401
    assert hub.sign_in("head", NEW).is_success


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Сокол-1", "short"),
        ("x" * 1025, "long"),
        ("my dear HEAD of sales", "name"),
        ("Qwerty12345", "common"),
        ("ПАРОЛЬ12345", "common"),
        ("ррррррррррр", "common"),
        (NEW, ""),
    ],
)
def test_a_password_is_long_and_neither_common_nor_a_name(password: str, why: str) -> None:
    assert passwords.weakness(password, "head", "Head") == why


def test_a_password_is_not_changed_to_a_weak_one_or_the_same_or_without_the_old_one(
    hub: Hub,
) -> None:
    desk = hub.desk("head")
    for current, new, refused in (
        (PASSWORD, "short", (422, "weak_password", {"why": "short"})),
        (PASSWORD, PASSWORD, (422, "weak_password", {"why": "same"})),
        ("guess", NEW, (403, "wrong_password", {})),
    ):
        answer = desk.post("/v1/password", {"current": current, "new": new})
        assert problem(answer) == refused
        assert NEW not in answer.text
    assert desk.get("/v1/playbook").is_success
    assert hub.sign_in("head").is_success


def test_guessing_at_the_old_password_from_a_session_is_slowed_down(hub: Hub) -> None:
    desk = hub.desk("head")
    for _ in range(throttle.FREE_FAILURES["password"]):
        desk.post("/v1/password", {"current": "guess", "new": NEW})
    answer = desk.post("/v1/password", {"current": PASSWORD, "new": NEW})
    assert problem(answer)[:2] == (429, "throttled")


def test_the_administrator_gives_a_password_and_ends_every_session(hub: Hub) -> None:
    desk = hub.desk("head")
    assert sessions.give_password(hub.database, "head", NEW) == [desk.device]
    assert desk.get("/v1/playbook").status_code == 401
    assert hub.sign_in("head", NEW).is_success
    for user, password, code in (("nobody", NEW, "no_such_user"), ("head", "x", "weak_password")):
        with pytest.raises(SetupError, match=code):
            sessions.give_password(hub.database, user, password)


def test_a_user_that_is_kept_out_is_out_at_once_and_comes_in_when_he_may(hub: Hub) -> None:
    desk, colleague = hub.desk("sales1"), hub.desk("head")
    colleague.bootstrap()
    assert sessions.let_in(hub.database, "sales1", active=False, now=hub.clock.now)
    assert not sessions.let_in(hub.database, "sales1", active=False, now=hub.clock.now)
    assert desk.get("/v1/playbook").status_code == 401
    assert hub.sign_in("sales1").status_code == 401
    colleague.pull()
    assert not colleague.rows["person"]["sales1"].active
    assert colleague.rows == colleague.fresh()
    assert sessions.let_in(hub.database, "sales1", active=True, now=hub.clock.now)
    assert hub.sign_in("sales1").is_success
    with hub.database.read() as connection:
        mine = select(t.account.c.policy_version).where(t.account.c.user_id == "sales1")
        assert connection.execute(mine).scalar_one() == 3
    with pytest.raises(SetupError, match="no_such_user"):
        sessions.let_in(hub.database, "nobody", active=True, now=hub.clock.now)


def test_what_a_sign_in_needs_is_changed_and_told(hub: Hub) -> None:
    assert sessions.demand(hub.database, None, None) == sessions.Demanded("open", [])
    changed = sessions.demand(hub.database, "code", ["head", "sales"])
    assert changed == sessions.Demanded("code", ["head", "sales"])
    assert sessions.demand(hub.database, None, ["none"]) == sessions.Demanded("code", [])
    assert sessions.demand(hub.database, "open", ["all"]) == sessions.Demanded("open", ["all"])
    with pytest.raises(SetupError, match="unknown_role"):
        sessions.demand(hub.database, None, ["queen"])


def test_sessions_that_ended_leave_no_device_signed_in(hub: Hub) -> None:
    desk = hub.desk("head")
    administration.revoke(hub.database, "head", hub.clock.now)
    (found,) = administration.devices(hub.database, "head", hub.clock.now)
    assert (found.id, found.signed_in) == (desk.device, False)
