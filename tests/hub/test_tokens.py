"""Tokens that follow one another, and what a thief of one gets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
from sqlalchemy import func, select, update

from desk.hub import tokens
from desk.protocol.messages import PROTOCOL, PROTOCOL_HEADER, Refresh, Refreshed
from desk.protocol.proofs import PROOF_HEADER, PROOF_WINDOW
from desk.schema import hub_tables as t
from tests import keys
from tests.hub.hubs import Desk, Hub, new_lead, problem, read

OVER = (401, "not_signed_in", {})


def renew(desk: Desk, refresh: str, retry: str, signer: str = "") -> tuple[str, str] | None:
    """Ask for what follows a token, signed by the key of the device ``signer``; what is given."""
    body = msgspec.json.encode(Refresh(refresh=refresh, retry=retry))
    clock = desk.hub.clock.now
    hub_id = desk.hub.client.get("/v1/handshake").json()["hub"]
    key = keys.key_of(signer or desk.device)
    proof = keys.proof(hub_id, desk.device, "/v1/refresh", body, clock, key=key)
    answer = desk.hub.client.post("/v1/refresh", content=body, headers={PROOF_HEADER: proof})
    if not answer.is_success:
        assert problem(answer) == OVER
        return None
    given = read(answer, Refreshed)
    return given.token, given.refresh


def lets_in(hub: Hub, token: str) -> bool:
    headers = {"authorization": f"Bearer {token}", PROTOCOL_HEADER: str(PROTOCOL)}
    return hub.client.get("/v1/playbook", headers=headers).is_success


def test_a_session_goes_on_from_token_to_token(hub: Hub) -> None:
    desk = hub.desk("head")
    seen = {desk.token, desk.refresh_token}
    for _ in range(3):
        hub.clock.now += tokens.ACCESS_LIFE
        assert not lets_in(hub, desk.token)
        assert desk.renew().is_success
        assert lets_in(hub, desk.token)
        assert not seen & {desk.token, desk.refresh_token}
        seen |= {desk.token, desk.refresh_token}


def test_no_token_that_followed_is_stored(hub: Hub) -> None:
    desk = hub.desk("head")
    desk.renew()
    with hub.database.read() as connection:
        stored = repr([connection.execute(select(one)).all() for one in (t.session, t.token)])
    assert desk.token not in stored
    assert desk.refresh_token not in stored


def test_an_answer_that_was_lost_is_given_again(hub: Hub) -> None:
    desk = hub.desk("head")
    lost = renew(desk, desk.refresh_token, "1")
    again = renew(desk, desk.refresh_token, "1")
    assert again is not None
    assert lost == again
    assert lets_in(hub, again[0])


def test_a_lost_answer_that_is_asked_for_later_lets_in_for_its_whole_time(hub: Hub) -> None:
    desk = hub.desk("head")
    renew(desk, desk.refresh_token, "1")
    hub.clock.now += tokens.RETRY_LIFE - 1
    given = renew(desk, desk.refresh_token, "1")
    assert given is not None
    assert lets_in(hub, given[0])


def test_an_answer_is_not_given_again_once_it_was_used(hub: Hub) -> None:
    desk = hub.desk("head")
    given = renew(desk, desk.refresh_token, "1")
    assert given is not None
    assert lets_in(hub, given[0])
    assert renew(desk, desk.refresh_token, "1") is None
    assert not lets_in(hub, given[0])
    assert renew(desk, given[1], "2") is None


def test_an_answer_is_not_given_again_after_its_time(hub: Hub) -> None:
    desk = hub.desk("head")
    renew(desk, desk.refresh_token, "1")
    hub.clock.now += tokens.RETRY_LIFE
    assert renew(desk, desk.refresh_token, "1") is None


def test_a_used_token_under_another_retry_ends_the_session(hub: Hub) -> None:
    desk, other = hub.desk("head"), hub.desk("head")
    given = renew(desk, desk.refresh_token, "1")
    assert given is not None
    assert renew(desk, desk.refresh_token, "2") is None
    assert not lets_in(hub, given[0])
    assert renew(desk, given[1], "3") is None
    assert lets_in(hub, other.token)


def test_a_token_of_two_renewals_ago_ends_the_session(hub: Hub) -> None:
    desk = hub.desk("head")
    first = desk.refresh_token
    desk.renew("1")
    desk.renew("2")
    assert renew(desk, first, "1") is None
    assert not lets_in(hub, desk.token)


def test_a_stolen_access_token_is_of_use_for_minutes_only(hub: Hub) -> None:
    stolen = hub.desk("head").token
    hub.clock.now += tokens.ACCESS_LIFE
    assert not lets_in(hub, stolen)


def test_a_stolen_refresh_token_used_before_its_owner_gives_nothing_and_ends_the_session(
    hub: Hub,
) -> None:
    desk, thief = hub.desk("head"), hub.desk("operator1")
    assert renew(desk, desk.refresh_token, "1", signer=thief.device) is None
    assert not lets_in(hub, desk.token)
    assert renew(desk, desk.refresh_token, "2") is None


def test_a_stolen_refresh_token_used_after_its_owner_gives_nothing_and_ends_the_session(
    hub: Hub,
) -> None:
    desk, thief = hub.desk("head"), hub.desk("operator1")
    stolen = desk.refresh_token
    desk.renew()
    assert renew(desk, stolen, "1", signer=thief.device) is None
    assert not lets_in(hub, desk.token)


def test_a_token_that_was_never_given_ends_no_session_without_the_key(hub: Hub) -> None:
    desk, thief = hub.desk("head"), hub.desk("operator1")
    forged = desk.refresh_token[:-4] + ("AAAA" if desk.refresh_token[-4:] != "AAAA" else "BBBB")
    assert renew(desk, forged, "1", signer=thief.device) is None
    assert lets_in(hub, desk.token)


def test_what_is_no_token_is_refused(hub: Hub) -> None:
    desk = hub.desk("head")
    for wrong in ("", "x", "é", "A" * 64, "=" * 8, desk.token):
        assert renew(desk, wrong, "1") is None
    for retry in ("", "x" * 101):
        assert renew(hub.desk("head"), hub.desk("head").refresh_token, retry) is None
    assert lets_in(hub, desk.token)


def test_threads_that_send_a_token_at_once_under_one_retry_get_the_same(hub: Hub) -> None:
    desk = hub.desk("head")
    with ThreadPoolExecutor(4) as threads:
        given = set(threads.map(lambda _: renew(desk, desk.refresh_token, "1"), range(4)))
    assert len(given) == 1
    assert None not in given


def test_a_session_not_renewed_for_its_time_is_over(hub: Hub) -> None:
    desk = hub.desk("head")
    hub.clock.now += tokens.SESSION_LIFE
    assert renew(desk, desk.refresh_token, "1") is None


def test_whoever_left_gets_no_more_tokens(hub: Hub) -> None:
    desk = hub.desk("head")
    with hub.database.write() as connection:
        connection.execute(update(t.person).where(t.person.c.id == "head").values(active=False))
    assert renew(desk, desk.refresh_token, "1") is None


def test_signing_out_leaves_no_token(hub: Hub) -> None:
    desk = hub.desk("head")
    desk.renew()
    desk.post("/v1/sign-out", {})
    with hub.database.read() as connection:
        for table in (t.session, t.token):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
    assert renew(desk, desk.refresh_token, "1") is None


# proofs


def refresh_with(desk: Desk, proof: str, body: bytes) -> tuple[int, str]:
    headers = {PROOF_HEADER: proof} if proof else {}
    answer = desk.hub.client.post("/v1/refresh", content=body, headers=headers)
    return (200, "") if answer.is_success else problem(answer)[:2]


def test_a_request_that_is_played_again_is_refused_and_ends_nothing(hub: Hub) -> None:
    desk = hub.desk("head")
    hub_id = hub.client.get("/v1/handshake").json()["hub"]
    body = msgspec.json.encode(Refresh(refresh=desk.refresh_token, retry="1"))
    proof = keys.proof(hub_id, desk.device, "/v1/refresh", body, hub.clock.now)
    assert refresh_with(desk, proof, body) == (200, "")
    assert refresh_with(desk, proof, body) == (401, "proof_stale")
    hub.clock.now += PROOF_WINDOW + 1
    assert refresh_with(desk, proof, body) == (401, "proof_stale")
    hub.clock.now += 2 * PROOF_WINDOW
    assert refresh_with(desk, proof, body) == (401, "proof_stale")
    assert renew(desk, desk.refresh_token, "1") is not None


def test_a_proof_of_another_time_is_to_be_made_anew_by_the_hubs_clock(hub: Hub) -> None:
    desk = hub.desk("head")
    hub_id = hub.client.get("/v1/handshake").json()["hub"]
    body = msgspec.json.encode(Refresh(refresh=desk.refresh_token, retry="1"))
    for off in (-PROOF_WINDOW - 1, PROOF_WINDOW + 1):
        proof = keys.proof(hub_id, desk.device, "/v1/refresh", body, hub.clock.now + off)
        answer = hub.client.post("/v1/refresh", content=body, headers={PROOF_HEADER: proof})
        assert problem(answer) == (401, "proof_stale", {"now": str(hub.clock.now)})
    assert renew(desk, desk.refresh_token, "1") is not None


def test_a_proof_says_nothing_of_another_hub_device_path_or_body(hub: Hub) -> None:
    def sent(hub_id: str, device: str, path: str, signed: bytes) -> tuple[int, str]:
        desk = hub.desk("head")
        body = msgspec.json.encode(Refresh(refresh=desk.refresh_token, retry="1"))
        proof = keys.proof(
            hub_id or own,
            device or desk.device,
            path,
            signed or body,
            hub.clock.now,
            key=keys.key_of(desk.device),
        )
        return refresh_with(desk, proof, body)

    own = hub.client.get("/v1/handshake").json()["hub"]
    assert sent("", "", "/v1/refresh", b"") == (200, "")
    assert sent("another hub", "", "/v1/refresh", b"") == OVER[:2]
    assert sent("", "another device", "/v1/refresh", b"") == OVER[:2]
    assert sent("", "", "/v1/sign-in", b"") == OVER[:2]
    assert sent("", "", "/v1/refresh", b"another body") == OVER[:2]


def test_a_sign_in_is_signed_by_the_key_it_brings(hub: Hub) -> None:
    device, other = hub.new_id(), hub.new_id()
    answer = keys.sign_in(hub.client, "head", "x", device, key=keys.public_key(other))
    assert problem(answer)[:2] == (401, "proof_missing")
    for wrong in (b"", b"x" * 31, b"x" * 33):
        answer = keys.sign_in(hub.client, "head", "x", device, key=wrong)
        assert problem(answer)[:2] == (401, "proof_missing")


def test_a_known_device_signs_in_by_its_own_key_only(hub: Hub) -> None:
    desk = hub.desk("operator1")
    body = msgspec.json.encode(
        {
            "user": "operator1",
            "password": "correct horse",
            "device": desk.device,
            "device_name": "",
            "protocol": PROTOCOL,
            "key": keys.public_key("another"),
        }
    )
    hub_id = hub.client.get("/v1/handshake").json()["hub"]
    key = keys.key_of("another")
    proof = keys.proof(hub_id, desk.device, "/v1/sign-in", body, hub.clock.now, key=key)
    answer = hub.client.post("/v1/sign-in", content=body, headers={PROOF_HEADER: proof})
    assert problem(answer)[:2] == (409, "other_key")
    assert desk.done(new_lead())


def test_a_copy_cannot_become_a_device_without_the_key_of_the_original(hub: Hub) -> None:
    desk = hub.desk("head")
    new = hub.new_id()
    asked = {"device": new, "device_name": "", "key": keys.public_key(new)}
    assert problem(desk.post("/v1/device", asked))[:2] == (401, "proof_missing")


def test_a_proof_in_any_other_form_is_none(hub: Hub) -> None:
    desk = hub.desk("head")
    body = msgspec.json.encode(Refresh(refresh="x", retry="1"))
    hub_id = hub.client.get("/v1/handshake").json()["hub"]
    good = keys.proof(hub_id, desk.device, "/v1/sign-in", body, hub.clock.now)
    asked = keys.public_key(desk.device)
    for wrong in ("", "x", "1.2.3", good + "A", "-" + good, good.replace(".", ","), "9" * 400):
        message = {"user": "head", "password": "x", "device": desk.device, "device_name": ""}
        content = msgspec.json.encode({**message, "protocol": PROTOCOL, "key": asked})
        answer = hub.client.post("/v1/sign-in", content=content, headers={PROOF_HEADER: wrong})
        assert problem(answer)[:2] == (401, "proof_missing"), wrong
