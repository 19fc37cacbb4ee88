"""A node written back as source: the canonical spelling, which parses to the same node."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .nodes import (
    Compare,
    Constant,
    Contains,
    Empty,
    Every,
    Field,
    Me,
    Node,
    Not,
    Now,
    OneOf,
    Operand,
    Some,
)

#: Milliseconds in each unit of a shift from `now`, longest first.
UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def render(node: Node) -> str:
    """The canonical source of the node."""
    match node:
        case Compare(left, operator, right):
            return f"{left.name} {operator} {_operand(right)}"
        case OneOf(left, _):
            return f"{left.name} in {_list(node)}"
        case Contains(left, right):
            return f"{left.name} contains {_operand(right)}"
        case Empty(left):
            return f"{left.name} is empty"
        case Not(part):
            return _negation(part)
        case Every(parts):
            return " and ".join(_part(part, Some) for part in parts) if parts else "true"
        case Some(parts):
            return " or ".join(map(render, parts)) if parts else "false"


def _negation(part: Node) -> str:
    match part:
        case Compare(left, "=", right):
            return f"{left.name} != {_operand(right)}"
        case OneOf(left, _):
            return f"{left.name} not in {_list(part)}"
        case Empty(left):
            return f"{left.name} is not empty"
        case _:
            return f"not {_part(part, Every, Some)}"


def _part(node: Node, *looser: type[Every] | type[Some]) -> str:
    """The node, in parentheses where it binds more loosely than what it stands in."""
    text = render(node)
    return f"({text})" if isinstance(node, looser) and len(node.parts) > 1 else text


def _list(node: OneOf) -> str:
    return f"({', '.join(map(_operand, node.values))})"


def _operand(operand: Operand) -> str:
    match operand:
        case Field(name, _):
            return name
        case Me():
            return "me"
        case Now(offset):
            return "now" if offset == 0 else f"now {_shift(offset)}"
        case Constant(value, kind):
            return _constant(value, kind)


def _shift(offset: int) -> str:
    unit, length = next((u, ms) for u, ms in UNITS.items() if offset % ms == 0)
    return f"{'-' if offset < 0 else '+'} {abs(offset) // length}{unit}"


def _constant(value: str | float | bool, kind: str) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "time":
        return (_EPOCH + timedelta(milliseconds=value)).date().isoformat()
    # Not `repr`: the grammar has no exponents.
    return format(Decimal(repr(value)), "f").removesuffix(".0")
