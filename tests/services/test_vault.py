"""The key of the local copy: who opens it, and what is said to who cannot."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from keyring.backends.null import Keyring as NullBackend

from desk.services import keyfile, vault
from desk.services.desk import Desk
from desk.services.errors import (
    AlreadyOpen,
    DamagedFile,
    DamagedKeyFile,
    DeskError,
    ForeignFile,
    KeyLost,
    Locked,
    MissingKeyFile,
    NewerFile,
    OtherKeyring,
    PassphraseNeeded,
    UnusableProfile,
    WrongPassphrase,
)
from desk.services.keyrings import Keyring, KeyringProblem, SystemKeyring, system_keyring
from desk.services.profile import Profile
from desk.services.vault import COST
from desk.services.wrapping import names
from tests.services.rooms import PASSPHRASE, counted_random, open_desk

PAGE = 4096


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A profile that was used, kept something, and was closed."""
    with open_desk(tmp_path / "profile") as desk:
        desk.save_draft("item", "form", {"need": "typed"})
    return tmp_path / "profile"


class MemoryKeyring:
    """A keyring that keeps keys as long as the test."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.keys.get(name)

    def put(self, name: str, key: bytes) -> None:
        self.keys[name] = key

    def drop(self, name: str) -> None:
        self.keys.pop(name, None)


class ClosedKeyring:
    """A keyring whose owner said no."""

    def get(self, name: str) -> bytes | None:
        raise KeyringProblem

    def put(self, name: str, key: bytes) -> None:
        raise KeyringProblem

    def drop(self, name: str) -> None:
        raise KeyringProblem


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def refuses(folder: Path, error: type[DeskError], passphrase: str | None = PASSPHRASE) -> DeskError:
    """Opening raises ``error`` and leaves every file as it was."""
    before = contents(folder)
    with pytest.raises(error) as raised:
        Desk.open(folder, passphrase)
    assert contents(folder) == before
    return raised.value


def keys_of(profile: Profile, passphrase: str | None, keyring: Keyring | None) -> vault.Keys:
    return vault.unlock(profile, passphrase, random=counted_random(), keyring=lambda: keyring)


def secrets(keys: vault.Keys) -> tuple[object, ...]:
    """Everything that has to be the same at each opening."""
    return (
        *(keys.vault_id, keys.file_key, keys.file_salt, keys.index_key, keys.state_key),
        *(keys.journal_key, keys.wrapping.current(), keys.anchor.read()),
    )


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    owned = Profile.own(tmp_path / "owned")
    owned.release()
    return owned


def test_what_was_kept_is_there_after_the_right_passphrase(folder: Path) -> None:
    with open_desk(folder) as desk:
        assert desk.draft("item", "form") == {"need": "typed"}


def test_a_wrong_passphrase_changes_nothing_and_the_right_one_still_opens(folder: Path) -> None:
    refuses(folder, WrongPassphrase, "wrong")
    with open_desk(folder) as desk:
        assert desk.draft("item", "form") == {"need": "typed"}


@pytest.mark.parametrize("passphrase", [None, ""])
def test_a_locked_vault_asks_for_its_passphrase(folder: Path, passphrase: str | None) -> None:
    refuses(folder, Locked, passphrase)


def test_a_passphrase_typed_in_another_unicode_form_is_the_same(tmp_path: Path) -> None:
    Desk.open(tmp_path, "пароль й").close()
    Desk.open(tmp_path, "пароль и\u0306").close()


def test_a_database_without_its_key_file_is_left_alone(folder: Path) -> None:
    (folder / "local.key").unlink()
    error = refuses(folder, MissingKeyFile)
    assert "local.key" in str(error)
    assert "aside" in str(error)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff\xfe", b'{"format": 9}', b'{"format":1,"vault":"v","source":"passphrase"}'],
)
def test_a_damaged_key_file_is_said_to_be_one(folder: Path, damage: bytes) -> None:
    (folder / "local.key").write_bytes(damage)
    refuses(folder, DamagedKeyFile)


@pytest.mark.parametrize(
    ("name", "value"),
    [("passes", 10_000), ("memory_kib", 2**40), ("lanes", 0), ("salt", "")],
)
def test_a_key_file_cannot_make_the_machine_work_for_hours(
    folder: Path, name: str, value: object
) -> None:
    changed = msgspec.json.decode((folder / "local.key").read_bytes())
    changed["stretch"][name] = value
    (folder / "local.key").write_bytes(msgspec.json.encode(changed))
    refuses(folder, DamagedKeyFile)


def test_what_describes_the_wrapping_is_authenticated(folder: Path) -> None:
    changed = msgspec.json.decode((folder / "local.key").read_bytes()) | {"vault": "another"}
    (folder / "local.key").write_bytes(msgspec.json.encode(changed))
    refuses(folder, WrongPassphrase)


def test_a_plain_sqlite_file_is_foreign(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "local.db")
    connection.execute("CREATE TABLE note (text)")
    connection.commit()
    connection.close()
    refuses(tmp_path, ForeignFile)


def test_a_plain_sqlite_file_beside_a_key_file_is_foreign(folder: Path) -> None:
    (folder / "local.db").unlink()
    test_a_plain_sqlite_file_is_foreign(folder)


def test_another_vaults_file_is_foreign(folder: Path, tmp_path: Path) -> None:
    Desk.open(tmp_path / "other", PASSPHRASE).close()
    (folder / "local.db").write_bytes((tmp_path / "other" / "local.db").read_bytes())
    refuses(folder, ForeignFile)


def test_garbage_is_foreign(folder: Path) -> None:
    (folder / "local.db").write_bytes(b"\x00garbage" * 1000)
    refuses(folder, ForeignFile)


@pytest.mark.parametrize("length", [17, 1000, PAGE])
def test_a_file_cut_off_is_damaged(folder: Path, length: int) -> None:
    (folder / "local.db").write_bytes((folder / "local.db").read_bytes()[:length])
    refuses(folder, DamagedFile)


def test_a_changed_byte_of_the_first_page_is_damage(folder: Path) -> None:
    content = bytearray((folder / "local.db").read_bytes())
    content[PAGE // 2] ^= 1
    (folder / "local.db").write_bytes(content)
    refuses(folder, DamagedFile)


def test_a_changed_byte_further_on_is_said_when_it_is_read(folder: Path) -> None:
    content = bytearray((folder / "local.db").read_bytes())
    for start in range(PAGE * 2, len(content), PAGE):
        content[start + PAGE // 2] ^= 1
    (folder / "local.db").write_bytes(content)
    with pytest.raises(DamagedFile), open_desk(folder) as desk:
        desk.draft("item", "form")


def test_a_file_of_a_newer_version_is_left_alone(folder: Path) -> None:
    with open_desk(folder) as desk, desk.context.store.write() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 99")
    refuses(folder, NewerFile)


def test_an_empty_file_left_by_a_crash_is_filled(tmp_path: Path) -> None:
    (tmp_path / "local.db").touch()
    open_desk(tmp_path).close()


def test_one_process_owns_a_profile(folder: Path) -> None:
    with open_desk(folder):
        refuses(folder, AlreadyOpen)
    open_desk(folder).close()


def test_a_refused_opening_gives_the_profile_free(folder: Path) -> None:
    refuses(folder, WrongPassphrase, "wrong")
    open_desk(folder).close()


def test_a_profile_that_is_a_file_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UnusableProfile):
        Desk.open(tmp_path / "file", PASSPHRASE)


def test_the_keyring_opens_what_it_has_closed(profile: Profile) -> None:
    keyring = MemoryKeyring()
    made = keys_of(profile, None, keyring)
    assert secrets(keys_of(profile, None, keyring)) == secrets(made)
    assert made.file_key not in keyring.keys.values()


def test_without_a_keyring_a_new_vault_needs_a_passphrase(profile: Profile) -> None:
    for keyring in (None, ClosedKeyring()):
        with pytest.raises(PassphraseNeeded):
            keys_of(profile, None, keyring)
        assert not profile.key_file.exists()


@pytest.mark.parametrize("keyring", [MemoryKeyring, ClosedKeyring, lambda: None])
def test_a_key_that_left_the_keyring_is_not_made_anew(
    profile: Profile, keyring: Callable[[], Keyring | None]
) -> None:
    keys_of(profile, None, MemoryKeyring())
    before = profile.key_file.read_bytes()
    with pytest.raises(KeyLost):
        keys_of(profile, None, keyring())
    assert profile.key_file.read_bytes() == before


def test_keyring_and_passphrase_open_a_vault_together_only(profile: Profile) -> None:
    keyring = MemoryKeyring()
    made = keys_of(profile, PASSPHRASE, keyring)
    assert made.box.factors == ("keyring", "passphrase")
    assert secrets(keys_of(profile, PASSPHRASE, keyring)) == secrets(made)
    with pytest.raises(Locked):
        keys_of(profile, None, keyring)
    with pytest.raises(WrongPassphrase):
        keys_of(profile, "wrong", keyring)
    with pytest.raises(KeyLost):
        keys_of(profile, PASSPHRASE, None)


def test_a_replaced_keyring_is_told_from_a_wrong_passphrase(profile: Profile) -> None:
    keyring = MemoryKeyring()
    made = keys_of(profile, PASSPHRASE, keyring)
    before = profile.key_file.read_bytes()
    keyring.keys[made.vault_id] = b"r" * 32
    with pytest.raises(OtherKeyring):
        keys_of(profile, PASSPHRASE, keyring)
    with pytest.raises(OtherKeyring):
        keys_of(profile, "wrong", keyring)
    assert profile.key_file.read_bytes() == before
    assert keyring.keys[made.vault_id] == b"r" * 32


def test_a_keyring_without_the_wrapping_keys_is_no_reason_to_make_others(profile: Profile) -> None:
    keyring = MemoryKeyring()
    made = keys_of(profile, None, keyring)
    del keyring.keys[names(made.vault_id).wrapping]
    kept = dict(keyring.keys)
    with pytest.raises(KeyLost):
        keys_of(profile, None, keyring)
    assert keyring.keys == kept


def test_a_keyring_that_discards_is_never_used(profile: Profile) -> None:
    silent = SystemKeyring(NullBackend())
    with pytest.raises(PassphraseNeeded):
        keys_of(profile, None, silent)
    assert keys_of(profile, PASSPHRASE, silent).box.factors == ("passphrase",)


@pytest.mark.parametrize("name", ["null.Keyring", "fail.Keyring", "chainer.ChainerBackend"])
def test_a_keyring_that_the_environment_names_is_never_used(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"keyring.backends.{name}")
    found = system_keyring()
    assert found is None or name.partition(".")[0] != getattr(found, "name", "")


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@pytest.mark.parametrize("has_keyring", [True, False])
@pytest.mark.parametrize("keep", [True, False])
def test_the_lease_share_is_a_factor_beside_every_other(
    profile: Profile, passphrase: str | None, has_keyring: bool, keep: bool
) -> None:
    keyring = MemoryKeyring() if has_keyring else None
    if not has_keyring and passphrase is None:
        with pytest.raises(PassphraseNeeded):
            keys_of(profile, passphrase, keyring)
        return
    made = keys_of(profile, passphrase, keyring)
    share = b"s" * 32
    made.box.bind(share, keep=keep)
    made.box.bind(share, keep=keep)

    def opened(given: bytes) -> vault.Keys:
        return vault.unlock(
            profile,
            passphrase,
            random=counted_random(),
            keyring=lambda: keyring,
            admit=lambda _: given,
        )

    assert secrets(opened(share)) == secrets(made)
    if keep:
        assert secrets(opened(b"")) == secrets(made)
    else:
        assert share not in profile.key_file.read_bytes()
        with pytest.raises(DamagedKeyFile):
            opened(b"")
    with pytest.raises(DamagedKeyFile):
        opened(b"x" * 32)


def test_every_byte_of_the_boxes_is_authenticated(profile: Profile) -> None:
    keyring = MemoryKeyring()
    keys_of(profile, None, keyring)
    kept = keyfile.read(profile.key_file)
    assert isinstance(kept, keyfile.KeyFile)
    for name in ("outer", "wrapped", "inner"):
        box: bytes = getattr(kept, name)
        for place in range(len(box)):
            changed = bytearray(box)
            changed[place] ^= 1
            keyfile.write(profile.key_file, msgspec.structs.replace(kept, **{name: bytes(changed)}))
            with pytest.raises(DamagedKeyFile):
                keys_of(profile, None, keyring)
    swapped = msgspec.structs.replace(kept, outer=kept.inner, inner=kept.outer)
    keyfile.write(profile.key_file, swapped)
    with pytest.raises(DamagedKeyFile):
        keys_of(profile, None, keyring)


def test_wrapping_keys_and_the_anchor_come_back_from_where_they_are_kept(
    profile: Profile,
) -> None:
    for keyring in (MemoryKeyring(), None):
        profile.key_file.unlink(missing_ok=True)
        made = keys_of(profile, PASSPHRASE, keyring)
        first = made.wrapping.current()
        second = made.wrapping.add()
        made.anchor.write(5, 3, b"m" * 32)
        again = keys_of(profile, PASSPHRASE, keyring)
        assert (first[0], second[0]) == (1, 2)
        assert again.wrapping.current() == second
        assert again.wrapping.get(1) == first[1]
        assert again.anchor.read() == (5, 3, b"m" * 32)
        again.wrapping.destroy(1)
        with pytest.raises(ValueError, match="in use"):
            again.wrapping.destroy(2)
        assert keys_of(profile, PASSPHRASE, keyring).wrapping.get(1) is None
        kept = profile.key_file.read_bytes()
        assert all(key not in kept for key in (first[1], second[1]))


def test_renewed_keys_open_the_same_vault_and_the_old_ones_nothing(profile: Profile) -> None:
    keyring = MemoryKeyring()
    made = keys_of(profile, "old", keyring)
    old = profile.key_file.read_bytes()
    device_key = keyring.keys[made.vault_id]
    made.box.renew("new")
    assert device_key not in keyring.keys.values()
    assert secrets(keys_of(profile, "new", keyring)) == secrets(made)
    with pytest.raises(WrongPassphrase):
        keys_of(profile, "old", keyring)
    keys_of(profile, "new", keyring).box.renew()
    assert secrets(keys_of(profile, "new", keyring)) == secrets(made)
    profile.key_file.write_bytes(old)
    with pytest.raises(OtherKeyring):
        keys_of(profile, "old", keyring)


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(4))
def test_a_crash_between_two_steps_of_a_renewal_leaves_a_vault_that_opens(
    profile: Profile, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = MemoryKeyring()
    made = keys_of(profile, PASSPHRASE, keyring)
    die = dying_at(step)
    with monkeypatch.context() as patch, suppress(Died):
        patch.setattr(keyring, "put", before(die, keyring.put))
        patch.setattr(keyring, "drop", before(die, keyring.drop))
        patch.setattr(keyfile, "write", after(die, before(die, keyfile.write)))
        made.box.renew()
    assert secrets(keys_of(profile, PASSPHRASE, keyring)) == secrets(made)


@pytest.mark.parametrize("step", range(3))
def test_a_crash_during_the_upgrade_of_a_format_1_vault_is_no_loss(
    profile: Profile, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile.key_file.write_text(FORMAT_1)
    die = dying_at(step)
    with monkeypatch.context() as patch, suppress(Died):
        patch.setattr(Path, "replace", before(die, Path.replace))
        patch.setattr(keyfile, "sync_folder", before(die, keyfile.sync_folder))
        keys_of(profile, "correct horse", None)
    assert keys_of(profile, "correct horse", None).file_key.hex() == FORMAT_1_KEY


def dying_at(step: int) -> Callable[[], None]:
    """Raises when it is called for the ``step``-th time, counted from 0."""
    calls = count()

    def die() -> None:
        if next(calls) == step:
            raise Died

    return die


def before(die: Callable[[], None], call: Callable[..., Any]) -> Callable[..., Any]:
    def called(*given: Any, **named: Any) -> Any:
        die()
        return call(*given, **named)

    return called


def after(die: Callable[[], None], call: Callable[..., Any]) -> Callable[..., Any]:
    def called(*given: Any, **named: Any) -> Any:
        result = call(*given, **named)
        die()
        return result

    return called


def test_format_1_of_the_key_file_is_read_for_ever(profile: Profile) -> None:
    profile.key_file.write_text(FORMAT_1)
    keys = keys_of(profile, "correct horse", None)
    assert keys.file_key.hex() == FORMAT_1_KEY
    assert keys.file_salt.hex() == FORMAT_1_SALT


def test_a_passphrase_is_stretched_as_the_design_says() -> None:
    assert COST[:2] == (64 * 1024, 3)


def test_keys_do_not_show_themselves(profile: Profile) -> None:
    keys = keys_of(profile, "correct horse", MemoryKeyring())
    shown = "".join(map(repr, (keys, keys.box, keys.box.outer, keys.box.inner, keys.wrapping)))
    for secret in (keys.file_key, keys.wrapping.current()[1]):
        assert repr(secret) not in shown


FORMAT_1 = """
{
  "format": 1,
  "vault": "00000000000000000000000000000001",
  "source": "passphrase",
  "salt": "AAAAAAAAAAAAAAAAAAAAAw==",
  "memory_kib": 65536,
  "passes": 3,
  "lanes": 4,
  "nonce": "AAAAAAAAAAAAAAAE",
  "wrapped": "+zdLu5pdIdcFTo3EgR9KuCYu5f2DeO7I4nCouNYaq1gFs1Ud7FmLBBOWu8UIuCmy"
}
"""
FORMAT_1_KEY = "248a0f86aae783b1c42287cbd087fa8a72f20ed7ea9ee9662d335a325ba14817"
FORMAT_1_SALT = "7afc80493364fba4e173a2f3df93efb6"
