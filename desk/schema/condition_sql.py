"""The pieces of a condition's SQL that SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, Boolean, Float, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from desk.domain.condition import FOLD_FROM, FOLD_TO, NUMBER_LIMIT

_WITHIN_LIMIT = f"BETWEEN -{NUMBER_LIMIT:.1f} AND {NUMBER_LIMIT:.1f}"


class _Piece(FunctionElement[Any]):
    """A piece made of its arguments' SQL, which take the places `{0}`, `{1}`, … of a template.

    The arguments of the `Json…` pieces are a JSON object, and a key as a quoted literal and as
    an SQLite path.
    """

    sqlite: ClassVar[str]
    postgresql: ClassVar[str]


class JsonText(_Piece):
    """The text under the key; NULL if there is none."""

    inherit_cache = True
    type = Text()
    sqlite = "(CASE WHEN json_type({0}, {2}) = 'text' THEN json_extract({0}, {2}) END)"
    postgresql = (
        "(CASE WHEN jsonb_typeof(({0})::jsonb -> {1}) = 'string' THEN ({0})::jsonb ->> {1} END)"
    )


class JsonNumber(_Piece):
    """The number under the key; NULL if there is none or it is out of bounds."""

    inherit_cache = True
    type = Float(53)
    sqlite = (
        "(CASE WHEN json_type({0}, {2}) IN ('integer', 'real')"
        f" AND json_extract({{0}}, {{2}}) {_WITHIN_LIMIT}"
        " THEN json_extract({0}, {2}) END)"
    )
    # Two CASEs: only nesting guarantees the order in which PostgreSQL looks at them.
    postgresql = (
        "(CASE WHEN jsonb_typeof(({0})::jsonb -> {1}) = 'number' THEN"
        f" CASE WHEN (({{0}})::jsonb -> {{1}})::numeric {_WITHIN_LIMIT}"
        " THEN (({0})::jsonb -> {1})::double precision END END)"
    )


class JsonBool(_Piece):
    """The true or false under the key; NULL if there is neither."""

    inherit_cache = True
    type = Boolean()
    sqlite = "(CASE json_type({0}, {2}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)"
    postgresql = (
        "(CASE ({0})::jsonb -> {1} WHEN 'true'::jsonb THEN true WHEN 'false'::jsonb THEN false END)"
    )


class JsonList(_Piece):
    """The array under the key, as JSON; NULL if there is none."""

    inherit_cache = True
    type = JSON()
    sqlite = "(CASE WHEN json_type({0}, {2}) = 'array' THEN json_extract({0}, {2}) END)"
    postgresql = (
        "(CASE WHEN jsonb_typeof(({0})::jsonb -> {1}) = 'array' THEN ({0})::jsonb -> {1} END)"
    )


class ListHas(_Piece):
    """Whether the JSON array (first) has the text (second) among its elements; may be NULL."""

    inherit_cache = True
    type = Boolean()
    sqlite = (
        "(json_type({0}) = 'array' AND EXISTS (SELECT 1 FROM json_each({0})"
        " WHERE json_each.type = 'text' AND json_each.value = {1}))"
    )
    postgresql = "(jsonb_typeof(({0})::jsonb) = 'array' AND jsonb_exists(({0})::jsonb, {1}))"


class ListIsEmpty(_Piece):
    """Whether there is no JSON array, or nothing in it; never NULL."""

    inherit_cache = True
    type = Boolean()
    sqlite = "(json_type({0}) IS NOT 'array' OR json_array_length({0}) = 0)"
    postgresql = (
        "(CASE WHEN jsonb_typeof(({0})::jsonb) = 'array'"
        " THEN jsonb_array_length(({0})::jsonb) = 0 ELSE true END)"
    )


class CodePoints(_Piece):
    """The text, ordered by code point."""

    inherit_cache = True
    type = Text()
    sqlite = "({0} COLLATE BINARY)"
    postgresql = '({0} COLLATE "C")'


class Folded(_Piece):
    """The text as `desk.domain.condition.fold` makes it."""

    inherit_cache = True
    type = Text()
    sqlite = "desk_fold({0})"
    postgresql = f"translate({{0}}, '{FOLD_FROM}', '{FOLD_TO}')"


class Position(_Piece):
    """Where in the first text the second begins, from 1; 0 if nowhere."""

    inherit_cache = True
    type = Integer()
    sqlite = "instr({0}, {1})"
    postgresql = "strpos({0}, {1})"


@compiles(_Piece, "sqlite")
def _for_sqlite(piece: _Piece, compiler: SQLCompiler, **options: Any) -> str:
    return _filled(piece.sqlite, piece, compiler, options)


@compiles(_Piece, "postgresql")
def _for_postgresql(piece: _Piece, compiler: SQLCompiler, **options: Any) -> str:
    return _filled(piece.postgresql, piece, compiler, options)


def _filled(template: str, piece: _Piece, compiler: SQLCompiler, options: dict[str, Any]) -> str:
    return template.format(*(compiler.process(part, **options) for part in piece.clauses))
