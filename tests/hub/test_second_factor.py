"""Codes beside the password: for a new device, and of an authenticator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pyotp.totp import TOTP
from sqlalchemy import select

from desk.hub import accounts, enrolment, throttle, totp
from desk.hub.accounts import Arrival
from desk.hub.errors import HubProblem, SetupError
from desk.protocol.messages import SecondFactor
from desk.schema import hub_tables as t
from tests import keys
from tests.hub.hubs import PASSWORD, Hub, problem, read
from tests.hub.test_accounts import asked, enter, only_on_loopback, refusal

STEP = totp.STEP


@pytest.fixture
def backend() -> str:
    """What differs between the databases is looked at where tokens and accounts are."""
    return "sqlite"


def require(hub: Hub, *roles: str, mode: enrolment.Mode = "open") -> None:
    with hub.database.write() as connection:
        totp.require(connection, list(roles))
        enrolment.choose(connection, mode)


def begin(hub: Hub, user: str = "head", **more: Any) -> totp.Begun:
    return accounts.begin_second_factor(
        hub.database,
        asked(hub, user, **more),
        Arrival("203.0.113.7", is_local=False),
        hub.clock.now,
        hub.random.randbytes,
    )


def code(hub: Hub, begun: totp.Begun, steps: int = 0) -> str:
    return TOTP(begun.secret).at((hub.clock.now + steps * STEP) // 1000)


def set_up(hub: Hub, user: str = "head") -> totp.Begun:
    begun = begin(hub, user)
    enter(hub, asked(hub, user, code=code(hub, begun)))
    hub.clock.now += 2 * STEP
    return begun


def give(hub: Hub, user: str = "head") -> str:
    return enrolment.give(hub.database, user, hub.clock.now, hub.random.randbytes).code


# the authenticator


def test_who_has_an_authenticator_is_asked_for_its_code_after_the_password(hub: Hub) -> None:
    begun = set_up(hub)
    refused = refusal(hub, asked(hub))
    assert (refused.status, refused.code, refused.arguments) == (401, "code_needed", {"totp": "1"})
    assert refusal(hub, asked(hub, password="x")).code == "wrong_password"
    assert refusal(hub, asked(hub, code="000000")).arguments == {"which": "totp"}
    enter(hub, asked(hub, code=code(hub, begun)))


def test_a_code_is_taken_a_step_before_and_after_its_time_and_no_further(hub: Hub) -> None:
    begun = set_up(hub)
    for steps in (-2, 2):
        assert refusal(hub, asked(hub, code=code(hub, begun, steps))).code == "wrong_code"
    enter(hub, asked(hub, code=code(hub, begun, -1)))
    enter(hub, asked(hub, code=code(hub, begun, 1)))


def test_a_code_lets_in_once_also_when_it_comes_twice_at_once(hub: Hub) -> None:
    begun = set_up(hub)
    typed = [asked(hub, code=code(hub, begun)) for _ in range(3)]

    def come(request: Any) -> str:
        try:
            enter(hub, request)
        except HubProblem as problem:
            return problem.code
        return "in"

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(come, typed)) == ["in", "wrong_code", "wrong_code"]
    assert come(asked(hub, code=code(hub, begun, -1))) == "wrong_code"


def test_a_recovery_code_lets_in_once_however_it_is_typed(hub: Hub) -> None:
    begun = set_up(hub)
    typed = begun.recovery[0].lower().replace("-", " ")
    enter(hub, asked(hub, code=typed))
    assert refusal(hub, asked(hub, code=typed)).code == "wrong_code"
    enter(hub, asked(hub, code=begun.recovery[1]))


def test_the_first_code_puts_a_secret_in_force_and_none_before(hub: Hub) -> None:
    begun = begin(hub)
    enter(hub, asked(hub))
    assert refusal(hub, asked(hub, code=begun.recovery[0])).code == "wrong_code"
    enter(hub, asked(hub, code=code(hub, begun)))
    assert refusal(hub, asked(hub)).code == "code_needed"


def test_a_secret_that_was_begun_anew_is_the_one_that_counts(hub: Hub) -> None:
    first, second = begin(hub), begin(hub)
    assert refusal(hub, asked(hub, code=code(hub, first))).code == "wrong_code"
    enter(hub, asked(hub, code=code(hub, second)))


def test_who_knows_the_password_alone_cannot_put_another_secret(hub: Hub) -> None:
    begun = set_up(hub)
    for typed in ("", code(hub, begun)):
        with pytest.raises(HubProblem, match="totp_set_up"):
            begin(hub, code=typed)


def test_a_role_that_needs_a_second_factor_sets_it_up_first(hub: Hub) -> None:
    require(hub, "head")
    enter(hub, asked(hub, "sales1"))
    assert refusal(hub, asked(hub)).code == "totp_needed"
    set_up(hub)
    require(hub, totp.ALL)
    assert refusal(hub, asked(hub, "sales1")).code == "totp_needed"


def test_guessing_at_codes_is_slowed_down_wherever_it_comes_from(hub: Hub) -> None:
    begun = set_up(hub)
    for number in range(throttle.FREE_FAILURES["totp"]):
        far = Arrival(f"198.51.100.{number}", is_local=False)
        assert refusal(hub, asked(hub, code="000000"), far).code == "wrong_code"
    assert refusal(hub, asked(hub, code=code(hub, begun))).code == "throttled"
    hub.clock.now += 1000
    enter(hub, asked(hub, code=code(hub, begun)))


def test_the_secret_and_the_recovery_codes_are_not_stored_as_they_are(hub: Hub) -> None:
    begun = set_up(hub)
    with hub.database.read() as connection:
        stored = repr([connection.execute(select(one)).all()
                       for one in (t.second_factor, t.recovery_code)])  # fmt: skip
    assert begun.secret not in stored
    assert repr(begun.secret.encode())[2:-1] not in stored
    assert not any(one.replace("-", "") in stored for one in begun.recovery)


def test_the_administrator_resets_a_lost_authenticator(hub: Hub) -> None:
    begun = set_up(hub)
    assert totp.reset(hub.database, "head")
    assert not totp.reset(hub.database, "head")
    enter(hub, asked(hub))
    assert refusal(hub, asked(hub, "sales1", code=begun.recovery[0], password="x")).status == 401
    with pytest.raises(SetupError, match="no_such_user"):
        totp.reset(hub.database, "nobody")


def test_demo_accounts_need_no_codes(hub: Hub) -> None:
    require(hub, totp.ALL, mode="code")
    only_on_loopback(hub, "head")
    enter(hub, asked(hub), Arrival("127.0.0.1", is_local=True))


def test_a_secret_comes_over_http_with_a_uri_for_a_qr_code(hub: Hub) -> None:
    device = hub.new_id()
    hello = hub.client.get("/v1/handshake").json()
    message = asked(hub, device=device)
    desk = hub.desk("head", device)
    given = read(desk.signed("/v1/second-factor", message), SecondFactor)
    assert given.uri.startswith("otpauth://totp/")
    assert given.secret in given.uri
    assert hello["hub"]
    answer = keys.sign_in(
        hub.client, "head", PASSWORD, device, code=TOTP(given.secret).at(hub.clock.now / 1000)
    )
    assert answer.is_success
    assert problem(hub.sign_in("head"))[:2] == (401, "code_needed")


# enrolment


def test_a_new_device_needs_a_code_and_a_known_one_does_not(hub: Hub) -> None:
    old, new = hub.new_id(), hub.new_id()
    enter(hub, asked(hub, device=old))
    require(hub, mode="code")
    enter(hub, asked(hub, device=old))
    refused = refusal(hub, asked(hub, device=new))
    assert (refused.code, refused.arguments) == ("code_needed", {"enrolment": "1"})
    enter(hub, asked(hub, device=new, enrolment=give(hub).lower()))
    enter(hub, asked(hub, device=new))


def test_a_code_enrols_one_device_of_its_own_user_within_its_time(hub: Hub) -> None:
    require(hub, mode="code")
    given = give(hub)
    assert refusal(hub, asked(hub, "sales1", enrolment=given)).arguments == {"which": "enrolment"}
    enter(hub, asked(hub, enrolment=given))
    assert refusal(hub, asked(hub, enrolment=given)).code == "wrong_code"
    late, first = give(hub, "sales1"), give(hub, "sales2")
    assert give(hub, "sales2") != first
    assert refusal(hub, asked(hub, "sales2", enrolment=first)).code == "wrong_code"
    hub.clock.now += enrolment.CODE_LIFE
    assert refusal(hub, asked(hub, "sales1", enrolment=late)).code == "wrong_code"


def test_a_wrong_code_of_the_authenticator_uses_up_no_code_of_enrolment(hub: Hub) -> None:
    begun = set_up(hub)
    require(hub, mode="code")
    given = give(hub)
    refused = refusal(hub, asked(hub))
    assert refused.arguments == {"enrolment": "1", "totp": "1"}
    assert refusal(hub, asked(hub, enrolment=given)).arguments == {"totp": "1"}
    assert refusal(hub, asked(hub, enrolment=given, code="000000")).code == "wrong_code"
    enter(hub, asked(hub, enrolment=given, code=code(hub, begun)))


def test_two_devices_that_bring_one_code_at_once_are_one_device_more(hub: Hub) -> None:
    require(hub, mode="code")
    given = give(hub)

    def come(request: Any) -> str:
        try:
            enter(hub, request)
        except HubProblem as problem:
            return problem.code
        return "in"

    requests = [asked(hub, enrolment=given) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(come, requests)) == ["in", "wrong_code", "wrong_code"]


def test_guessing_at_enrolment_codes_is_slowed_down(hub: Hub) -> None:
    require(hub, mode="code")
    given = give(hub)
    for _ in range(throttle.FREE_FAILURES["enrolment"]):
        assert refusal(hub, asked(hub, enrolment="AAAA-AAAA")).code == "wrong_code"
    assert refusal(hub, asked(hub, enrolment=given)).code == "throttled"


def test_who_has_no_code_for_his_device_begins_no_second_factor(hub: Hub) -> None:
    require(hub, mode="code")
    with pytest.raises(HubProblem, match="code_needed"):
        begin(hub)
    begin(hub, enrolment=give(hub))


def test_a_code_of_enrolment_is_stored_as_a_password_is(hub: Hub) -> None:
    given = give(hub)
    with hub.database.read() as connection:
        stored = connection.execute(select(t.enrolment_code.c.hash)).scalar_one()
    assert stored.startswith("$argon2id$")
    assert given not in stored
    with pytest.raises(SetupError, match="no_such_user"):
        give(hub, "nobody")
