"""Keys and stores of vaults without a desk around them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from desk.domain.model import Subject
from desk.services.store import Store
from desk.services.vault import Keys
from desk.services.wrapping import Anchored, KeptAnchor, KeptKeys

NAME, PHONE, EMAIL = "Канарейкина Анна", "+79265550101", "Anna.K@example.com"


def key(name: str) -> bytes:
    """A key that follows from its name."""
    return sha256(name.encode()).digest()


def keys_of(vault: str = "v" * 32, wrapping: Mapping[int, bytes] | None = None) -> Keys:
    """The keys of a vault whose wrapping keys and anchor are in memory."""

    def keep(_: object) -> None:
        pass

    anchor = KeptAnchor(None, cast("Callable[[Anchored], None]", keep))
    return Keys(
        vault_id=vault,
        file_key=key("file"),
        file_salt=key("salt")[:16],
        index_key=key("index"),
        state_key=key("state"),
        journal_key=key("journal"),
        wrapping=KeptKeys(wrapping or {1: key("wrapping")}, keep, os.urandom),
        anchor=anchor,
        box=cast("Any", None),
    )


def opened(
    path: Path, keys: Keys | None = None, random: Callable[[int], bytes] = os.urandom
) -> Store:
    """An open file whose overviews hold names."""
    store = Store.open(path, keys or keys_of(), random)
    store.sealer.overview = frozenset(("name",))
    return store


def a_person(number: int = 1, version: int = 1, **fields: Any) -> Subject:
    """Somebody with a name, a phone and an address."""
    given = fields or {"name": NAME, "phone": PHONE, "email": EMAIL}
    return Subject(
        id=f"019f0000-0000-7000-8000-{number:012d}",
        version=version,
        fields=given,
        field_versions=dict.fromkeys(given, version),
    )
