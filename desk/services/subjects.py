"""The rows of people: sealed where they lie, opened when somebody asks for them.

A row has two records. The overview holds the fields that lists and searches need and the person's
own random key, all sealed under the wrapping key of an epoch; the detail holds the other fields
under that key. Each write draws a new key. With a row go its look-ups (``lookup``) and its share in
the state of the whole set (``vault_state``); all three change in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from desk.domain.model import Standing, Subject, Value
from desk.schema import desk_tables, records
from desk.schema.desk_upgrades import PLAIN_SUBJECTS
from desk.schema.records import KEY, NONCE, Place, prefixed
from desk.services import lookup, vault_state
from desk.services.sealing import DIGEST, Sealer
from desk.services.table_rows import SHADOW, TOGETHER, Rows, marks, parts, write_together

#: The schema of what is in the records.
_SCHEMA = 1
#: Plain rows that are sealed at a time.
_TAKEN = 500
_DRAWN = KEY + 2 * NONCE
_COLUMNS = (
    "id",
    "version",
    "stage",
    "consents",
    "field_versions",
    "overview",
    "detail",
    "lookup",
    "mac",
    "shelf",
)
_SELECT = ", ".join(_COLUMNS)
_ROW = f"({', '.join('?' * len(_COLUMNS))})"

_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_fields = msgspec.json.Decoder(dict[str, Value]).decode
_consents = msgspec.json.Decoder(dict[str, Standing]).decode
_versions = msgspec.json.Decoder(dict[str, int]).decode


class SubjectRows(Rows[Subject]):
    """The rows of people, in their table or in the shadow copy's."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__(f"{prefix}subject", Subject, desk_tables.subject)
        self._insert_one = f"INSERT OR REPLACE INTO {self.kind} ({_SELECT}) VALUES {_ROW}"  # noqa: S608
        self._insert_many = self._insert_one + f", {_ROW}" * (TOGETHER - 1)

    def in_shadow(self) -> SubjectRows:
        """The same rows in the shadow copy."""
        return SubjectRows(SHADOW)

    def put(self, connection: Connection, rows: Iterable[Subject]) -> None:
        """Seal whole rows and write them over what stands there."""
        changed = {row.id: row for row in rows}
        if not changed:
            return
        sealed = _sealed(sealer_of(connection), changed.values())
        known = self._known(connection, changed)
        # Who keeps his phones and addresses keeps his place among the look-ups.
        same = {row[0] for row in sealed if row[0] in known and known[row[0]].lookup == row[7]}
        shelf = lookup.newest_shelf(connection, self.kind) if len(same) < len(sealed) else 0
        values: list[tuple[Any, ...]] = [
            (*row, known[row[0]].shelf if row[0] in same else shelf) for row in sealed
        ]
        gone = [(was.shelf, was.lookup, row_id) for row_id, was in known.items()]
        lookup.remove(connection, self.kind, [row for row in gone if row[2] not in same])
        lookup.add(connection, self.kind, _lookups(row for row in values if row[0] not in same))
        write_together(connection, self._insert_one, self._insert_many, values)
        mac = _xor(row[8] for row in values) ^ _xor(was.mac for was in known.values())
        vault_state.change(connection, self.kind, len(values) - len(known), mac)

    def where(self, connection: Connection, column: str, values: Iterable[str]) -> list[Subject]:
        """The rows whose ``column`` is one of ``values``, opened. Raises ``Broken``."""
        sealer = sealer_of(connection)
        found: list[Subject] = []
        for part in parts(values):
            sql = f"SELECT {_SELECT} FROM {self.kind} WHERE {column} IN ({marks(part)})"  # noqa: S608
            found += [_opened(sealer, row) for row in connection.exec_driver_sql(sql, part)]
        return found

    def all(self, connection: Connection) -> list[Subject]:
        """Every row, opened. Raises ``Broken``."""
        sealer = sealer_of(connection)
        sql = f"SELECT {_SELECT} FROM {self.kind}"  # noqa: S608
        return [_opened(sealer, row) for row in connection.exec_driver_sql(sql)]

    def delete(self, connection: Connection, ids: Iterable[str], column: str = "id") -> None:
        """Remove the rows of these ids with their look-ups; nothing of them stays in the file."""
        if column != "id":
            raise ValueError("people are removed by their ids")
        known = self._known(connection, set(ids))
        if known:
            super().delete(connection, known)
            gone = [(was.shelf, was.lookup, row_id) for row_id, was in known.items()]
            lookup.remove(connection, self.kind, gone)
            vault_state.change(
                connection, self.kind, -len(known), _xor(was.mac for was in known.values())
            )

    def pack(self, connection: Connection, row: Subject) -> str:
        """A row as text, sealed, to be kept beside its table."""
        sealer = sealer_of(connection)
        key_id, cipher = sealer.current()
        place = _place(sealer, "base_row").of(row.id, row.id, "overview", row.version)
        nonce = sealer.random(NONCE)
        record = records.seal(cipher, key_id, nonce, _encode(row), place)
        return _encode(_Kept(row.id, row.version, record)).decode()

    def unpack(self, connection: Connection, body: str) -> Subject:
        """The row that ``pack`` gave. Raises ``Broken``."""
        sealer = sealer_of(connection)
        kept = msgspec.json.decode(body, type=_Kept)
        place = _place(sealer, "base_row").of(kept.id, kept.id, "overview", kept.version)
        opened = records.unseal(sealer.of(kept.record), kept.record, place)
        return msgspec.json.decode(opened, type=Subject)

    def scan(
        self, connection: Connection, *, details: bool
    ) -> Iterator[tuple[str, bytes, bytes | None]]:
        """Every row's id and what is in its overview, as JSON; with ``details`` in its detail,
        too. Raises ``Broken``."""
        sealer = sealer_of(connection)
        place = _place(sealer)
        sql = f"SELECT id, version, overview, {'detail' if details else 'NULL'} FROM {self.kind}"  # noqa: S608
        of, unseal = sealer.of, records.unseal
        start = place.start("overview")
        for row_id, version, overview, detail in _driven(connection, sql):
            row = prefixed(row_id) * 2
            value = unseal(of(overview), overview, start + version.to_bytes(8, "big") + row)
            opened = None
            if details and detail:
                described = place.described(row, "detail", version)
                opened = unseal(records.cipher(value[:KEY]), detail, described)
            yield row_id, value[KEY:], opened

    def older(self, connection: Connection, epoch: int, after: str, limit: int) -> list[str]:
        """Ids above ``after``, in order, of rows that a wrapping key of another epoch seals."""
        key_id = epoch.to_bytes(records.KEY_ID, "big")
        sql = (
            f"SELECT id FROM {self.kind}"  # noqa: S608
            f" WHERE id > ? AND substr(overview, 3, {records.KEY_ID}) != ? ORDER BY id LIMIT ?"
        )
        return [row[0] for row in connection.exec_driver_sql(sql, (after, key_id, limit))]

    def without_stage(self, connection: Connection, ids: Iterable[str], stage: str) -> set[str]:
        """Those of the ids under which no row of that stage stands."""
        wanted = set(ids)
        for part in parts(tuple(wanted)):
            sql = f"SELECT id FROM {self.kind} WHERE stage = ? AND id IN ({marks(part)})"  # noqa: S608
            wanted -= {row[0] for row in connection.exec_driver_sql(sql, (stage, *part))}
        return wanted

    def measure(self, connection: Connection) -> tuple[int, int]:
        """How many rows there are and what the MAC of all of them is, from the rows alone."""
        sealer = sealer_of(connection)
        sql = f"SELECT {_SELECT} FROM {self.kind}"  # noqa: S608
        macs = [_mac(sealer, row) for row in _driven(connection, sql)]
        return len(macs), _xor(macs)

    def _known(self, connection: Connection, ids: Iterable[str]) -> dict[str, _Known]:
        """What is to be taken out where rows of these ids go."""
        found: dict[str, _Known] = {}
        for part in parts(ids):
            sql = f"SELECT id, shelf, lookup, mac FROM {self.kind} WHERE id IN ({marks(part)})"  # noqa: S608
            rows = connection.exec_driver_sql(sql, part)
            found |= {row[0]: _Known(row[1], row[2], row[3]) for row in rows}
        return found


