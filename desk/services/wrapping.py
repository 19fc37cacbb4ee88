"""Where the keys that wrap the subjects' keys are kept, and the anchor of the subjects' state.

Both live in the machine's keyring, apart from the file they protect, or, without a keyring, in the
key file. Whoever puts an old ``local.db`` back does not bring them back with it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from desk.services.errors import KeyLost
from desk.services.keyrings import Keyring, KeyringProblem

_KEY = 32
_EPOCH = struct.Struct(">Q32s")
_ANCHOR = struct.Struct(">QQ")


class Anchored(NamedTuple):
    """What the subjects' state was: its epoch, how many there are, and their keyed set-MAC."""

    epoch: int
    subjects: int
    mac: bytes


class WrappingKeys(Protocol):
    """One wrapping key an epoch; the newest wraps what is written now."""

    def current(self) -> tuple[int, bytes]:
        """The newest epoch and its key."""
        ...

    def get(self, epoch: int) -> bytes | None:
        """The key of an epoch; none where it was destroyed."""
        ...

    def add(self) -> tuple[int, bytes]:
        """Begin a new epoch; it is kept when this returns. Raises ``KeyLost``."""
        ...

    def destroy(self, epoch: int) -> None:
        """Forget an epoch's key for good; never the newest. Raises ``KeyLost``."""
        ...


class Anchor(Protocol):
    """The subjects' state as it was when it was last written."""

    def read(self) -> Anchored | None:
        """The last one; none before the first. Raises ``KeyLost``."""
        ...

    def write(self, epoch: int, count: int, mac: bytes) -> None:
        """Keep another; it is kept when this returns. Raises ``KeyLost``."""
        ...


class KeptKeys:
    """Wrapping keys that ``keep`` writes down whenever they change."""

    def __init__(
        self,
        keys: Mapping[int, bytes],
        keep: Callable[[Mapping[int, bytes]], None],
        random: Callable[[int], bytes],
    ) -> None:
        self._keys = dict(keys)
        self._keep = keep
        self._random = random

    def current(self) -> tuple[int, bytes]:
        """The newest epoch and its key."""
        epoch = max(self._keys)
        return epoch, self._keys[epoch]

    def get(self, epoch: int) -> bytes | None:
        """The key of an epoch; none where it was destroyed."""
        return self._keys.get(epoch)

    def add(self) -> tuple[int, bytes]:
        """Begin a new epoch."""
        epoch = max(self._keys, default=0) + 1
        self._change(self._keys | {epoch: self._random(_KEY)})
        return self.current()

    def destroy(self, epoch: int) -> None:
        """Forget an epoch's key for good."""
        if epoch == max(self._keys):
            raise ValueError("the newest wrapping key is in use")
        self._change({known: key for known, key in self._keys.items() if known != epoch})

    def _change(self, keys: dict[int, bytes]) -> None:
        self._keep(keys)
        self._keys = keys


class KeptAnchor:
    """An anchor that ``keep`` writes down whenever it changes."""

    def __init__(self, anchor: Anchored | None, keep: Callable[[Anchored], None]) -> None:
        self._anchor = anchor
        self._keep = keep

    def read(self) -> Anchored | None:
        """The last one."""
        return self._anchor

    def write(self, epoch: int, count: int, mac: bytes) -> None:
        """Keep another."""
        anchor = Anchored(epoch, count, mac)
        self._keep(anchor)
        self._anchor = anchor


class RingStore:
    """One vault's wrapping keys and anchor in a keyring."""

    def __init__(self, ring: Keyring, vault: str, file: str) -> None:
        self._ring = ring
        self._names = names(vault)
        self._file = file

    def keys(self) -> dict[int, bytes]:
        """The wrapping keys by epoch. Raises ``KeyLost`` where there are none."""
        packed = self._get(self._names.wrapping)
        if not packed or len(packed) % _EPOCH.size:
            raise KeyLost(file=self._file)
        return dict(_EPOCH.iter_unpack(packed))

    def keep_keys(self, keys: Mapping[int, bytes]) -> None:
        """All of them at once: no moment has only half of a rotation."""
        packed = b"".join(_EPOCH.pack(epoch, keys[epoch]) for epoch in sorted(keys))
        self._put(self._names.wrapping, packed)

    def anchor(self) -> Anchored | None:
        """The anchor, if one was written."""
        packed = self._get(self._names.anchor)
        if packed is None:
            return None
        if len(packed) < _ANCHOR.size:
            raise KeyLost(file=self._file)
        epoch, count = _ANCHOR.unpack_from(packed)
        return Anchored(epoch, count, packed[_ANCHOR.size :])

    def keep_anchor(self, anchor: Anchored) -> None:
        """Write the anchor."""
        self._put(self._names.anchor, _ANCHOR.pack(anchor.epoch, anchor.subjects) + anchor.mac)

    def _get(self, name: str) -> bytes | None:
        try:
            return self._ring.get(name)
        except KeyringProblem:
            raise KeyLost(file=self._file) from None

    def _put(self, name: str, value: bytes) -> None:
        try:
            self._ring.put(name, value)
        except KeyringProblem:
            raise KeyLost(file=self._file) from None


class Names(NamedTuple):
    """Under which names a keyring holds what belongs to one vault.

    The device's key has two: a new one is put beside the old one before the key file needs it.
    """

    device_key: str
    other_device_key: str
    wrapping: str
    anchor: str


def names(vault: str) -> Names:
    """The names of a vault's entries in a keyring; format 1 has the first alone."""
    return Names(vault, f"{vault}.other", f"{vault}.wrapping", f"{vault}.anchor")
