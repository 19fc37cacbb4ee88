"""Who may come in, for how long, and what others learn from trying."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select, update

from desk.hub import accounts, passwords, throttle, tokens
from desk.hub.accounts import Arrival
from desk.hub.errors import HubProblem
from desk.hub.passwords import hash_password, matches
from desk.protocol.messages import PROTOCOL, Refresh, SignedIn, SignIn
from desk.schema import hub_tables as t
from tests.hub.hubs import MINUTE, PASSWORD, Hub, problem, read
from tests.keys import public_key

FAR = Arrival("203.0.113.7", is_local=False)
FREE = throttle.FREE_FAILURES["account at address"]
NEAR = Arrival("127.0.0.1", is_local=True)


def asked(hub: Hub, user: str = "head", password: str = PASSWORD, **more: Any) -> SignIn:
    values = {"device": hub.new_id(), "device_name": "a test", "protocol": PROTOCOL, **more}
    return SignIn(user=user, password=password, key=public_key(values["device"]), **values)


def enter(hub: Hub, request: SignIn, arrival: Arrival = FAR) -> accounts.Entered:
    return accounts.sign_in(hub.database, request, arrival, hub.clock.now, hub.random.randbytes)


def refusal(hub: Hub, request: SignIn, arrival: Arrival = FAR) -> HubProblem:
    with pytest.raises(HubProblem) as refused:
        enter(hub, request, arrival)
    return refused.value


def only_on_loopback(hub: Hub, user: str) -> None:
    with hub.database.write() as connection:
        mine = update(t.account).where(t.account.c.user_id == user)
        connection.execute(mine.values(loopback_only=True))


def test_signing_in_tells_who_one_is_and_what_was_answered_last(hub: Hub) -> None:
    device = hub.new_id()
    answer = read(hub.sign_in("marketer1", device=device), SignedIn)
    assert (answer.person.id, answer.person.role) == ("marketer1", "marketer")
    assert (answer.last_op, answer.playbook_version) == (0, 1)
    assert answer.company == "Грузовая биржа"


def test_neither_password_nor_token_is_stored(hub: Hub) -> None:
    token = hub.desk("head").token
    with hub.database.read() as connection:
        stored = repr(connection.execute(select(t.token)).all())
        stored += repr(connection.execute(select(t.account)).all())
    assert token not in stored
    assert PASSWORD not in stored


def test_an_unknown_user_a_wrong_password_and_a_former_colleague_get_the_same_answer(
    hub: Hub,
) -> None:
    with hub.database.write() as connection:
        connection.execute(update(t.person).where(t.person.c.id == "sales2").values(active=False))
    answers = [
        hub.sign_in("nobody"),
        hub.sign_in("head", password="wrong"),
        hub.sign_in("sales2"),
        hub.sign_in("head", password="x" * 5000),
    ]
    assert {(one.status_code, one.text) for one in answers} == {
        (answers[0].status_code, answers[0].text)
    }
    assert problem(answers[0])[:2] == (401, "wrong_password")


def test_an_unknown_user_costs_the_work_of_a_password_check() -> None:
    assert not matches(None, "nobody has this password")
    assert matches(hash_password("x"), "x")


def test_a_token_lasts_its_time_and_no_longer(hub: Hub) -> None:
    headers = dict(hub.desk("head").headers)
    hub.clock.now += tokens.ACCESS_LIFE - 1
    assert hub.client.get("/v1/playbook", headers=headers).status_code == 200
    hub.clock.now += 1
    answer = hub.client.get("/v1/playbook", headers=headers)
    assert problem(answer)[:2] == (401, "not_signed_in")


def test_signing_out_forgets_the_token(hub: Hub) -> None:
    desk, other = hub.desk("head"), hub.desk("head")
    assert desk.post("/v1/sign-out", {}).status_code == 204
    assert desk.get("/v1/playbook").status_code == 401
    assert other.get("/v1/playbook").status_code == 200


def test_a_device_has_one_token(hub: Hub) -> None:
    device = hub.new_id()
    old, new = hub.desk("head", device), hub.desk("head", device)
    assert old.get("/v1/playbook").status_code == 401
    assert new.get("/v1/playbook").status_code == 200


def test_a_user_made_inactive_is_out_at_once(hub: Hub) -> None:
    desk = hub.desk("sales1")
    with hub.database.write() as connection:
        connection.execute(update(t.person).where(t.person.c.id == "sales1").values(active=False))
    assert desk.get("/v1/snapshot").status_code == 401


def test_no_token_or_a_wrong_one_is_not_signed_in(hub: Hub) -> None:
    for header in (b"", b"Bearer ", b"Bearer x", b"Basic eDp5", b"Bearer \xff"):
        answer = hub.client.get("/v1/snapshot", headers=[(b"authorization", header)])
        assert problem(answer)[:2] == (401, "not_signed_in"), header


def test_a_device_of_one_user_is_not_another_ones(hub: Hub) -> None:
    device = hub.new_id()
    enter(hub, asked(hub, device=device))
    refused = refusal(hub, asked(hub, "sales1", device=device))
    assert (refused.status, refused.code) == (409, "device_of_another")


@pytest.mark.parametrize(("user", "device"), [("head", "not an id"), ("he\0ad", "")])
def test_a_sign_in_that_makes_no_sense_is_refused(hub: Hub, user: str, device: str) -> None:
    refused = refusal(hub, asked(hub, user, device=device or hub.new_id()))
    assert (refused.status, refused.code) == (400, "bad_request")


def test_guessing_is_slowed_down_for_one_account_and_address(hub: Hub) -> None:
    for _ in range(FREE):
        assert refusal(hub, asked(hub, password="guess")).status == 401
    waiting = refusal(hub, asked(hub))
    assert (waiting.status, waiting.code) == (429, "throttled")
    assert waiting.headers == {"Retry-After": waiting.arguments["seconds"]} == {"Retry-After": "1"}
    enter(hub, asked(hub), Arrival("203.0.113.8", is_local=False))
    enter(hub, asked(hub, "sales1"))
    hub.clock.now += 1000
    refusal(hub, asked(hub, password="guess"))
    assert refusal(hub, asked(hub)).arguments == {"seconds": "2"}
    hub.clock.now += 2000
    enter(hub, asked(hub))
    assert refusal(hub, asked(hub, password="guess")).status == 401


def test_guesses_sent_all_at_once_are_slowed_down_as_well(hub: Hub) -> None:
    attempts = FREE + 7
    guesses = [asked(hub, password="guess") for _ in range(attempts)]
    with ThreadPoolExecutor(attempts) as threads:
        answers = list(threads.map(lambda guess: refusal(hub, guess).status, guesses))
    assert answers.count(401) == FREE
    assert answers.count(429) == 7


def test_an_account_is_guessed_at_from_many_addresses_no_faster(hub: Hub) -> None:
    free = throttle.FREE_FAILURES["account"]
    for number in range(free):
        far = Arrival(f"203.0.113.{number}", is_local=False)
        assert refusal(hub, asked(hub, password="guess"), far).status == 401
    assert refusal(hub, asked(hub), Arrival("198.51.100.1", is_local=False)).status == 429


def test_whoever_comes_by_his_own_device_is_not_kept_out_by_those_who_guess(hub: Hub) -> None:
    device = hub.new_id()
    enter(hub, asked(hub, device=device))
    for number in range(throttle.FREE_FAILURES["account"]):
        far = Arrival(f"203.0.113.{number}", is_local=False)
        refusal(hub, asked(hub, password="guess"), far)
    enter(hub, asked(hub, device=device), Arrival("198.51.100.1", is_local=False))
    for _ in range(throttle.FREE_FAILURES["own device"]):
        assert refusal(hub, asked(hub, password="guess", device=device), NEAR).status == 401
    assert refusal(hub, asked(hub, device=device), NEAR).status == 429


def test_a_device_guesses_at_many_accounts_no_faster(hub: Hub) -> None:
    device = hub.new_id()
    for number in range(throttle.FREE_FAILURES["device"]):
        far = Arrival(f"203.0.113.{number}", is_local=False)
        assert refusal(hub, asked(hub, f"user{number}", device=device), far).status == 401
    assert refusal(hub, asked(hub, "sales1", device=device)).status == 429


def test_an_address_guesses_at_many_accounts_no_faster_and_a_success_takes_no_more_back(
    hub: Hub,
) -> None:
    free = throttle.FREE_FAILURES["address"]
    for number in range(free - 1):
        assert refusal(hub, asked(hub, f"user{number}")).status == 401
    enter(hub, asked(hub, "sales1"))
    assert refusal(hub, asked(hub, "another")).status == 401
    assert refusal(hub, asked(hub, "sales2")).status == 429


def test_every_refused_sign_in_costs_one_hash(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    verify = passwords._HASHER.verify

    class Counting:
        @staticmethod
        def verify(hashed: str, password: str) -> bool:
            verified.append(password)
            return verify(hashed, password)

        hash = passwords._HASHER.hash

    passwords.prepare()
    monkeypatch.setattr(passwords, "_HASHER", Counting)
    with hub.database.write() as connection:
        connection.execute(update(t.person).where(t.person.c.id == "sales2").values(active=False))
    for user, password in (("nobody", "x"), ("head", "x"), ("sales2", PASSWORD), ("", "")):
        assert refusal(hub, asked(hub, user, password)).code == "wrong_password"
        assert len(verified) == 1
        verified.clear()


def test_bad_refresh_tokens_are_slowed_down_by_address(hub: Hub) -> None:
    desk = hub.desk("head")
    body = Refresh(refresh="x", retry="1")
    for _ in range(throttle.FREE_FAILURES["refresh at address"]):
        with hub.database.write() as connection:
            throttle.count(connection, [("refresh at address", "testclient")], hub.clock.now)
    assert problem(desk.signed("/v1/refresh", body))[:2] == (429, "throttled")


def test_a_right_password_is_no_failed_attempt_whatever_is_refused_then(hub: Hub) -> None:
    only_on_loopback(hub, "head")
    for _ in range(FREE + 1):
        assert refusal(hub, asked(hub), FAR).code == "loopback_only"


def test_guessing_at_an_unknown_user_is_slowed_down_alike(hub: Hub) -> None:
    for _ in range(FREE):
        refusal(hub, asked(hub, "nobody"))
    assert refusal(hub, asked(hub, "nobody")).status == 429
    hub.clock.pass_minutes(throttle.LONGEST_WAIT / MINUTE + 1)
    assert refusal(hub, asked(hub, "nobody")).status == 401


def test_a_demo_account_works_on_this_machine_only(hub: Hub) -> None:
    only_on_loopback(hub, "head")
    token = enter(hub, asked(hub), NEAR).tokens.token
    assert refusal(hub, asked(hub), FAR).code == "loopback_only"
    with pytest.raises(HubProblem) as refused:
        accounts.authenticate(hub.database, token, FAR, hub.clock.now)
    assert refused.value.code == "loopback_only"
    session = accounts.authenticate(hub.database, token, NEAR, hub.clock.now)
    assert session.actor.id == "head"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.3.4.5", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("::", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_other_addresses(host: str, local: bool) -> None:
    assert accounts.is_loopback(host) is local


def test_two_devices_registering_at_once_both_come_in(hub: Hub) -> None:
    device = hub.new_id()
    with hub.database.write() as connection:
        connection.execute(
            insert(t.device).values(
                id=device,
                user_id="head",
                name="",
                created_at=1,
                last_op=5,
                public_key=public_key(device),
            )
        )
    assert enter(hub, asked(hub, device=device)).last_op == 5


def test_a_name_of_a_device_is_cleaned(hub: Hub) -> None:
    enter(hub, asked(hub, device_name="a\x1b[31m\u202edesk"))
    with hub.database.read() as connection:
        assert connection.execute(select(t.device.c.name)).scalar_one() == "a[31mdesk"


def test_an_answer_to_a_refused_sign_in_repeats_nothing_of_it(hub: Hub) -> None:
    body = {"user": 17, "password": "my secret", "device": "x", "device_name": "", "protocol": 3}
    answer = hub.client.post("/v1/sign-in", content=msgspec.json.encode(body))
    assert problem(answer)[:2] == (400, "bad_request")
    assert "secret" not in answer.text