class _Known(NamedTuple):
    """What of a row stands elsewhere, too."""

    shelf: int
    lookup: bytes
    mac: bytes


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """A sealed row beside its table."""

    id: str
    version: int
    record: bytes


def sealer_of(connection: Connection) -> Sealer:
    """What seals and opens in the file of this connection."""
    return connection.info["sealer"]


def version_of(body: str) -> int:
    """The version of a row that ``pack`` gave; nothing is opened for it."""
    return msgspec.json.decode(body, type=_Kept).version


def epoch_of(body: str) -> int:
    """The epoch whose wrapping key seals what ``pack`` gave."""
    return int.from_bytes(records.key_id(msgspec.json.decode(body, type=_Kept).record), "big")


def _driven(connection: Connection, sql: str) -> Iterable[Sequence[Any]]:
    # Straight from the driver: a hundred thousand rows as SQLAlchemy's take twice as long.
    driver: Any = connection.connection.driver_connection
    return driver.execute(sql)


def _place(sealer: Sealer, table: str = "subject") -> Place:
    place = sealer.places.get(table)
    if place is None:
        place = sealer.places[table] = Place(sealer.vault, table, _SCHEMA)
    return place


def _sealed(sealer: Sealer, rows: Iterable[Subject]) -> list[tuple[Any, ...]]:
    """The rows as the table has them, but for the shelf."""
    listed = list(rows)
    place, (key_id, wrapping) = _place(sealer), sealer.current()
    values: list[tuple[Any, ...]] = []
    # Drawn at once and used up here: a process that forks has nothing left over to share.
    drawn = sealer.random(_DRAWN * len(listed))
    for n, row in enumerate(listed):
        key, nonces = _cut(drawn, n)
        first, rest = _parted(row.fields, sealer.overview)
        described = prefixed(row.id) * 2
        overview = records.seal(
            wrapping,
            key_id,
            nonces[:NONCE],
            key + _encode(first),
            place.described(described, "overview", row.version),
        )
        detail = b""
        if rest:
            detail = records.seal(
                records.cipher(key),
                key_id,
                nonces[NONCE:],
                _encode(rest),
                place.described(described, "detail", row.version),
            )
        value = (
            row.id,
            row.version,
            row.stage,
            _encode(row.consents).decode() if row.consents else "{}",
            _encode(row.field_versions).decode(),
            overview,
            detail,
            b"".join(lookup.digests(sealer, row.fields)),
        )
        values.append((*value, _mac(sealer, value)))
    return values


