"""The format of ``local.key`` (docs/vault-format.md): what is in it, how it is sealed, its writing.

Format 2 holds sealed boxes. The *outer* box opens with the keyring's and the passphrase's factor
alone and says how this device speaks with its hub; ``wrapped`` is the vault key VK, for which the
lease share is needed, too, where it is a factor; the *inner* box holds what else would be in the
keyring. Everything that describes the wrapping is authenticated with each box.
"""

from __future__ import annotations

import hmac
import os
import unicodedata
from pathlib import Path
from typing import Final, Literal

import msgspec

FORMAT: Final = 2
KEY: Final = 32
SALT: Final = 16
NONCE: Final = 12
#: A key file from elsewhere must not make the machine work for hours.
_MOST_MEMORY_KIB = 1024 * 1024
_MOST_PASSES = 16
_CHECK = 8

Factor = Literal["keyring", "passphrase", "lease"]
Box = Literal["outer", "key", "inner"]


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """How a passphrase becomes a key: Argon2id with this salt at this cost."""

    salt: bytes = b""
    memory_kib: int = 0
    passes: int = 0
    lanes: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether it may be done at all."""
        return (
            len(self.salt) == SALT
            and 1 <= self.passes <= _MOST_PASSES
            and 1 <= self.lanes <= 64
            and 8 * self.lanes <= self.memory_kib <= _MOST_MEMORY_KIB
        )

    @property
    def described(self) -> list[bytes]:
        """What is authenticated of it."""
        return [
            self.salt,
            *(str(number).encode() for number in (self.memory_kib, self.passes, self.lanes)),
        ]

    def of(self, passphrase: str) -> bytes:
        """The passphrase's key; takes as long as it costs."""
        from argon2.low_level import Type, hash_secret_raw

        return hash_secret_raw(
            unicodedata.normalize("NFC", passphrase).encode(),
            self.salt,
            time_cost=self.passes,
            memory_cost=self.memory_kib,
            parallelism=self.lanes,
            hash_len=KEY,
            type=Type.ID,
        )


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets that open a vault; an absent one is empty. Never shown, never written."""

    device: bytes = b""
    passphrase: bytes = b""
    share: bytes = b""

    def __repr__(self) -> str:
        """Nothing of them."""
        return "Factors(…)"


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of ``local.key`` of format 2; bytes are in base64."""

    format: int = FORMAT
    vault: str
    factors: tuple[Factor, ...]
    #: Under which of its two names the keyring holds the device's key (see ``wrapping.names``).
    slot: Literal[0, 1] = 0
    stretch: Stretch = Stretch()
    #: Tells a keyring that holds another key from a wrong passphrase.
    check: bytes = b""
    outer: bytes = b""
    wrapped: bytes = b""
    inner: bytes = b""

    def described(self, box: Box) -> bytes:
        """What is authenticated with a box."""
        return _lengths(
            b"desk-vault",
            str(self.format).encode(),
            self.vault.encode(),
            ",".join(self.factors).encode(),
            str(self.slot).encode(),
            *self.stretch.described,
            self.check,
            box.encode(),
        )

    @property
    def is_sound(self) -> bool:
        """Whether it can be a file of this format."""
        return (
            self.format == FORMAT
            and len(self.factors) == len(set(self.factors))
            and any(one in self.factors for one in ("keyring", "passphrase"))
            and ("passphrase" not in self.factors or self.stretch.is_sound)
            and ("keyring" not in self.factors or len(self.check) == _CHECK)
        )


