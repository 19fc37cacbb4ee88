"""What tests of the services share: a hub, and desks that are closed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from desk.services import vault
from desk.services.desk import Desk
from tests.hub_process import PASSWORD, HubProcess
from tests.services.rooms import furnish, open_desk, ticking


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new vault's passphrase is stretched little; the key file says how much, so all else is
    as ever."""
    monkeypatch.setattr(vault, "COST", (64, 1, 1))


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """One hub for all tests of a worker; each works on leads of its own."""
    process = HubProcess(tmp_path_factory.mktemp("hub")).start()
    yield process
    process.kill()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A marketing manager's desk without rows and without a hub."""
    with open_desk(tmp_path / "desk", clock=ticking()) as opened:
        furnish(opened)
        yield opened


@pytest.fixture
def sit(hub: HubProcess, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Open a desk for a user, signed in at the hub and up to date."""
    opened: list[Desk] = []

    def sit_down(user: str, place: str = "", transport: httpx.BaseTransport | None = None) -> Desk:
        one = open_desk(tmp_path / (place or user), transport=transport)
        opened.append(one)
        one.sign_in(hub.url, user, PASSWORD)
        one.sync_once()
        return one

    yield sit_down
    for one in opened:
        one.close()
