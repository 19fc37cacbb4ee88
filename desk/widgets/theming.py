"""Themes are data: `themes/*.toml` become Textual themes."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from textual.app import App
from textual.theme import Theme

from desk.resources import themes_dir

DARK = "desk-dark"
LIGHT = "desk-light"


class BadTheme(Exception):
    """A theme file cannot be used; the text names the file and what is wrong with it."""


def read_theme(path: Path) -> Theme:
    """The theme in the file `path`. Raises `BadTheme`."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Theme(
            name=data["name"],
            dark=data.get("dark", True),
            variables=data.get("variables", {}),
            **data["colors"],
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise BadTheme(f"{path.name}: {error}") from error


@lru_cache
def shipped_themes(folder: Path | None = None) -> tuple[Theme, ...]:
    """The themes in `folder`, or those that travel with Desk, by name."""
    return tuple(read_theme(path) for path in sorted((folder or themes_dir()).glob("*.toml")))


def use_themes(app: App[Any], name: str = DARK) -> None:
    """Register the shipped themes with `app` and choose `name`; an unknown one gives the dark."""
    themes = shipped_themes()
    for theme in themes:
        app.register_theme(theme)
    app.theme = name if name in {theme.name for theme in themes} else DARK


def other_theme(name: str) -> str:
    """The light theme for the dark one and the other way round."""
    return DARK if name == LIGHT else LIGHT
