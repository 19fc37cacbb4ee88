"""A damaged or old copy: what a person did is kept, whatever became of the rest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from desk.domain.operations import Comment, Create
from desk.services import keyfile, queue, recovery, settings, vault
from desk.services.desk import Desk
from desk.services.errors import DamagedFile
from desk.services.profile import Profile
from tests.hub_process import HubProcess
from tests.services.rooms import PASSPHRASE, a_lead, a_page, furnish, mirrored, open_desk, ticking

PAGE = 4096
Sit = Callable[..., Desk]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A desk with rows from the hub, things that wait, and drafts; closed."""
    folder = tmp_path / "desk"
    with open_desk(folder, clock=ticking()) as desk:
        furnish(desk, a_page(items=[a_lead(number) for number in range(300)]))
        for number in range(40):
            made = desk.do(Create(kind="lead", title=f"mine {number}")).operation_id
            desk.do(Comment(item_id=made, text="x" * 500))
            desk.save_draft(f"item-{number}", "form", {"need": f"typed {number}" + "y" * 300})
    return folder


def did(desk: Desk) -> tuple[list[str], dict[str, dict[str, str]]]:
    """What a person did and typed."""
    with desk.context.store.read() as connection:
        waiting = [operation.id for operation in queue.all_operations(connection)]
    return waiting, {one.item_id: desk.draft(one.item_id, "form") for one in desk.drafts()}


def before(folder: Path) -> tuple[list[str], dict[str, dict[str, str]]]:
    with open_desk(folder) as desk:
        return did(desk)


def test_a_sound_file_gives_all_that_a_person_did_and_none_of_the_hubs_rows(folder: Path) -> None:
    done = before(folder)
    with open_desk(folder) as desk:
        epoch, _ = desk.context.store.keys.wrapping.current()
    saved = Desk.recover(folder, PASSPHRASE)
    assert (saved.unreadable, saved.aside) == (0, None)
    assert (saved.kept["queue"], saved.kept["draft"]) == (80, 40)
    with open_desk(folder) as desk:
        assert did(desk) == done
        assert desk.items() == 0
        assert desk.signed_in
        keys = desk.context.store.keys.wrapping
        assert (keys.current()[0], keys.get(epoch)) == (epoch + 1, None)
        with desk.context.store.read() as connection:
            assert settings.get(connection, settings.CURSOR) is None
            assert settings.get(connection, settings.FRESH) == "1"


def test_of_a_damaged_file_every_page_that_can_be_read_is_saved(folder: Path) -> None:
    waiting, drafts = before(folder)
    content = bytearray((folder / "local.db").read_bytes())
    pages = len(content) // PAGE
    # Pages of leaves in the second half: what stands there is lost, the rest is not.
    for page in range(pages // 2, pages - 2, 9):
        content[page * PAGE + 100] ^= 1
    (folder / "local.db").write_bytes(content)
    with pytest.raises(DamagedFile), open_desk(folder) as desk:
        did(desk)
    saved = Desk.recover(folder, PASSPHRASE)
    assert saved.unreadable > 0
    assert saved.aside is not None
    assert saved.aside.exists()
    with open_desk(folder) as desk:
        kept, typed = did(desk)
    assert len(kept) + len(typed) > (len(waiting) + len(drafts)) / 2
    assert set(kept) <= set(waiting)
    assert typed.items() <= drafts.items() if typed else True


def test_a_file_that_does_not_open_at_all_is_put_aside(folder: Path) -> None:
    damaged = b"".join(((folder / "local.db").read_bytes()[: PAGE // 2], b"\0" * 50_000))
    (folder / "local.db").write_bytes(damaged)
    saved = Desk.recover(folder, PASSPHRASE)
    assert saved.aside is not None
    assert saved.aside.read_bytes() == damaged
    with open_desk(folder) as desk:
        assert did(desk) == ([], {})


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(6))
def test_a_crash_between_two_steps_loses_nothing(
    folder: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = before(folder)
    count = 0
    replace = Path.replace

    def dying(path: Path, to: Path) -> Path:
        nonlocal count
        if path.name.startswith("local.db"):
            if count == step:
                raise Died
            count += 1
        return replace(path, to)

    (folder / "local.db-wal").touch()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        with suppress(Died):
            Desk.recover(folder, PASSPHRASE)
    with open_desk(folder) as desk:
        assert did(desk) == done


def test_what_was_saved_is_sent_and_the_rest_fetched_anew(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    desk = sit("marketer1", place="broken")
    made = desk.do(Create(kind="lead", title="Не потеряйте")).operation_id
    desk.close()
    Desk.recover(tmp_path / "broken", PASSPHRASE)
    with open_desk(tmp_path / "broken") as desk:
        desk.sync_once()
        desk.sync_once()
        assert desk.status().pending == 0
        assert made in {row.item.id for row in desk.rows(kind="lead")}
        assert mirrored(desk) == mirrored(sit("marketer1", place="fresh"))


def test_an_old_copys_rows_go_and_what_a_person_did_stays(folder: Path) -> None:
    done = before(folder)
    with open_desk(folder) as desk:
        recovery.begin_anew(desk.context)
        assert did(desk) == done
        assert desk.items() == 0


def test_the_key_file_is_no_part_of_it(folder: Path) -> None:
    kept = keyfile.read(folder / "local.key")
    profile = Profile.own(folder)
    keys = vault.unlock(profile, PASSPHRASE, random=bytes)
    recovery.salvage(profile, keys)
    profile.release()
    again = keyfile.read(folder / "local.key")
    assert isinstance(kept, keyfile.KeyFile)
    assert isinstance(again, keyfile.KeyFile)
    assert again.factors == kept.factors
