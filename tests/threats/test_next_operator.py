"""The next operator sits down at the same workstation, with a passphrase and a file of his own."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.services.desk import Desk
from desk.services.errors import DeskError
from tests.services.test_secrecy import decrypted
from tests.threats.plants import PERSONAL, Sit, found, found_under, plant


def test_his_own_copy_holds_his_own_cards_and_the_other_one_stays_shut(
    sit: Sit, tmp_path: Path
) -> None:
    lead = plant(sit)
    sit("marketer1", place="station/first").close()
    desk = sit("sales2", place="station/second")
    assert lead not in {row.item.id for row in desk.rows()}
    assert desk.find("Канарейкина") == []
    assert found(decrypted(desk), PERSONAL) == []
    assert found_under(tmp_path / "station", PERSONAL) == {}
    with pytest.raises(DeskError):
        Desk.open(tmp_path / "station" / "first", "the passphrase of the second")


def test_files_of_two_operators_cannot_be_put_in_each_others_place(
    sit: Sit, tmp_path: Path
) -> None:
    for user, place in (("marketer1", "mine"), ("sales2", "theirs")):
        sit(user, place=place).close()
    mine, theirs = tmp_path / "mine" / "local.db", tmp_path / "theirs" / "local.db"
    theirs.write_bytes(mine.read_bytes())
    with pytest.raises(DeskError):
        Desk.open(tmp_path / "theirs", "correct horse")
