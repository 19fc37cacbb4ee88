"""Finding a person by the whole of a phone number or an e-mail address, without opening a row.

The file keeps an HMAC of each under the vault's index key, never the value; nothing of a part of a
number follows from it.
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
            sql = "SELECT subject_id FROM subject_lookup WHERE digest = ?"
            found += [row[0] for row in connection.exec_driver_sql(sql, (digest,))]
    return list(dict.fromkeys(found))


def add(connection: Connection, table: str, rows: list[tuple[bytes, str]]) -> None:
    """Add the look-ups of rows of ``table``: digests with ids."""
    insert = f"INSERT OR IGNORE INTO {table}_lookup (digest, subject_id) VALUES (?, ?)"  # noqa: S608
    # In the order of their keys: rows that lie near each other are written together.
    write_together(connection, insert, insert + ", (?, ?)" * (TOGETHER - 1), sorted(rows))


def remove(connection: Connection, table: str, rows: Iterable[tuple[str, bytes]]) -> None:
    """Remove look-ups of rows of ``table``: ids with all their digests."""
    gone = [
        (digests[start : start + DIGEST], row_id)
        for row_id, digests in rows
        for start in range(0, len(digests), DIGEST)
    ]
    if gone:
        sql = f"DELETE FROM {table}_lookup WHERE digest = ? AND subject_id = ?"  # noqa: S608
        connection.exec_driver_sql(sql, gone)
