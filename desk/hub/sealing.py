"""Sealing personal data in the hub's rows: a key for each subject, a record for each row.

A record says by which key it is sealed and is bound to its place: put into another row, or beside
another version of its own, it does not open. Where the key was destroyed nothing opens it again.

=========  =====  =========================================================
part       bytes
=========  =====  =========================================================
version    1      1
algorithm  1      1: AES-256-GCM
key        16     the subject's id, or the item's where it speaks of none
nonce      12     random
sealed     n+16   with the tag; bound to hub, table, kind, row and version
=========  =====  =========================================================
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desk.domain.playbook import Playbook
from desk.hub.keystore import KeyStore

_HEAD = bytes((1, 1))
_KEY_AT = len(_HEAD)
_NONCE_AT = _KEY_AT + 16
_SEALED_AT = _NONCE_AT + 12


class SealBroken(Exception):
    """A record is not what was written in its place, or of a form that is not known."""


class Ring:
    """The keys of some rows, for as long as one request works with them."""

    def __init__(self, keys: KeyStore) -> None:
        """``keys`` is the store they are in."""
        self._keys = keys
        self._ciphers: dict[bytes, AESGCM | None] = {}
        self._places: dict[tuple[str, str], bytes] = {}

    def fetch(self, records: Iterable[bytes | None]) -> None:
        """Get the keys that the records need, all at once."""
        names = {record[_KEY_AT:_NONCE_AT] for record in records if record}
        new = names - self._ciphers.keys()
        if new:
            found = self._keys.get(new)
            self._ciphers.update(dict.fromkeys(new))
            self._ciphers.update((name, AESGCM(key)) for name, key in found.items())

    def ensure(self, names: Iterable[bytes]) -> None:
        """Get the keys of those names, made where there are none. Raises `KeyDestroyed`."""
        new = {name for name in names if self._ciphers.get(name) is None}
        if new:
            made = self._keys.ensure(new)
            self._ciphers.update((name, AESGCM(key)) for name, key in made.items())

    def seal(
        self, name: bytes, data: bytes, table: str, kind: str, row: str, version: int
    ) -> bytes:
        """A record under the key of that name, which `ensure` has got."""
        cipher = self._ciphers[name]
        assert cipher is not None
        nonce = os.urandom(_SEALED_AT - _NONCE_AT)
        sealed = cipher.encrypt(nonce, data, self._bound(table, kind, row, version))
        return b"".join((_HEAD, name, nonce, sealed))

    def open(self, record: bytes, table: str, kind: str, row: str, version: int) -> bytes | None:
        """What a record holds; none where its key is destroyed. Raises `SealBroken`."""
        if not record.startswith(_HEAD):
            raise SealBroken
        cipher = self._ciphers[record[_KEY_AT:_NONCE_AT]]
        if cipher is None:
            return None
        bound = self._bound(table, kind, row, version)
        try:
            return cipher.decrypt(record[_NONCE_AT:_SEALED_AT], record[_SEALED_AT:], bound)
        except InvalidTag:
            raise SealBroken from None

    def _bound(self, table: str, kind: str, row: str, version: int) -> bytes:
        place = self._places.get((table, kind))
        if place is None:
            place = b"".join(map(_prefixed, ("desk/hub/1", self._keys.hub_id, table, kind)))
            self._places[table, kind] = place
        return place + _prefixed(row) + _prefixed(str(version))


def personal_fields(playbook: Playbook) -> dict[str, frozenset[str]]:
    """The fields of items that are sealed, by kind."""
    return {
        kind.id: frozenset(one.id for one in kind.fields.values() if one.is_personal)
        for kind in playbook.kinds.values()
    }


def _prefixed(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data
