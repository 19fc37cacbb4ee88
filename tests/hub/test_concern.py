"""Whom a piece of the log concerns: who saw, or sees, what it speaks of."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from desk.domain.ids import make_id
from desk.hub import changes, concern
from desk.hub.changes import Change, Head
from desk.hub.database import Database
from desk.schema.hub_tables import item
from tests.hub.hubs import Hub, a_lead, a_reader, new_lead, write_lines


def concerns(database: Database, user: str, *log: Change) -> bool:
    """Whether it concerns the user that this was written."""
    with database.read() as connection:
        known = changes.head(connection)
    write_lines(database, *log)
    with database.read() as connection:
        piece = concern.between(connection, known, changes.head(connection))
    return piece.concerns(a_reader(database, user))


@pytest.mark.parametrize(
    ("user", "is_concerned"), [("sales1", True), ("sales2", False), ("head", True)]
)
def test_only_those_are_concerned_who_see_what_changed(
    database_url: str, user: str, is_concerned: bool
) -> None:
    lead = a_lead(responsible="sales1")
    with Database(database_url) as database:
        assert concerns(database, user, changes.of_item(None, lead)) is is_concerned


@pytest.mark.parametrize("user", ["sales1", "sales2"])
def test_who_loses_an_item_is_concerned_as_well_as_who_gets_it(
    database_url: str, user: str
) -> None:
    before, after = a_lead(responsible="sales1"), a_lead(responsible="sales2")
    with Database(database_url) as database:
        assert concerns(database, user, changes.of_item(before, after))


@pytest.mark.parametrize(("user", "is_concerned"), [("sales1", True), ("sales2", False)])
@pytest.mark.parametrize("kind", ["task", "entry", "subject"])
def test_a_row_that_changed_alone_concerns_those_who_see_its_item(
    hub: Hub, kind: str, user: str, is_concerned: bool
) -> None:
    lead = hub.desk("operator1").done(new_lead(name="Ольга"))
    with hub.database.write() as connection:
        connection.execute(update(item).where(item.c.id == lead).values(responsible="sales1"))
        subject = connection.execute(select(item.c.subject_id)).scalar_one()
    about = (subject, 2, None) if kind == "subject" else (make_id(1, bytes), 2, lead)
    line = changes.of_row(kind, *about, new=False)
    assert concerns(hub.database, user, line) is is_concerned


def test_that_a_colleague_came_concerns_nobody_but_himself(database_url: str) -> None:
    with Database(database_url) as database:
        line = changes.of_person("sales1", 2)
        assert not concerns(database, "head", line)
        assert concerns(database, "sales1", line)


def test_what_is_too_much_or_unknown_concerns_everybody(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concern, "MOST_LINES", 3)
    foreign = a_lead(responsible="sales1")
    with Database(database_url) as database:
        for _ in range(2):
            assert not concerns(database, "sales2", *[changes.of_item(None, foreign)] * 3)
        assert concerns(database, "sales2", *[changes.of_item(None, foreign)] * 4)
        unknown = Change(kind="report", id="x", row_version=1, op="insert")
        assert concerns(database, "sales2", unknown)


def test_a_new_epoch_or_a_log_that_ends_earlier_concerns_everybody(database_url: str) -> None:
    with Database(database_url) as database, database.read() as connection:
        head = changes.head(connection)
        for known in (Head("another", head.seq), Head(head.epoch, head.seq + 1)):
            piece = concern.between(connection, known, head)
            assert piece.concerns(a_reader(database, "sales1"))
