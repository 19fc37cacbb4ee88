"""Nobody gets a byte that he may not see, whatever he asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from httpx import Response
from sqlalchemy import delete

from desk.domain.model import Item, Value
from desk.domain.operations import Comment, EditFields, EditSubject
from desk.domain.playbook import Field, Playbook
from desk.domain.playbook_loader import load
from desk.domain.rights import may_call, may_reveal
from desk.hub import accounts, administration
from desk.hub.intake import Intake
from desk.protocol.journal import Call, Reveal
from desk.protocol.messages import Page
from desk.resources import playbooks_dir
from desk.schema import hub_tables
from tests.hub.canaries import Canaries, canaries, filled, looked_for
from tests.hub.hubs import (
    FREIGHT,
    PEOPLE,
    Desk,
    Hub,
    move,
    problem,
    qualification,
    read,
    running,
    set_up,
)

PLAYBOOK: Playbook = load(FREIGHT, "freight.toml")
CANARY = re.compile(r"canary-([a-z]+)-([a-z_]+)")


class Company(NamedTuple):
    """A hub, its playbook, and what stands in each field there."""

    hub: Hub
    playbook: Playbook
    values: Canaries


def canary(owner: str, field: Field) -> str:
    return f"canary-{owner}-{field.id}"


def texts(owner: str) -> dict[str, Value]:
    """A value of its own for every text field."""
    return {
        field.id: canary(owner, field)
        for field in PLAYBOOK.fields(owner).values()
        if field.type in {"text", "long"}
    }


def test_no_answer_holds_a_field_that_its_reader_may_not_see(hub: Hub) -> None:
    """Each role × each text field: found where the mask says full, and nowhere else."""
    lead, card = qualification(
        hub, "marketer1", **texts("subject"), phone="+79123456789", email="canary@example.com"
    )
    head, marketer = hub.desk("head"), hub.desk("marketer1")
    desks = {user: hub.desk(user) for user in PEOPLE}
    for desk in desks.values():
        desk.bootstrap()
    marketer.done(EditFields(item_id=lead, fields=texts("lead")))
    marketer.done(EditFields(item_id=card, fields=texts("qualification")))
    marketer.done(EditFields(item_id=card, fields={"monthly_volume": 7}))
    marketer.done(move(card, "hand_off", to="sales1"))
    stale = EditFields(item_id=lead, fields={"request": "другое"}, base={"request": 1})
    for user, desk in desks.items():
        role = PEOPLE[user]
        answers = [
            desk.get("/v1/changes", cursor=desk.cursor),
            desk.get("/v1/snapshot"),
            desk.send(
                desk.operation(stale),
                desk.operation(Comment(item_id=lead, text="")),
                desk.operation(
                    EditSubject(item_id=lead, fields={"name": "другое"}, base={"name": 0})
                ),
            ),
        ]
        found = {match.groups() for one in answers for match in CANARY.finditer(one.text)}
        desk.pull()
        kinds = {item.kind for item in desk.rows["item"].values()}
        visible = {*kinds, *(["subject"] if kinds else [])}
        allowed = {
            (owner, name)
            for owner in visible
            for name in texts(owner)
            if PLAYBOOK.mask(role, owner, name) == "full"
        }
        assert found == allowed, user
        clear = visible and PLAYBOOK.mask(role, "subject", "phone") == "full"
        assert any("+79123456789" in one.text for one in answers) == bool(clear), user
        assert any("canary@example.com" in one.text for one in answers) == bool(clear), user
    assert head.snapshot().ids()


@pytest.fixture(params=("freight", "bank", "glazing"))
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Company]:
    """A hub of each shipped playbook with one user of each role, named like it."""
    source = (playbooks_dir() / f"{request.param}.toml").read_text(encoding="utf-8")
    playbook = load(source, request.param)
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    set_up(url, source, {role: role for role in playbook.roles})
    with running(url) as hub:
        yield Company(hub, playbook, canaries(playbook))


def test_every_answer_to_every_role_holds_the_fields_it_may_see_and_no_other(
    company: Company,
) -> None:
    """Role × endpoint × field of each shipped playbook, in the bytes of the answers."""
    hub, playbook, values = company
    desks = {role: hub.desk(role) for role in playbook.roles}
    for desk in desks.values():
        desk.bootstrap()
    Intake(hub.database, playbook, hub.clock).insert(filled(playbook, values, list(desks)))
    for role, desk in desks.items():
        pages = [
            desk.get("/v1/changes", cursor=desk.cursor),
            desk.get("/v1/snapshot"),
            desk.get("/v1/snapshot", order="urgent"),
        ]
        desk.pull()
        items = list(desk.rows["item"].values())
        kinds = {item.kind for item in items}
        owners = {*kinds, *(["subject"] if kinds else [])}
        full = {
            (owner, name)
            for owner, name in values
            if owner in owners and playbook.mask(role, owner, name) == "full"
        }
        for answer in pages:
            assert _found(answer, values) == full, (role, answer.url)
        for answer in [*conflicts(playbook, desk, items, values), *everything_else(hub, desk)]:
            assert _found(answer, values) <= full, (role, answer.url)
        for subject in desk.rows["subject"].values():
            assert set(subject.consents) == {"processing"}, role
        for answer in looks(playbook, role, desk, items):
            assert (answer.status_code, _found(answer, values)) == (403, set()), role


def conflicts(
    playbook: Playbook, desk: Desk, items: list[Item], values: Canaries
) -> Iterator[Response]:
    """What the hub says to edits of each field, made on an old version of the card."""
    for kind in playbook.kinds:
        item = next((one for one in items if one.kind == kind), None)
        if item is None:
            continue
        for owner, intent in ((kind, EditFields), ("subject", EditSubject)):
            asked = (
                intent(
                    item_id=item.id,
                    fields={name: _another(values.get((owner, name)))},
                    base={name: 0},
                )
                for name in playbook.fields(owner)
            )
            yield desk.send(*(desk.operation(one) for one in asked))
        refused = [
            Comment(item_id=item.id, text=""),
            move(item.id, "no_such"),
            *(move(item.id, one) for one in playbook.kinds[kind].transitions),
        ]
        yield desk.send(*(desk.operation(one) for one in refused))


def _another(value: Value) -> Value:
    if isinstance(value, list):
        return [str(_another(one)) for one in value]
    if isinstance(value, str):
        return value[:-2] + "77" if value.startswith("+") else f"x{value[4:]}"
    return 5 if isinstance(value, int) else "x"


def everything_else(hub: Hub, desk: Desk) -> Iterator[Response]:
    """Each route there is, asked as simply as can be: new ones are looked at by themselves."""
    ids = [*desk.rows["item"], *desk.rows["subject"]][:2] or [hub.new_id()]
    for route in hub.client.app.routes:
        path = route.path_format
        if path in _OWN or not path.startswith("/v1/"):
            continue
        for identifier in ids if "{" in path else ids[:1]:
            asked = re.sub(r"{[^}]*}", identifier, path)
            for method in route.methods & {"GET", "POST"}:
                if method == "GET":
                    yield desk.get(asked)
                else:
                    yield desk.post(asked, {"item_id": identifier, "subject_id": identifier})


#: Asked for elsewhere in the test, or ends the session, or never ends.
_OWN = {"/v1/changes", "/v1/snapshot", "/v1/hints", "/v1/sign-out", "/v1/refresh", "/v1/device"}


def looks(playbook: Playbook, role: str, desk: Desk, items: list[Item]) -> Iterator[Response]:
    """Looks at whatever the role may not look at, and calls to what it may not call."""
    for item in items[:1]:
        fields = [
            f"{owner}.{one}" for owner in (item.kind, "subject") for one in playbook.fields(owner)
        ]
        purpose = next(iter(playbook.purposes))
        hidden = [name for name in fields if not may_reveal(playbook, role, name)]
        yield desk.post(
            "/v1/pd/reveal", Reveal(item_id=item.id, fields=hidden[:20], purpose=purpose)
        )
        for name in fields:
            if "phone" in name and not may_call(playbook, role, name):
                yield desk.post("/v1/pd/call", Call(item_id=item.id, field=name))


def _found(answer: Response, values: Canaries) -> set[tuple[str, str]]:
    return {
        key
        for key, value in values.items()
        if any(part in answer.content for part in looked_for(value))
    }


def test_each_role_sees_its_rows(hub: Hub) -> None:
    _, card = qualification(hub, name="Анна")
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    both = {"lead", "qualification"}
    for user, sees in {
        "operator1": {"lead"},
        "marketer2": both,
        "sales1": both,
        "sales2": set[str](),
        "director": both,
        "admin": both,
    }.items():
        desk = hub.desk(user)
        desk.bootstrap()
        rows = desk.rows
        assert {item.kind for item in rows["item"].values()} == sees, user
        assert bool(rows["subject"]) == bool(sees), user
        for kind in ("task", "entry"):
            assert {row.item_id for row in rows[kind].values()} <= set(rows["item"]), user


def test_a_masked_phone_shows_its_ends_only(hub: Hub) -> None:
    _, card = qualification(hub, phone="+79123456789")
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    sales = hub.desk("sales1")
    sales.bootstrap()
    (subject,) = sales.rows["subject"].values()
    assert subject.fields["phone"] == "+7••••••••89"


def test_a_person_cannot_do_what_his_role_may_not(hub: Hub) -> None:
    lead, card = qualification(hub, name="Анна")
    hub.desk("marketer1").done(move(card, "hand_off", to="sales1"))
    results = hub.desk("sales1").do(
        EditSubject(item_id=lead, fields={"name": "Иное"}),
        EditFields(item_id=lead, fields={"utm_source": "x"}),
        move(card, "hand_off", to="sales2"),
        move(lead, "reopen", comment="хочу"),
    )
    assert [one.result for one in results] == ["rejected"] * 4
    assert [one.code for one in results[:2]] == ["field_not_yours"] * 2


def test_a_page_is_of_the_rights_that_stand_in_its_own_view(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that changes after the token was looked at does not give the person of one role with
    rows and a cursor of another."""
    qualification(hub, "marketer1", phone="+79123450051")
    desk = hub.desk("marketer1")
    authenticate = accounts.authenticate

    def then_changed(*args: object) -> accounts.Session:
        session = authenticate(*args)  # pyright: ignore[reportArgumentType]
        administration.change_role(hub.database, "marketer1", "sales", hub.clock())
        return session

    monkeypatch.setattr(accounts, "authenticate", then_changed)
    answer = desk.get("/v1/snapshot")
    page = read(answer, Page)
    monkeypatch.undo()
    assert [one.role for one in page.people if one.id == "marketer1"] == ["sales"]
    assert page.items
    assert "+79123450051" not in answer.text
    assert not read(desk.get("/v1/changes", cursor=page.cursor), Page).reset


def test_a_token_that_is_taken_while_a_request_is_under_way_shows_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = hub.desk("marketer1")
    authenticate = accounts.authenticate

    def then_taken(*args: object) -> accounts.Session:
        session = authenticate(*args)  # pyright: ignore[reportArgumentType]
        with hub.database.write() as connection:
            connection.execute(delete(hub_tables.token))
        return session

    monkeypatch.setattr(accounts, "authenticate", then_taken)
    assert problem(desk.get("/v1/snapshot"))[:2] == (401, "not_signed_in")
