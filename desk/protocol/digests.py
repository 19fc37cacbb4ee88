"""Digests: whether two sides hold the same rows, without sending the rows.

A row is hashed by what it is and by how it is shown: its kind, id and version, the mask under
which its fields were projected, and a moment that tells two histories of the same version apart
(a backup was restored). Of a set of rows, the count and the XOR of the hashes are compared; the
XOR does not depend on any order. The hash is BLAKE2b of 8 bytes under a key of the asker's
choice, so nothing can be prepared to collide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeAlias

from desk.protocol.messages import Digest

#: How many bytes a key has at least and at most.
KEY_SIZES = range(16, 65)
#: The kinds of rows that are compared; people are few and come whole.
KINDS = ("item", "task", "entry", "subject")
#: Id, version, moment (ms, 0 where the kind has none), mask.
Stamp: TypeAlias = "tuple[str, int, int, str]"

_BYTES = 8


def digest(key: bytes, kind: str, rows: Iterable[Stamp]) -> Digest:
    """The digest of the rows of one kind."""
    count, xor = 0, 0
    start = hashlib.blake2b(kind.encode(), digest_size=_BYTES, key=key)
    for identifier, version, moment, mask in rows:
        one = start.copy()
        one.update(f"\0{identifier}\0{version}\0{moment}\0{mask}".encode())
        count += 1
        xor ^= int.from_bytes(one.digest(), "big")
    return Digest(count, f"{xor:0{2 * _BYTES}x}")
