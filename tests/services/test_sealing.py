"""The record format: what was sealed opens where it belongs, unchanged, and nowhere else."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from desk.schema import records
from desk.schema.records import Broken, Place
from desk.services import keyfile, sealing
from tests.services.vaults import a_person, key, keys_of, opened

VECTORS = Path(__file__).parent / "wycheproof"
CIPHER = records.cipher(key("some"))
KEY_ID = bytes(range(16))
PLACE = Place("vault", "subject", 1).of("row", "subject", "overview", 7)


def sealed(value: bytes = b"secret", place: bytes = PLACE) -> bytes:
    return records.seal(CIPHER, KEY_ID, bytes(12), value, place)


def vectors(name: str) -> list[Any]:
    groups = json.loads((VECTORS / f"{name}.json").read_text())["testGroups"]
    return [(group, test) for group in groups for test in group["tests"]]


@pytest.mark.parametrize("size", [0, 1, 62, 63, 64, 65, 1000])
def test_a_record_gives_back_what_was_sealed_and_tells_its_length_in_steps_of_64(size: int) -> None:
    value = b"\x80\0" * (size // 2) + b"\0" * (size % 2)
    record = sealed(value)
    assert records.unseal(CIPHER, record, PLACE) == value
    assert records.key_id(record) == KEY_ID
    assert (len(record) - 30 - 16) % 64 == 0


def test_no_byte_of_a_record_can_be_changed_cut_or_added() -> None:
    record = sealed()
    changed = [
        record[:n] + bytes([record[n] ^ bit]) + record[n + 1 :]
        for n in range(len(record))
        for bit in (1, 0x80)
    ]
    cut = [record[:n] for n in range(len(record))]
    for other in (*changed, *cut, record + b"\0", record[1:]):
        with pytest.raises(Broken) as raised:
            records.unseal(CIPHER, other, PLACE)
        assert str(raised.value) == "a sealed record does not open"
        assert raised.value.__cause__ is None


def test_a_record_opens_in_its_own_place_alone() -> None:
    parts: list[list[Any]] = [
        ["vault", "vaul"],
        ["subject", "base_row"],
        [1, 2],
        ["row", "ro"],
        ["subject", "other"],
        ["overview", "detail"],
        [7, 8],
    ]
    for vault, table, schema, row, subject, kind, version in itertools.product(*parts):
        place = Place(vault, table, schema).of(row, subject, kind, version)
        if place == PLACE:
            continue
        with pytest.raises(Broken):
            records.unseal(CIPHER, sealed(), place)


def test_lengths_keep_parts_from_flowing_into_each_other() -> None:
    assert Place("ab", "c", 1).of("d", "e", "detail", 1) != Place("a", "bc", 1).of(
        "d", "e", "detail", 1
    )
    assert Place("a", "b", 1).of("cd", "e", "detail", 1) != Place("a", "b", 1).of(
        "c", "de", "detail", 1
    )


def test_a_record_does_not_open_under_another_key() -> None:
    with pytest.raises(Broken):
        records.unseal(records.cipher(key("other")), sealed(), PLACE)


@pytest.mark.parametrize(("group", "test"), vectors("aes_gcm"))
def test_the_published_vectors_of_aes_gcm_hold(group: Any, test: Any) -> None:
    raw = {name: bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")}
    whole = raw["iv"] + raw["ct"] + raw["tag"]
    opened = keyfile.unseal(raw["key"], whole, raw["aad"])
    if test["result"] == "valid":
        cipher = records.cipher(raw["key"])
        assert cipher.encrypt(raw["iv"], raw["msg"], raw["aad"]) == raw["ct"] + raw["tag"]
        assert opened == raw["msg"]
    else:
        assert opened is None


def test_the_published_vectors_of_hkdf_hold() -> None:
    for _, test in vectors("hkdf_sha256"):
        raw = {name: bytes.fromhex(test[name]) for name in ("ikm", "salt", "info", "okm")}
        if test["result"] == "valid":
            made = keyfile.expand(raw["ikm"], raw["info"], test["size"], raw["salt"])
            assert made == raw["okm"], test["tcId"]
        else:
            with pytest.raises(ValueError, match=r"size|length|large"):
                keyfile.expand(raw["ikm"], raw["info"], test["size"], raw["salt"])


def test_the_published_vectors_of_hmac_hold() -> None:
    for group, test in vectors("hmac_sha256"):
        made = sealing.hmac_sha256(
            sealing.keyed(bytes.fromhex(test["key"])), bytes.fromhex(test["msg"])
        )
        is_same = made[: group["tagSize"] // 8] == bytes.fromhex(test["tag"])
        assert is_same == (test["result"] == "valid"), test["tcId"]


def drawn_by(count: int) -> set[bytes]:
    """The nonces under one wrapping key of so many writes, by what is drawn for each."""
    from desk.services.subjects import _DRAWN, _cut

    found: set[bytes] = set()
    for _ in range(count // 500):
        block = os.urandom(_DRAWN * 500)
        found.update(_cut(block, n)[1][:12] for n in range(500))
    return found


def test_a_million_writes_use_a_million_nonces() -> None:
    assert len(drawn_by(1_000_000)) == 1_000_000


def test_each_write_of_the_same_row_has_a_nonce_and_a_key_of_its_own(tmp_path: Path) -> None:
    from desk.services import subjects

    sealer = sealing.Sealer(keys_of(), os.urandom)
    nonces: set[bytes] = set()
    for _ in range(40):
        for row in subjects._sealed(sealer, [a_person()] * 50):
            nonces |= {row[5][18:30], row[6][18:30] if row[6] else os.urandom(12)}
    assert len(nonces) == 2 * 40 * 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_process_and_its_fork_never_use_the_same_nonce(tmp_path: Path) -> None:
    from desk.services import subjects

    with_rows = opened(tmp_path / "local.db")
    sealer = with_rows.sealer
    subjects._sealed(sealer, [a_person()])
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            rows = subjects._sealed(sealer, [a_person(n) for n in range(100)])
            os.write(write, b"".join(row[5][18:30] for row in rows))
        finally:
            os._exit(0)
    mine = {row[5][18:30] for row in subjects._sealed(sealer, [a_person(n) for n in range(100)])}
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    with_rows.close()
    assert len(theirs) == 1200
    assert mine.isdisjoint(theirs[n : n + 12] for n in range(0, 1200, 12))
