"""What a module drags in: start time and layers, seen from outside in a fresh interpreter."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import desk.domain

LOADED = """
import importlib, json, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def packages_loaded_by(*modules: str) -> set[str]:
    """The top-level packages that importing `modules` alone brings into an empty process."""
    answer = subprocess.run(
        [sys.executable, "-c", LOADED, *modules], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout))


def modules_of(package: ModuleType) -> list[str]:
    """The dotted names of `package` and of everything in it."""
    prefix = f"{package.__name__}."
    found = pkgutil.walk_packages(package.__path__, prefix)
    return [package.__name__, *(module.name for module in found)]


HEAVY = {"textual", "sqlalchemy", "httpx", "litestar", "keyring", "babel", "cryptography"}


@pytest.mark.parametrize("module", ["desk.cli", "desk.text", "desk.resources"])
def test_the_command_starts_without_loading_what_it_may_not_need(module: str) -> None:
    assert packages_loaded_by(module) & HEAVY == set()


def test_the_desk_service_loads_neither_the_screens_nor_the_hub() -> None:
    loaded = packages_loaded_by("desk.services.desk")
    assert loaded & {"textual", "litestar", "uvicorn", "alembic"} == set()


def test_the_rules_stand_on_the_standard_library_msgspec_and_phonenumbers() -> None:
    loaded = packages_loaded_by(*modules_of(desk.domain)) - set(sys.stdlib_module_names)
    # msgspec brings typing_extensions along.
    allowed = {"desk", "msgspec", "phonenumbers", "typing_extensions"}
    assert {name for name in loaded if not name.startswith("_")} <= allowed
