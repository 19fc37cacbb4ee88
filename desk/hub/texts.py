"""Free texts beside what they are about: of consents, of requests, of incidents. Stored sealed.

Those about a subject are sealed by his key and go with it. An incident is about nobody alone: its
texts are under a secret of the hub.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, or_

from desk.hub.database import keys_of
from desk.hub.keystore import KeyStore, key_name
from desk.hub.sealing import Ring
from desk.schema import hub_tables as t

#: What is sealed of each table's rows.
TEXTS = {
    t.consent: ("evidence",),
    t.pd_request: ("note", "extension", "answer"),
    t.incident: ("title", "description", "notice", "result"),
}
_INCIDENTS = "incidents"

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(dict[str, str]).decode


def stored(
    connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows as they are stored. Raises `KeyDestroyed` for a text about an erased subject."""
    made: list[dict[str, Any]] = []
    said: list[bytes | None] = []
    for row in rows:
        texts = {name: row[name] for name in TEXTS[table] if row[name]}
        made.append({**row, **dict.fromkeys(TEXTS[table], ""), "sealed": None})
        said.append(_encode(texts) if texts else None)
    secrets = [(row, data) for row, data in zip(made, said, strict=True) if data is not None]
    keys = keys_of(connection)
    if table is t.incident:
        for row, data in secrets:
            row["sealed"] = keys.seal(_INCIDENTS, row["id"], data)
        return made
    ring = Ring(keys)
    ring.ensure(key_name(row["subject_id"]) for row, _ in secrets)
    for row, data in secrets:
        # These rows have no versions.
        place = (table.name, "", row["id"], 0)
        row["sealed"] = ring.seal(key_name(row["subject_id"]), data, *place)
    return made


def opened(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """The column values of rows that begin with a whole one of the table.

    What was sealed by a key that is destroyed is empty. Raises `SealBroken`; of incidents,
    `ValueError`.
    """
    made = [dict(zip(table.c.keys(), row, strict=False)) for row in rows]
    keys = keys_of(connection)
    ring = Ring(keys)
    if table is not t.incident:
        ring.fetch(values["sealed"] for values in made)
    for values in made:
        sealed = values.pop("sealed")
        if sealed is not None:
            values.update(_texts(keys, ring, table, values["id"], sealed))
    return made


def changed(connection: Connection, table: Table, row: Row[Any], **texts: str) -> dict[str, Any]:
    """The columns to write where some texts of a whole row become others."""
    (before,) = opened(connection, table, [row])
    (after,) = stored(connection, table, [{**before, **texts}])
    return {name: after[name] for name in (*TEXTS[table], "sealed")}


def emptied(table: Table) -> dict[str, Any]:
    """The columns to write where nothing is to stay of the texts."""
    return {**dict.fromkeys(TEXTS[table], ""), "sealed": None}


def bare(table: Table) -> ColumnElement[bool]:
    """Whether a row has a text that is not sealed."""
    return or_(*(table.c[name] != "" for name in TEXTS[table]))


def _texts(
    keys: KeyStore, ring: Ring, table: Table, identifier: str, sealed: bytes
) -> dict[str, str]:
    if table is t.incident:
        return _decode(keys.unseal(_INCIDENTS, identifier, sealed))
    data = ring.open(sealed, table.name, "", identifier, 0)
    return _decode(data) if data is not None else {}
