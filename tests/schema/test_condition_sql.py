"""A condition compiled to SQL gives the answers of the Python evaluator, on every database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    MetaData,
    StaticPool,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    literal,
    not_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlcipher3 import dbapi2 as sqlcipher

from desk.domain.condition import FOLD_FROM, Condition, evaluate, fold, parse
from desk.schema.condition_sql import Folded
from desk.schema.conditions import json_field, register, to_sql
from desk.schema.hub_tables import Json
from tests.condition_examples import ME, NOW, TYPES, conditions_and_records

RECORD = Table(
    "record",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("title", Text),
    Column("responsible", String(64)),
    Column("stage", String(64)),
    Column("score", Integer),
    Column("amount", Double),
    Column("hot", Boolean),
    Column("due_at", BigInteger),
    Column("tags", Json),
    Column("fields", Json),
)


def column_of(name: str) -> ColumnElement[Any]:
    return json_field(RECORD.c.fields, name, TYPES[name]) if "." in name else RECORD.c[name]


@pytest.fixture(scope="module", params=["sqlite", "sqlcipher", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to each kind of database, with the table of records."""
    if request.param == "postgresql":
        engine = create_engine(request.getfixturevalue("postgres_url"))
    else:
        module = sqlite3 if request.param == "sqlite" else sqlcipher
        engine = create_engine("sqlite://", module=module, poolclass=StaticPool)
        event.listen(engine, "connect", lambda dbapi, _: register(dbapi))
    RECORD.metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    RECORD.metadata.drop_all(engine)
    engine.dispose()


def matching(
    connection: Connection, condition: Condition, found: list[dict[str, Any]], me: str = ME
) -> tuple[list[int], list[int]]:
    """The places of the records for which the condition is true, and for which it is false."""
    transaction = connection.begin()
    try:
        connection.execute(insert(RECORD), [_row(n, record) for n, record in enumerate(found)])
        truth = to_sql(condition, column_of, me=me, now=NOW)
        ids = select(RECORD.c.id).order_by(RECORD.c.id)
        held = connection.scalars(ids.where(truth)).all()
        failed = connection.scalars(ids.where(not_(truth))).all()
        return list(held), list(failed)
    finally:
        transaction.rollback()


def _row(number: int, record: dict[str, Any]) -> dict[str, Any]:
    columns = {name: record.get(name) for name in TYPES if "." not in name}
    fields = {name: value for name, value in record.items() if "." in name}
    return {"id": number, **columns, "fields": fields}


@settings(max_examples=300)
@given(case=conditions_and_records(), me=st.sampled_from([ME, "a", ""]))
def test_sql_and_python_agree_on_any_condition_and_records(
    connection: Connection, case: tuple[Condition, list[dict[str, Any]]], me: str
) -> None:
    condition, found = case
    expected = [evaluate(condition, record, me=me, now=NOW) for record in found]
    held, failed = matching(connection, condition, found, me)
    assert held == [n for n, truth in enumerate(expected) if truth]
    assert failed == [n for n, truth in enumerate(expected) if not truth]


@pytest.mark.parametrize(
    ("source", "titles"),
    [
        ('title contains "ЁЖИК"', ["Ёжик, 100%", "ёжик"]),
        ('title contains "%"', ["Ёжик, 100%"]),
        ('title contains "_"', []),
        ('title contains "\\\\"', ["C:\\temp 'x' \"y\""]),
        ("title contains \"'X'\"", ["C:\\temp 'x' \"y\""]),
        ('title < "Ж"', ["C:\\temp 'x' \"y\"", "Ёжик, 100%"]),
        ('title > "Ж"', ["ёжик", "🙂"]),
        ("title is empty", [""]),
        ('title != "ёжик"', ["C:\\temp 'x' \"y\"", "", "Ёжик, 100%", "🙂"]),
        ('title in ("ёжик", "нет")', ["ёжик"]),
    ],
)
def test_foreign_text_is_found_literally(
    connection: Connection, source: str, titles: list[str]
) -> None:
    stored = ["C:\\temp 'x' \"y\"", "", "Ёжик, 100%", "ёжик", "🙂"]
    found = [{"title": title} for title in stored]
    held, _ = matching(connection, parse(source, TYPES), found)
    assert [stored[n] for n in held] == titles


