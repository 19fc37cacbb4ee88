"""The mapping of an import: TOML that says which cell becomes which field.

kind = "lead"                     # what every row becomes
title = "{job}, {age}"            # built of cells
key = ["id"]                      # columns that name a row; else its place in the file does
stage = "new"                     # else the kind's first stage
delimiter = ";"                   # else found out; likewise encoding = "utf-8" | "cp1251"

[fields.age]                      # a field of the kind; [subject.phone] is one of the person
column = "age"
[fields.subscribed]
column = "y"
values = { yes = true, no = false }
[fields.called_on]
date = { year = 2010, month = "month", day = "day" }
[fields.source]
value = "campaign"                # a constant
[created_at]                      # a date as above
[[when]]                          # the first that holds gives the stage
if = "subscribed = true"
stage = "agreed"
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, cast

import msgspec

from desk.domain.condition import Condition, ConditionError, parse
from desk.domain.playbook import Kind, Playbook
from desk.domain.rights import item_types
from desk.hub.importing_errors import ImportFailed
from desk.text import N_

_KEY = re.compile(r"Object (missing required|contains unknown) field `([^`]+)`")
_NAMES = re.compile(r"\{([^{}]+)\}")


class DateParts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A date of three parts, each a column's name or a number."""

    year: int | str
    month: int | str
    day: int | str

    def columns(self) -> list[str]:
        return [part for part in (self.year, self.month, self.day) if isinstance(part, str)]


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a field's value comes from: a column, a text of columns, a date, or a constant."""

    column: str = ""
    template: str = ""
    date: DateParts | None = None
    value: str | int | float | bool | None = None
    #: What cells mean; with it, any other cell is refused.
    values: dict[str, str | int | float | bool] = {}
    #: Cells that mean nothing.
    empty: list[str] = []
    #: "," where numbers are written so.
    decimal: str = "."

    def columns(self) -> list[str]:
        """The columns it reads."""
        if self.date:
            return self.date.columns()
        return [self.column] if self.column else columns_of(self.template)


class When(msgspec.Struct, frozen=True):
    """A condition over the imported item, and the stage it gives."""

    condition: Condition
    stage: str


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping that fits its playbook."""

    name: str
    kind: Kind
    title: str
    stage: str
    key: tuple[str, ...]
    delimiter: str
    encoding: str
    fields: dict[str, Cell]
    subject: dict[str, Cell]
    created_at: Cell | None
    when: tuple[When, ...]
    columns: tuple[str, ...]


class _When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    condition: str = msgspec.field(name="if")
    stage: str


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    title: str
    stage: str = ""
    key: list[str] = []
    delimiter: str = ""
    encoding: str = ""
    fields: dict[str, Cell] = {}
    subject: dict[str, Cell] = {}
    created_at: Cell | None = None
    when: list[_When] = []


def read_mapping(path: Path, playbook: Playbook) -> Mapping:
    """The mapping in the file ``path``; raises `ImportFailed` with file, line or key, and mend."""
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ImportFailed("no_map", map=path.name) from error
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise ImportFailed("map_toml", map=path.name, why=str(error)) from error
    try:
        written = msgspec.convert(table, _Written)
    except msgspec.ValidationError as error:
        raise _misshapen(path.name, str(error)) from error
    return _Checker(path.name, playbook).check(written)


def _misshapen(name: str, reason: str) -> ImportFailed:
    """What msgspec says in English, in words that can be translated."""
    why, _at, place = reason.partition(" - at ")
    table = place.strip("`").lstrip("$.")
    about = _KEY.fullmatch(why)
    if about is None:
        return ImportFailed("map_type", map=name, key=table or "—")
    code = "map_missing" if about[1] == "missing required" else "map_surplus"
    return ImportFailed(code, map=name, key=f"{table}.{about[2]}" if table else about[2])


class _Checker:
    def __init__(self, name: str, playbook: Playbook) -> None:
        self._name = name
        self._playbook = playbook

    def check(self, written: _Written) -> Mapping:
        kind = self._one_of(self._playbook.kinds, written.kind, "kind")
        if written.encoding not in ("", "utf-8", "cp1251"):
            raise ImportFailed("unknown_encoding", map=self._name)
        if len(written.delimiter) > 1:
            raise self._wrong("delimiter", N_("Write one character."))
        stages = {stage.id: stage for stage in kind.stages}
        stage = self._one_of(stages, written.stage, "stage").id if written.stage else ""
        self._cells(written.fields, kind.id, "fields")
        self._cells(written.subject, "subject", "subject")
        if written.created_at and not written.created_at.columns():
            raise self._wrong("created_at", N_("Name columns by date or column."))
        columns = [*columns_of(written.title), *written.key]
        for cell in (*written.fields.values(), *written.subject.values(), written.created_at):
            columns += cell.columns() if cell else []
        return Mapping(
            name=self._name,
            kind=kind,
            title=written.title,
            stage=stage or kind.stages[0].id,
            key=tuple(written.key),
            delimiter=written.delimiter,
            encoding=written.encoding,
            fields=written.fields,
            subject=written.subject,
            created_at=written.created_at,
            when=tuple(self._when(one, kind, stages) for one in written.when),
            columns=tuple(dict.fromkeys(columns)),
        )

    def _cells(self, cells: dict[str, Cell], owner: str, table: str) -> None:
        declared = self._playbook.fields(owner)
        for name, cell in cells.items():
            self._one_of(declared, name, f"{table}.{name}")
            given = [cell.column, cell.template, cell.date, cell.value]
            if sum(one not in (None, "") for one in given) != 1:
                raise self._wrong(
                    f"{table}.{name}", N_("Write exactly one of column, template, date, value.")
                )
            if cell.decimal not in (".", ","):
                raise self._wrong(f"{table}.{name}.decimal", N_('Write "." or ",".'))

    def _when(self, one: _When, kind: Kind, stages: dict[str, Any]) -> When:
        self._one_of(stages, one.stage, "when.stage")
        try:
            condition = parse(one.condition, item_types(self._playbook, kind.id))
        except ConditionError as error:
            raise self._wrong("when.if", str(error)) from error
        return When(condition, one.stage)

    def _one_of(self, known: Any, name: str, key: str) -> Any:
        found = cast("dict[str, Any]", known).get(name)
        if found is None:
            raise ImportFailed(
                "map_unknown", map=self._name, key=key, name=name, known=", ".join(known) or "—"
            )
        return found

    def _wrong(self, key: str, why: str) -> ImportFailed:
        return ImportFailed("map_key", map=self._name, key=key, why=why)


def columns_of(template: str) -> list[str]:
    """The columns that a text such as ``{job}, {age}`` reads."""
    return _NAMES.findall(template)


def fill(template: str, cells: dict[str, str]) -> str:
    """The text with the cells in their places."""
    return _NAMES.sub(lambda match: cells[match[1]], template)
