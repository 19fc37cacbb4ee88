"""What a request says beyond its message changes nothing, on any route."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from desk.hub.app import create_app
from desk.protocol.messages import PROTOCOL
from desk.schema import hub_tables as t
from tests import keys
from tests.hub.hubs import PASSWORD, Desk, Hub, new_lead

#: What somebody would like to be, or to have been.
WISHES: dict[str, Any] = {
    "role": "admin",
    "user_id": "head",
    "who": "head",
    "active": True,
    "loopback_only": True,
    "policy_version": 99,
    "last_op": 99,
    "public_key": "AAAA",
    "session_id": "x",
    "expires_at": 9**15,
    "expires_in": 9**12,
    "responsible": "head",
    "owner": "head",
    "score": 999,
    "version": 999,
    "stage": "won",
    "created_at": 1,
    "totp": "",
    "is_admin": True,
}
#: Tables that no request of an operator changes, whatever it says.
FIXED = (t.hub, t.playbook, t.second_factor, t.recovery_code, t.enrolment_code)
#: What says nothing of what was asked for: moments, and tokens that are drawn anew.
FLEETING = {"seen_at", "renewed_at"}


@pytest.fixture
def backend() -> str:
    """What is read of a message is the same over every database."""
    return "sqlite"


def bodies(hub: Hub, desk: Desk) -> dict[str, Any]:
    """A sound body for each route that takes one."""
    return {
        "/v1/operations": {"operations": [desk.operation(new_lead("ООО Вектор"))]},
        "/v1/digests": {"key": "AAAA", "ranges": [{}]},
        "/v1/presence": {"presence": "present"},
        "/v1/sessions/end": {"id": hub.new_id()},
        "/v1/password": {"current": "wrong", "new": "long enough a word"},
    }


def widened(value: Any) -> Any:
    """Wishes in every object of a body, beside what belongs there."""
    if isinstance(value, list):
        return [widened(one) for one in value]
    if isinstance(value, dict):
        inner = {name: one if name in ("fields", "subject") else widened(one)
                 for name, one in value.items()}  # fmt: skip
        return {**{name: wish for name, wish in WISHES.items() if name not in value}, **inner}
    return value


def state(hub: Hub, *tables: Any) -> dict[str, list[dict[str, Any]]]:
    with hub.database.read() as connection:
        return {
            table.name: [
                {name: value for name, value in row.items() if name not in FLEETING}
                for row in connection.execute(select(table)).mappings()
            ]
            for table in tables
        }


def routes() -> set[str]:
    app = create_app("sqlite:///nowhere.db")
    return {str(route.path) for route in app.routes if "POST" in getattr(route, "methods", ())}


def test_nothing_beyond_a_message_is_taken_by_any_route(hub: Hub) -> None:
    import msgspec

    desk = hub.desk("operator1")
    asked = bodies(hub, desk)
    before = state(hub, *FIXED, t.account, t.person)
    for path in sorted(routes()):
        body = asked.get(path, {})
        plain = json.loads(msgspec.json.encode(body))
        answer = desk.post(path, widened(plain))
        assert answer.status_code < 500, (path, answer.text)
    after = state(hub, *FIXED, t.account, t.person)
    for rows in (before, after):
        for row in rows["account"] + rows["person"]:
            row.pop("presence", None)
            row.pop("present", None)
            row.pop("version", None)
    assert after == before
    with hub.database.read() as connection:
        item = connection.execute(select(t.item)).mappings().one()
    assert item["stage"] != "won"
    assert item["score"] != 999
    assert item["version"] != 999
    assert item["created_at"] != 1


def test_a_sign_in_with_wishes_is_a_sign_in(hub: Hub) -> None:
    device = hub.new_id()
    hello = hub.client.get("/v1/handshake").json()
    body = json.dumps(
        {
            "user": "operator1",
            "password": PASSWORD,
            "device": device,
            "device_name": "x",
            "protocol": PROTOCOL,
            "key": __import__("base64").b64encode(keys.public_key(device)).decode(),
            **WISHES,
        }
    ).encode()
    headers = keys.signed(hello["hub"], device, "/v1/sign-in", body, hello["now"])
    answer = hub.client.post("/v1/sign-in", content=body, headers=headers).json()
    assert answer["person"]["role"] == "operator"
    (row,) = state(hub, t.session)["session"]
    assert (row["user_id"], row["device_id"]) == ("operator1", device)
    (made,) = state(hub, t.device)["device"]
    assert (made["user_id"], made["last_op"]) == ("operator1", 0)
