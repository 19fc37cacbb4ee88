"""Several operators on one workstation: each has a vault with its own file, keys and lock.

The first one's is in the home folder itself, the others' are under ``operators/NAME``. A folder's
``local.name`` says who signs in there, so that one can choose before anything is unlocked.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from desk.services.errors import BadOperatorName

_FOLDER = "operators"
_NAME_FILE = "local.name"
_NAME = re.compile(r"[a-z](?:[a-z0-9._-]{0,62}[a-z0-9_-])?")
#: What Windows takes for a device, whatever follows the first dot.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)


class Operator(NamedTuple):
    """Somebody with a vault on this workstation; without a name nobody has signed in yet."""

    name: str
    folder: Path


def list(home: Path) -> tuple[Operator, ...]:  # noqa: A001 - read as operators.list
    """Whoever has a vault under ``home``: the first one, then the others by name."""
    found = [Operator(name_in(home), home)] if _has_vault(home) else []
    with suppress(OSError):
        found += [
            Operator(name_in(folder) or folder.name, folder)
            for folder in sorted((home / _FOLDER).iterdir())
            if _has_vault(folder)
        ]
    return tuple(found)


def folder(home: Path, name: str) -> Path:
    """Where the operator ``name`` works: where he has a vault, else where his is to be made.

    Raises ``BadOperatorName``.
    """
    known = list(home)
    for one in known:
        if one.name == name:
            return one.folder
    if not _NAME.fullmatch(name) or name.partition(".")[0] in _DEVICES:
        raise BadOperatorName
    return home / _FOLDER / name if known else home


def make(home: Path, name: str) -> Path:
    """The folder of ``folder``, made where it is missing. Raises ``BadOperatorName``,
    ``OSError``."""
    chosen = folder(home, name)
    for one in (home, chosen.parent, chosen):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)
    remember(chosen, name)
    return chosen


def remember(profile: Path, name: str) -> None:
    """Note who signs in at a profile; a folder that cannot be written keeps the old note."""
    with suppress(OSError):
        if name_in(profile) != name:
            (profile / _NAME_FILE).write_text(f"{name}\n", encoding="utf-8")


def name_in(profile: Path) -> str:
    """The name noted in a folder; what cannot be a name is none."""
    try:
        name = (profile / _NAME_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return name if _NAME.fullmatch(name) else ""


def _has_vault(profile: Path) -> bool:
    return any((profile / name).is_file() for name in ("local.key", "local.db", _NAME_FILE))
