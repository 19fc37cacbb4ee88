"""Reading a playbook: TOML in, a checked ``Playbook`` out, or an error that says how to mend it."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, cast, get_args

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
    Purpose,
    Robot,
    Role,
    Stage,
    TaskType,
    Terms,
    Text,
    Transition,
)
from desk.domain.playbook_check import PlaybookError, check, known_id, known_item
from desk.domain.refusals import N_
from desk.domain.rights import COLUMN_TYPES, SCOPE_TYPES

_Table = dict[str, Any]


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T")
R = TypeVar("R", bound=_HasId)
_DURATION = re.compile(r"(\d{1,4})([mhdw])")
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
_FORMAT = 1
_KIND_PARTS = frozenset(("stage", "field", "transition", "robot", "points"))
_KIND_KEYS = _KIND_PARTS | (
    set(Kind.__struct_fields__) - {"stages", "fields", "transitions", "robots"}
)
_EFFECTS: Mapping[str, type[Any]] = {
    str(one.__struct_config__.tag): one for one in get_args(EffectSpec)
}


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
        line = match[1] if match and match[1] else str(source.count("\n") + 1)
        raise _not_toml(f"line {line}", _LINE.sub("", str(error)).strip()) from None
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits and tables thousands deep; the parser tells no line.
        raise _not_toml("line 1 and further", type(error).__name__) from None


def _not_toml(where: str, reason: str) -> PlaybookError:
    sentence = N_("This is not valid TOML: {reason}. Correct the line.")
    return PlaybookError(where, sentence, {"reason": reason})


def _playbook(root: _Table, version: int) -> Playbook:
    known = {
        "format",
        "id",
        "title",
        "role",
        "subject",
        "task",
        "kind",
        "campaign_field",
        "purpose",
        "terms",
    }
    _no_unknown(root, known, "")
    if root.get("format") != _FORMAT:
        raise PlaybookError(
            "format",
            N_("This format of playbook is unknown here. Write “format = {format}”."),
            {"format": str(_FORMAT)},
        )
    other = _types_by_kind(root)
    kinds = _by_id(
        (_kind(table, _named("", "kind", n, table), other) for n, table in _tables(root, "kind")),
        "kind",
    )
    playbook = Playbook(
        id=_convert(_need(root, "id", ""), str, "id"),
        title=_convert(_need(root, "title", ""), Text, "title"),
        version=version,
        kinds=_with_borrowed_choices(kinds),
        roles=_by_id(_roles(root), "role"),
        subject_fields=_subject_fields(root),
        tasks=_by_id(_tasks(root), "task"),
        campaign_field=_convert(root.get("campaign_field", ""), str, "campaign_field"),
        purposes=_by_id(_purposes(root), "purpose"),
        terms=_build(Terms, root.get("terms", {}), "terms"),
    )
    check(playbook)
    return playbook


def _kind(table: _Table, path: str, other: Mapping[str, Types]) -> Kind:
    fields = _fields(table, path)
    types: Types = {
        **{field.id: field.condition_type for field in fields.values()},
        **COLUMN_TYPES,
    }
    parts: _Table = {
        "stages": tuple(
            _build(Stage, sub, _named(path, "stage", n, sub))
            for n, sub in _tables(table, "stage", path)
        ),
        "fields": fields,
        "transitions": _by_id(
            (
                _transition(sub, _named(path, "transition", n, sub), table, types, other)
                for n, sub in _tables(table, "transition", path)
            ),
            f"{path}: transition",
        ),
        "robots": tuple(
            _by_id(
                (
                    _robot(sub, _named(path, "robot", n, sub), types)
                    for n, sub in _tables(table, "robot", path)
                ),
                f"{path}: robot",
            ).values()
        ),
        "points": tuple(
            _points(sub, f"{path}: points[{n}]", types) for n, sub in _tables(table, "points", path)
        ),
    }
    return _build(Kind, table, path, parts, _KIND_PARTS)


def _transition(
    table: _Table, path: str, kind: _Table, types: Types, other: Mapping[str, Types]
) -> Transition:
    parts: _Table = {
        "sources": _sources(_need(table, "from", path), kind, path),
        "who": _condition(table.get("who", "always"), types, f"{path}: who"),
        "guards": tuple(
            _guard(sub, f"{path}: guard[{n}]", types, other)
            for n, sub in _tables(table, "guard", path)
        ),
        "effects": _effects(table, path),
        "target": _convert(table.get("to"), str | None, f"{path}: to"),
    }
    return _build(Transition, table, path, parts, {"from", "to", "who", "guard", "effect"})


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
    known_item(on, other, f"{path}: on")
    return Guard(
        condition=_condition(
            _need(table, "if", path), types if on == "self" else other[on], f"{path}: if"
        ),
        otherwise=_convert(_need(table, "else", path), Text, f"{path}: else"),
        on=on,
    )


def _robot(table: _Table, path: str, types: Types) -> Robot:
    parts: _Table = {
        "condition": _condition(
            table.get("if", "always"), {**types, "responsible_role": "text"}, f"{path}: if"
        ),
        "effects": _effects(table, path),
    }
    return _build(Robot, table, path, parts, {"if", "effect"})


def _points(table: _Table, path: str, types: Types) -> Points:
    _no_unknown(table, {"if", "add"}, path)
    return Points(
        condition=_condition(_need(table, "if", path), types, f"{path}: if"),
        points=_convert(_need(table, "add", path), int, f"{path}: add"),
    )


def _effects(table: _Table, path: str) -> tuple[EffectSpec, ...]:
    return tuple(_effect(sub, f"{path}: effect[{n}]") for n, sub in _tables(table, "effect", path))


def _effect(table: _Table, path: str) -> EffectSpec:
    done = _convert(_need(table, "do", path), str, f"{path}: do")
    known_id((done,), _EFFECTS, f"{path}: do")
    return _build(_EFFECTS[done], table, path, {}, {"do"})


def _roles(root: _Table) -> Iterable[Role]:
    for number, table in _tables(root, "role"):
        path = _named("", "role", number, table)
        given = _convert(table.get("sees", {}), dict[str, str], f"{path}: sees")
        sees = {kind: _sight(source, f"{path}: sees.{kind}") for kind, source in given.items()}
        parts: _Table = {"sees": sees}
        if "offline" in table:
            parts["offline"] = _duration(table["offline"], f"{path}: offline")
        yield _build(Role, table, path, parts, {"sees", "offline"})


def _sight(source: str, path: str) -> Condition:
    """Which items a role sees. Desks hear of changes, and the passing of time is none."""
    seen = _condition(source, SCOPE_TYPES, path)
    if seen.reads_clock():
        raise PlaybookError(
            path, N_("What a role sees may not depend on “now”. Use the stage or the people."), {}
        )
    return seen


def _purposes(root: _Table) -> Iterable[Purpose]:
    for number, table in _tables(root, "purpose"):
        yield _build(Purpose, table, _named("", "purpose", number, table))


def _tasks(root: _Table) -> Iterable[TaskType]:
    for number, table in _tables(root, "task"):
        path = _named("", "task", number, table)
        due = _duration(_need(table, "due", path), f"{path}: due")
        yield _build(TaskType, table, path, {"due": due}, {"due"})


def _duration(value: Any, path: str) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PlaybookError(path, N_("Write a time such as “30m”, “4h”, “7d” or “2w”."), {})
    return int(match[1]) * _UNITS[match[2]]


def _subject_fields(root: _Table) -> dict[str, Field]:
    subject = _convert(root.get("subject", {}), dict[str, Any], "subject")
    _no_unknown(subject, {"field"}, "subject")
    return _fields(subject, "subject")


def _fields(table: _Table, path: str) -> dict[str, Field]:
    return _by_id(
        (
            _build(Field, sub, _named(path, "field", n, sub))
            for n, sub in _tables(table, "field", path)
        ),
        f"{path}: field",
    )


def _types_by_kind(root: _Table) -> Mapping[str, Types]:
    """The names a guard on a linked item may use, before that kind itself is read."""
    known: dict[str, Types] = {}
    for number, table in _tables(root, "kind"):
        path = _named("", "kind", number, table)
        # Told first: a misspelt [[kind.field]] would make every condition look wrong.
        _no_unknown(table, _KIND_KEYS, path)
        fields = _fields(table, path).values()
        types: Types = {field.id: field.condition_type for field in fields}
        known[str(table.get("id"))] = {**types, **COLUMN_TYPES}
    return known


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
        where = f"{path}: character {error.position + 1}"
        raise PlaybookError(where, error.message, error.args, error.mend) from None


def _tables(table: _Table, key: str, path: str = "") -> list[tuple[int, _Table]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in cast("Any", value)):
        raise PlaybookError(path or key, N_("Write it as [[{key}]] tables."), {"key": key})
    return list(enumerate(cast("list[_Table]", value), start=1))


def _need(table: _Table, key: str, path: str) -> Any:
    if key not in table:
        raise PlaybookError(path or key, N_("The key “{key}” is missing. Add it."), {"key": key})
    return table[key]


def _named(path: str, key: str, number: int, table: _Table) -> str:
    """How an error names a table: by its id if it has one, else by its number."""
    own = table.get("id")
    name = f"{key} {own!r}" if isinstance(own, str) else f"{key}[{number}]"
    return f"{path}: {name}" if path else name


def _by_id(rows: Iterable[R], where: str) -> dict[str, R]:
    found: dict[str, R] = {}
    for row in rows:
        if row.id in found:
            raise PlaybookError(
                f"{where} {row.id!r}", N_("This id is taken already. Rename one of the two."), {}
            )
        found[row.id] = row
    return found


def _build(
    struct: type[T],
    table: _Table,
    path: str,
    parts: Mapping[str, Any] = MappingProxyType({}),
    written_as: Collection[str] = (),
) -> T:
    """A struct from a table; ``parts`` are ready already, from the keys ``written_as``."""
    fields = {field.name: field for field in msgspec.structs.fields(cast("Any", struct))}
    plain = fields.keys() - parts.keys()
    _no_unknown(table, plain | set(written_as), path)
    values: _Table = dict(parts)
    for name in plain:
        if name in table:
            values[name] = _convert(table[name], fields[name].type, f"{path}: {name}")
        elif fields[name].required:
            _need(table, name, path)
    return struct(**values)


def _convert(value: Any, wanted: Any, path: str) -> Any:
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        reason, _, at = str(error).partition(" - at ")
        where = f"{path}{at.strip('`').lstrip('$')}"
        raise PlaybookError(where, N_("{reason}. Correct the value."), {"reason": reason}) from None


def _no_unknown(table: _Table, known: Collection[str], path: str) -> None:
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
