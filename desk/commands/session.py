"""Opening the desk of the chosen profile for one command."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from desk.commands import asking
from desk.services.profile import DEMO_MARK, default_folder

if TYPE_CHECKING:
    from desk.services.desk import Desk

#: The passphrase of a demo's profile, which everybody knows.
DEMO_SECRET = "demo"  # noqa: S105 - the demo's accounts work on loopback only


def profile_of(options: Namespace) -> Path:
    """The folder that `--profile`, `DESK_HOME` or the system's custom names."""
    return Path(options.profile) if options.profile else default_folder()


def open_desk(options: Namespace, *, new: bool = False) -> Desk:
    """The desk of the profile, unlocked; close it after use.

    Only ``new`` makes one where there is none. Raises `DeskError` (`NotSignedIn` where the profile
    is empty) and `Failure` where a passphrase is needed and cannot be asked for.
    """
    from desk.services.desk import Desk
    from desk.services.errors import Locked, NotSignedIn, PassphraseNeeded

    folder = profile_of(options)
    if not new and not (folder / "local.key").exists() and not (folder / "local.db").exists():
        raise NotSignedIn
    passphrase = known_passphrase(folder)
    try:
        return Desk.open(folder, passphrase)
    except Locked:
        return Desk.open(folder, asking.ask_passphrase())
    except PassphraseNeeded:
        return Desk.open(folder, asking.ask_new_passphrase())


def known_passphrase(folder: Path) -> str | None:
    """The passphrase where none need be asked for: named by the environment, or a demo's."""
    if (folder / DEMO_MARK).is_file():
        return DEMO_SECRET
    return asking.passphrase_of_environment()
