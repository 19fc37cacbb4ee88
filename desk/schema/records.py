"""The record format: how one sealed value lies in a row, on a desk and on the hub.

=========  ======  ==================================================================
bytes      what    meaning
=========  ======  ==================================================================
1          1       version of the format
1          1       algorithm: AES-256-GCM, a tag of 16 bytes
16         key id  which key seals it; what it names is the caller's to say
12         nonce   random, never used twice under one key
the rest   sealed  the padded value, with the tag
=========  ======  ==================================================================

The value is padded to a multiple of 64 bytes: one byte 0x80, then zeros. What a record belongs to
is authenticated with it (``Place``): in any other place it does not open.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: Sizes, bytes.
KEY = 32
KEY_ID = 16
NONCE = 12

_HEAD = b"\x01\x01"
_BODY = len(_HEAD) + KEY_ID + NONCE
#: Where in a record its key's id is.
NAMED = slice(len(_HEAD), len(_HEAD) + KEY_ID)
_PAD = 64
_TAG = 16

Kind: TypeAlias = Literal["overview", "detail", "key", "fields", "title", "comment"]


class Broken(Exception):
    """A record that was changed, cut, put elsewhere, or sealed by another key; it says no more."""

    def __init__(self) -> None:
        super().__init__("a sealed record does not open")


class Cipher(Protocol):
    """``AESGCM`` under a key that is known."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Seal."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Open. Raises ``InvalidTag``."""
        ...


def cipher(key: bytes) -> Cipher:
    """What seals and opens under a key of 32 bytes; making it costs as much as sealing."""
    if len(key) != KEY:
        raise ValueError("a key has 32 bytes")
    return AESGCM(key)


def prefixed(part: str) -> bytes:
    """A part of what is authenticated, with its length before it: no two lists look the same."""
    raw = part.encode()
    return len(raw).to_bytes(4, "big") + raw


class Place:
    """Where records of one table belong: the vault (or hub), the table, and its schema version.

    ``of`` completes it by row, subject, kind and the row's version.
    """

    def __init__(self, vault: str, table: str, schema: int) -> None:
        self._kinds: dict[str, bytes] = {}
        self._start = prefixed(vault) + prefixed(table) + schema.to_bytes(4, "big")

    def of(self, row: str, subject: str, kind: Kind, version: int) -> bytes:
        """What is authenticated with a record."""
        return self.described(prefixed(row) + prefixed(subject), kind, version)

    def described(self, row: bytes, kind: Kind, version: int) -> bytes:
        """The same, where row and subject are ``prefixed`` already."""
        return self.start(kind) + version.to_bytes(8, "big") + row

    def start(self, kind: Kind) -> bytes:
        """What ``described`` begins with, for whoever opens many."""
        start = self._kinds.get(kind)
        if start is None:
            start = self._kinds[kind] = self._start + prefixed(kind)
        return start


def seal(cipher: Cipher, key_id: bytes, nonce: bytes, value: bytes, place: bytes) -> bytes:
    """Seal a value; ``place`` is what ``Place`` says."""
    if len(key_id) != KEY_ID or len(nonce) != NONCE:
        raise ValueError("a key's id has 16 bytes and a nonce 12")
    head = _HEAD + key_id + nonce
    padded = value + b"\x80" + b"\0" * (-(len(value) + 1) % _PAD)
    return head + cipher.encrypt(nonce, padded, head + place)


def key_id(record: bytes) -> bytes:
    """Which key a record names. Raises ``Broken``."""
    if len(record) < _BODY + _PAD + _TAG or not record.startswith(_HEAD):
        raise Broken
    return record[NAMED]


def unseal(cipher: Cipher, record: bytes, place: bytes) -> bytes:
    """The value of a record. Raises ``Broken``."""
    if len(record) < _BODY + _PAD + _TAG or record[:2] != _HEAD:
        raise Broken
    head = record[:_BODY]
    try:
        padded = cipher.decrypt(head[_BODY - NONCE :], record[_BODY:], head + place)
    except InvalidTag:
        raise Broken from None
    marked = padded.rstrip(b"\0")
    if len(padded) % _PAD or marked[-1:] != b"\x80":
        raise Broken
    return marked[:-1]
