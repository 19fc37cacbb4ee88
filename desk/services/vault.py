"""Opening a desk's vault: its key file, the factors that open it, and the keys that come of it.

A vault is opened by any of the keyring's key, a passphrase and the hub's lease share, and never by
nothing. ``Keys`` is what comes of it: keys derived from the vault key VK, the wrapping keys, the
anchor, and the open key file. Because the file's salt is derived, too, a file that another vault
made is told from a damaged one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from desk.services import keyfile
from desk.services.ahead import Ahead
from desk.services.errors import (
    DamagedKeyFile,
    DeskError,
    ForeignFile,
    KeyLost,
    Locked,
    MissingKeyFile,
    OtherKeyring,
    PassphraseNeeded,
    WrongPassphrase,
)
from desk.services.keyfile import Factor, Factors, Inner, KeyFile, KeyFile1, Outer, Stretch
from desk.services.keyrings import Keyring, KeyringProblem, system_keyring
from desk.services.profile import Profile
from desk.services.wrapping import (
    Anchor,
    Anchored,
    KeptAnchor,
    KeptKeys,
    RingStore,
    WrappingKeys,
    names,
)

#: What deriving a key from a passphrase costs: KiB of memory, passes, lanes.
COST = (64 * 1024, 3, 4)

SQLITE_HEADER = b"SQLite format 3\0"

Random = Callable[[int], bytes]
#: Gives the lease share of a vault that does not keep it, or refuses to let anybody in.
Admit = Callable[["OpenKeyFile"], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What opens the file and what is in it."""

    vault_id: str
    file_key: bytes = field(repr=False)
    file_salt: bytes = field(repr=False)
    index_key: bytes = field(repr=False)
    state_key: bytes = field(repr=False)
    journal_key: bytes = field(repr=False)
    wrapping: WrappingKeys = field(repr=False)
    anchor: Anchor = field(repr=False)
    box: OpenKeyFile = field(repr=False)


