"""Keys as people write them, and the user's own choice of keys; without Textual."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from desk.text import N_, _
from desk.widgets.action_table import ACTIONS, Action

_ACTIONS = {action.id: action for action in ACTIONS}

_MODIFIERS = {"ctrl": "Ctrl", "alt": "Alt", "shift": "Shift", "super": "Super", "meta": "Meta"}
_NAMED = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "Enter",
    "escape": "Esc",
    "space": N_("Space"),
    "tab": "Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "insert": "Ins",
    "delete": "Del",
    "backspace": "Backspace",
}
_CHARACTERS = {
    "slash": "/",
    "backslash": "\\",
    "at": "@",
    "minus": "-",
    "plus": "+",
    "underscore": "_",
}
_FUNCTION_KEY = re.compile(r"f([1-9]|1[0-9]|2[0-4])").fullmatch

#: Groups of actions that a person meets on one screen; no two of their actions share a key.
TOGETHER = (
    ("cards", "board", "app"),
    ("card", "app"),
    ("form", "app"),
    ("list", "app"),
    ("office", "table", "app"),
    ("person", "app"),
    ("dialog", "lock"),
)


def show_key(key: str) -> str:
    """A key as it is written on the keyboard: `ctrl+s` → “Ctrl+S”, `left` → “←”."""
    *modifiers, base = key.split("+")
    shown = _NAMED.get(base) or _CHARACTERS.get(base) or _character(base)
    if shown is None:
        shown = base.upper()
    elif modifiers and len(shown) == 1:
        shown = shown.upper()
    return "+".join([*(_MODIFIERS.get(name, name) for name in modifiers), _(shown)])


def keys_of(action: Action, keymap: Mapping[str, str]) -> list[str]:
    """The keys of an action, as `keymap` (action id → "key,key") or else the table has them."""
    return [key.strip() for key in keymap.get(action.id, action.keys).split(",")]


def read_keys(path: Path) -> tuple[dict[str, str], str]:
    """A user's `keys.toml` as a keymap, and one line about what is wrong with it, or "".

    The file has lines such as `"cards.open" = "o,enter"`, or the same under `[cards]`. A file that
    is missing or wrong changes nothing.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, _wrong(path, str(error))
    keymap: dict[str, str] = {}
    for action_id, keys in _flat(data):
        problem = _problem(action_id, keys)
        if problem:
            return {}, _wrong(path, problem)
        keymap[action_id] = str(keys)
    clash = _clash(keymap)
    return ({}, _wrong(path, clash)) if clash else (keymap, "")


def clashes(keymap: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each key that two actions met on one screen share, with the ids of both."""
    for groups in TOGETHER:
        taken: dict[str, str] = {}
        for action in ACTIONS:
            if action.group in groups:
                for key in keys_of(action, keymap):
                    other = taken.setdefault(key, action.id)
                    if other != action.id:
                        yield key, other, action.id


def _flat(data: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in data.items():
        if isinstance(value, dict):
            for inner, keys in value.items():  # pyright: ignore[reportUnknownVariableType]
                yield f"{name}.{inner}", keys
        else:
            yield name, value


def _problem(action_id: str, keys: object) -> str:
    if action_id not in _ACTIONS:
        return _("there is no action “{action}”").format(action=action_id)
    if not isinstance(keys, str) or not keys.strip():
        return _("“{action}” takes keys in quotes, such as “f7,ctrl+o”").format(action=action_id)
    unknown = next((key for key in keys.split(",") if not _is_key(key.strip())), None)
    if unknown is not None:
        return _("“{action}”: there is no key “{key}”").format(action=action_id, key=unknown)
    return ""


def _clash(keymap: Mapping[str, str]) -> str:
    found = next(clashes(keymap), None)
    if found is None:
        return ""
    key, one, other = found
    return _("“{one}” and “{other}” have the same key {key}").format(
        one=one, other=other, key=show_key(key)
    )


def _wrong(path: Path, problem: str) -> str:
    return _("{file}: {problem}. The usual keys are in use.").format(
        file=path.name, problem=problem
    )


def _is_key(key: str) -> bool:
    *modifiers, base = key.split("+")
    known = base in _NAMED or base in _CHARACTERS or _FUNCTION_KEY(base) or _character(base)
    return bool(known) and all(name in _MODIFIERS for name in modifiers)


def _character(base: str) -> str | None:
    """The character a key's name stands for: `question_mark` → “?”."""
    if len(base) == 1:
        return base if base.isprintable() and not base.isspace() else None
    for name in (base.replace("_", " "), base.replace("_", "-")):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return None
