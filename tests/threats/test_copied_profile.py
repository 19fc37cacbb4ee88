"""Somebody copies a whole profile and knows its passphrase; or puts an old copy of it back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from desk.domain.operations import Create
from desk.services.desk import Desk
from desk.services.errors import DeskError
from tests.hub_process import HubProcess
from tests.services.rooms import PASSPHRASE, open_desk
from tests.services.test_lease import CUT
from tests.threats.plants import Sit, plant


def _copy(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("local.lock"))
    return to


def test_a_copy_and_the_original_do_not_both_go_on_unseen(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    plant(sit)
    sit("marketer1", place="original").close()
    copy = _copy(tmp_path / "original", tmp_path / "copy")
    seen: list[str] = []
    for folder in (tmp_path / "original", copy, tmp_path / "original", copy):
        with open_desk(folder) as desk:
            desk.do(Create(kind="lead", title=f"Из {folder.name}"))
            try:
                desk.sync_once()
            except DeskError as error:
                seen.append(error.code)
            seen.append(desk.context.store.keys.box.outer.device)
    devices = {one for one in seen if len(one) == 36}
    # Either the hub tells them apart as two devices, or it ends the session of both.
    assert len(devices) > 1 or "not_signed_in" in seen or "cloned_profile" in seen


def test_an_old_copy_put_back_shows_no_old_rows_for_new_and_keeps_the_work(
    sit: Sit, tmp_path: Path
) -> None:
    plant(sit)
    desk = sit("marketer1", place="now")
    desk.close()
    old = (tmp_path / "now" / "local.db").read_bytes()
    with open_desk(tmp_path / "now") as desk:
        new = desk.do(Create(kind="lead", title="После копии")).item_ids[0]
        desk.sync_once()
    (tmp_path / "now" / "local.db").write_bytes(old)
    for name in ("local.db-wal", "local.db-shm"):
        (tmp_path / "now" / name).unlink(missing_ok=True)
    with open_desk(tmp_path / "now") as desk:
        desk.sync_once()
        desk.sync_once()
        assert new in {row.item.id for row in desk.rows(kind="lead")}


def test_a_copy_without_the_passphrase_is_shut(sit: Sit, tmp_path: Path) -> None:
    plant(sit)
    sit("marketer1", place="shut").close()
    copy = _copy(tmp_path / "shut", tmp_path / "stolen copy")
    with pytest.raises(DeskError):
        Desk.open(copy, PASSPHRASE + "!", transport=CUT)
