"""Key files of every format, frozen: what opened once, opens for ever."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from desk.services import vault
from desk.services.profile import Profile
from tests.services.rooms import counted_random
from tests.services.test_vault import MemoryKeyring

VECTORS = Path(__file__).parent / "vectors"
EXPECTED: dict[str, dict[str, Any]] = json.loads(
    (VECTORS / "expected.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_frozen_key_file_opens(name: str, tmp_path: Path) -> None:
    expected = EXPECTED[name]
    profile = Profile.own(tmp_path)
    profile.release()
    shutil.copyfile(VECTORS / name, profile.key_file)
    keyring = MemoryKeyring()
    keyring.keys = {name: bytes.fromhex(key) for name, key in expected["keyring"].items()}
    keys = vault.unlock(
        profile,
        expected["passphrase"],
        random=counted_random(),
        keyring=lambda: keyring,
        admit=lambda _: bytes.fromhex(expected["share"]),
    )
    assert keys.vault_id == expected["vault"]
    for one in ("file_key", "file_salt", "index_key", "state_key", "journal_key"):
        assert getattr(keys, one).hex() == expected[one], one
    outer = keys.box.outer
    assert (outer.device, outer.device_key.hex(), outer.hub) == tuple(expected["outer"].values())
    if "wrapping" in expected:
        epoch, key = keys.wrapping.current()
        assert [epoch, key.hex()] == expected["wrapping"]
        anchor = keys.anchor.read()
        assert anchor is not None
        assert [*anchor[:2], anchor[2].hex()] == expected["anchor"]


def test_every_frozen_file_is_looked_at() -> None:
    assert {path.name for path in VECTORS.glob("*.key")} == set(EXPECTED)
