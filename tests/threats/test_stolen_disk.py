"""A thief has the disk of a workstation: every file of the profile, and what was left elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.domain.operations import Create
from desk.services.desk import Desk
from desk.services.errors import Locked, WrongPassphrase
from tests.threats.plants import ALL, NAME, PHONE, TITLE, Sit, found_under, plant


def test_no_file_of_an_open_or_a_closed_desk_tells_anything(
    sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Database, its log and shared memory, key file, temporary files, what was printed."""
    temporary = tmp_path / "temp"
    temporary.mkdir()
    for variable in ("TMPDIR", "SQLITE_TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(variable, str(temporary))
    monkeypatch.chdir(temporary)
    lead = plant(sit)
    desk = sit("marketer1", place="stolen")
    desk.save_draft(lead, "form", {"need": NAME})
    desk.do(Create(kind="lead", title=TITLE, subject={"name": NAME, "phone": PHONE}))
    assert desk.find(NAME)
    assert desk.rows(sort="title")
    words = (*ALL, "marketer1", "in_work", "qualification")
    files = {path.name for path in (tmp_path / "stolen").iterdir()}
    assert {"local.db", "local.db-wal", "local.db-shm", "local.key"} <= files
    assert found_under(tmp_path, words) == {}
    desk.close()
    assert found_under(tmp_path, words) == {}
    said = capfd.readouterr()
    assert not any(word in said.out + said.err for word in ALL)


def test_a_guess_opens_nothing_makes_no_key_and_prints_nothing(
    sit: Sit, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plant(sit)
    sit("marketer1", place="guessed").close()
    folder = tmp_path / "guessed"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for guess in ("demo", "", "correct horse "):
        with pytest.raises((WrongPassphrase, Locked)) as raised:
            Desk.open(folder, guess)
        assert not any(word in str(raised.value) for word in ALL)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert capfd.readouterr() == ("", "")