class KeyFile1(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of ``local.key`` of format 1."""

    format: Literal[1]
    vault: str
    source: Literal["keyring", "passphrase"]
    salt: bytes = b""
    memory_kib: int = 0
    passes: int = 0
    lanes: int = 0
    nonce: bytes
    wrapped: bytes

    @property
    def stretch(self) -> Stretch:
        """How its passphrase is stretched."""
        return Stretch(
            salt=self.salt, memory_kib=self.memory_kib, passes=self.passes, lanes=self.lanes
        )

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What opens it."""
        return (self.source,)

    @property
    def is_sound(self) -> bool:
        """Whether it can be a file of this format."""
        return len(self.nonce) == NONCE and (self.source == "keyring" or self.stretch.is_sound)

    def vault_key(self, secret: bytes) -> bytes | None:
        """The vault key by the keyring's or the passphrase's key; none where it does not fit."""
        described = _lengths(
            b"desk-vault",
            b"1",
            self.vault.encode(),
            self.source.encode(),
            *self.stretch.described,
        )
        return unseal(expand(secret, b"desk/wrapping/1", KEY), self.nonce + self.wrapped, described)


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    """How this device speaks with its hub before its file is open."""

    device: str = ""
    #: The device's Ed25519 key, as a seed of 32 bytes.
    device_key: bytes = b""
    hub: str = ""
    hub_id: str = ""
    #: The hub's Ed25519 public key, pinned at the sign-in.
    hub_key: bytes = b""
    #: The last lease as the hub has signed it, and when it came by this device's clock, ms.
    lease: bytes = b""
    lease_signature: bytes = b""
    leased_at: int = 0
    #: The largest clock seen here, ms.
    clock: int = 0
    #: The lease share, only where the role may start offline.
    share: bytes = b""

    def __repr__(self) -> str:
        """Nothing of its keys."""
        return f"Outer(device={self.device!r}, hub={self.hub!r})"


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """What the keyring keeps where there is one: wrapping keys by epoch, and the anchor."""

    wrapping: dict[int, bytes] = {}
    anchor: tuple[int, int, bytes] | None = None

    def __repr__(self) -> str:
        """Nothing of its keys."""
        return "Inner(…)"


def outer_key(vault: str, factors: Factors) -> bytes:
    """KEK1's key of the outer box: without the lease share."""
    return _combine(vault, factors.device, factors.passphrase, b"", purpose=b"desk/outer/2")


def wrapping_key(vault: str, factors: Factors) -> bytes:
    """KEK, which wraps the vault key: all factors."""
    return _combine(
        vault, factors.device, factors.passphrase, factors.share, purpose=b"desk/wrapping/2"
    )


def inner_key(vault: str, factors: Factors) -> bytes:
    """The key of the inner box: all factors."""
    return _combine(
        vault, factors.device, factors.passphrase, factors.share, purpose=b"desk/inner/2"
    )


def check_of(vault: str, device_key: bytes) -> bytes:
    """By which the keyring's key is known; it says nothing of 32 random bytes."""
    return _combine(vault, device_key, purpose=b"desk/check/2")[:_CHECK]


def is_of(check: bytes, vault: str, device_key: bytes) -> bool:
    """Whether the keyring's key is the one the file was made with."""
    return hmac.compare_digest(check, check_of(vault, device_key))


def expand(secret: bytes, purpose: bytes, length: int, salt: bytes | None = None) -> bytes:
    """HKDF-SHA256."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, salt, purpose).derive(secret)


def seal(key: bytes, nonce: bytes, plain: bytes, described: bytes) -> bytes:
    """AES-256-GCM: the nonce and what it seals."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return nonce + AESGCM(key).encrypt(nonce, plain, described)


def unseal(key: bytes, sealed: bytes, described: bytes) -> bytes | None:
    """What was sealed; none where the key is another or something was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(sealed) < NONCE + 16:
        return None
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], described)
    except InvalidTag:
        return None


def read(path: Path) -> KeyFile | KeyFile1 | None:
    """The key file; none where it is no such file. Raises ``FileNotFoundError``."""
    content = path.read_bytes()
    try:
        first = msgspec.json.decode(content, type=dict[str, object]).get("format")
        kept = msgspec.json.decode(content, type=KeyFile1 if first == 1 else KeyFile)
    except (msgspec.MsgspecError, ValueError):
        return None
    return kept if kept.is_sound else None


def write(path: Path, kept: KeyFile) -> None:
    """The whole file or none: written beside it, on the disk, then renamed."""
    beside = path.with_suffix(".key.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the folder's names to the disk, too: without one a file could not be found again."""
    if os.name != "posix":
        return  # Windows keeps its names in a journal and opens no folders.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _combine(vault: str, *secrets: bytes, purpose: bytes) -> bytes:
    return expand(_lengths(*secrets), purpose, KEY, vault.encode())


def _lengths(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
