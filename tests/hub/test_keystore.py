"""The hub's keys: where they are, what opens them, and what is left of a destroyed one."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.hub.database import Database
from desk.hub.errors import SetupError
from desk.hub.keystore import KeyDestroyed, KeyStore, key_name
from desk.hub.kms import KeySource, MasterKey
from desk.hub.setup import bring_up, init
from tests.hub.hubs import FREIGHT, START

ONE, OTHER = (key_name(f"00000000-0000-7000-8000-00000000000{n}") for n in (1, 2))
HUB = "00000000-0000-7000-8000-0000000000ff"


@pytest.fixture
def keys(empty_url: str) -> Iterator[KeyStore]:
    """A key store that was just made."""
    with Database(empty_url) as database:
        database.keys.create(HUB)
        yield database.keys


@pytest.fixture
def own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the key stands in the environment."""
    monkeypatch.delenv("DESK_HUB_KEY")


def refused(database: Database) -> str:
    with pytest.raises(SetupError) as raised:
        bring_up(database)
    return raised.value.code


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_key_once_made_is_given_again(keys: KeyStore, empty_url: str) -> None:
    made = keys.ensure([ONE, OTHER])
    assert len(set(made.values())) == 2
    assert keys.ensure([OTHER, ONE]) == made
    with Database(empty_url) as again:
        assert again.keys.get([ONE]) == {ONE: made[ONE]}


def test_a_destroyed_key_is_never_given_or_made_again(keys: KeyStore) -> None:
    kept = keys.ensure([ONE, OTHER])
    keys.destroy([ONE], START)
    assert keys.get([ONE, OTHER]) == {OTHER: kept[OTHER]}
    with pytest.raises(KeyDestroyed):
        keys.ensure([ONE, OTHER])
    keys.destroy([ONE], START + 1)
    assert keys.destroyed() == {ONE: START}


def test_a_key_that_was_never_made_can_be_destroyed(keys: KeyStore) -> None:
    keys.destroy([ONE], START)
    with pytest.raises(KeyDestroyed):
        keys.ensure([ONE])


def test_secrets_are_made_once_and_differ(keys: KeyStore, empty_url: str) -> None:
    made = {name: keys.secret(name) for name in ("journal", "lookup")}
    assert len(set(made.values())) == 2
    with Database(empty_url) as again:
        assert {name: again.keys.secret(name) for name in made} == made


def test_what_is_sealed_for_one_opens_for_no_other(keys: KeyStore) -> None:
    sealed = keys.seal("totp", "operator1", b"secret")
    assert keys.unseal("totp", "operator1", sealed) == b"secret"
    for purpose, whose in (("totp", "operator2"), ("other", "operator1")):
        with pytest.raises(ValueError, match="not sealed"):
            keys.unseal(purpose, whose, sealed)


def test_ends_of_the_journal_are_kept(keys: KeyStore) -> None:
    keys.keep_heads({"a": (1, b"one"), "b": (2, b"two")})
    keys.keep_heads({"a": (3, b"three")})
    assert keys.read_heads() == {"a": (3, b"three"), "b": (2, b"two")}


def test_no_key_is_stored_bare(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'hub.db'}") as database:
        database.keys.create(HUB)
        secrets = [*database.keys.ensure([ONE]).values(), database.keys.secret("journal")]
    assert not [one for one in secrets for file in everything(tmp_path).values() if one in file]


def test_a_destroyed_key_is_gone_from_the_file(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'hub.db'}") as database:
        database.keys.create(HUB)
        database.keys.ensure([ONE])
        wrapped = _wrapped(tmp_path / "hub.keys.db")
        database.keys.destroy([ONE], START)
        assert not [name for name, file in everything(tmp_path).items() if wrapped in file]


