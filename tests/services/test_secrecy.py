"""Personal data is not found in any file, and Textual is never loaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
import rich.pretty
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from desk.domain.model import Person, Subject, Value
from desk.domain.operations import Comment, Create, EditSubject, Operation
from desk.protocol.messages import Forget, Result, SignedIn, SignIn
from desk.services import arrivals, inbox, queue, vault
from desk.services.desk import Desk
from desk.services.drafts import SEEN
from desk.services.profile import Profile
from tests.hub_process import HubProcess
from tests.services.rooms import (
    NOW,
    PASSPHRASE,
    a_lead,
    a_page,
    a_subject,
    an_id,
    furnish,
    open_desk,
    ticking,
)

PAGE = 4096
Sit = Callable[..., Desk]
CANARY = "canary-5d1f"
PHONE = "+79991234567"


def files_with(folder: Path, *needles: str) -> list[Path]:
    """The files under ``folder`` that hold one of ``needles`` in an encoding a program uses."""
    patterns = [n.encode(code) for n in needles for code in ("utf-8", "utf-16-le", "utf-16-be")]
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(pattern in path.read_bytes() for pattern in patterns)
    ]


def test_nothing_readable_is_written_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("TMPDIR", "SQLITE_TMPDIR", "TEMP", "TMP"):
        (tmp_path / "temp").mkdir(exist_ok=True)
        monkeypatch.setenv(variable, str(tmp_path / "temp"))
    monkeypatch.chdir(tmp_path)
    with open_desk(tmp_path / "desk", clock=ticking()) as desk:
        leads = [a_lead(number, title=f"{CANARY} {number}") for number in range(500)]
        furnish(desk, a_page(items=leads, subjects=[a_subject(lead) for lead in leads]))
        subject: dict[str, Value] = {"name": CANARY, "phone": PHONE}
        desk.do(Create(kind="lead", title=CANARY, subject=subject))
        desk.save_draft("item", "form", {"need": CANARY})
        assert len(desk.rows(sort="title")) == 501
        assert desk.find(CANARY)
        assert (tmp_path / "desk" / "local.db-wal").stat().st_size > 0
        assert files_with(tmp_path, CANARY, PHONE, "marketer1", "in_work") == []
    assert files_with(tmp_path, CANARY, PHONE, "marketer1", "in_work", "SQLite format") == []


def test_the_passphrase_is_in_no_file(tmp_path: Path) -> None:
    with open_desk(tmp_path) as desk:
        desk.save_draft("item", "form", {})
    assert files_with(tmp_path, PASSPHRASE) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files")
def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    with open_desk(tmp_path / "made") as desk:
        desk.save_draft("item", "form", {})
        for path in [tmp_path / "made", *(tmp_path / "made").glob("local.db*")]:
            assert path.stat().st_mode & 0o077 == 0, path
        assert (tmp_path / "made" / "local.key").stat().st_mode & 0o077 == 0


def decrypted(desk: Desk) -> bytes:
    """Every page of the file as SQLite sees it, free ones too; the log must be empty."""
    assert desk.context.store.scrub()
    assert (desk.profile_dir / "local.db-wal").stat().st_size == 0
    profile = Profile(desk.profile_dir, Mock())
    keys = vault.unlock(profile, PASSPHRASE, random=bytes)
    content = (desk.profile_dir / "local.db").read_bytes()
    # SQLCipher 4: AES-256-CBC; a page ends with its IV (16 bytes) and its HMAC (64 bytes).
    plain: list[bytes] = []
    for start in range(0, len(content), PAGE):
        page = content[start : start + PAGE]
        iv = page[PAGE - 80 : PAGE - 64]
        cipher = Cipher(AES(keys.file_key), CBC(iv)).decryptor()
        plain.append(cipher.update(page[16 if start == 0 else 0 : PAGE - 80]))
    return b"".join(plain)


@pytest.mark.parametrize(
    "holder",
    [
        Subject(id="s", fields={"name": CANARY}),
        SignIn(user="u", password=CANARY, device="d", device_name="", protocol=3, key=b""),
        SignedIn(
            token=CANARY,
            refresh=CANARY,
            expires_in=1,
            person=Person(id="u", name="U", role="head"),
            hub="h",
            company="",
            last_op=0,
            playbook_version=1,
        ),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_what_holds_a_secret_does_not_tell_it_when_it_is_shown(holder: object) -> None:
    shown = f"{holder} {holder!r} {[holder]} {rich.pretty.pretty_repr(holder)}"
    assert CANARY not in shown


def test_a_log_that_a_reader_held_up_is_emptied_by_a_later_pull(sit: Sit) -> None:
    desk = sit("operator1")
    log = desk.profile_dir / "local.db-wal"
    with desk.context.store.read() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM item").scalar_one()
        desk.save_draft("item", "form", {"name": "Анна"})
        desk.drop_draft("item", "form")
        assert not desk.context.store.scrub()
    assert log.stat().st_size
    desk.sync_once()
    assert log.stat().st_size == 0


def test_a_log_that_a_killed_desk_left_is_emptied_by_the_next_pull(
    sit: Sit, hub: HubProcess, tmp_path: Path
) -> None:
    desk = sit("operator1")
    desk.save_draft("item", "form", {"name": "Анна"})
    # A copy of the files of an open desk is what a kill leaves.
    shutil.copytree(desk.profile_dir, tmp_path / "killed")
    log = tmp_path / "killed" / "local.db-wal"
    assert log.stat().st_size
    with open_desk(tmp_path / "killed") as killed:
        killed.sync_once()
        assert log.stat().st_size == 0


def test_what_left_sight_is_in_no_page_of_the_decrypted_file(desk: Desk) -> None:
    leads = [a_lead(number, title=f"{CANARY} {number}") for number in range(1, 40)]
    subjects = [a_subject(lead, name=f"Name {CANARY}") for lead in leads]
    furnish(desk, a_page(items=leads, subjects=subjects))
    seen = {f"{SEEN}name": CANARY, "name": "Анна"}
    desk.save_draft(leads[0].id, "form", seen)
    edit = EditSubject(
        item_id=leads[0].id, fields={"name": "Анна"}, base={"name": 1}, was={"name": CANARY}
    )
    refused = Result(number=1, id=leads[1].id, result="conflict", theirs={"name": CANARY})
    with desk.context.store.write() as connection:
        asked = Operation(id=leads[1].id, at=1, intent=edit)
        inbox.add(connection, desk.context, asked, refused)
        said = Operation(id=an_id(999), at=1, intent=Comment(item_id=leads[2].id, text=CANARY))
        number = queue.add(connection, said)
        queue.accept(connection, [said.id])
        queue.cover(connection, number, NOW)
    assert CANARY.encode() in decrypted(desk)
    page = a_page()
    page.forget.extend(Forget(kind="item", id=lead.id) for lead in leads)
    with desk.context.store.write() as connection:
        arrivals.land(connection, [page])
    assert CANARY.encode() not in decrypted(desk)
    assert desk.draft(leads[0].id, "form") == {"name": "Анна"}
    assert [entry.mine for entry in desk.inbox()] == [{"name": "Анна"}]


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.strip()


ROOT = Path(__file__).parents[2]


def test_the_services_never_load_textual() -> None:
    code = """
import importlib, pkgutil, sys
import desk.services
for module in pkgutil.iter_modules(desk.services.__path__, "desk.services."):
    importlib.import_module(module.name)
print(sorted(name for name in sys.modules if name.split(".")[0] == "textual"))
"""
    assert run(code) == "[]"


def test_the_facade_is_imported_before_anything_heavy() -> None:
    code = """
import sys
import desk.services.desk, desk.services.board, desk.services.errors
heavy = {"sqlalchemy", "sqlcipher3", "httpx", "keyring", "argon2", "filelock", "msgspec"}
print(sorted(heavy & set(sys.modules)))
"""
    assert run(code) == "[]"
