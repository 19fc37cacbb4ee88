"""Saving what the hub gave to a file the person names."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from desk.screens.prompt import Prompt
from desk.text import _
from desk.widgets.safe import clean

#: What may stand in a file's name on every system.
_OTHERS = frozenset("-_. ()№")
_LONGEST = 120


class SaveFile(Prompt):
    """Asks for a place, and writes the file there; never over another one."""

    def __init__(self, name: str, content: bytes) -> None:
        self._content = content
        super().__init__(
            _("Save to a file"),
            _("It holds personal data: keep it where only those may read it who need it."),
            send=self._save,
            value=str(folder() / file_name(name)),
            verb=_("Save"),
            label=_("File"),
        )

    async def _save(self, text: str) -> str:
        try:
            path = await asyncio.to_thread(write, text, self._content)
        except FileExistsError:
            return _("There is such a file already. Choose another name.")
        except (OSError, ValueError):
            return _("The file cannot be written there. Choose another folder.")
        self.notify(_("Saved: {file}").format(file=path))
        return ""


def write(place: str, content: bytes) -> Path:
    """Make a file for nobody else on this machine; not through a link that waits there.

    Raises ``FileExistsError``, ``OSError``, ``ValueError``.
    """
    path = Path(place).expanduser()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    return path


def folder() -> Path:
    """Where files are offered to be put: the person's own documents, or his home."""
    home = Path.home()
    for name in ("Documents", "Документы"):
        if (home / name).is_dir():
            return home / name
    return home


def file_name(name: str) -> str:
    """A name that came from the hub, with nothing in it that leads elsewhere."""
    last = clean(name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(one if one.isalnum() or one in _OTHERS else "_" for one in last).lstrip(".")
    return kept[-_LONGEST:] or "desk"
