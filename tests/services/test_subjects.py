"""People's rows: sealed where they lie, found by what they are looked up by, and add up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from desk.domain.model import Standing
from desk.services import erasure, lookup, rotation, settings, shadow, vault_state
from desk.services.errors import AlteredCopy, DamagedFile
from desk.services.rows import SUBJECTS
from desk.services.store import Store
from desk.services.subjects import version_of
from desk.services.vault import Keys
from tests.services.vaults import EMAIL, NAME, PHONE, a_person, keys_of, opened


class Crash(Exception):
    """The process ends here."""


CANARIES = [text.encode() for text in (NAME, PHONE, EMAIL, EMAIL.casefold())]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with_rows = opened(tmp_path / "local.db")
    yield with_rows
    with_rows.close()


def put(store: Store, *people: Any) -> None:
    with store.write() as connection:
        SUBJECTS.put(connection, people)


def raw(store: Store) -> bytes:
    """Every page of the file, decrypted."""
    with store.read() as connection:
        driver: Any = connection.connection.driver_connection
        names = [
            row[0]
            for row in driver.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        cells = [repr(row) for name in names for row in driver.execute(f"SELECT * FROM {name}")]
    return "\n".join(cells).encode()


def looked_up(store: Store, value: str) -> list[str]:
    with store.read() as connection:
        return lookup.find(connection, store.sealer, [value])


def test_what_was_put_comes_back_whole(store: Store) -> None:
    person = msgspec.structs.replace(
        a_person(name="Ё", more_phones=["+74950000001"], notes="длинно" * 100, birth_date=None),
        consents={"calls": Standing(given_at=1, text_version=2, channel="paper")},
        stage="erasure_requested",
    )
    put(store, person, a_person(2))
    with store.read() as connection:
        assert SUBJECTS.get(connection, [person.id]) == [person]
        assert SUBJECTS.all(connection) == [person, a_person(2)]


def test_a_row_shows_no_value_even_to_who_has_the_files_key(store: Store) -> None:
    put(store, a_person())
    with store.write() as connection:
        body = SUBJECTS.pack(connection, a_person())
        assert SUBJECTS.unpack(connection, body) == a_person()
        assert version_of(body) == 1
        settings.put(connection, "x", body)
    assert not [canary for canary in CANARIES if canary in raw(store)]


@pytest.mark.parametrize("column", ["overview", "detail"])
def test_records_do_not_open_in_the_row_of_another(store: Store, column: str) -> None:
    put(store, a_person(1), a_person(2))
    with store.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE subject SET {column} = (SELECT {column} FROM subject ORDER BY id LIMIT 1)"
        )
    with pytest.raises(AlteredCopy), store.read() as connection:
        SUBJECTS.get(connection, [a_person(2).id])
    assert store.sealer.suspects


@pytest.mark.parametrize(
    "change",
    ["overview = detail", "detail = overview", "version = version + 1"],
)
def test_records_do_not_open_as_another_kind_or_version(store: Store, change: str) -> None:
    put(store, a_person())
    with store.write() as connection:
        connection.exec_driver_sql(f"UPDATE subject SET {change}")
    with pytest.raises(AlteredCopy), store.read() as connection:
        SUBJECTS.all(connection)


def test_a_record_of_the_overlay_does_not_open_as_a_row_and_not_in_another_vault(
    store: Store, tmp_path: Path
) -> None:
    other = opened(tmp_path / "other.db", keys_of("w" * 32))
    with store.write() as connection, other.write() as elsewhere:
        body = SUBJECTS.pack(connection, a_person())
        record = msgspec.json.decode(body, type=tuple[str, int, bytes])[2]
        SUBJECTS.put(connection, [a_person()])
        SUBJECTS.put(elsewhere, [a_person()])
        row = connection.exec_driver_sql("SELECT overview, detail FROM subject").one()
        update = "UPDATE subject SET overview = ?, detail = ?"
        elsewhere.exec_driver_sql(update, tuple(row))
        connection.exec_driver_sql(update, (record, b""))
    for one in (store, other):
        with pytest.raises(AlteredCopy), one.read() as connection:
            SUBJECTS.all(connection)
    other.close()


def test_somebody_is_looked_up_by_the_whole_of_a_phone_or_an_address(store: Store) -> None:
    put(store, a_person(1), a_person(2, name="Б", more_phones=[PHONE, "+74950000001"]))
    assert looked_up(store, PHONE) == [a_person(1).id, a_person(2).id]
    assert looked_up(store, EMAIL.upper()) == [a_person(1).id]
    assert looked_up(store, "+74950000001") == [a_person(2).id]
    assert looked_up(store, PHONE[:-1]) == looked_up(store, NAME) == []


def test_look_ups_follow_the_row(store: Store) -> None:
    put(store, a_person())
    put(store, a_person(version=2, name=NAME, phone="+74950000009"))
    assert (looked_up(store, PHONE), looked_up(store, EMAIL)) == ([], [])
    assert looked_up(store, "+74950000009") == [a_person().id]
    put(store, a_person(version=3, name="Иная", phone="+74950000009"))
    assert looked_up(store, "+74950000009") == [a_person().id]
    with store.write() as connection:
        SUBJECTS.delete(connection, [a_person().id])
        assert connection.exec_driver_sql("SELECT count(*) FROM subject_lookup").scalar_one() == 0
        assert vault_state.read(connection) == vault_state.State(0, 0, 0)


def test_more_than_a_shelf_of_people_is_looked_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_SHELF", 40)
    people = [a_person(n, name="Н", phone=f"+7900000{n:04d}") for n in range(300)]
    for start in range(0, 300, 30):
        put(store, *people[start : start + 30])
    with store.read() as connection:
        shelves = connection.exec_driver_sql("SELECT count(DISTINCT shelf) FROM subject_lookup")
        assert shelves.scalar_one() == 5
    assert all(looked_up(store, str(one.fields["phone"])) == [one.id] for one in people)


def state(connection: Connection) -> tuple[int, int]:
    kept = vault_state.read(connection)
    return kept.count, kept.mac


def test_the_rows_add_up_after_every_kind_of_change(store: Store) -> None:
    put(store, *(a_person(n) for n in range(120)))
    put(store, *(a_person(n, version=2) for n in range(0, 120, 3)), a_person(500), a_person(500))
    with store.write() as connection:
        SUBJECTS.delete(connection, [a_person(n).id for n in (1, 2, 3, 999)])
        assert SUBJECTS.measure(connection) == state(connection)
        shadow.begin(connection)
        shadow.SUBJECTS.put(connection, [a_person(n) for n in range(700, 760)])
        assert SUBJECTS.measure(connection) == state(connection)
        shadow.swap(connection)
        assert SUBJECTS.measure(connection) == state(connection) == (60, state(connection)[1])
    assert vault_state.is_sound(store)
    assert looked_up(store, PHONE)[:1] == [a_person(700).id]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM subject WHERE id = (SELECT max(id) FROM subject)",
        "UPDATE subject SET stage = 'active', consents = '{}x'",
        "UPDATE subject SET lookup = x'' WHERE id = (SELECT max(id) FROM subject)",
    ],
)
def test_rows_that_were_changed_apart_do_not_add_up(store: Store, change: str) -> None:
    put(store, *(a_person(n) for n in range(10)))
    with store.write() as connection:
        connection.exec_driver_sql(change)
    assert not vault_state.is_sound(store)


def checkpointed(store: Store) -> None:
    assert store.scrub()


def test_one_old_page_that_is_put_back_is_noticed(tmp_path: Path) -> None:
    """Page by page: whichever the rows stand on, SQLCipher takes it for its own."""
    file, keys = tmp_path / "local.db", keys_of()
    store = opened(file, keys)
    put(store, *(a_person(n) for n in range(30)))
    checkpointed(store)
    old = file.read_bytes()
    put(store, a_person(7, version=2, name="Новая", phone="+74950000009"))
    checkpointed(store)
    store.close()
    new = file.read_bytes()
    changed = [n for n in range(0, len(new), 4096) if old[n : n + 4096] != new[n : n + 4096]]
    noticed = 0
    for start in changed:
        file.write_bytes(new[:start] + old[start : start + 4096] + new[start + 4096 :])
        if is_noticed(file, keys):
            noticed += 1
            continue
        # Nobody's row was on that page; an index says so itself when it is used.
        store = opened(file, keys)
        with suppress(DamagedFile), store.read() as connection:
            assert SUBJECTS.get(connection, [a_person(7).id])[0].version == 2
        store.close()
    assert noticed


def is_noticed(file: Path, keys: Keys) -> bool:
    store = None
    try:
        store = opened(file, keys)
        return not vault_state.is_sound(store)
    except DamagedFile:
        return True
    finally:
        if store is not None:
            store.close()


def test_an_old_file_is_noticed_by_its_epoch(tmp_path: Path) -> None:
    file, keys = tmp_path / "local.db", keys_of()
    store = opened(file, keys)
    put(store, a_person())
    assert vault_state.anchor(store)
    assert not vault_state.anchor(store)
    store.close()
    shutil.copy(file, tmp_path / "old.db")
    store = opened(file, keys)
    assert not vault_state.is_old(store)
    put(store, a_person(2))
    vault_state.anchor(store)
    store.close()
    shutil.copy(tmp_path / "old.db", file)
    store = opened(file, keys)
    assert vault_state.is_sound(store)
    assert vault_state.is_old(store)
    store.close()


def test_a_log_that_was_taken_away_is_noticed(tmp_path: Path) -> None:
    file, keys = tmp_path / "local.db", keys_of()
    store = opened(file, keys)
    put(store, a_person())
    checkpointed(store)
    put(store, a_person(2))
    vault_state.anchor(store)
    shutil.copy(file, tmp_path / "killed.db")
    store.close()
    store = opened(tmp_path / "killed.db", keys)
    assert vault_state.is_old(store)
    store.close()


def test_a_crash_between_the_file_and_its_anchor_is_no_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path / "local.db")
    put(store, a_person())

    def crash(*_: object) -> None:
        raise Crash

    monkeypatch.setattr(store.keys.anchor, "write", crash)
    with pytest.raises(Crash):
        vault_state.anchor(store)
    assert not vault_state.is_old(store)
    store.close()


def everywhere(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_a_rotation_seals_everybody_anew_and_destroys_the_keys_before(store: Store) -> None:
    people = [a_person(n) for n in range(450)]
    put(store, *people)
    with store.write() as connection:
        body = SUBJECTS.pack(connection, people[0])
        connection.exec_driver_sql(
            "INSERT INTO base_row (kind, id, body) VALUES ('subject', ?, ?)", (people[0].id, body)
        )
        shadow.begin(connection)
        shadow.SUBJECTS.put(connection, people[:10])
    told: list[int] = []
    assert rotation.rotate(store, told.append)
    assert told[-1] == 460
    assert (store.sealer.epoch, store.keys.wrapping.get(1)) == (2, None)
    with store.read() as connection:
        assert SUBJECTS.all(connection) == people
        assert shadow.SUBJECTS.all(connection) == people[:10]
        kept = connection.exec_driver_sql("SELECT body FROM base_row").scalar_one()
        assert SUBJECTS.unpack(connection, kept) == people[0]
        assert SUBJECTS.older(connection, 2, "", 1) == []
        assert settings.get(connection, settings.ROTATION) is None
    assert vault_state.is_sound(store)


@pytest.mark.parametrize("step", range(12))
def test_a_rotation_that_broke_off_anywhere_is_ended_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    people = [a_person(n) for n in range(250)]
    put(store, *people)
    with store.write() as connection:
        erasure.begin(connection, [people[0].id])
    write, steps = Store.write, iter(range(100))

    def breaking(one: Store, *, durable: bool = False) -> Any:
        if next(steps) == step:
            raise Crash
        return write(one, durable=durable)

    monkeypatch.setattr(Store, "write", breaking)
    try:
        assert rotation.rotate(store)
    except Crash:
        monkeypatch.setattr(Store, "write", write)
        assert rotation.rotate(store)
    current = store.sealer.epoch
    assert [epoch for epoch in range(1, current) if store.keys.wrapping.get(epoch)] == []
    with store.read() as connection:
        assert SUBJECTS.all(connection) == people[1:]
        assert erasure.in_state(connection, "destroyed") == [people[0].id]
    assert vault_state.is_sound(store)
