"""What a condition is made of. Everything is immutable and hashable.

Every negation is a `Not`: `!=`, `not in` and `is not empty` are exact negations by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

FieldType: TypeAlias = Literal["text", "number", "bool", "time", "user", "choice", "choices"]
#: The names a condition may use, and what they hold.
Types: TypeAlias = Mapping[str, FieldType]
Operator: TypeAlias = Literal["=", "<", "<=", ">", ">="]

#: Types that behave as text and may be compared with one another.
TEXT_TYPES: frozenset[FieldType] = frozenset({"text", "user", "choice"})
#: A number beyond this, either way, counts as empty; within it doubles hold integers exactly.
NUMBER_LIMIT = 1e15


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the record."""

    name: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class Constant:
    """A written value; `type` is text, number, bool or time (UTC milliseconds)."""

    value: str | float | bool
    type: FieldType


@dataclass(frozen=True, slots=True)
class Now:
    """The moment of evaluation, moved by `offset` milliseconds."""

    offset: int = 0


@dataclass(frozen=True, slots=True)
class Me:
    """The user for whom the condition is evaluated."""


Fixed: TypeAlias = Constant | Now | Me
Operand: TypeAlias = Field | Fixed


@dataclass(frozen=True, slots=True)
class Compare:
    """Both sides are there and stand in this relation."""

    left: Field
    operator: Operator
    right: Operand


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field is there and equals one of the values."""

    left: Field
    values: tuple[Fixed, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The text has this in it, whatever the case; or the list has exactly this in it."""

    left: Field
    right: Operand


@dataclass(frozen=True, slots=True)
class Empty:
    """The field is missing, or holds an empty text or list."""

    left: Field


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold; always true without parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds; never true without parts."""

    parts: tuple[Node, ...]


Node: TypeAlias = Compare | OneOf | Contains | Empty | Not | Every | Some


def every(nodes: Iterable[Node]) -> Node:
    """The conjunction, flattened; a single part stands for itself."""
    parts: list[Node] = []
    for node in nodes:
        parts.extend(node.parts if isinstance(node, Every) else (node,))
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def some(nodes: Iterable[Node]) -> Node:
    """The disjunction, flattened; a single part stands for itself."""
    parts: list[Node] = []
    for node in nodes:
        parts.extend(node.parts if isinstance(node, Some) else (node,))
    return parts[0] if len(parts) == 1 else Some(tuple(parts))


def names_of(node: Node) -> frozenset[str]:
    """The names of the fields that the node reads."""
    match node:
        case Compare(left, _, right) | Contains(left, right):
            used = frozenset({left.name})
            return used | {right.name} if isinstance(right, Field) else used
        case OneOf(left, _) | Empty(left):
            return frozenset({left.name})
        case Not(part):
            return names_of(part)
        case Every(parts) | Some(parts):
            return frozenset[str]().union(*(names_of(part) for part in parts))


def reads_clock(node: Node) -> bool:
    """Whether what the node says may change by time alone."""
    match node:
        case Compare(_, _, right) | Contains(_, right):
            return isinstance(right, Now)
        case OneOf(_, values):
            return any(isinstance(one, Now) for one in values)
        case Empty():
            return False
        case Not(part):
            return reads_clock(part)
        case Every(parts) | Some(parts):
            return any(reads_clock(part) for part in parts)
