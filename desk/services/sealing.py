"""The keys of this vault's records: the wrapping key of each epoch, and the keys of look-ups.

A subject's overview is sealed under the wrapping key of an epoch, and the subject's own random key
lies in the same record; the detail is sealed under that. So one record opens for a search, and
whoever destroys a wrapping key destroys all that it wraps.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING

from desk.schema import records
from desk.schema.records import Broken, Cipher, Place

if TYPE_CHECKING:
    from desk.services.vault import Keys

Random = Callable[[int], bytes]

#: Bytes of a look-up's digest and of a row's MAC.
DIGEST = 16


def keyed(key: bytes) -> hmac.HMAC:
    """HMAC-SHA256 that has its key, for ``hmac_sha256``."""
    return hmac.new(key, digestmod="sha256")


def hmac_sha256(keyed: hmac.HMAC, message: bytes) -> bytes:
    """The MAC of a message; a copy of what has its key already costs half of a new one."""
    mac = keyed.copy()
    mac.update(message)
    return mac.digest()


class Sealer:
    """Seals and opens what one vault keeps of people; any thread may use it."""

    def __init__(self, keys: Keys, random: Random) -> None:
        self.keys = keys
        self.vault = keys.vault_id
        self.random = random
        self._wrapping = keys.wrapping
        self._index = keyed(keys.index_key)
        self._state_key = keys.state_key
        self._guard = threading.Lock()
        #: By the id that records name them by.
        self._ciphers: dict[bytes, Cipher] = {}
        #: Fields of a subject that belong to his overview, by the playbook in force.
        self.overview: frozenset[str] = frozenset()
        #: Where records of each table belong.
        self.places: dict[str, Place] = {}
        #: A record did not open: something was changed or put elsewhere.
        self.suspects = False

    def current(self) -> tuple[bytes, Cipher]:
        """The id of the newest wrapping key, and the key."""
        epoch, key = self._wrapping.current()
        return self._known(epoch, key)

    @property
    def epoch(self) -> int:
        """The epoch of the newest wrapping key."""
        return self._wrapping.current()[0]

    def of(self, record: bytes) -> Cipher:
        """The wrapping key that a record names. Raises ``Broken`` where it was destroyed."""
        known = self._ciphers.get(record[records.NAMED])
        if known is not None:
            return known
        epoch = int.from_bytes(records.key_id(record), "big")
        key = self._wrapping.get(epoch)
        if key is None:
            raise Broken
        return self._known(epoch, key)[1]

    def forget(self) -> None:
        """Wrapping keys were destroyed: none is remembered."""
        with self._guard:
            self._ciphers.clear()

    def _known(self, epoch: int, key: bytes) -> tuple[bytes, Cipher]:
        key_id = epoch.to_bytes(records.KEY_ID, "big")
        with self._guard:
            known = self._ciphers.get(key_id)
            if known is None:
                known = self._ciphers[key_id] = records.cipher(key)
            return key_id, known

    def digest(self, kind: str, value: str) -> bytes:
        """Under what a phone ("phone") or an address ("email") is looked up."""
        said = kind.encode() + b"\0" + value.encode()
        return hmac_sha256(self._index, said)[:DIGEST]

    def mac(self, row: bytes) -> bytes:
        """A row's share in the MAC of the whole set."""
        return blake2b(row, key=self._state_key, digest_size=DIGEST).digest()
