"""Finding a person by the whole of a phone number or an e-mail address, without opening a row.

The file keeps an HMAC of each under the vault's index key, never the value; nothing of a part of a
number follows from it.

Digests come in no order, so each lies on some other page: a first sync would write the whole index
anew with each page of rows. So they stand on shelves of some thousands; new ones go to the newest
shelf, and a search looks at each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from desk.domain.model import Value
from desk.services.sealing import DIGEST, Sealer
from desk.services.table_rows import TOGETHER, write_together

#: A whole number as it is kept: E.164.
_PHONE = re.compile(r"\+[0-9]{7,15}")
#: Digests on a shelf, as soon as it is not the newest any more.
_SHELF = 8192
_FIND = """
    WITH RECURSIVE shelves(shelf) AS (
        SELECT min(shelf) FROM subject_lookup
        UNION ALL
        SELECT (SELECT min(l.shelf) FROM subject_lookup AS l WHERE l.shelf > shelves.shelf)
        FROM shelves WHERE shelves.shelf IS NOT NULL
    )
    SELECT subject_id FROM shelves CROSS JOIN subject_lookup AS found
        ON found.shelf = shelves.shelf AND found.digest = ?
"""
_EMAIL = re.compile(r"[^\s@•]+@[^\s@•]+")


def digests(sealer: Sealer, fields: Mapping[str, Value]) -> list[bytes]:
    """Under what a person of these fields is looked up; what a mask hides is not."""
    found: dict[bytes, None] = {}
    for value in fields.values():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str) and (digest := digest_of(sealer, one)):
                found[digest] = None
    return list(found)


def digest_of(sealer: Sealer, value: str) -> bytes | None:
    """The digest of a phone or an address; none where the text is neither."""
    if value[:1] == "+" and _PHONE.fullmatch(value):
        return sealer.digest("phone", value)
    if "@" in value and _EMAIL.fullmatch(value):
        return sealer.digest("email", value.casefold())
    return None


def find(connection: Connection, sealer: Sealer, values: Iterable[str]) -> list[str]:
    """The ids of the people who have one of these phones or addresses."""
    found: list[str] = []
    for value in values:
        digest = digest_of(sealer, value)
        if digest is not None:
            found += [row[0] for row in connection.exec_driver_sql(_FIND, (digest,))]
    return list(dict.fromkeys(found))


def newest_shelf(connection: Connection, table: str) -> int:
    """The shelf for look-ups of rows of ``table`` that come now."""
    sql = f"SELECT max(shelf) FROM {table}_lookup"  # noqa: S608
    newest = connection.exec_driver_sql(sql).scalar_one() or 0
    sql = f"SELECT count(*) FROM {table}_lookup WHERE shelf = ?"  # noqa: S608
    there = connection.exec_driver_sql(sql, (newest,)).scalar_one()
    return newest + 1 if there >= _SHELF else newest


def add(connection: Connection, table: str, rows: list[tuple[int, bytes, str]]) -> None:
    """Add look-ups of rows of ``table``: shelves, digests and ids."""
    insert = f"INSERT OR IGNORE INTO {table}_lookup (shelf, digest, subject_id) VALUES (?, ?, ?)"  # noqa: S608
    # In the order of their keys: rows that lie near each other are written together.
    write_together(connection, insert, insert + ", (?, ?, ?)" * (TOGETHER - 1), sorted(rows))


def remove(connection: Connection, table: str, rows: list[tuple[int, bytes, str]]) -> None:
    """Remove look-ups of rows of ``table``: shelves, all digests of a row, and its id."""
    gone = [
        (shelf, digests[start : start + DIGEST], row_id)
        for shelf, digests, row_id in rows
        for start in range(0, len(digests), DIGEST)
    ]
    if gone:
        where = "shelf = ? AND digest = ? AND subject_id = ?"
        connection.exec_driver_sql(f"DELETE FROM {table}_lookup WHERE {where}", gone)  # noqa: S608
