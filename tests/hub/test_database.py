"""The schema that migrations make, and the two kinds of databases."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from desk.hub.database import Database, upgrade
from desk.hub.errors import SetupError
from desk.schema import hub_tables as t
from desk.schema.tables import ID


def test_migrations_make_the_schema_that_the_tables_describe(empty_url: str) -> None:
    with Database(empty_url) as database:
        assert not database.is_set_up()
        upgrade(database.engine)
        upgrade(database.engine)
        assert database.is_set_up()
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, t.metadata) == []
            checks = inspect(connection).get_check_constraints("sync_head")
            assert [one["name"] for one in checks] == ["sync_head_only_one"]


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:"]
)
def test_a_database_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(SetupError) as refused:
        Database(url)
    assert refused.value.code == "unsupported_url"


def test_postgresql_is_reached_by_its_usual_url() -> None:
    assert Database("postgresql://u@h/d").url.drivername == "postgresql+psycopg"


def test_a_database_that_cannot_be_reached_is_told_from_an_empty_one() -> None:
    with (
        Database("postgresql://nobody@127.0.0.1:1/none") as database,
        pytest.raises(SetupError) as refused,
    ):
        database.is_set_up()
    assert refused.value.code == "unreachable"


def test_a_reader_sees_one_moment_however_long_it_reads(database_url: str) -> None:
    with Database(database_url) as database:
        query = select(t.sync_head.c.seq)
        with database.read() as reading:
            before = reading.execute(query).scalar_one()
            with database.write() as writing:
                writing.execute(text("UPDATE sync_head SET seq = seq + 1"))
            assert reading.execute(query).scalar_one() == before
        with database.read() as reading:
            assert reading.execute(query).scalar_one() == before + 1


def test_ids_are_sorted_by_their_bytes_whatever_language_the_database_sorts_in(
    database_url: str,
) -> None:
    """In Danish "aa" comes after "z", and a range of ids would be another one than a desk's."""
    with Database(database_url) as database, database.engine.connect() as connection:
        if database.is_sqlite:
            return
        query = text(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
        found = {(row[0], row[1]): row[2] for row in connection.execute(query)}
    ids = [
        (table.name, column.name)
        for table in t.metadata.tables.values()
        for column in table.columns
        if column.type is ID
    ]
    assert len(ids) > 10
    assert {found[one] for one in ids} == {"C"}
