"""Where the data that travels with Desk lies, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def playbooks_dir() -> Path:
    """The folder of the shipped playbooks (`*.toml`)."""
    return _PACKAGE / "playbooks"


def locale_dir() -> Path:
    """The folder of the message catalogues."""
    return _PACKAGE / "locale"


def themes_dir() -> Path:
    """The folder of the shipped themes: inside the package in a wheel, beside it in a checkout."""
    inside = _PACKAGE / "themes"
    return inside if inside.is_dir() else _PACKAGE.parent / "themes"
