"""Several operators on one workstation."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.services import operators
from desk.services.desk import Desk
from desk.services.errors import BadOperatorName, WrongPassphrase
from tests.services.rooms import PASSPHRASE


def test_the_first_one_has_the_home_and_others_a_folder_each(tmp_path: Path) -> None:
    assert operators.list(tmp_path) == ()
    first = operators.make(tmp_path, "anna")
    assert first == tmp_path
    Desk.open(first, PASSPHRASE).close()
    second = operators.make(tmp_path, "boris")
    assert second == tmp_path / "operators" / "boris"
    Desk.open(second, "another").close()
    assert operators.list(tmp_path) == (("anna", first), ("boris", second))
    assert operators.folder(tmp_path, "anna") == first
    assert operators.folder(tmp_path, "boris") == second


def test_each_has_a_lock_keys_and_a_file_of_his_own(tmp_path: Path) -> None:
    folders = [operators.make(tmp_path, name) for name in ("anna", "boris")]
    with Desk.open(folders[0], PASSPHRASE) as anna, Desk.open(folders[1], "another") as boris:
        anna.save_draft("item", "form", {"need": "hers"})
        assert boris.draft("item", "form") == {}
        assert anna.context.store.keys.vault_id != boris.context.store.keys.vault_id
    with pytest.raises(WrongPassphrase):
        Desk.open(folders[1], PASSPHRASE)


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "a\\b", "/etc", "Анна", "a\n", "nul", "com1.x", "a.", "A", "x" * 65]
)
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    operators.make(tmp_path, "first")
    with pytest.raises(BadOperatorName):
        operators.make(tmp_path, name)
    assert operators.list(tmp_path) == (("first", tmp_path),)


def test_a_vault_without_a_note_is_listed_without_a_name(tmp_path: Path) -> None:
    Desk.open(tmp_path, PASSPHRASE).close()
    (tmp_path / "local.name").write_text("\x1b[31mred")
    assert operators.list(tmp_path) == (("", tmp_path),)
