"""Removing everything a desk holds: by the hub's signed order, or because the person says so.

First a marker, so that whatever ends in between is gone on with at the next start; then the
keyring's entries and the key file, after which nothing can be read any more; then the rest. What
the device says of it to the hub is signed before its key is gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from desk.protocol.leases import Wiped, wiped_statement
from desk.services import keyfile
from desk.services.errors import DeskError
from desk.services.keyrings import Keyring, KeyringProblem, system_keyring
from desk.services.profile import WIPE_MARK
from desk.services.wrapping import names

if TYPE_CHECKING:
    from desk.services.vault import OpenKeyFile

#: Files that hold no data of anybody: they stay.
_KEPT = frozenset({"local.lock", "settings.toml", "keys.toml", "lock.toml", WIPE_MARK})


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A wipe that is under way, and what the hub is told when it is done (if there is a hub)."""

    vault: str
    keyring: bool
    hub: str = ""
    said: Wiped | None = None


def run(
    folder: Path, box: OpenKeyFile, order: str, send: Callable[[str, Wiped], None] | None
) -> bool:
    """Remove everything of an open vault, and say so to its hub; whether all is gone."""
    begin(
        folder,
        vault=box.vault,
        keyring="keyring" in box.factors,
        outer=box.outer,
        order=order,
    )
    done = go_on(folder, lambda: box.ring or system_keyring())
    if done and send is not None:
        tell(folder, send)
    return done


def run_locked(folder: Path) -> bool:
    """Remove everything of a vault that nobody can open; its hub does not hear of it."""
    try:
        kept = keyfile.read(folder / "local.key")
    except FileNotFoundError:
        kept = None
    begin(
        folder,
        vault=kept.vault if kept else "",
        keyring=kept is not None and "keyring" in kept.factors,
        outer=None,
    )
    done = go_on(folder)
    if done:
        (folder / WIPE_MARK).unlink(missing_ok=True)
    return done


def begin(
    folder: Path, *, vault: str, keyring: bool, outer: keyfile.Outer | None, order: str = ""
) -> Begun:
    """Note on the disk that everything here is to go."""
    said = None
    if outer is not None and outer.device_key and outer.hub:
        from desk.services.device_key import Device

        statement = wiped_statement(outer.hub_id, outer.device, order)
        signature = Device(outer.device, outer.device_key).sign(statement)
        said = Wiped(hub=outer.hub_id, device=outer.device, order=order, signature=signature)
    begun = Begun(vault=vault, keyring=keyring, hub=outer.hub if outer else "", said=said)
    _write(folder / WIPE_MARK, msgspec.json.encode(begun))
    return begun


def go_on(folder: Path, ring: Callable[[], Keyring | None] = system_keyring) -> bool:
    """Remove what is left to remove; whether everything is gone.

    A file that another process holds open stays until the next start, and so does a keyring that
    is closed; without its key file neither opens anything.
    """
    begun = _read(folder)
    done = _forget_keys(begun, ring) if begun is not None else True
    for path in sorted(folder.iterdir(), key=_order_of):
        if path.name in _KEPT or path.is_dir():
            continue
        with suppress(FileNotFoundError):
            try:
                path.unlink()
            except OSError:
                done = False
    keyfile.sync_folder(folder)
    return done


def tell(folder: Path, send: Callable[[str, Wiped], None]) -> None:
    """Say to the hub that everything is gone, and forget that, too; tried again next time."""
    begun = _read(folder)
    if begun is not None and begun.said is not None:
        with suppress(DeskError):
            send(begun.hub, begun.said)
            (folder / WIPE_MARK).unlink(missing_ok=True)
    else:
        (folder / WIPE_MARK).unlink(missing_ok=True)


def _forget_keys(begun: Begun, ring: Callable[[], Keyring | None]) -> bool:
    if not begun.keyring:
        return True
    keyring = ring()
    if keyring is None:
        return False
    try:
        for name in names(begun.vault):
            keyring.drop(name)
    except KeyringProblem:
        return False
    return True


def _order_of(path: Path) -> tuple[bool, str]:
    """The key file goes first: nothing opens without it."""
    return not path.name.startswith("local.key"), path.name


def _read(folder: Path) -> Begun | None:
    try:
        return msgspec.json.decode((folder / WIPE_MARK).read_bytes(), type=Begun)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None


def _write(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    keyfile.sync_folder(path.parent)