def test_a_new_hub_on_sqlite_makes_its_key_file_for_the_owner_alone(
    tmp_path: Path, own_key: None
) -> None:
    with Database(f"sqlite:///{tmp_path / 'hub.db'}") as database:
        init(database, FREIGHT, now=START)
        assert database.keys.key_file == tmp_path / "hub.key"
    assert (tmp_path / "hub.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "hub.keys.db").stat().st_mode & 0o777 == 0o600
    with Database(f"sqlite:///{tmp_path / 'hub.db'}") as again:
        bring_up(again)


def test_without_its_keys_a_hub_says_so_and_writes_nothing(tmp_path: Path, own_key: None) -> None:
    url, file = f"sqlite:///{tmp_path / 'hub.db'}", tmp_path / "hub.key"
    with Database(url) as database:
        init(database, FREIGHT, now=START)
    right = file.read_bytes()
    before = everything(tmp_path)

    def says(code: str) -> None:
        with Database(url) as database:
            assert refused(database) == code

    file.unlink()
    says("key_missing")
    file.write_bytes(base64.b64encode(os.urandom(32)))
    file.chmod(0o600)
    says("key_wrong")
    file.write_bytes(b"no key")
    says("key_broken")
    file.write_bytes(right)
    file.chmod(0o644)
    says("key_readable")
    file.chmod(0o600)
    (tmp_path / "hub.keys.db").rename(tmp_path / "away")
    says("keys_missing")
    (tmp_path / "away").rename(tmp_path / "hub.keys.db")
    assert everything(tmp_path) == before
    with Database(url) as database:
        bring_up(database)


def test_on_postgresql_the_key_must_be_given(own_key: None) -> None:
    with pytest.raises(SetupError) as raised:
        KeySource(None).load()
    assert raised.value.code == "key_needed"


def test_the_key_may_stand_in_a_named_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(base64.b64encode(bytes(32)))
    file.chmod(0o600)
    (key,) = KeySource(tmp_path / "other", {"DESK_HUB_KEY_FILE": str(file)}).load()
    assert key.id == MasterKey(bytes(32)).id


def test_a_broken_key_is_not_quoted() -> None:
    with pytest.raises(SetupError) as raised:
        KeySource(None, {"DESK_HUB_KEY": "c2VjcmV0"}).load()
    assert raised.value.code == "key_broken"
    assert "c2Vj" not in repr((raised.value, raised.value.arguments, raised.value.__cause__))


def test_keys_of_another_hub_are_refused(empty_url: str, keys: KeyStore) -> None:
    keys.ensure([ONE])
    with Database(empty_url) as database, pytest.raises(SetupError) as raised:
        database.keys.create(HUB.replace("f", "e"))
    assert raised.value.code == "keys_of_another"


def test_a_hub_that_never_came_to_be_leaves_its_key_store_to_the_next(
    empty_url: str, keys: KeyStore
) -> None:
    with Database(empty_url) as database:
        init(database, FREIGHT, now=START)
        assert database.keys.hub_id != HUB


def test_the_master_key_changes_and_every_key_stays(tmp_path: Path, own_key: None) -> None:
    url, file = f"sqlite:///{tmp_path / 'hub.db'}", tmp_path / "hub.key"
    with Database(url) as running, Database(url) as database:
        init(database, FREIGHT, now=START)
        made, secret = database.keys.ensure([ONE, OTHER]), database.keys.secret("journal")
        database.keys.destroy([OTHER], START)
        assert running.keys.get([ONE]) == {ONE: made[ONE]}
        old = file.read_bytes()
        database.keys.rotate()
        assert file.read_bytes() != old
        # A process that runs finds the new key by itself, and wraps by it.
        third = key_name(HUB)
        later = running.keys.ensure([third])
        assert running.keys.get([ONE, OTHER]) == {ONE: made[ONE]}
        assert running.keys.secret("journal") == secret
    with Database(url) as database:
        bring_up(database)
        assert database.keys.destroyed() == {OTHER: START}
        assert database.keys.get([third]) == later
    file.write_bytes(old)
    with Database(url) as database:
        assert refused(database) == "key_wrong"


def test_a_change_of_the_master_key_that_was_cut_short_is_gone_on_with(
    tmp_path: Path, own_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.hub.keystore._PIECE", 2)
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    names = [key_name(f"00000000-0000-7000-8000-0000000000{n}") for n in range(10, 15)]

    def stop(done: int, _total: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with Database(url) as database:
        init(database, FREIGHT, now=START)
        made = database.keys.ensure(names)
        with pytest.raises(KeyboardInterrupt):
            database.keys.rotate(stop)
    with Database(url) as database:
        bring_up(database)
        assert database.keys.get(names) == made
        made.update(database.keys.ensure([ONE]))
        database.keys.rotate()
    assert not (tmp_path / "hub.key.next").exists()
    with Database(url) as database:
        assert database.keys.get([*names, ONE]) == made


def test_on_postgresql_the_next_key_is_given_too(
    keys: KeyStore, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = keys.ensure([ONE])
    with pytest.raises(SetupError) as raised:
        keys.rotate()
    assert raised.value.code == "key_next_needed"
    new = base64.b64encode(bytes(range(32))).decode()
    monkeypatch.setenv("DESK_HUB_KEY_NEXT", new)
    keys.rotate()
    monkeypatch.setenv("DESK_HUB_KEY", new)
    monkeypatch.delenv("DESK_HUB_KEY_NEXT")
    with Database(empty_url) as again:
        assert again.keys.get([ONE]) == made


def _wrapped(file: Path) -> bytes:
    import sqlite3

    connection = sqlite3.connect(file)
    try:
        return connection.execute("SELECT wrapped FROM subject_key").fetchone()[0]
    finally:
        connection.close()
