"""Somebody may write to the files of a profile: bytes are changed, files exchanged or cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.services.desk import Desk
from desk.services.errors import DeskError
from tests.services.rooms import PASSPHRASE
from tests.threats.plants import ALL, Sit, found, plant


@pytest.mark.parametrize("name", ["local.db", "local.key"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_changed_byte_is_an_error_that_says_so_and_tells_nothing(
    sit: Sit, tmp_path: Path, name: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    plant(sit)
    sit("marketer1", place="changed").close()
    path = tmp_path / "changed" / name
    content = bytearray(path.read_bytes())
    place = int((len(content) - 1) * share)
    content[place] ^= 0x55
    path.write_bytes(content)
    said_of_it = _read_all(tmp_path / "changed")
    # A page that is free, or that nobody reads, is no error: nothing that is shown was touched.
    assert said_of_it or name == "local.db"
    assert found(said_of_it.encode()) == []
    said = capfd.readouterr()
    assert (found(said.out.encode(), ALL), found(said.err.encode(), ALL)) == ([], [])
    assert "sqlcipher" not in said.err.lower()


def _read_all(folder: Path) -> str:
    """Open the desk and read every page, for SQLCipher looks at one when it is read; the error."""
    try:
        with Desk.open(folder, PASSPHRASE) as desk:
            with desk.context.store.read() as connection:
                for table in ("item", "task", "entry", "subject", "queue"):
                    connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            desk.find("нет такого")
    except DeskError as error:
        return str(error)
    return ""
