"""The mirrored tables: one definition for the hub's database and for every desk's."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table

#: Ids are in the order of their bytes on every side: desks ask for ranges of them.
ID = String(36).with_variant(String(36, collation="C"), "postgresql")
USER = String(64)


def mirrored(metadata: MetaData, json: JSON[Any]) -> dict[str, Table]:
    """Define the mirrored tables in ``metadata``, by kind of row.

    ``json`` is how the database keeps fields: a desk never loads PostgreSQL's types, which would
    take a tenth of its start.
    """
    return {
        "item": _item(metadata, json),
        "task": _task(metadata),
        "entry": _entry(metadata),
        "subject": _subject(metadata, json),
        "person": _person(metadata),
    }


def _item(metadata: MetaData, json: JSON[Any]) -> Table:
    return Table(
        "item",
        metadata,
        Column("id", ID, primary_key=True),
        Column("kind", String(32), nullable=False),
        Column("stage", String(64), nullable=False),
        Column("title", String(400), nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("stage_since", BigInteger, nullable=False),
        Column("version", Integer, nullable=False),
        Column("author", USER),
        Column("responsible", USER),
        Column("shared_with", USER),
        Column("owner", USER),
        Column("last_chosen", USER),
        Column("parent_id", ID),
        Column("subject_id", ID),
        Column("score", Integer, nullable=False, default=0),
        Column("round", Integer, nullable=False, default=0),
        Column("due_at", BigInteger),
        Column("worked_at", BigInteger),
        Column("playbook_version", Integer, nullable=False, default=1),
        Column("fields", json, nullable=False),
        Column("field_versions", json, nullable=False),
        Column("undo", json),
        Index("item_stage", "kind", "stage", "id"),
        Index("item_responsible", "responsible", "kind"),
        Index("item_shared", "shared_with"),
        Index("item_parent", "parent_id"),
        Index("item_subject", "subject_id"),
    )


def _task(metadata: MetaData) -> Table:
    return Table(
        "task",
        metadata,
        Column("id", ID, primary_key=True),
        Column("item_id", ID, nullable=False),
        Column("type", String(32), nullable=False),
        Column("title", String(400), nullable=False),
        Column("assignee", USER),
        Column("due_at", BigInteger, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("version", Integer, nullable=False),
        Column("closed_at", BigInteger),
        Column("closed_by", USER),
        Index("task_item", "item_id"),
        Index("task_assignee", "assignee", "closed_at"),
    )


def _entry(metadata: MetaData) -> Table:
    return Table(
        "entry",
        metadata,
        Column("id", ID, primary_key=True),
        Column("item_id", ID, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("who", USER),
        Column("event", String(64), nullable=False),
        Column("from_stage", String(64)),
        Column("to_stage", String(64)),
        Column("comment", String(8000), nullable=False),
        Column("version", Integer, nullable=False),
        Index("entry_item", "item_id", "id"),
    )


def _subject(metadata: MetaData, json: JSON[Any]) -> Table:
    return Table(
        "subject",
        metadata,
        Column("id", ID, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("fields", json, nullable=False),
        Column("field_versions", json, nullable=False),
        Column("consents", json, nullable=False, server_default="{}"),
        Column("stage", String(20), nullable=False, server_default="active"),
    )


def _person(metadata: MetaData) -> Table:
    return Table(
        "person",
        metadata,
        Column("id", USER, primary_key=True),
        Column("name", String(200), nullable=False),
        Column("role", String(32), nullable=False),
        Column("active", Boolean, nullable=False),
        Column("present", Boolean, nullable=False),
        Column("version", Integer, nullable=False),
    )
