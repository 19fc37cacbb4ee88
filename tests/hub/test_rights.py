"""Nobody gets a byte that he may not see, whatever he asks."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import delete

from desk.domain.model import Value
from desk.domain.operations import Comment, EditFields, EditSubject
from desk.domain.playbook import Field, Playbook
from desk.domain.playbook_loader import load
from desk.hub import accounts, administration
from desk.protocol.messages import Page
from desk.schema import hub_tables
from tests.hub.hubs import FREIGHT, PEOPLE, Hub, move, problem, qualification, read

PLAYBOOK: Playbook = load(FREIGHT, "freight.toml")
CANARY = re.compile(r"canary-([a-z]+)-([a-z_]+)")


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
