"""Random records and random well-typed conditions, drawn so that they often meet."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import strategies as st

from desk.domain.condition import Condition, FieldType
from desk.domain.condition.nodes import (
    TEXT_TYPES,
    Compare,
    Constant,
    Contains,
    Empty,
    Field,
    Fixed,
    Me,
    Node,
    Not,
    Now,
    OneOf,
    every,
    some,
)

NOW = 1_768_435_200_000
ME = "Ёж"
HOUR = 3_600_000
DAY = 24 * HOUR

#: Names with a dot are kept in a JSON column, the others in columns of their own.
TYPES: dict[str, FieldType] = {
    "title": "text",
    "responsible": "user",
    "stage": "choice",
    "score": "number",
    "amount": "number",
    "hot": "bool",
    "due_at": "time",
    "tags": "choices",
    "f.title": "text",
    "f.owner": "user",
    "f.reason": "choice",
    "f.count": "number",
    "f.sum": "number",
    "f.known": "bool",
    "f.at": "time",
    "f.tags": "choices",
}

storable = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
_awkward = st.text("aAbяЯёЁЖжİıßẞÿŸſ🙂%_*\\'\"{}:? \n", max_size=3)
_common = st.sampled_from(["", "a", "A", "b", "Я", "я", ME, "1", "100%"])
texts = _common | _common | _awkward | st.text(storable)
_decimals = st.integers(-(10**6), 10**6).map(lambda n: n / 8) | st.sampled_from([0.1, -0.3, 1e-7])
_whole = st.integers(-1, 2) | st.integers(-1, 2) | st.integers(-(2**31), 2**31 - 1)
_numbers = _whole | _decimals | st.sampled_from([10**15, -(10**15)])
_moments = st.sampled_from([0, NOW, NOW - HOUR, NOW + DAY, NOW - NOW % DAY, -DAY])
_lists = st.lists(texts, max_size=3)
#: What JSON may hold where a field of some type is expected.
_foreign = st.sampled_from(
    [None, 0, 1, 2.5, True, False, "", "1", [], ["a", None, 1], {"a": 1}, 10**16]
)

_BY_TYPE: dict[FieldType, st.SearchStrategy[Any]] = {
    "text": texts,
    "user": texts,
    "choice": texts,
    "number": _numbers,
    "bool": st.booleans(),
    "time": _moments,
    "choices": _lists,
}


def _stored(name: str) -> st.SearchStrategy[Any]:
    if name == "score":
        return st.none() | _whole
    by_type = _BY_TYPE[TYPES[name]]
    return by_type | (_foreign if "." in name else st.none())


def records_of(names: Collection[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Records over these names of `TYPES`."""
    return st.fixed_dictionaries({name: _stored(name) for name in sorted(names)})


def _fixed(type_: FieldType) -> st.SearchStrategy[Fixed]:
    match type_:
        case "number":
            return _numbers.map(lambda n: Constant(float(n), "number"))
        case "bool":
            return st.booleans().map(lambda b: Constant(b, "bool"))
        case "time":
            days = st.sampled_from([0, NOW - NOW % DAY, -DAY]).map(lambda t: Constant(t, "time"))
            minutes = st.sampled_from([0, -60, 60, 1440, -90, 10080])
            return days | minutes.map(lambda m: Now(m * 60_000))
        case "text" | "user" | "choice" | "choices":
            return st.just(Me()) | texts.filter(bool).map(lambda text: Constant(text, "text"))


@st.composite
def _tests(draw: st.DrawFn) -> Node:
    name = draw(st.sampled_from(sorted(TYPES)))
    left = Field(name, TYPES[name])
    is_text = left.type in TEXT_TYPES
    peers = [
        Field(other, type_)
        for other, type_ in TYPES.items()
        if type_ == left.type or (type_ in TEXT_TYPES and (is_text or left.type == "choices"))
        if type_ != "choices"
    ]
    values = _fixed(left.type)
    operands = values | st.sampled_from(peers) if peers else values
    relation = st.just("=") if left.type == "bool" else st.sampled_from(["=", "<", "<=", ">", ">="])
    empty = st.just(Empty(left))
    contains = st.builds(Contains, st.just(left), operands)
    if left.type == "choices":
        return draw(contains | empty)
    one_of = st.lists(values, min_size=1, max_size=3).map(lambda v: OneOf(left, tuple(v)))
    found = st.builds(Compare, st.just(left), relation, operands) | one_of | empty
    return draw(found | contains if is_text else found)


_trees: st.SearchStrategy[Node] = st.recursive(
    _tests() | st.just(every(())) | st.just(some(())),
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=2, max_size=3).map(every)
        | st.lists(inner, min_size=2, max_size=3).map(some)
    ),
    max_leaves=5,
)

conditions: st.SearchStrategy[Condition] = (_tests() | _trees).map(Condition)


@st.composite
def conditions_and_records(draw: st.DrawFn) -> tuple[Condition, list[dict[str, Any]]]:
    """A condition, and records with something in the fields that it reads."""
    condition = draw(conditions)
    return condition, draw(st.lists(records_of(condition.names()), min_size=4, max_size=8))
