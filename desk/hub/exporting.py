"""Cards for other systems, depersonalised: no personal data, no free text, names made up.

Ids become pseudonyms, an HMAC under a key of the key store: the same card, person or colleague has
the same one in each export, and who has the file alone cannot go back.
"""

from __future__ import annotations

import csv
import hmac
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, select

from desk.domain.model import Item, Value
from desk.domain.playbook import Kind
from desk.domain.spreadsheet import neutral
from desk.hub import accesses, journal
from desk.hub.database import Database, keys_of
from desk.hub.errors import SetupError
from desk.hub.playbooks import current
from desk.hub.store import bare_item_of
from desk.schema import hub_tables as t

#: Types of fields that hold no text of anybody's.
_TYPES = frozenset({"number", "money", "choice", "choices", "bool", "date", "time"})
_COLUMNS = ("stage", "created_at", "updated_at", "stage_since", "score", "round")
_PEOPLE = ("author", "responsible", "owner")
_PIECE = 2000
#: A new file and no older one; Windows would write each line end twice without O_BINARY.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def export_items(database: Database, kind_id: str, path: Path, now: int) -> int:
    """Write the cards of a kind as CSV into a new file; how many.

    Raises `SetupError` ``unknown_kind``, ``file_exists``, ``file_unwritable``.
    """
    with database.read() as connection:
        kind = current(connection).playbook.kind(kind_id)
    if kind is None:
        raise SetupError("unknown_kind", {"kind": kind_id})
    count = 0
    with _Writer(path) as writer, database.read() as connection:
        fields = [one.id for one in kind.fields.values() if one.type in _TYPES]
        writer.row(["id", "subject", *_COLUMNS, *_PEOPLE, *fields])
        secret = keys_of(connection).secret("pseudonyms")
        for item in _items(connection, kind):
            writer.row(_cells(secret, item, fields))
            count += 1
    with database.write() as connection:
        entry = accesses.of_administrator("export", now, kind=kind_id, form="depersonalised")
        journal.write(connection, [entry])
    return count


def pseudonym(secret: bytes, what: str, identifier: str) -> str:
    """Stands for an id outside; ``what`` keeps cards, persons and colleagues apart."""
    return hmac.digest(secret, f"{what}\0{identifier}".encode(), "sha256")[:12].hex()


def _items(connection: Connection, kind: Kind) -> Iterator[Item]:
    after = ""
    while True:
        query = select(t.item).where(t.item.c.kind == kind.id, t.item.c.id > after)
        rows = connection.execute(query.order_by(t.item.c.id).limit(_PIECE)).all()
        yield from map(bare_item_of, rows)
        if len(rows) < _PIECE:
            return
        after = rows[-1].id


def _cells(secret: bytes, item: Item, fields: Sequence[str]) -> list[str]:
    cells = [
        pseudonym(secret, "item", item.id),
        pseudonym(secret, "subject", item.subject_id) if item.subject_id else "",
    ]
    cells += (_shown(getattr(item, name)) for name in _COLUMNS)
    for name in _PEOPLE:
        user = getattr(item, name)
        cells.append(pseudonym(secret, "person", user) if user else "")
    cells += (_shown(item.fields.get(name)) for name in fields)
    return cells


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return neutral(", ".join(value))
    return neutral(str(value)) if value is not None else ""


class _Writer:
    """A CSV file for its owner alone."""

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, _NEW, 0o600)
        except FileExistsError:
            raise SetupError("file_exists", {"file": str(path)}) from None
        except OSError as error:
            raise SetupError("file_unwritable", {"file": str(path)}) from error
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file)

    def row(self, cells: Sequence[str]) -> None:
        """Write one line."""
        self._csv.writerow(cells)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()
