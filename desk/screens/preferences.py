"""What a person chose for the screen: theme and language, in the profile's `settings.toml`."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

_FILE = "settings.toml"
_WORDS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


@dataclass(slots=True)
class Preferences:
    """Empty text means that nothing was chosen. None of it is personal data."""

    theme: str = ""
    language: str = ""
    #: The program that dials, with its arguments; it reads the number from its standard input.
    dial: tuple[str, ...] = ()


def load(profile: Path) -> Preferences:
    """The profile's preferences; a missing or unreadable file means none."""
    try:
        data = tomllib.loads((profile / _FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return Preferences()
    return Preferences(
        _word(data.get("theme")), _word(data.get("language")), _program(data.get("dial"))
    )


def save(profile: Path, chosen: Preferences) -> None:
    """Write them; a folder that cannot be written keeps the old ones."""
    lines = [
        f'{name} = "{_word(value)}"\n'
        for name, value in (("theme", chosen.theme), ("language", chosen.language))
        if value
    ]
    if chosen.dial:
        # JSON writes text as TOML reads it.
        lines.append(f"dial = {json.dumps(chosen.dial, ensure_ascii=False)}\n")
    try:
        (profile / _FILE).write_text("".join(lines), encoding="utf-8")
    except OSError:
        return


def _word(value: object) -> str:
    return value if isinstance(value, str) and set(value) <= _WORDS else ""


def _program(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    words = [str(one) for one in cast("list[object]", value)]
    return tuple(words) if words and words[0] and not any("\0" in one for one in words) else ()


def has_passphrase(profile: Path) -> bool:
    """Whether the profile's vault opens with a passphrase, rather than with the keyring alone."""
    try:
        described = json.loads((profile / "local.key").read_bytes())
    except (OSError, ValueError):
        return False
    factors = described.get("factors", (described.get("source"),))
    return isinstance(factors, list | tuple) and "passphrase" in factors
