"""The hub's whole OpenAPI, asked by schemathesis as each role: no crash, no leak.

Few and seeded requests here; `DESK_FUZZ=1000` makes so many of each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
import schemathesis
from httpx import Response
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import select

from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.hub.intake import Intake
from desk.protocol.problems import PROBLEMS
from desk.schema import hub_tables as t
from tests.hub.canaries import Canaries, canaries, filled, looked_for
from tests.hub.hubs import FREIGHT, Desk, Hub, running, set_up

_EXAMPLES = int(os.environ.get("DESK_FUZZ", "2"))
#: Never ends; ends the session; the others ask for a proof that only a device can give.
_APART = {"/v1/hints", "/v1/sign-out"}
#: Asked with the device's key in the place of a token.
_SIGNED = {"/v1/lease", "/v1/wiped"}
_PUBLIC = {"/v1/handshake", "/v1/sign-in", "/v1/second-factor", "/v1/refresh", *_SIGNED}
_STATUSES = {200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 426, 429}

SETTINGS = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],  # pyright: ignore[reportArgumentType]
)


class Company(NamedTuple):
    hub: Hub
    playbook: Playbook
    values: Canaries
    operations: list[Any]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The freight exchange with a card of each kind for a user of each role."""
    playbook = load(FREIGHT, "freight")
    roles = list(playbook.roles)
    url = f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'hub.db'}"
    set_up(url, FREIGHT, {role: role for role in roles})
    with running(url) as hub:
        values = canaries(playbook)
        Intake(hub.database, playbook, hub.clock).insert(filled(playbook, values, roles))
        described = hub.client.get("/schema/openapi.json").json()
        schema = schemathesis.openapi.from_dict(described)
        operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # pyright: ignore[reportAttributeAccessIssue]
        yield Company(hub, playbook, values, operations)


def ask(desk: Desk | None, hub: Hub, case: Any) -> Response:
    """Send what schemathesis made; without a desk, nobody is signed in."""
    headers = {**(desk.headers if desk else {})}
    query = {k: v for k, v in (case.query or {}).items() if v is not None}
    body = case.body
    more: dict[str, Any] = {}
    if isinstance(body, bytes):
        more["content"] = body
    elif isinstance(body, dict | list | str | int | float | bool):
        more["content"] = msgspec.json.encode(_encodable(body))
        headers["content-type"] = "application/json"
    return hub.client.request(
        case.method, case.formatted_path, params=query, headers=headers, **more
    )


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_encodable(str(name)): _encodable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_encodable(one) for one in value]
    return value


def test_no_request_of_any_role_crashes_the_hub_or_tells_what_it_may_not_see(
    company: Company,
) -> None:
    hub, playbook, values, operations = company
    for role in playbook.roles:
        desk = hub.desk(role)
        hidden = {
            key: [part for part in looked_for(value) if len(part) > 6]
            for key, value in values.items()
            if playbook.mask(role, *key) != "full"
        }
        for operation in operations:
            if operation.path in _APART:
                continue

            @seed(4)
            @SETTINGS
            @given(case=operation.as_strategy())
            def try_it(case: Any) -> None:
                answer = ask(desk, hub, case)  # noqa: B023 - called within the round
                where = (role, case.method, case.path, answer.status_code)  # noqa: B023
                assert answer.status_code in _STATUSES, where
                if answer.is_client_error and answer.content:
                    assert answer.json()["code"] in PROBLEMS, where
                for key, parts in hidden.items():  # noqa: B023
                    assert not any(part in answer.content for part in parts), (*where, key)

            try_it()


def test_nobody_is_answered_without_a_session_but_on_public_routes(company: Company) -> None:
    for operation in company.operations:
        if operation.path in _PUBLIC:
            continue
        path = operation.path.replace("{", "").replace("}", "")
        answer = company.hub.client.request(operation.method, path, content=b"{}")
        assert answer.status_code == 401, (operation.method, operation.path, answer.text)
        assert answer.json()["code"] == "not_signed_in"


def test_fields_that_nobody_asked_for_change_nothing(company: Company) -> None:
    """Mass assignment: what a row has besides what may be said of it cannot be said."""
    hub = company.hub
    desk = hub.desk("marketer")
    desk.bootstrap()
    lead = next(one for one in desk.rows["item"].values() if one.kind == "lead")
    more = {"responsible": "admin", "owner": "admin", "score": 99, "stage": "won", "version": 77}
    intents: list[dict[str, Any]] = [
        {"do": "edit_fields", "item_id": lead.id, "fields": {"company": "ООО"}, **more},
        {"do": "comment", "item_id": lead.id, "text": "да", "who": "admin", "at": 1, **more},
        {"do": "create", "kind": "lead", "title": "Новый", "author": "admin", "id": "x", **more},
    ]
    numbered: list[dict[str, Any]] = []
    for intent in intents:
        desk.number += 1
        body = {"id": hub.new_id(), "at": 1, "intent": intent, "schema": 3, "actor": "admin"}
        numbered.append({"number": desk.number, "operation": body, "user": "admin"})
    answer = desk.post("/v1/operations", {"operations": numbered, "user": "admin", "role": "admin"})
    assert [one["result"] for one in answer.json()["results"]] == ["applied"] * 3
    with hub.database.read() as connection:
        row = connection.execute(select(t.item).where(t.item.c.id == lead.id)).one()
        made = connection.execute(
            select(t.item).where(t.item.c.id == numbered[2]["operation"]["id"])
        ).one()
        comments = select(t.entry.c.who, t.entry.c.at).where(t.entry.c.item_id == lead.id)
        said = connection.execute(comments.order_by(t.entry.c.at.desc())).first()
    assert (row.responsible, row.owner, row.stage) == (lead.responsible, lead.owner, lead.stage)
    assert row.version == lead.version + 2  # the edit and the comment
    assert (made.author, made.stage, made.responsible) == ("marketer", "new", "marketer")
    assert said is not None
    assert said.who == "marketer"
    assert said.at >= hub.clock.now
