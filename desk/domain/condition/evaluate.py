"""A condition evaluated on one record."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from .fold import fold
from .nodes import (
    NUMBER_LIMIT,
    Compare,
    Constant,
    Contains,
    Empty,
    Every,
    Field,
    FieldType,
    Me,
    Node,
    Not,
    Now,
    OneOf,
    Operand,
    Operator,
    Some,
)

#: A value that is there; `None` stands for every kind of empty.
_Present: TypeAlias = "str | float | bool | list[object] | tuple[object, ...]"

_RELATIONS: dict[Operator, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Situation:
    """The record with who asks and when (UTC milliseconds)."""

    record: Mapping[str, object]
    me: str
    now: int


def holds(node: Node, situation: Situation) -> bool:
    """Whether the node is true; a value of another type than its field's counts as empty."""
    match node:
        case Compare(left, relation, right):
            return _compare(_field(left, situation), relation, _operand(right, situation))
        case OneOf(left, values):
            value = _field(left, situation)
            return value is not None and any(value == _operand(v, situation) for v in values)
        case Contains(left, right):
            return _contains(_field(left, situation), _operand(right, situation))
        case Empty(left):
            return _field(left, situation) is None
        case Not(part):
            return not holds(part, situation)
        case Every(parts):
            return all(holds(part, situation) for part in parts)
        case Some(parts):
            return any(holds(part, situation) for part in parts)


def _compare(left: _Present | None, relation: Operator, right: _Present | None) -> bool:
    return left is not None and right is not None and _RELATIONS[relation](left, right)


def _contains(whole: _Present | None, part: _Present | None) -> bool:
    if whole is None or not isinstance(part, str):
        return False
    if isinstance(whole, str):
        return fold(part) in fold(whole)
    return isinstance(whole, list | tuple) and part in whole


def _operand(operand: Operand, situation: Situation) -> _Present | None:
    match operand:
        case Field():
            return _field(operand, situation)
        case Constant(value, _):
            return value
        case Now(offset):
            return situation.now + offset
        case Me():
            return situation.me or None


def _field(field: Field, situation: Situation) -> _Present | None:
    return _present(situation.record.get(field.name), field.type)


def _present(value: object, type_: FieldType) -> _Present | None:
    match type_:
        case "number" | "time":
            if isinstance(value, bool) or not isinstance(value, int | float):
                return None
            # Written so that a NaN is out of bounds too.
            return value if -NUMBER_LIMIT <= value <= NUMBER_LIMIT else None
        case "bool":
            return value if isinstance(value, bool) else None
        case "choices":
            if not isinstance(value, list | tuple):
                return None
            return cast("list[object] | tuple[object, ...]", value) or None
        case "text" | "user" | "choice":
            return value if isinstance(value, str) and value else None
