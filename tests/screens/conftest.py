"""Profiles for the screens: filled once, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.screens.desks import StillApp, app_on, fill, hostile, invented


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Path]:
    """The folder of a profile with invented rows for a user; made at most once."""
    made: dict[tuple[str, bool], Path] = {}

    def make(user: str, is_hostile: bool) -> Path:
        key = (user, is_hostile)
        if key not in made:
            made[key] = tmp_path_factory.mktemp(user)
            rows = invented()
            fill(made[key], hostile(rows) if is_hostile else rows, user)
        return made[key]

    return make


@pytest.fixture
def profile(filled: Callable[[str, bool], Path], tmp_path: Path) -> Callable[..., Path]:
    """A profile of this test's own."""

    def make(user: str = "marketer1", is_hostile: bool = False) -> Path:
        copy = tmp_path / user
        shutil.copytree(filled(user, is_hostile), copy)
        return copy

    return make


@pytest.fixture
def app(profile: Callable[..., Path]) -> Callable[..., StillApp]:
    """The application on a profile of this test's own."""

    def make(user: str = "marketer1", is_hostile: bool = False) -> StillApp:
        return app_on(profile(user, is_hostile))

    return make
