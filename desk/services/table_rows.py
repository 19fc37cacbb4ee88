"""Rows of one kind in ``local.db``: whole rows in and out, and plain SQL on the hot paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import JSON, Boolean, Connection, Table

from desk.domain.model import Entry, Item, Person, Subject, Task

R = TypeVar("R", Item, Task, Entry, Subject, Person)

#: How many ids one statement names.
_MANY = 500
#: Before the name of each table of the shadow copy (see ``shadow``).
SHADOW = "shadow_"
#: How many rows one statement writes. While it runs the interpreter is free for a key press; with
#: a row a statement it would be free too shortly for another thread to wake up.
TOGETHER = 50
_encode = msgspec.json.Encoder().encode


class Rows(Generic[R]):
    """The rows of one kind."""

    def __init__(self, kind: str, struct: type[R], table: Table) -> None:
        self.kind = kind
        self.struct = struct
        self._table = table
        fields = msgspec.structs.fields(struct)
        kept = [(n, field) for n, field in enumerate(fields) if field.name in table.columns]
        self._dropped = [n for n, field in enumerate(fields) if field.name not in table.columns]
        self.columns = tuple(field.name for _, field in kept)
        self._json = [
            (n, msgspec.json.Decoder(field.type))
            for n, (_, field) in enumerate(kept)
            if isinstance(table.columns[field.name].type, JSON)
        ]
        self._flags = [
            n
            for n, (_, field) in enumerate(kept)
            if isinstance(table.columns[field.name].type, Boolean)
        ]

    def in_shadow(self) -> Rows[R]:
        """The same rows in the shadow copy."""
        return Rows(SHADOW + self.kind, self.struct, self._table)

    @cached_property
    def _insert(self) -> str:
        return f"INSERT OR REPLACE INTO {self.kind} ({', '.join(self.columns)}) VALUES {self._row}"  # noqa: S608

    @cached_property
    def _insert_together(self) -> str:
        return self._insert + f", {self._row}" * (TOGETHER - 1)

    @cached_property
    def _row(self) -> str:
        return f"({', '.join('?' * len(self.columns))})"

    @cached_property
    def select(self) -> str:
        """``SELECT`` of all columns, in the order ``decode`` takes them."""
        return f"SELECT {', '.join(self.columns)} FROM {self.kind}"  # noqa: S608

    def put(self, connection: Connection, rows: Iterable[R]) -> None:
        """Write whole rows over what stands there."""
        write_together(connection, self._insert, self._insert_together, self.values(rows))

    def values(self, rows: Iterable[R]) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them, in the order of ``columns``."""
        plain = not self._json and not self._dropped
        make = msgspec.structs.astuple if plain else self._values
        return [make(row) for row in rows]

    def get(self, connection: Connection, ids: Iterable[str]) -> list[R]:
        """The rows of these ids that are there."""
        return self.where(connection, "id", ids)

    def where(self, connection: Connection, column: str, values: Iterable[str]) -> list[R]:
        """The rows whose ``column`` is one of ``values``."""
        found: list[R] = []
        for part in parts(values):
            sql = f"{self.select} WHERE {column} IN ({marks(part)})"
            found += [self.decode(row) for row in connection.exec_driver_sql(sql, part)]
        return found

    def all(self, connection: Connection) -> list[R]:
        """Every row."""
        return [self.decode(row) for row in connection.exec_driver_sql(self.select)]

    def delete(self, connection: Connection, ids: Iterable[str], column: str = "id") -> None:
        """Remove the rows whose ``column`` is one of ``ids``."""
        for part in parts(ids):
            sql = f"DELETE FROM {self.kind} WHERE {column} IN ({marks(part)})"  # noqa: S608
            connection.exec_driver_sql(sql, part)

    def pack(self, connection: Connection, row: R) -> str:  # noqa: ARG002 - subjects need it
        """A row as text, to be kept beside its table."""
        return _encode(row).decode()

    def unpack(self, connection: Connection, body: str) -> R:  # noqa: ARG002 - subjects need it
        """The row that ``pack`` gave."""
        return msgspec.json.decode(body, type=self.struct)

    def decode(self, row: Sequence[Any]) -> R:
        """The row that ``select`` gave."""
        values = list(row)
        for n, decoder in self._json:
            text = values[n]
            values[n] = decoder.decode(text) if text is not None else None
        for n in self._flags:
            values[n] = bool(values[n])
        return self.struct(**dict(zip(self.columns, values, strict=True)))

    def _values(self, row: R) -> tuple[Any, ...]:
        values = list(msgspec.structs.astuple(row))
        for n in reversed(self._dropped):
            del values[n]
        for n, _ in self._json:
            value = values[n]
            values[n] = _encode(value).decode() if value is not None else None
        return tuple(values)


def write_together(
    connection: Connection, insert: str, together: str, values: list[tuple[Any, ...]]
) -> None:
    """Run ``insert`` for each of the values, ``TOGETHER`` of them in one statement."""
    # Straight to the driver: SQLAlchemy's results would hold all values until the next search
    # for cyclic garbage.
    driver: Any = connection.connection.driver_connection
    whole = len(values) // TOGETHER * TOGETHER
    for start in range(0, whole, TOGETHER):
        driver.execute(together, tuple(chain.from_iterable(values[start : start + TOGETHER])))
    if len(values) > whole:
        driver.executemany(insert, values[whole:])


def parts(values: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The values in lists that one statement may name."""
    listed = tuple(values)
    for start in range(0, len(listed), _MANY):
        yield listed[start : start + _MANY]


def marks(values: Sequence[str]) -> str:
    """As many question marks."""
    return ", ".join("?" * len(values))
