"""The key of a desk's encrypted copy: made once, kept wrapped beside it, unwrapped to open it.

``local.key`` holds the random vault key VK, encrypted by AES-256-GCM under a key that the machine's
keyring keeps, or that Argon2id derives from a passphrase. Everything that describes the wrapping is
authenticated with it. From VK, HKDF derives the file's key and its salt; because the salt is known,
a file that another vault made is told from a damaged one.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from desk.services.errors import (
    DamagedKeyFile,
    ForeignFile,
    KeyLost,
    Locked,
    MissingKeyFile,
    PassphraseNeeded,
    WrongPassphrase,
)
from desk.services.keyrings import Keyring, KeyringProblem, system_keyring
from desk.services.profile import Profile

_FORMAT = 1
_KEY = 32
_SALT = 16
_NONCE = 12
#: What deriving a key from a passphrase costs: KiB of memory, passes, lanes.
COST = (64 * 1024, 3, 4)
#: A key file from elsewhere must not make the machine work for hours.
_MOST_MEMORY_KIB = 1024 * 1024
_MOST_PASSES = 16

SQLITE_HEADER = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the file."""

    file_key: bytes = field(repr=False)
    file_salt: bytes = field(repr=False)


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of ``local.key``; bytes are in base64."""

    format: int
    vault: str
    source: Literal["keyring", "passphrase"]
    salt: bytes = b""
    memory_kib: int = 0
    passes: int = 0
    lanes: int = 0
    nonce: bytes
    wrapped: bytes

    @property
    def described(self) -> bytes:
        """All that describes the wrapping, each part with its length before it."""
        parts = [
            b"desk-vault",
            str(self.format).encode(),
            self.vault.encode(),
            self.source.encode(),
            self.salt,
            *(str(number).encode() for number in (self.memory_kib, self.passes, self.lanes)),
        ]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def unlock(
    profile: Profile,
    passphrase: str | None,
    *,
    random: Callable[[int], bytes],
    keyring: Callable[[], Keyring | None] = system_keyring,
) -> Keys:
    """The keys of the profile's vault; where there is no vault yet, those of a new one.

    Raises what ``Desk.open`` says of keys; where it raises, nothing was written.
    """
    if profile.key_file.exists():
        return _open(profile, passphrase, keyring)
    _refuse_orphan(profile)
    return _make(profile, passphrase, random, keyring)


def _open(profile: Profile, passphrase: str | None, keyring: Callable[[], Keyring | None]) -> Keys:
    damaged = DamagedKeyFile(key_file=str(profile.key_file), file=str(profile.database))
    kept = _read(profile.key_file)
    if kept is None:
        raise damaged
    if kept.source == "passphrase":
        if not passphrase:
            raise Locked
        vault_key = _unwrap(kept, _stretch(passphrase, kept))
        if vault_key is None:
            raise WrongPassphrase
        return _derive(vault_key)
    lost = KeyLost(file=str(profile.database))
    ring = keyring()
    try:
        device_key = ring.get(kept.vault) if ring else None
    except KeyringProblem:
        raise lost from None
    if device_key is None:
        raise lost
    vault_key = _unwrap(kept, device_key)
    if vault_key is None:
        raise damaged
    return _derive(vault_key)


def _make(
    profile: Profile,
    passphrase: str | None,
    random: Callable[[int], bytes],
    keyring: Callable[[], Keyring | None],
) -> Keys:
    vault, vault_key = random(16).hex(), random(_KEY)
    if passphrase:
        described = KeyFile(
            format=_FORMAT,
            vault=vault,
            source="passphrase",
            salt=random(_SALT),
            memory_kib=COST[0],
            passes=COST[1],
            lanes=COST[2],
            nonce=random(_NONCE),
            wrapped=b"",
        )
        secret = _stretch(passphrase, described)
    else:
        secret = random(_KEY)
        ring = keyring()
        try:
            if ring is None:
                raise PassphraseNeeded
            ring.put(vault, secret)
        except KeyringProblem:
            raise PassphraseNeeded from None
        described = KeyFile(
            format=_FORMAT, vault=vault, source="keyring", nonce=random(_NONCE), wrapped=b""
        )
    _write(profile.key_file, _wrap(described, secret, vault_key))
    return _derive(vault_key)


def _refuse_orphan(profile: Profile) -> None:
    """A database without its key file is never opened, and never made anew over."""
    try:
        with profile.database.open("rb") as file:
            header = file.read(len(SQLITE_HEADER))
    except FileNotFoundError:
        return
    if header == SQLITE_HEADER:
        raise ForeignFile(file=str(profile.database))
    if header:
        raise MissingKeyFile(key_file=str(profile.key_file), file=str(profile.database))


def _stretch(passphrase: str, described: KeyFile) -> bytes:
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        unicodedata.normalize("NFC", passphrase).encode(),
        described.salt,
        time_cost=described.passes,
        memory_cost=described.memory_kib,
        parallelism=described.lanes,
        hash_len=_KEY,
        type=Type.ID,
    )


def _wrap(described: KeyFile, secret: bytes, vault_key: bytes) -> KeyFile:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(_expand(secret, b"desk/wrapping/1", _KEY))
    wrapped = cipher.encrypt(described.nonce, vault_key, described.described)
    return msgspec.structs.replace(described, wrapped=wrapped)


def _unwrap(kept: KeyFile, secret: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(_expand(secret, b"desk/wrapping/1", _KEY))
    try:
        return cipher.decrypt(kept.nonce, kept.wrapped, kept.described)
    except InvalidTag:
        return None


def _derive(vault_key: bytes) -> Keys:
    derived = _expand(vault_key, b"desk/file/1", _KEY + _SALT)
    return Keys(derived[:_KEY], derived[_KEY:])


def _expand(secret: bytes, purpose: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, None, purpose).derive(secret)


def _read(path: Path) -> KeyFile | None:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=KeyFile)
    except (msgspec.MsgspecError, ValueError):
        return None
    sound = kept.format == _FORMAT and len(kept.nonce) == _NONCE
    if kept.source == "passphrase":
        sound = (
            sound
            and len(kept.salt) == _SALT
            and 1 <= kept.passes <= _MOST_PASSES
            and 1 <= kept.lanes <= 64
            and 8 * kept.lanes <= kept.memory_kib <= _MOST_MEMORY_KIB
        )
    return kept if sound else None


def _write(path: Path, kept: KeyFile) -> None:
    """The whole file or none: written beside it, on the disk, then renamed."""
    beside = path.with_suffix(".key.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    if os.name == "posix":
        # The new name, too: without it the database could not be opened. Windows keeps its names
        # in a journal and opens no folders.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
