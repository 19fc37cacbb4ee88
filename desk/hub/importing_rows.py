"""One row of a file turned into an item with its subject, or the reason why it cannot be."""

from __future__ import annotations

import hashlib
import struct
from collections import abc
from datetime import UTC, date, datetime

import msgspec

from desk.domain.clean import clean
from desk.domain.condition import evaluate
from desk.domain.effects import points_of
from desk.domain.forms import check_value, parse_value
from desk.domain.ids import derive_id, make_id
from desk.domain.model import TITLE_LIMIT, Entry, Item, Subject, Value
from desk.domain.playbook import Field, Playbook
from desk.domain.refusals import Refusal
from desk.domain.rights import record
from desk.hub.importing_csv import CsvShape, Row
from desk.hub.importing_map import Cell, DateParts, Mapping, fill

#: Cells as short as this repeat often enough to be worth remembering.
_SHORT = 40
_REMEMBERED = 4096
_MONTHS = {
    name: number
    for names in (
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "янв фев мар апр май июн июл авг сен окт ноя дек",
    )
    for number, name in enumerate(names.split(), start=1)
} | {"мая": 5}


class Made(msgspec.Struct, frozen=True):
    """What a row becomes."""

    item: Item
    subject: Subject
    entry: Entry


class Converter:
    """Turns rows of one file into items; the same row of the same file gets the same ids."""

    def __init__(
        self, mapping: Mapping, playbook: Playbook, shape: CsvShape, file: str, now: int
    ) -> None:
        self._mapping = mapping
        self._playbook = playbook
        self._shape = shape
        self._file = file
        self._now = now
        self._item = _Readers(mapping.fields, playbook.fields(mapping.kind.id))
        self._subject = _Readers(mapping.subject, playbook.subject_fields)

    def convert(self, row: Row) -> Made | Refusal:
        """The rows to write for ``row``, or why it is refused."""
        if row.fault:
            return Refusal(row.fault)
        cells = dict(zip(self._shape.header, row.cells, strict=True))
        fields = self._item.read(cells)
        if isinstance(fields, Refusal):
            return fields
        personal = self._subject.read(cells)
        if isinstance(personal, Refusal):
            return personal
        created_at = self._created_at(cells)
        if created_at is None:
            return Refusal("bad_date", {"field": "created_at"})
        title = clean(fill(self._mapping.title, cells), TITLE_LIMIT)
        if not title:
            return Refusal("no_title")
        return self._made(self._id(row, cells), title, fields, personal, created_at)

    def _made(
        self,
        identifier: str,
        title: str,
        fields: dict[str, Value],
        personal: dict[str, Value],
        created_at: int,
    ) -> Made:
        subject = Subject(
            id=derive_id(identifier, 0),
            fields=personal,
            field_versions=dict.fromkeys(personal, 1),
        )
        item = Item(
            id=identifier,
            kind=self._mapping.kind.id,
            stage=self._mapping.stage,
            title=title,
            created_at=created_at,
            updated_at=self._now,
            stage_since=self._now,
            subject_id=subject.id,
            playbook_version=self._playbook.version,
            fields=fields,
            field_versions=dict.fromkeys(fields, 1),
        )
        known = record(item)
        for when in self._mapping.when:
            if evaluate(when.condition, known, me="", now=self._now):
                item = msgspec.structs.replace(item, stage=when.stage)
                break
        item = msgspec.structs.replace(item, score=points_of(self._playbook, item, self._now))
        entry = Entry(
            id=derive_id(identifier, 1),
            item_id=identifier,
            at=self._now,
            who=None,
            event="create",
            to_stage=item.stage,
            comment=clean(self._file, 200),
        )
        return Made(item, subject, entry)

    def _id(self, row: Row, cells: dict[str, str]) -> str:
        """Of the key columns where the mapping names them, else of the row's place in the file."""
        if self._mapping.key:
            parts = [self._mapping.kind.id, *(cells[name].strip() for name in self._mapping.key)]
            return make_id(0, lambda size: _digest(parts)[:size])
        # The number in the place of the time keeps the rows of a file together in every index.
        seed = _digest([self._shape.digest.hex(), str(row.number), *row.cells])
        return make_id(row.number, lambda size: seed[:size])

    def _created_at(self, cells: dict[str, str]) -> int | None:
        cell = self._mapping.created_at
        if cell is None:
            return self._now
        text = _date(cell.date, cells) if cell.date else _text(cell, cells)
        if not text:
            return None if cell.date else self._now
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)


class _Readers:
    """The cells of one owner's fields, with what they were read as before."""

    def __init__(self, cells: dict[str, Cell], declared: abc.Mapping[str, Field]) -> None:
        self._readers = [_Reader(cell, declared[name]) for name, cell in cells.items()]

    def read(self, cells: dict[str, str]) -> dict[str, Value] | Refusal:
        values: dict[str, Value] = {}
        for reader in self._readers:
            value = reader.read(cells)
            if isinstance(value, Refusal):
                return value
            if value is not None:
                values[reader.field.id] = value
        return values


class _Reader:
    def __init__(self, cell: Cell, field: Field) -> None:
        self.field = field
        self._cell = cell
        self._empty = frozenset(cell.empty)
        self._known: dict[str, Value | Refusal] = {}

    def read(self, cells: dict[str, str]) -> Value | Refusal:
        cell = self._cell
        if cell.value is not None:
            return check_value(self.field, cell.value)
        if cell.date:
            text = _date(cell.date, cells)
            return Refusal("bad_date", {"field": self.field.id}) if text is None else self._of(text)
        return self._of(_text(cell, cells))

    def _of(self, text: str) -> Value | Refusal:
        known = self._known.get(text)
        if known is not None:
            return known
        value = self._value(text)
        if value is not None and len(text) <= _SHORT and len(self._known) < _REMEMBERED:
            self._known[text] = value
        return value

    def _value(self, text: str) -> Value | Refusal:
        if not text or text in self._empty:
            return None
        if self._cell.values:
            if text not in self._cell.values:
                return Refusal("no_value", {"field": self.field.id})
            return check_value(self.field, self._cell.values[text])
        if self._cell.decimal == "," and self.field.type in ("number", "money"):
            text = text.replace(".", "")
        return parse_value(self.field, text)


def _text(cell: Cell, cells: dict[str, str]) -> str:
    return (cells[cell.column] if cell.column else fill(cell.template, cells)).strip()


def _date(parts: DateParts | None, cells: dict[str, str]) -> str | None:
    """``YYYY-MM-DD`` of three cells; "" where all are empty, None where they make no date."""
    if parts is None:
        return None
    texts = [
        cells[part].strip() if isinstance(part, str) else str(part)
        for part in (parts.year, parts.month, parts.day)
    ]
    if not any(cells[name].strip() for name in parts.columns()):
        return ""
    month = _MONTHS.get(texts[1].lower()[:3])
    try:
        return date(int(texts[0]), month or int(texts[1]), int(texts[2])).isoformat()
    except ValueError:
        return None


def _digest(parts: abc.Iterable[str]) -> bytes:
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogatepass")
        hashed.update(struct.pack(">Q", len(data)))
        hashed.update(data)
    return hashed.digest()
