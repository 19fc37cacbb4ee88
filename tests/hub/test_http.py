"""What the hub says over HTTP beside the good answers."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.testing import TestClient

from desk.hub.app import LARGEST_REQUEST, create_app
from desk.hub.database import Database
from desk.protocol.messages import (
    PROTOCOL,
    PROTOCOL_HEADER,
    PROTOCOL_MIN,
    Handshake,
    PlaybookSource,
)
from tests.hub.hubs import FREIGHT, START, Hub, new_lead, problem, read, running


def test_the_handshake_answers_anybody_in_any_version(hub: Hub) -> None:
    answer = hub.client.get("/v1/handshake", headers={PROTOCOL_HEADER: "999"})
    hand = read(answer, Handshake)
    assert (hand.product, hand.protocol_min, hand.protocol_max) == ("desk", PROTOCOL_MIN, PROTOCOL)
    assert hand.now == START
    assert read(hub.client.get("/v1/handshake"), Handshake).hub == hand.hub


def test_another_protocol_is_refused_with_the_range(hub: Hub) -> None:
    desk = hub.desk("head")
    for version in ("0", str(PROTOCOL_MIN - 1), str(PROTOCOL + 1), "-1", "one", "9" * 30):
        headers = {**desk.headers, PROTOCOL_HEADER: version}
        status, code, args = problem(hub.client.get("/v1/snapshot", headers=headers))
        assert (status, code) == (426, "wrong_protocol")
        assert (args["low"], args["high"]) == (str(PROTOCOL_MIN), str(PROTOCOL))


def test_signing_in_with_another_protocol_is_refused(hub: Hub) -> None:
    body = {
        "user": "head",
        "password": "x",
        "device": hub.new_id(),
        "device_name": "",
        "protocol": PROTOCOL + 1,
        "key": "",
    }
    assert problem(hub.client.post("/v1/sign-in", json=body))[:2] == (426, "wrong_protocol")


def test_the_playbook_is_given_as_it_was_written(hub: Hub) -> None:
    given = read(hub.desk("operator1").get("/v1/playbook"), PlaybookSource)
    assert given == PlaybookSource(version=1, source=FREIGHT)


UNREADABLE: tuple[tuple[str, str, bytes | None, int, str], ...] = (
    ("GET", "/v1/nothing", None, 404, "not_found"),
    ("DELETE", "/v1/snapshot", None, 405, "bad_request"),
    ("GET", "/v1/changes", None, 400, "bad_request"),
    ("GET", "/v1/changes?cursor=" + "x" * 200, None, 400, "bad_request"),
    ("GET", "/v1/snapshot?limit=many", None, 400, "bad_request"),
    ("GET", "/v1/snapshot?after=%00", None, 400, "bad_request"),
    ("POST", "/v1/operations", b"{", 400, "bad_request"),
    ("POST", "/v1/operations", b"\xff\xfe", 400, "bad_request"),
    ("POST", "/v1/operations", b'{"operations": 1}', 400, "bad_request"),
    (
        "POST",
        "/v1/operations",
        b'{"operations": [{"number": 1, "operation": {"id": "+79123456789"}}]}',
        400,
        "bad_request",
    ),
    ("POST", "/v1/operations", b" " * (LARGEST_REQUEST + 1), 413, "too_large"),
)


def test_a_request_that_cannot_be_read_gets_a_problem_without_its_words(hub: Hub) -> None:
    headers = hub.desk("head").headers
    for method, path, body, status, code in UNREADABLE:
        answer = hub.client.request(method, path, content=body, headers=headers)
        assert problem(answer)[:2] == (status, code), path
        assert "+7912" not in answer.text


def test_a_failure_of_the_hub_tells_nothing_of_the_values(hub: Hub) -> None:
    desk = hub.desk("head")

    def broken() -> int:
        raise ValueError("Анна +79123456789")

    with TestClient(
        create_app(hub.database, clock=broken), raise_server_exceptions=False
    ) as client:
        answer = client.get("/v1/snapshot", headers=desk.headers)
    assert problem(answer) == (500, "failed", {})
    assert "Анна" not in answer.text


def test_a_database_that_is_away_is_to_be_tried_again(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'no folder' / 'hub.db'}"
    with Database(url) as database, TestClient(create_app(database)) as client:
        answer = client.get("/v1/handshake")
    assert problem(answer)[:2] == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"


def test_a_hub_that_was_not_set_up_says_so_by_being_unavailable(empty_url: str) -> None:
    with running(empty_url) as hub:
        assert hub.client.get("/v1/handshake").status_code == 503


def test_large_answers_are_compressed(hub: Hub) -> None:
    desk = hub.desk("operator1")
    desk.do(*(new_lead(name="Анна Белова") for _ in range(20)))
    answer = desk.get("/v1/snapshot")
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) * 3 < len(answer.content)


def test_the_interface_describes_itself(hub: Hub) -> None:
    described = msgspec.json.decode(hub.client.get("/schema").content)
    assert set(described["paths"]) == {
        "/v1/handshake",
        "/v1/sign-in",
        "/v1/second-factor",
        "/v1/refresh",
        "/v1/sessions",
        "/v1/sessions/end",
        "/v1/password",
        "/v1/sign-out",
        "/v1/playbook",
        "/v1/operations",
        "/v1/changes",
        "/v1/snapshot",
        "/v1/digests",
        "/v1/device",
        "/v1/presence",
        "/v1/journal",
        "/v1/pd/reveal",
        "/v1/pd/call",
        "/v1/pd/journal",
        "/v1/pd/cards",
        "/v1/pd/document",
        "/v1/pd/documents",
        "/v1/pd/erased",
        "/v1/pd/export",
        "/v1/pd/extract",
        "/v1/pd/find",
        "/v1/pd/incident",
        "/v1/pd/incident/notify",
        "/v1/pd/incident/resolve",
        "/v1/pd/incidents",
        "/v1/pd/registry",
        "/v1/pd/request",
        "/v1/pd/request/answer",
        "/v1/pd/request/execute",
        "/v1/pd/request/extend",
        "/v1/pd/request/reject",
        "/v1/pd/requests",
        "/v1/pd/subject",
        "/v1/pd/texts",
        "/v1/hints",
        "/v1/lease",
        "/v1/wiped",
    }