def test_lists_are_searched_for_whole_texts(connection: Connection) -> None:
    found = [{"f.tags": tags} for tags in (["vip", "новый"], ["VIP"], [], None, "vip", ["v", 1])]
    assert matching(connection, parse('f.tags contains "vip"', TYPES), found)[0] == [0]
    assert matching(connection, parse("f.tags is empty", TYPES), found)[0] == [2, 3, 4]
    nested = [{"f.tags": [{"a": 1}]}, {"f.tags": ['{"a":1}']}]
    assert matching(connection, parse("f.tags contains '{\"a\":1}'", TYPES), nested)[0] == [1]


def test_a_record_without_its_json_object_has_only_empty_fields(connection: Connection) -> None:
    transaction = connection.begin()
    connection.execute(insert(RECORD), [{"id": 1, "fields": None}, {"id": 2, "fields": ["f.sum"]}])
    for name in TYPES:
        if "." in name:
            truth = to_sql(parse(f"{name} is empty", TYPES), column_of, me=ME, now=NOW)
            assert connection.scalars(select(RECORD.c.id).where(truth)).all() == [1, 2]
    transaction.rollback()


def test_every_database_folds_every_capital_as_python_does(connection: Connection) -> None:
    text = FOLD_FROM + "İıſßЀӀ 🙂 Aa"
    with connection.begin():
        assert connection.scalar(select(Folded(literal(text)))) == fold(text)


def test_an_answer_can_be_selected_and_is_never_null(connection: Connection) -> None:
    source = 'f.title = "a" and f.count > 1 or f.tags contains me or title contains f.title'
    truth = to_sql(parse(source, TYPES), column_of, me=ME, now=NOW)
    transaction = connection.begin()
    connection.execute(insert(RECORD), [{"id": 1}])
    assert connection.scalars(select(truth)).one() is False
    transaction.rollback()


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda d: d.name)
def test_no_value_is_written_into_the_statement(dialect: Any) -> None:
    source = (
        'title = "secret" or title < "secret" or stage in ("secret") or tags contains "secret"'
        ' or f.title contains "secret" or responsible = me or score > 77001 or amount = 77001.5'
    )
    truth = to_sql(parse(source, TYPES), column_of, me="secret", now=NOW)
    statement = str(truth.compile(dialect=dialect))
    assert "secret" not in statement
    assert "77001" not in statement


def test_text_is_ordered_by_code_point_whatever_the_database_collates_by() -> None:
    truth = to_sql(parse('title < "b"', TYPES), column_of, me=ME, now=NOW)
    assert 'title COLLATE "C"' in str(truth.compile(dialect=postgresql.dialect()))
    assert "title COLLATE BINARY" in str(truth.compile(dialect=sqlite.dialect()))


def test_equality_on_a_column_uses_its_index() -> None:
    """What row rights and the board's columns are made of must not scan the table."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE record (responsible TEXT, stage TEXT)")
    connection.execute("CREATE INDEX by_responsible ON record (responsible)")
    truth = to_sql(parse("responsible = me", TYPES), column_of, me="a", now=NOW)
    sql = str(truth.compile(dialect=sqlite.dialect()))
    plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT 1 FROM record WHERE {sql}", ["a"])
    assert "SEARCH record USING COVERING INDEX by_responsible (responsible=?)" in str(
        plan.fetchall()
    )
    connection.close()


def test_a_name_that_is_no_field_name_never_reaches_sql() -> None:
    for name in ("", "a'b", 'a"b', "Имя", "a b", "a\n", "A"):
        with pytest.raises(ValueError, match="not a field's name"):
            json_field(RECORD.c.fields, name, "text")
