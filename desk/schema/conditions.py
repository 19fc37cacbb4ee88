"""Conditions compiled to SQL, with the same answers as `desk.domain.condition.evaluate`.

The SQL is two-valued like the language: every test is made true or false where a column is NULL,
so that NOT is exact. Values are bound parameters; substrings are found by position, never LIKE.
SQLite needs `register` on each connection (for `contains`); PostgreSQL needs a UTF-8 database.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    Text,
    and_,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    true,
)
from sqlalchemy.sql.elements import ColumnClause

from desk.domain.condition import Condition, FieldType, fold
from desk.domain.condition.nodes import (
    TEXT_TYPES,
    Compare,
    Constant,
    Contains,
    Empty,
    Every,
    Field,
    Fixed,
    Me,
    Node,
    Not,
    Now,
    OneOf,
    Operand,
    Operator,
    Some,
)

from .condition_sql import (
    CodePoints,
    Folded,
    JsonBool,
    JsonList,
    JsonNumber,
    JsonText,
    ListHas,
    ListIsEmpty,
    Position,
)

Columns: TypeAlias = Callable[[str], ColumnElement[Any]]
_Truth: TypeAlias = ColumnElement[bool]

_FIELD_NAME = re.compile(r"[a-z_][a-z0-9_.]*")

_RELATIONS: dict[Operator, Callable[[Any, Any], _Truth]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _SQLiteConnection(Protocol):
    def create_function(
        self, name: str, narg: int, func: Callable[[Any], Any], /, *, deterministic: bool
    ) -> object: ...


def register(dbapi_connection: _SQLiteConnection) -> None:
    """Give an SQLite (or SQLCipher) connection the function `desk_fold` that `contains` calls."""
    dbapi_connection.create_function("desk_fold", 1, _fold_any, deterministic=True)


def to_sql(condition: Condition, columns: Columns, *, me: str, now: int) -> ColumnElement[bool]:
    """The condition as an SQL expression that is never NULL, for user `me` at `now` (UTC ms).

    `columns` gives the typed expression of each name the condition reads: a plain column, or
    `json_field` of a JSON column.
    """
    return _Compiler(columns, me, now).truth(condition.node)


def json_field(column: ColumnElement[Any], name: str, type: FieldType) -> ColumnElement[Any]:  # noqa: A002
    """The field `name` of a JSON object as a typed expression: text, double, boolean, JSON array.

    NULL where the field is missing, of another JSON type, or a number beyond `NUMBER_LIMIT`.
    Raises `ValueError` if `name` is not a field's name.
    """
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError("not a field's name")
    # Safe to write out: the name was just checked, and so an index may use the same expression.
    key: ColumnElement[Any] = literal_column(f"'{name}'")
    path: ColumnElement[Any] = literal_column(f"'$.\"{name}\"'")
    match type:
        case "text" | "user" | "choice":
            return JsonText(column, key, path)
        case "number" | "time":
            return JsonNumber(column, key, path)
        case "bool":
            return JsonBool(column, key, path)
        case "choices":
            return JsonList(column, key, path)


@dataclass(frozen=True, slots=True)
class _Compiler:
    columns: Columns
    me: str
    now: int

    def truth(self, node: Node) -> _Truth:
        match node:
            case Compare(left, relation, right):
                return self._compare(left, relation, right)
            case OneOf(left, values):
                return self._one_of(left, values)
            case Contains(left, right):
                return self._contains(left, right)
            case Empty(left):
                return self._empty(left)
            case Not(part):
                return not_(self.truth(part))
            case Every(parts):
                return and_(true(), *(self.truth(part) for part in parts))
            case Some(parts):
                return or_(false(), *(self.truth(part) for part in parts))

    def _compare(self, left: Field, relation: Operator, right: Operand) -> _Truth:
        one, other = self.columns(left.name), self._operand(right)
        if other is None:
            return false()
        text = left.type in TEXT_TYPES
        # Equality is the same in every collation, and bare columns keep their indexes.
        ordered = CodePoints(one) if text and relation != "=" else one
        tests = [_RELATIONS[relation](ordered, other)]
        if text and (relation != "=" or isinstance(right, Field)):
            tests += [side != "" for side in self._sides(left, right)]
        return self._two_valued(and_(*tests), left, right)

    def _one_of(self, left: Field, values: tuple[Fixed, ...]) -> _Truth:
        listed = [bound for bound in map(self._fixed, values) if bound is not None]
        if not listed:
            return false()
        return self._two_valued(self.columns(left.name).in_(listed), left)

    def _contains(self, left: Field, right: Operand) -> _Truth:
        part = self._operand(right)
        if part is None:
            return false()
        if isinstance(right, Field):
            # An empty part is contained in nothing, and in `nullif` the comparison is NULL.
            part = func.nullif(part, "", type_=Text())
        whole = self.columns(left.name)
        if left.type == "choices":
            return func.coalesce(ListHas(whole, part), false(), type_=Boolean())
        found = Position(Folded(whole), Folded(part)) > 0
        return func.coalesce(found, false(), type_=Boolean())

    def _empty(self, left: Field) -> _Truth:
        column = self.columns(left.name)
        if left.type == "choices":
            return ListIsEmpty(column)
        if left.type not in TEXT_TYPES:
            return column.is_(None)
        if isinstance(column, ColumnClause):
            return or_(column.is_(None), column == "")
        return func.coalesce(column, "", type_=Text()) == ""

    def _two_valued(self, test: _Truth, left: Field, right: Operand | None = None) -> _Truth:
        """The test, false where a side is NULL, in the form that serves the planner best.

        `coalesce` hides a column from its index, but an expression should not be computed twice.
        """
        sides = self._sides(left, right)
        if all(isinstance(side, ColumnClause) for side in sides):
            return and_(*(side.is_not(None) for side in sides), test)
        return func.coalesce(test, false(), type_=Boolean())

    def _sides(self, left: Field, right: Operand | None) -> list[ColumnElement[Any]]:
        fields = (left, right) if isinstance(right, Field) else (left,)
        return [self.columns(field.name) for field in fields]

    def _operand(self, operand: Operand) -> ColumnElement[Any] | None:
        return self.columns(operand.name) if isinstance(operand, Field) else self._fixed(operand)

    def _fixed(self, value: Fixed) -> ColumnElement[Any] | None:
        """The bound value; `None` stands for an empty one, with which no comparison holds."""
        match value:
            case Constant(constant, _):
                return _bound(constant)
            case Now(offset):
                return literal(self.now + offset, BigInteger())
            case Me():
                return literal(self.me, Text()) if self.me else None


def _bound(value: str | float | bool) -> ColumnElement[Any]:
    if isinstance(value, str):
        return literal(value, Text())
    if isinstance(value, bool):
        return literal(value, Boolean())
    # A whole number is bound as one, so that an integer column need not be converted.
    whole = float(value).is_integer()
    return literal(int(value), BigInteger()) if whole else literal(value, Float(53))


def _fold_any(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value