class OpenKeyFile:
    """The key file of an open vault: its boxes may be read, and written anew."""

    def __init__(
        self, profile: Profile, kept: KeyFile, factors: Factors, outer: Outer, random: Random
    ) -> None:
        self._path = profile.key_file
        self._kept = kept
        self._factors = factors
        self._random = random
        self._guard = threading.RLock()
        self._vault_key = b""
        self._inner = Inner()
        self.outer = outer
        #: Where the device's key and the wrapping keys are kept, if not here.
        self.ring: Keyring | None = None

    @property
    def vault(self) -> str:
        """The vault's id."""
        return self._kept.vault

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What opens this vault."""
        return self._kept.factors

    @property
    def inner(self) -> Inner:
        """What would be in the keyring if it were a factor."""
        return self._inner

    def keep(self, **changes: Any) -> None:
        """Change fields of the outer box; on the disk when this returns."""
        with self._guard:
            outer = msgspec.structs.replace(self.outer, **changes)
            if outer != self.outer:
                self._write(outer=outer)

    def keep_inner(self, **changes: Any) -> None:
        """Change fields of the inner box; on the disk when this returns."""
        with self._guard:
            self._write(inner=msgspec.structs.replace(self._inner, **changes))

    def bind(self, share: bytes, *, keep: bool) -> None:
        """Make the lease share a factor; ``keep`` it here where the role may start offline."""
        with self._guard:
            kept_share = share if keep else b""
            if self._factors.share == share and self.outer.share == kept_share:
                return
            factors: tuple[Factor, ...] = (
                *(one for one in self.factors if one != "lease"),
                "lease",
            )
            self._factors = msgspec.structs.replace(self._factors, share=share)
            self._kept = msgspec.structs.replace(self._kept, factors=factors)
            self._write(outer=msgspec.structs.replace(self.outer, share=kept_share))

    def renew(self, passphrase: str | None = None) -> None:
        """Wrap the vault key anew: by a new key in the keyring, and by ``passphrase`` if one is
        given and the vault has one. Raises ``KeyLost`` where the keyring does not keep it.

        The keyring's new key lies beside the old one until the key file needs it, so a crash
        leaves a vault that opens.
        """
        with self._guard:
            kept, factors = self._kept, self._factors
            if passphrase and "passphrase" in kept.factors:
                stretch = msgspec.structs.replace(kept.stretch, salt=self._random(keyfile.SALT))
                kept = msgspec.structs.replace(kept, stretch=stretch)
                factors = msgspec.structs.replace(factors, passphrase=stretch.of(passphrase))
            before = names(self.vault)[kept.slot]
            if self.ring is not None:
                kept = msgspec.structs.replace(kept, slot=1 - kept.slot)
                factors = msgspec.structs.replace(factors, device=self._random(keyfile.KEY))
                try:
                    self.ring.put(names(self.vault)[kept.slot], factors.device)
                except KeyringProblem:
                    raise KeyLost(file=str(self._path.with_name("local.db"))) from None
                check = keyfile.check_of(self.vault, factors.device)
                kept = msgspec.structs.replace(kept, check=check)
            was = self._kept, self._factors
            self._kept, self._factors = kept, factors
            try:
                self._write()
            except BaseException:
                self._kept, self._factors = was
                raise
            if self.ring is not None:
                # One that stays opens nothing any more; the next renewal writes over it.
                with suppress(KeyringProblem):
                    self.ring.drop(before)

    def close(self) -> None:
        """Forget every key."""
        self._factors = Factors()
        self._vault_key = b""
        self._inner = Inner()

    def open(self, share: bytes) -> bytes | None:
        """The vault key by all factors; none where they do not fit."""
        with self._guard:
            self._factors = msgspec.structs.replace(self._factors, share=share)
            kept, vault = self._kept, self.vault
            key = keyfile.wrapping_key(vault, self._factors)
            vault_key = keyfile.unseal(key, kept.wrapped, kept.described("key"))
            if vault_key is None:
                return None
            key = keyfile.inner_key(vault, self._factors)
            inner = keyfile.unseal(key, kept.inner, kept.described("inner"))
            if inner is None:
                return None
            self._inner = msgspec.json.decode(inner, type=Inner)
            self._vault_key = vault_key
            return vault_key

    def make(self, vault_key: bytes, inner: Inner) -> None:
        """Write the first key file of a vault."""
        with self._guard:
            self._vault_key = vault_key
            self._write(inner=inner)

    def _write(self, outer: Outer | None = None, inner: Inner | None = None) -> None:
        """All boxes anew: each is authenticated with what the file says of itself.

        Before the vault is open, the outer box alone.
        """
        new_outer, new_inner = outer or self.outer, inner or self._inner
        kept, vault, factors = self._kept, self.vault, self._factors
        boxes = {
            "outer": self._seal(
                keyfile.outer_key(vault, factors),
                msgspec.json.encode(new_outer),
                kept.described("outer"),
            )
        }
        if self._vault_key:
            boxes["wrapped"] = self._seal(
                keyfile.wrapping_key(vault, factors), self._vault_key, kept.described("key")
            )
            boxes["inner"] = self._seal(
                keyfile.inner_key(vault, factors),
                msgspec.json.encode(new_inner),
                kept.described("inner"),
            )
        kept = msgspec.structs.replace(kept, **boxes)
        keyfile.write(self._path, kept)
        self._kept, self.outer, self._inner = kept, new_outer, new_inner

    def _seal(self, key: bytes, plain: bytes, described: bytes) -> bytes:
        return keyfile.seal(key, self._random(keyfile.NONCE), plain, described)


def _slot(kept: KeyFile | KeyFile1) -> int:
    return kept.slot if isinstance(kept, KeyFile) else 0


def begin(profile: Profile, passphrase: str | None) -> Ahead[bytes] | None:
    """Begin to stretch the passphrase in the background, while other things are loaded."""
    if not passphrase or not profile.key_file.exists():
        return None
    kept = keyfile.read(profile.key_file)
    if kept is None or "passphrase" not in kept.factors:
        return None
    stretch = kept.stretch
    return Ahead(lambda: stretch.of(passphrase))


def unlock(
    profile: Profile,
    passphrase: str | None,
    *,
    random: Random,
    keyring: Callable[[], Keyring | None] = system_keyring,
    stretched: Ahead[bytes] | None = None,
    admit: Admit | None = None,
) -> Keys:
    """The keys of the profile's vault; where there is no vault yet, those of a new one.

    ``stretched`` is what ``begin`` gave for this passphrase; ``admit`` is asked once the outer box
    is open. Raises what ``Desk.open`` says of keys; where it raises, no key was made and nothing
    that is kept was changed.
    """
    if profile.key_file.exists():
        return _Opening(profile, passphrase, random, keyring, stretched).open(admit)
    _refuse_orphan(profile)
    return _make(profile, passphrase, random, keyring)


class _Opening:
    """One attempt to open a vault that is there."""

    def __init__(
        self,
        profile: Profile,
        passphrase: str | None,
        random: Random,
        keyring: Callable[[], Keyring | None],
        stretched: Ahead[bytes] | None,
    ) -> None:
        self._profile = profile
        self._passphrase = passphrase
        self._random = random
        self._keyring = keyring
        self._stretched = stretched
        self._lost = KeyLost(file=str(profile.database))
        self._damaged = DamagedKeyFile(key_file=str(profile.key_file), file=str(profile.database))

    def open(self, admit: Admit | None) -> Keys:
        kept = keyfile.read(self._profile.key_file)
        if kept is None:
            raise self._damaged
        if "passphrase" in kept.factors and not self._passphrase:
            raise Locked
        ring = self._ring(kept)
        factors = self._factors(kept, ring)
        if isinstance(kept, KeyFile1):
            return self._upgrade(kept, factors, ring)
        # What does not fit was a wrong passphrase, unless there is none.
        wrong = WrongPassphrase() if "passphrase" in kept.factors else self._damaged
        key = keyfile.outer_key(kept.vault, factors)
        opened = keyfile.unseal(key, kept.outer, kept.described("outer"))
        if opened is None:
            raise wrong
        outer = msgspec.json.decode(opened, type=Outer)
        box = OpenKeyFile(self._profile, kept, factors, outer, self._random)
        share = admit(box) if admit is not None else b""
        vault_key = box.open((share or box.outer.share) if "lease" in kept.factors else b"")
        if vault_key is None:
            raise self._damaged
        return _keys(self._profile, box, vault_key, ring, self._random)

    def _ring(self, kept: KeyFile | KeyFile1) -> Keyring | None:
        if "keyring" not in kept.factors:
            return None
        ring = self._keyring()
        if ring is None:
            raise self._lost
        return ring

    def _factors(self, kept: KeyFile | KeyFile1, ring: Keyring | None) -> Factors:
        device_key = b""
        if ring is not None:
            try:
                device_key = ring.get(names(kept.vault)[_slot(kept)]) or b""
            except KeyringProblem:
                raise self._lost from None
            if not device_key:
                raise self._lost
            if isinstance(kept, KeyFile) and not keyfile.is_of(kept.check, kept.vault, device_key):
                raise OtherKeyring(file=str(self._profile.database))
        stretched = b""
        if "passphrase" in kept.factors and self._passphrase:
            stretched = (
                self._stretched.result() if self._stretched else kept.stretch.of(self._passphrase)
            )
        return Factors(device=device_key, passphrase=stretched)

    def _upgrade(self, old: KeyFile1, factors: Factors, ring: Keyring | None) -> Keys:
        """A key file of format 1 becomes one of format 2 with the same factor and vault key."""
        vault_key = old.vault_key(factors.device or factors.passphrase)
        if vault_key is None:
            raise WrongPassphrase if old.source == "passphrase" else self._damaged
        stretch = old.stretch if old.source == "passphrase" else Stretch()
        return _write_first(
            self._profile, old.vault, stretch, factors, vault_key, ring, self._random
        )


def _make(
    profile: Profile,
    passphrase: str | None,
    random: Random,
    keyring: Callable[[], Keyring | None],
) -> Keys:
    vault, vault_key = random(16).hex(), random(keyfile.KEY)
    # A demo keeps nothing outside its folder: whoever deletes that has deleted all of it.
    ring = None if profile.is_demo else keyring()
    device_key = b""
    if ring is not None:
        device_key = random(keyfile.KEY)
        try:
            ring.put(vault, device_key)
        except KeyringProblem:
            ring, device_key = None, b""
    if ring is None and not passphrase:
        raise PassphraseNeeded
    stretch = Stretch()
    if passphrase:
        memory_kib, passes, lanes = COST
        stretch = Stretch(
            salt=random(keyfile.SALT), memory_kib=memory_kib, passes=passes, lanes=lanes
        )
    factors = Factors(device=device_key, passphrase=stretch.of(passphrase) if passphrase else b"")
    try:
        return _write_first(profile, vault, stretch, factors, vault_key, ring, random)
    except DeskError:
        if not passphrase:
            raise PassphraseNeeded from None
        raise


def _write_first(
    profile: Profile,
    vault: str,
    stretch: Stretch,
    factors: Factors,
    vault_key: bytes,
    ring: Keyring | None,
    random: Random,
) -> Keys:
    """The first key file of format 2, with the first wrapping key; the keyring's part goes first,
    so that a crash leaves no file that lacks it."""
    parts: list[Factor] = []
    if factors.device:
        parts.append("keyring")
    if factors.passphrase:
        parts.append("passphrase")
    kept = KeyFile(
        vault=vault,
        factors=tuple(parts),
        stretch=stretch,
        check=keyfile.check_of(vault, factors.device) if factors.device else b"",
    )
    box = OpenKeyFile(profile, kept, factors, Outer(), random)
    first = {1: random(keyfile.KEY)}
    if ring is not None:
        RingStore(ring, vault, str(profile.database)).keep_keys(first)
    box.make(vault_key, Inner(wrapping={} if ring is not None else first))
    return _keys(profile, box, vault_key, ring, random)


def _keys(
    profile: Profile, box: OpenKeyFile, vault_key: bytes, ring: Keyring | None, random: Random
) -> Keys:
    file = keyfile.expand(vault_key, b"desk/file/1", keyfile.KEY + keyfile.SALT)
    box.ring = ring
    wrapping, anchor = _kept(box, ring, str(profile.database), random)
    return Keys(
        vault_id=box.vault,
        file_key=file[: keyfile.KEY],
        file_salt=file[keyfile.KEY :],
        index_key=keyfile.expand(vault_key, b"desk/index/2", keyfile.KEY),
        state_key=keyfile.expand(vault_key, b"desk/state/2", keyfile.KEY),
        journal_key=keyfile.expand(vault_key, b"desk/journal/2", keyfile.KEY),
        wrapping=wrapping,
        anchor=anchor,
        box=box,
    )


def _kept(
    box: OpenKeyFile, ring: Keyring | None, file: str, random: Random
) -> tuple[KeptKeys, KeptAnchor]:
    """The wrapping keys and the anchor: in the keyring, or in the key file where there is none."""
    if ring is not None:
        store = RingStore(ring, box.vault, file)
        return (
            KeptKeys(store.keys(), store.keep_keys, random),
            KeptAnchor(store.anchor(), store.keep_anchor),
        )

    def keep_keys(keys: Mapping[int, bytes]) -> None:
        box.keep_inner(wrapping=dict(keys))

    def keep_anchor(anchor: Anchored) -> None:
        box.keep_inner(anchor=tuple(anchor))

    inner = box.inner
    return (
        KeptKeys(inner.wrapping, keep_keys, random),
        KeptAnchor(Anchored(*inner.anchor) if inner.anchor else None, keep_anchor),
    )


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
