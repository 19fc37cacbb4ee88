"""A locked desk's memory holds nothing of what was open: read from outside, byte by byte."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desk.services import keyfile, lockdown, vault
from desk.services.profile import Profile
from tests.screens.desks import PASSPHRASE
from tests.screens.test_hangup import window

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads the memory as Linux shows it"
)
#: A name on the board; a marker that no message of the application has.
CANARY = "Дроздов"


def memory(process: int) -> Iterator[bytes]:
    """Every part of a process's memory that it can read and write itself."""
    maps = Path(f"/proc/{process}/maps").read_text()
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as file:
        for line in maps.splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found is None or "[vvar" in line:
                continue
            start, end = (int(bound, 16) for bound in found.groups())
            file.seek(start)
            yield file.read(end - start)


def holds(process: int, needles: list[bytes]) -> set[bytes]:
    return {needle for part in memory(process) for needle in needles if needle in part}


def spellings(text: str) -> list[bytes]:
    """The text as a program keeps it."""
    return [text.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]


def test_after_the_lock_no_name_no_key_and_no_passphrase_is_left(
    profile: Callable[..., Path],
) -> None:
    folder = profile()
    owned = Profile.own(folder)
    keys = vault.unlock(owned, PASSPHRASE, random=bytes)
    kept = keyfile.read(owned.key_file)
    owned.release()
    assert kept is not None
    secrets = [keys.file_key, keys.index_key, kept.stretch.of(PASSPHRASE)]
    hexed = [keys.file_key.hex().encode()]
    needles = [*spellings(CANARY), *secrets, *hexed, *spellings(PASSPHRASE)]
    with window(folder) as shown:
        shown.until_shown(CANARY)
        process = shown.process.pid
        try:
            before = holds(process, needles)
        except PermissionError:
            pytest.skip("only the superuser may look into a hardened process")
        assert before & set(spellings(CANARY))
        assert before & set(secrets)
        lockdown.ask(folder)
        shown.until_shown("Desk is locked")
        assert holds(process, needles) == set()