def _lookups(rows: Iterable[Sequence[Any]]) -> list[tuple[int, bytes, str]]:
    return [
        (row[9], row[7][start : start + DIGEST], row[0])
        for row in rows
        for start in range(0, len(row[7]), DIGEST)
    ]


def _xor(macs: Iterable[bytes]) -> int:
    whole = 0
    for mac in macs:
        whole ^= int.from_bytes(mac, "big")
    return whole


def _cut(drawn: bytes, n: int) -> tuple[bytes, bytes]:
    start = n * _DRAWN
    return drawn[start : start + KEY], drawn[start + KEY : start + _DRAWN]


def _parted(
    fields: dict[str, Value], overview: frozenset[str]
) -> tuple[dict[str, Value], dict[str, Value]]:
    """What goes into the overview and what into the detail."""
    if not overview:
        # No playbook says yet what is what.
        return fields, {}
    first: dict[str, Value] = {}
    rest: dict[str, Value] = {}
    for name, value in fields.items():
        (first if name in overview else rest)[name] = value
    return first, rest


def _opened(sealer: Sealer, row: Sequence[Any]) -> Subject:
    row_id, version, stage, consents, field_versions, overview, detail, *_ = row
    place, described = _place(sealer), prefixed(row_id) * 2
    where = place.described(described, "overview", version)
    value = records.unseal(sealer.of(overview), overview, where)
    fields = _fields(value[KEY:])
    if detail:
        where = place.described(described, "detail", version)
        fields |= _fields(records.unseal(records.cipher(value[:KEY]), detail, where))
    return Subject(
        id=row_id,
        version=version,
        fields=fields,
        field_versions=_versions(field_versions),
        consents=_consents(consents),
        stage=stage,
    )


def _mac(sealer: Sealer, row: Sequence[Any]) -> bytes:
    row_id, version, stage, consents, field_versions, overview, detail, digests = row[:8]
    tags = overview[-16:], detail[-16:]
    return sealer.mac(_pack((row_id, version, stage, consents, field_versions, *tags, digests)))


def take_over(connection: Connection) -> None:
    """Seal the plain rows that a file of version 2 had, and remove them."""
    from desk.services.rows import SUBJECTS

    names = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master")}
    if PLAIN_SUBJECTS not in names:
        return
    sql = f"SELECT id, version, fields, field_versions FROM {PLAIN_SUBJECTS}"  # noqa: S608
    plain = connection.exec_driver_sql(sql)
    while some := plain.fetchmany(_TAKEN):
        SUBJECTS.put(
            connection,
            [
                Subject(
                    id=row[0],
                    version=row[1],
                    fields=_fields(row[2]),
                    field_versions=_versions(row[3]),
                )
                for row in some
            ],
        )
    connection.exec_driver_sql(f"DROP TABLE {PLAIN_SUBJECTS}")
    bases = "SELECT id, body FROM base_row WHERE kind = 'subject' AND body IS NOT NULL"
    for row_id, body in connection.exec_driver_sql(bases).all():
        sealed = SUBJECTS.pack(connection, msgspec.json.decode(body, type=Subject))
        update = "UPDATE base_row SET body = ? WHERE kind = 'subject' AND id = ?"
        connection.exec_driver_sql(update, (sealed, row_id))
