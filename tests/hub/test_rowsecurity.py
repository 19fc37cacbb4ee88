"""The second fence on PostgreSQL holds where the first one is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select, text, true, update
from sqlalchemy.exc import ProgrammingError

from desk.domain.operations import Comment
from desk.hub import rowsecurity
from desk.hub.administration import install_playbook
from desk.hub.errors import SetupError
from desk.hub.projection import Reader
from desk.schema import hub_tables as t
from tests.hub.hubs import (
    FREIGHT,
    Hub,
    a_reader,
    move,
    new_lead,
    qualification,
    running,
    set_up,
)

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
FENCED = (t.item, t.task, t.entry, t.subject, t.subject_lookup, t.consent)


@pytest.fixture
def company(hub: Hub) -> Hub:
    """Leads of two operators, one with a qualification and one that waits for anybody."""
    qualification(hub, name="Анна", phone="+79161234567")
    other = hub.desk("operator2")
    lead = other.done(new_lead("Чужой", phone="+79161112233"))
    other.done(Comment(item_id=lead, text="тайна"))
    other.done(move(lead, "assign", to="marketer2"))
    shared = other.done(new_lead("Общий", phone="+79164445566"))
    with hub.database.write() as connection:
        mine = update(t.item).where(t.item.c.id == shared)
        connection.execute(mine.values(shared_with="sales1"))
    return hub


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's own predicate lets everything through."""
    for name in ("items", "tasks", "entries", "subjects"):
        monkeypatch.setattr(Reader, name, property(lambda _: true()))


def everything(hub: Hub, user: str) -> dict[str, set[str]]:
    """The ids of all that there is for a person, asked for without any predicate."""
    reader = a_reader(hub.database, user)
    with hub.database.read() as connection:
        rowsecurity.enter(connection, reader)
        return {table.name: set(ids(connection, table)) for table in FENCED}


def ids(connection: Any, table: Any) -> Iterator[str]:
    column = table.c.subject_id if "id" not in table.c else table.c.id
    yield from connection.execute(select(column)).scalars()


@pytest.mark.parametrize("user", ["operator1", "marketer1", "marketer2", "sales1", "head", "admin"])
def test_each_sees_the_same_rows_behind_either_fence(company: Hub, user: str) -> None:
    rows = company.desk(user).fresh()
    seen = everything(company, user)
    for kind in ("item", "task", "entry", "subject"):
        assert seen[kind] == set(rows[kind]), kind
    assert seen["subject_lookup"] <= seen["subject"]


def test_a_broken_first_fence_gives_no_more(company: Hub, broken: None) -> None:
    sales = company.desk("sales1")
    rows = sales.fresh()
    assert [row.title for row in rows["item"].values()] == ["Общий"]
    assert len(rows["subject"]) == 1
    assert {row.item_id for row in rows["entry"].values()} == set(rows["item"])
    sales.bootstrap()
    company.desk("operator2").done(new_lead("Ещё один"))
    sales.pull()
    assert [row.title for row in sales.rows["item"].values()] == ["Общий"]
    asked = {"key": "AAAAAAAAAAAAAAAAAAAAAA==", "ranges": [{"low": "", "high": ""}]}
    digests = sales.post("/v1/digests", asked).json()["digests"][0]
    assert (digests["item"]["count"], digests["subject"]["count"]) == (1, 1)
    assert sales.post("/v1/pd/find", {"phone": "+79161112233"}).json() == []


def test_a_person_who_is_nobody_sees_nothing(company: Hub) -> None:
    with company.database.read() as connection:
        connection.execute(text("SET LOCAL ROLE desk_reader"))
        assert [list(ids(connection, table)) for table in FENCED] == [[]] * len(FENCED)


def test_whoever_reads_writes_nothing_and_reads_no_secrets(company: Hub) -> None:
    reader = a_reader(company.database, "head")
    for statement in (
        "UPDATE item SET title = ''",
        "DELETE FROM subject",
        "SELECT password_hash FROM account",
        "SELECT wrapped FROM desk_keys.subject_key",
    ):
        with company.database.read() as connection:
            rowsecurity.enter(connection, reader)
            with pytest.raises(ProgrammingError):
                connection.execute(text(statement))


def test_the_next_transaction_of_a_connection_is_the_owners_again(company: Hub) -> None:
    everything(company, "marketer1")
    with company.database.read() as connection:
        who = connection.execute(text("SELECT current_user = session_user")).scalar_one()
        assert who


def test_another_playbook_moves_the_fence(company: Hub) -> None:
    assert len(everything(company, "sales1")["item"]) == 1
    mine = 'lead = "responsible = me or shared_with = me", qualification'
    assert mine in FREIGHT
    opened = FREIGHT.replace(mine, 'lead = "always", qualification')
    install_playbook(company.database, opened, "opened", company.clock())
    assert len(everything(company, "sales1")["item"]) == 3


def test_an_owner_without_the_readers_role_is_told_and_with_it_all_is_well(
    backend: str, postgres_url: str
) -> None:
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    owner = make_url(postgres_url).set(username="plain_owner", database="owned")
    with server.connect() as connection:
        connection.execute(text("CREATE ROLE plain_owner LOGIN"))
        connection.execute(text("CREATE DATABASE owned OWNER plain_owner"))
        with pytest.raises(SetupError) as raised:
            set_up(owner.render_as_string(hide_password=False))
        assert raised.value.code == "reader_role_needed"
        make = f"DO $$ BEGIN CREATE ROLE {rowsecurity.ROLE} NOLOGIN;"
        connection.execute(text(f"{make} EXCEPTION WHEN duplicate_object THEN NULL; END $$"))
        connection.execute(text(f"GRANT {rowsecurity.ROLE} TO plain_owner"))
    set_up(owner.render_as_string(hide_password=False))
    with running(owner.render_as_string(hide_password=False)) as hub:
        lead = hub.desk("operator1").done(new_lead("Лид"))
        assert set(hub.desk("head").fresh()["item"]) == {lead}
        assert hub.desk("sales1").fresh()["item"] == {}
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE owned WITH (FORCE)"))
        connection.execute(text("DROP ROLE plain_owner"))
    server.dispose()
