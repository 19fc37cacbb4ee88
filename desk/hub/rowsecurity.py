"""The second fence on PostgreSQL: rows that a role may not see are not there for whoever reads.

What is read for a person is read as a database role of its own, which owns nothing, within
policies that say the same as ``desk.hub.projection``: they are made of the same conditions of the
playbook, anew with each that is put in force. A query that forgot its own predicate gets no more.

Operations and administration work as the owner of the tables.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select, text
from sqlalchemy import func as sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ProgrammingError

from desk.domain.playbook import Playbook
from desk.hub.errors import SetupError
from desk.hub.projection import Reader
from desk.schema.conditions import to_sql
from desk.schema.hub_tables import item

#: Whoever reads for a person; it cannot sign in.
ROLE = "desk_reader"
_POLICY = "desk_reader"
_OWNER = "desk_owner"
#: Stands for the user while a condition is compiled: no user's name can be so.
_ME = "\x01me\x01"

_BELONG = {
    "task": "task.item_id = item.id",
    "entry": "entry.item_id = item.id",
    "subject": "subject.id = item.subject_id",
    "subject_lookup": "subject_lookup.subject_id = item.subject_id",
    "consent": "consent.subject_id = item.subject_id",
}
_FENCED = ("item", *_BELONG)
#: What is read beside: no personal data.
_OPEN = ("change", "sync_head", "person", "device", "hub")

_MARK = text(
    "SELECT obj_description(oid, 'pg_policy') FROM pg_policy"
    " WHERE polname = :name AND polrelid = 'item'::regclass"
)
_MEMBER = text(
    "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = :name"
)


def enter(connection: Connection, reader: Reader) -> None:
    """Read as this person until the transaction ends; SQLite has no such fence."""
    if connection.dialect.name != "postgresql":
        return
    connection.execute(
        select(
            sql.set_config("desk.user", reader.actor.id, True),
            sql.set_config("desk.role", reader.actor.role, True),
            sql.set_config("role", ROLE, True),
        )
    )


def lock(connection: Connection) -> None:
    """Wait for whoever uses the fenced tables: call it before a transaction that will `install`."""
    if connection.dialect.name == "postgresql":
        tables = ", ".join(_FENCED)
        connection.exec_driver_sql(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")


def install(connection: Connection, playbook: Playbook) -> None:
    """Put up the fence by a playbook's conditions, unless it stands so. PostgreSQL alone has one.

    Raises `SetupError` ``reader_role_needed`` where the role is not there and may not be made.
    """
    if connection.dialect.name != "postgresql":
        return
    policies = _policies(playbook)
    mark = hashlib.sha256(repr(policies).encode()).hexdigest()
    if _stands(connection) == mark:
        return
    _make_role(connection)
    for table, sees in policies.items():
        _run(connection, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        _run(connection, f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        for name in (_POLICY, _OWNER):
            _run(connection, f"DROP POLICY IF EXISTS {name} ON {table}")
        _run(connection, f"CREATE POLICY {_OWNER} ON {table} TO CURRENT_USER USING (true)")
        _run(connection, f"CREATE POLICY {_POLICY} ON {table} FOR SELECT TO {ROLE} USING ({sees})")
    granted = ", ".join((*_FENCED, *_OPEN))
    _run(connection, f"GRANT SELECT ON {granted} TO {ROLE}")
    _run(connection, f"COMMENT ON POLICY {_POLICY} ON item IS '{mark}'")


def _policies(playbook: Playbook) -> dict[str, str]:
    """Which rows are there, by table, as SQL."""
    roles = [
        f"WHEN {_quoted(role)} THEN {_compiled(_visible(playbook, role))}"
        for role in playbook.roles
    ]
    # In a query of its own a setting is read once, not for each row.
    items = f"CASE (SELECT current_setting('desk.role', true)) {' '.join(roles)} ELSE false END"
    within = {
        table: f"EXISTS (SELECT 1 FROM item WHERE {belongs})"  # noqa: S608 - of constants
        for table, belongs in _BELONG.items()
    }
    return {"item": items, **within}


def _visible(playbook: Playbook, role: str) -> ColumnElement[bool]:
    kinds = [
        # What is seen does not depend on the moment: the playbook's check sees to that.
        and_(item.c.kind == kind, to_sql(playbook.sees(role, kind), _column, me=_ME, now=0))
        for kind in playbook.kinds
    ]
    return or_(false(), *kinds)


def _compiled(test: ColumnElement[bool]) -> str:
    dialect = postgresql.dialect(paramstyle="named")
    written = str(test.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return "(" + written.replace(_quoted(_ME), "(SELECT current_setting('desk.user', true))") + ")"


def _column(name: str) -> ColumnElement[Any]:
    return item.c[name]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _stands(connection: Connection) -> str | None:
    """The mark of the fence that stands."""
    return connection.execute(_MARK, {"name": _POLICY}).scalar_one_or_none()


def _make_role(connection: Connection) -> None:
    is_member = connection.execute(_MEMBER, {"name": ROLE}).scalar_one_or_none()
    try:
        with connection.begin_nested():
            if is_member is None:
                connection.exec_driver_sql(f"CREATE ROLE {ROLE} NOLOGIN")
            if not is_member:
                connection.exec_driver_sql(f"GRANT {ROLE} TO CURRENT_USER")
    except ProgrammingError as error:
        raise SetupError("reader_role_needed") from error


def _run(connection: Connection, statement: str) -> None:
    # Past the driver's parameters: a percent sign in a condition is no placeholder.
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()
