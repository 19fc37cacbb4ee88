"""Reading a playbook: TOML in, a checked ``Playbook`` out, or an error that says how to mend it."""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, cast

import msgspec

from desk.domain.condition import ALWAYS, NEVER, Condition, ConditionError, Types, parse
from desk.domain.playbook import (
    Choice,
    EffectSpec,
    Field,
    Guard,
    Kind,
    Playbook,
    Points,
    Robot,
    Role,
    TaskType,
    Text,
    Transition,
)
from desk.domain.playbook_check import PlaybookError, check
from desk.domain.refusals import N_
from desk.domain.rights import COLUMN_TYPES, SCOPE_TYPES

T = TypeVar("T")
_Table = dict[str, Any]
_DURATION = re.compile(r"(\d{1,4})([mhdw])")
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
_FORMAT = 1


def load(source: str, name: str, *, version: int = 1) -> Playbook:
    """The playbook written in ``source``; ``name`` is the file's, for errors.

    Raises PlaybookError with the file and the line or key, and what to do about it.
    """
    try:
        return _playbook(_parse(source), version)
    except PlaybookError as error:
        raise error.in_file(name) from None


def _parse(source: str) -> _Table:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        match = _LINE.search(str(error))
        where = f"line {match[1]}" if match and match[1] else "line ?"
        reason = _LINE.sub("", str(error)).strip()
        raise PlaybookError(
            where, N_("This is not valid TOML: {reason}. Correct the line."), {"reason": reason}
        ) from None


def _playbook(root: _Table, version: int) -> Playbook:
    known = {"format", "id", "title", "role", "subject", "task", "kind", "campaign_field"}
    _no_unknown(root, known, "")
    if root.get("format") != _FORMAT:
        raise PlaybookError(
            "format",
            N_("This format of playbook is unknown here. Write “format = {format}”."),
            {"format": str(_FORMAT)},
        )
    kinds = {
        kind.id: kind
        for kind in (_kind(table, f"kind[{n}]", root) for n, table in _tables(root, "kind"))
    }
    playbook = Playbook(
        id=_convert(_need(root, "id", ""), str, "id"),
        title=_convert(_need(root, "title", ""), Text, "title"),
        version=version,
        kinds=_with_borrowed_choices(kinds),
        roles={role.id: role for role in _roles(root)},
        subject_fields=_fields(root.get("subject", {}), "subject"),
        tasks={task.id: task for task in _tasks(root)},
        campaign_field=_convert(root.get("campaign_field", ""), str, "campaign_field"),
    )
    check(playbook)
    return playbook


def _kind(table: _Table, path: str, root: _Table) -> Kind:
    path = f"kind {table['id']!r}" if isinstance(table.get("id"), str) else path
    fields = _fields(table, path)
    types: Types = {
        **{field.id: field.condition_type for field in fields.values()},
        **COLUMN_TYPES,
    }
    other = _types_by_kind(root)
    given = {
        "stages": table.get("stage", []),
        "fields": fields,
        "transitions": {
            one.id: one
            for one in (
                _transition(sub, f"{path}: transition[{n}]", table, types, other)
                for n, sub in _tables(table, "transition")
            )
        },
        "robots": tuple(
            _robot(sub, f"{path}: robot[{n}]", types) for n, sub in _tables(table, "robot")
        ),
        "points": tuple(
            _points(sub, f"{path}: points[{n}]", types) for n, sub in _tables(table, "points")
        ),
    }
    parts = {"stage", "field", "transition", "robot", "points"}
    rest = {key: value for key, value in table.items() if key not in parts}
    return _build(Kind, {**rest, **given}, path)


def _transition(
    table: _Table, path: str, kind: _Table, types: Types, other: Mapping[str, Types]
) -> Transition:
    path = f"{path} {table.get('id', '')!r}"
    parts = {"from", "to", "who", "guard", "effect"}
    rest = {key: value for key, value in table.items() if key not in parts}
    given: _Table = {
        "sources": _sources(_need(table, "from", path), kind, path),
        "who": _condition(table.get("who", "always"), types, f"{path}: who"),
        "guards": tuple(
            _guard(sub, f"{path}: guard[{n}]", types, other) for n, sub in _tables(table, "guard")
        ),
        "effects": _effects(table, path),
    }
    if "to" in table:
        given["target"] = table["to"]
    return _build(Transition, {**rest, **given}, path)


def _sources(value: Any, kind: _Table, path: str) -> tuple[str, ...]:
    """A list of stages, or "open" / "final" for all of those."""
    if value in ("open", "final"):
        final = value == "final"
        stages = [stage for _, stage in _tables(kind, "stage")]
        return tuple(str(one.get("id")) for one in stages if one.get("final", False) == final)
    return _convert(value, tuple[str, ...], f"{path}: from")


def _guard(table: _Table, path: str, types: Types, other: Mapping[str, Types]) -> Guard:
    _no_unknown(table, {"if", "else", "on"}, path)
    on = _convert(table.get("on", "self"), str, f"{path}: on")
    return Guard(
        condition=_condition(
            _need(table, "if", path), types if on == "self" else other.get(on, types), path
        ),
        otherwise=_convert(_need(table, "else", path), Text, f"{path}: else"),
        on=on,
    )


def _robot(table: _Table, path: str, types: Types) -> Robot:
    _no_unknown(table, {"id", "when", "if", "effect"}, path)
    return _build(
        Robot,
        {
            "id": _need(table, "id", path),
            "when": _need(table, "when", path),
            "condition": _condition(
                table.get("if", "always"), {**types, "responsible_role": "text"}, f"{path}: if"
            ),
            "effects": _effects(table, path),
        },
        path,
    )


