"""A hub, and people at the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands.desks import PASSPHRASE, Person
from tests.hub_process import HubProcess


@pytest.fixture(autouse=True)
def passphrase_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the passphrase of every desk stands."""
    path = tmp_path / "passphrase"
    path.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    monkeypatch.setenv("DESK_PASSPHRASE_FILE", str(path))
    return path


@pytest.fixture(autouse=True)
def cheap_vaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk is opened for each command; the work of its passphrase is tested with the vault."""
    monkeypatch.setattr("desk.services.vault.COST", (64, 1, 1))


@pytest.fixture
def person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Person]:
    """Makes people."""
    return lambda name: Person(tmp_path, name, capsys)


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """One hub for tests that leave no mark on each other."""
    hub = HubProcess(tmp_path_factory.mktemp("hub")).start()
    yield hub
    hub.kill()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    """A hub that the test may kill."""
    folder = tmp_path / "hub"
    folder.mkdir()
    process = HubProcess(folder).start()
    yield process
    process.kill()
