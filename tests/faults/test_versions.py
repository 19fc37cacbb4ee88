"""What the oldest desk left to be sent, and what each side ignores that it does not know."""

from __future__ import annotations

import json
from typing import Any

import httpx
import msgspec

from desk.protocol.messages import PROTOCOL, PROTOCOL_HEADER, PROTOCOL_MIN, Page, Pushed
from tests.hub.hubs import Hub, move, new_lead, qualification, read

# What a desk of protocol 1 has queued, byte for byte: it was updated before it could send it.
LEAD = "01a0c450-6c00-7000-8000-000000000001"
CREATE = (
    '{"operations":[{"number":1,"operation":{"id":"01a0c450-6c00-7000-8000-000000000001",'
    '"at":1790000000000,"intent":{"do":"create","kind":"lead","title":"ООО Старый",'
    '"fields":{"source":"site"},"subject":{"name":"Анна","phone":"+79123456789"}}}}]}'
).encode()
WORK = (
    '{"operations":[{"number":2,"operation":{"id":"01a0c450-6c00-7000-8000-000000000002",'
    '"at":1790000000001,"intent":{"do":"edit_fields",'
    '"item_id":"01a0c450-6c00-7000-8000-000000000001","fields":{"request":"щебень"},'
    '"base":{"request":1},"was":{"request":null}}}},{"number":3,'
    '"operation":{"id":"01a0c450-6c00-7000-8000-000000000003","at":1790000000002,'
    '"intent":{"do":"edit_subject","item_id":"01a0c450-6c00-7000-8000-000000000001",'
    '"fields":{"name":"Анна Белова"}}}},{"number":4,'
    '"operation":{"id":"01a0c450-6c00-7000-8000-000000000004","at":1790000000003,'
    '"intent":{"do":"comment","item_id":"01a0c450-6c00-7000-8000-000000000001",'
    '"text":"звонил"}}},{"number":5,"operation":{"id":"01a0c450-6c00-7000-8000-000000000005",'
    '"at":1790000000004,"intent":{"do":"move",'
    '"item_id":"01a0c450-6c00-7000-8000-000000000001","transition":"assign",'
    '"seen_stage":"new","to":"marketer1"}}},{"number":6,'
    '"operation":{"id":"01a0c450-6c00-7000-8000-000000000006","at":1790000000005,'
    '"intent":{"do":"move","item_id":"01a0c450-6c00-7000-8000-000000000001",'
    '"transition":"start","seen_stage":"in_work"}}}]}'
).encode()
#: What a desk of protocol 1 could not do without.
PAGE = {"cursor", "last_op", "playbook_version"}
ITEM = {"id", "kind", "stage", "title", "created_at", "updated_at", "stage_since"}


def ask(hub: Hub, method: str, path: str, token: str = "", **options: Any) -> Any:
    headers = {PROTOCOL_HEADER: str(PROTOCOL), "content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    answer = hub.client.request(method, path, headers=headers, **options)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content)


def test_what_the_oldest_desk_has_queued_is_done_by_the_newest_hub(hub: Hub) -> None:
    token = hub.desk("operator1").token
    assert ask(hub, "GET", "/v1/playbook", token)["source"].startswith("#")
    first = ask(hub, "GET", "/v1/snapshot", token, params={"after": "", "limit": "1000"})
    assert first.keys() >= PAGE
    assert first["people"]
    made = ask(hub, "POST", "/v1/operations", token, content=CREATE)
    assert made["results"][0]["result"] == "applied"
    again = ask(hub, "POST", "/v1/operations", token, content=CREATE)
    assert again["results"] == made["results"]
    done = ask(hub, "POST", "/v1/operations", token, content=WORK)
    results = [one["result"] for one in done["results"]]
    assert results == ["applied", "applied", "applied", "applied", "conflict"]
    assert done["last_op"] == 6
    cursor = {"cursor": first["cursor"], "limit": "2000"}
    page = ask(hub, "GET", "/v1/changes", token, params=cursor)
    (item,) = (one for one in page["items"] if one["id"] == LEAD)
    assert item.keys() >= ITEM
    assert (item["stage"], item["responsible"]) == ("new", "marketer1")
    assert item["fields"]["request"] == "щебень"
    assert {entry["event"] for entry in page["entries"]} >= {"create", "comment", "assign"}
    assert page["last_op"] == 6
    assert page["cursor"] != first["cursor"]


def test_the_newest_desk_reads_what_it_knows_and_ignores_the_rest(hub: Hub) -> None:
    """Every answer of the hub, with a field more in each of its objects, is read as the same."""
    _, card = qualification(hub, name="Анна")
    desk = hub.desk("marketer1")
    answers: list[tuple[httpx.Response, Any]] = [
        (desk.get("/v1/snapshot"), Page),
        (desk.send(desk.operation(move(card, "hand_off"))), Pushed),
    ]
    for answer, kind in answers:
        more = json.dumps(widened(json.loads(answer.content))).encode()
        assert more != answer.content
        assert msgspec.json.decode(more, type=kind) == read(answer, kind)


def widened(value: Any) -> Any:
    """The value with an unknown field in each object that is a message, not a map by names."""
    if isinstance(value, list):
        return [widened(one) for one in value]
    if not isinstance(value, dict):
        return value
    names = ("fields", "field_versions", "consents", "args", "theirs", "changed")
    kept = {name: one if name in names else widened(one) for name, one in value.items()}
    return {**kept, "of_a_later_build": {"x": [1]}}


def test_the_hub_ignores_what_it_does_not_know(hub: Hub) -> None:
    desk = hub.desk("operator1")
    asked = desk.operation(new_lead("Будущее"))
    body = widened(json.loads(msgspec.json.encode({"operations": [asked]})))
    pushed = read(desk.post("/v1/operations", body), Pushed)
    assert [one.result for one in pushed.results] == ["applied"]
    page = read(desk.get("/v1/snapshot", of_a_later_build=1), Page)
    assert [item.title for item in page.items] == ["Будущее"]
    headers = {**desk.headers, "x-of-a-later-build": "1"}
    assert hub.client.get("/v1/handshake", headers=headers).is_success


def test_a_desk_of_an_age_that_is_over_is_told_so(hub: Hub) -> None:
    for protocol in (PROTOCOL_MIN - 1, PROTOCOL + 1):
        answer = hub.client.get("/v1/playbook", headers={PROTOCOL_HEADER: str(protocol)})
        assert answer.status_code == 426
