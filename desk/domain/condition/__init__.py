"""The condition language: one grammar for filters, segments, routing, scoring, robots and roles.

    stage in ("new", "work") and (responsible = me or due_at < now - 2h)

Conditions are two-valued. A comparison with an empty side is false; `!=` and `not in` are the
exact negations of `=` and `in`, so they are true on an empty field. Text is ordered by code point;
`contains` ignores case by the table of `fold`. `desk.schema.conditions` compiles the same to SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import nodes as _nodes
from .errors import ConditionError
from .evaluate import Situation, holds
from .fold import FOLD_FROM, FOLD_TO, fold
from .lexer import MAX_LENGTH
from .nodes import NUMBER_LIMIT, FieldType, Node, Types
from .parser import MAX_DEPTH, MAX_TESTS, parse_node
from .render import render

__all__ = [
    "ALWAYS",
    "FOLD_FROM",
    "FOLD_TO",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_TESTS",
    "NEVER",
    "NUMBER_LIMIT",
    "Condition",
    "ConditionError",
    "FieldType",
    "Types",
    "all_of",
    "any_of",
    "evaluate",
    "fold",
    "parse",
]


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition; two with the same meaning-tree are equal, however they were written."""

    node: Node

    @property
    def source(self) -> str:
        """The canonical spelling; parsing it gives an equal condition."""
        return render(self.node)

    def names(self) -> frozenset[str]:
        """The names of the fields that the condition reads."""
        return _nodes.names_of(self.node)

    def reads_clock(self) -> bool:
        """Whether it may hold at one moment and not at another, for the same record."""
        return _nodes.reads_clock(self.node)


ALWAYS = Condition(_nodes.Every(()))
NEVER = Condition(_nodes.Some(()))


def parse(source: str, types: Types) -> Condition:
    """The condition that `source` spells over the fields of `types`; raises `ConditionError`."""
    return Condition(parse_node(source, types))


def evaluate(condition: Condition, record: Mapping[str, object], *, me: str, now: int) -> bool:
    """Whether the condition holds for the record, for user `me` at `now` (UTC milliseconds).

    Total: a missing name, `None`, or a value of another type than the field's counts as empty.
    """
    return holds(condition.node, Situation(record, me, now))


def all_of(*conditions: Condition) -> Condition:
    """The condition that holds where all of these do; `ALWAYS` without any."""
    return Condition(_nodes.every(condition.node for condition in conditions))


def any_of(*conditions: Condition) -> Condition:
    """The condition that holds where at least one of these does; `NEVER` without any."""
    return Condition(_nodes.some(condition.node for condition in conditions))
