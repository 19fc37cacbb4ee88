"""How the vault stands, and wrapping its keys anew."""

from __future__ import annotations

import msgspec

from desk.services import keyfile, rotation
from desk.services.context import Context
from desk.services.keyfile import Factor
from desk.services.keyrings import SystemKeyring
from desk.services.lease import Standing


class VaultState(msgspec.Struct, frozen=True, kw_only=True):
    """What ``desk vault status`` tells. Moments are in ms, by this machine's clock.

    ``backend`` is the keyring, or "key file" without one; ``epoch`` is that of the subjects'
    anchored state (none before the first), ``wrapping_epoch`` that of the key which wraps theirs;
    ``aside`` are damaged files that were put aside.
    """

    format: int
    backend: str
    factors: tuple[Factor, ...]
    lease: str
    lease_until: int | None
    subjects: int
    epoch: int | None
    wrapping_epoch: int
    aside: tuple[str, ...]


def report(context: Context, lease: Standing) -> VaultState:
    """How the vault stands."""
    keys = context.store.keys
    with context.store.read() as connection:
        subjects = connection.exec_driver_sql("SELECT count(*) FROM subject").scalar_one()
    anchored = keys.anchor.read()
    ring = keys.box.ring
    backend = ring.name if isinstance(ring, SystemKeyring) else type(ring).__name__
    aside = sorted(context.store.folder.glob("local.db.aside*"))
    return VaultState(
        format=keyfile.FORMAT,
        backend="key file" if ring is None else backend,
        factors=keys.box.factors,
        lease=lease.state,
        lease_until=lease.until,
        subjects=subjects,
        epoch=anchored.epoch if anchored else None,
        wrapping_epoch=keys.wrapping.current()[0],
        aside=tuple(path.name for path in aside),
    )


def renew(context: Context, passphrase: str | None) -> None:
    """A new key in the keyring, another passphrase if one is given, and a new wrapping key."""
    context.store.keys.box.renew(passphrase)
    # A reader that holds the log up leaves the old wrapping key to the next exchange.
    rotation.rotate(context.store)