def _points(table: _Table, path: str, types: Types) -> Points:
    _no_unknown(table, {"if", "add"}, path)
    return Points(
        condition=_condition(_need(table, "if", path), types, f"{path}: if"),
        points=_convert(_need(table, "add", path), int, f"{path}: add"),
    )


def _effects(table: _Table, path: str) -> tuple[EffectSpec, ...]:
    return tuple(
        cast("EffectSpec", _convert(sub, EffectSpec, f"{path}: effect[{n}]"))
        for n, sub in _tables(table, "effect")
    )


def _roles(root: _Table) -> list[Role]:
    roles: list[Role] = []
    for number, table in _tables(root, "role"):
        path = f"role[{number}] {table.get('id', '')!r}"
        sees = {
            kind: _condition(source, SCOPE_TYPES, f"{path}: sees.{kind}")
            for kind, source in _convert(table.get("sees", {}), dict[str, str], path).items()
        }
        roles.append(_build(Role, {**table, "sees": sees}, path))
    return roles


def _tasks(root: _Table) -> list[TaskType]:
    tasks: list[TaskType] = []
    for number, table in _tables(root, "task"):
        path = f"task[{number}]"
        tasks.append(
            _build(TaskType, {**table, "due": _duration(_need(table, "due", path), path)}, path)
        )
    return tasks


def _duration(value: Any, path: str) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PlaybookError(
            f"{path}: due", N_("Write a time such as “30m”, “4h”, “7d” or “2w”."), {}
        )
    return int(match[1]) * _UNITS[match[2]]


def _fields(table: _Table, path: str) -> dict[str, Field]:
    fields = [_build(Field, sub, f"{path}: field[{n}]") for n, sub in _tables(table, "field")]
    return {field.id: field for field in fields}


def _types_by_kind(root: _Table) -> Mapping[str, Types]:
    """The names a guard on a linked item may use, before that kind itself is read."""
    return {
        str(table.get("id")): {
            **{f.id: f.condition_type for f in _fields(table, "kind").values()},
            **COLUMN_TYPES,
        }
        for _, table in _tables(root, "kind")
    }


def _with_borrowed_choices(kinds: dict[str, Kind]) -> dict[str, Kind]:
    """Fields that borrow their choices from another kind get those choices."""
    return {
        kind.id: msgspec.structs.replace(
            kind, fields={name: _borrowing(field, kinds) for name, field in kind.fields.items()}
        )
        for kind in kinds.values()
    }


def _borrowing(field: Field, kinds: dict[str, Kind]) -> Field:
    owner, _, what = field.choices_from.partition(".")
    if owner not in kinds:
        return field
    if what == "junk":
        junk = tuple(Choice(id=s.id, title=s.title) for s in kinds[owner].stages if s.junk)
        return msgspec.structs.replace(field, choices=junk)
    lender = kinds[owner].fields.get(what)
    return msgspec.structs.replace(field, choices=lender.choices) if lender else field


def _condition(source: Any, types: Types, path: str) -> Condition:
    if source == "always":
        return ALWAYS
    if source == "never":
        return NEVER
    try:
        return parse(_convert(source, str, path), types)
    except ConditionError as error:
        raise PlaybookError(path, "{reason}", {"reason": str(error)}) from None


def _tables(table: _Table, key: str) -> list[tuple[int, _Table]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in cast("Any", value)):
        raise PlaybookError(key, N_("Write it as [[{key}]] tables."), {"key": key})
    return list(enumerate(cast("list[_Table]", value), start=1))


def _need(table: _Table, key: str, path: str) -> Any:
    if key not in table:
        raise PlaybookError(path or key, N_("The key “{key}” is missing. Add it."), {"key": key})
    return table[key]


def _build(struct: type[T], table: _Table, path: str) -> T:
    """A struct from a table whose values may be ready-made already."""
    fields = msgspec.structs.fields(cast("Any", struct))
    _no_unknown(table, {field.name for field in fields}, path)
    values: _Table = {}
    for field in fields:
        if field.name in table:
            values[field.name] = _ready(table[field.name], field.type, f"{path}: {field.name}")
        elif field.required:
            _need(table, field.name, path)
    return struct(**values)


def _ready(value: Any, wanted: Any, path: str) -> Any:
    return value if _holds_structs(value) else _convert(value, wanted, path)


def _holds_structs(value: Any) -> bool:
    """Whether a value was built already, so that it holds no more plain tables."""
    if isinstance(value, dict):
        return all(_holds_structs(one) for one in cast("_Table", value).values())
    if isinstance(value, tuple):
        return all(isinstance(one, str) or _holds_structs(one) for one in cast("Any", value))
    return isinstance(value, msgspec.Struct | Condition)


def _convert(value: Any, wanted: Any, path: str) -> Any:
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        reason, _, at = str(error).partition(" - at ")
        where = f"{path}{at.strip('`').lstrip('$')}"
        raise PlaybookError(where, N_("{reason}. Correct the value."), {"reason": reason}) from None


def _no_unknown(table: _Table, known: set[str], path: str) -> None:
    for key in table:
        if key in known:
            continue
        close = get_close_matches(key, known, 1)
        if close:
            raise PlaybookError(
                path or key,
                N_("The key “{key}” is unknown; did you mean “{close}”?"),
                {"key": key, "close": close[0]},
            )
        raise PlaybookError(
            path or key,
            N_("The key “{key}” is unknown. Known here: {known}."),
            {"key": key, "known": ", ".join(sorted(known))},
        )
