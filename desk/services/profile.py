"""A desk's folder, owned by one process at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desk.services.errors import AlreadyOpen, UnusableProfile

if TYPE_CHECKING:
    from filelock import BaseFileLock

#: The environment variable that names the folder where no profile is given.
HOME_VARIABLE = "DESK_HOME"
#: Marks a demo's profile, whose passphrase everybody knows: nothing in it is real.
DEMO_MARK = "local.demo"
#: Says that a wipe has begun, and what the hub is told at its end (see ``wipe``).
WIPE_MARK = "local.wiped"


def default_folder() -> Path:
    """``DESK_HOME``, or the folder where the system keeps a user's data."""
    named = os.environ.get(HOME_VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("desk", appauthor=False, roaming=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """The folder with the desk's files; whoever has it, has it alone until ``release``."""

    folder: Path
    _lock: BaseFileLock

    @classmethod
    def own(cls, folder: str | Path | None = None) -> Profile:
        """Make the folder where it is missing and own it.

        Raises ``AlreadyOpen`` where another process does, ``UnusableProfile`` where it cannot be
        made or written.
        """
        from filelock import FileLock, Timeout

        chosen = (Path(folder) if folder is not None else default_folder()).expanduser().absolute()
        try:
            chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Whoever opens it in one thread may give it free in another.
            lock = FileLock(chosen / "local.lock", timeout=0, thread_local=False)
            lock.acquire()
        except Timeout:
            raise AlreadyOpen(profile=str(chosen)) from None
        except OSError:
            raise UnusableProfile(profile=str(chosen)) from None
        return cls(chosen, lock)

    @property
    def database(self) -> Path:
        """The encrypted copy."""
        return self.folder / "local.db"

    @property
    def fresh_database(self) -> Path:
        """A copy that was made anew and is whole, but not in its place yet."""
        return self.folder / "local.db.fresh"

    @property
    def key_file(self) -> Path:
        """The copy's wrapped key."""
        return self.folder / "local.key"

    @property
    def is_being_wiped(self) -> bool:
        """Whether everything here is to go."""
        return (self.folder / WIPE_MARK).exists()

    @property
    def is_demo(self) -> bool:
        """Whether it is a demo's."""
        return (self.folder / DEMO_MARK).is_file()

    def release(self) -> None:
        """Give the folder free for another process."""
        self._lock.release()
