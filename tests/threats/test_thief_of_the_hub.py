"""A thief of the hub's database, or of a backup of it, without the key."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from desk.hub.database import Database
from desk.hub.errors import SetupError
from desk.hub.setup import bring_up
from tests.hub_process import HubProcess
from tests.threats.plants import PERSONAL, TITLE, Sit, found_under, plant


def test_neither_the_database_nor_its_log_nor_the_key_store_tells_of_a_person(
    sit: Sit, hub: HubProcess
) -> None:
    plant(sit)
    folder = Path(hub.db_url.removeprefix("sqlite:///")).parent
    names = {path.name for path in folder.iterdir()}
    assert {"hub.db", "hub.keys.db"} <= names
    assert found_under(folder, (*PERSONAL, TITLE)) == {}


def test_a_copy_without_the_key_opens_nothing(
    sit: Sit, hub: HubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(sit)
    monkeypatch.delenv("DESK_HUB_KEY", raising=False)
    monkeypatch.delenv("DESK_HUB_KEY_FILE", raising=False)
    original = Path(hub.db_url.removeprefix("sqlite:///"))
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    for path in original.parent.glob("hub*.db*"):
        shutil.copyfile(path, stolen / path.name)
    for key, code in (("", "key_missing"), (base64.b64encode(bytes(32)).decode(), "key_wrong")):
        if key:
            monkeypatch.setenv("DESK_HUB_KEY", key)
        with Database(f"sqlite:///{stolen / 'hub.db'}") as database:
            with pytest.raises(SetupError) as raised:
                bring_up(database)
            assert raised.value.code == code
