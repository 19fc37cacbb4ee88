"""Passwords as Argon2id hashes; an unknown user costs the same work as a known one."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

SHORTEST = 10
LONGEST = 1024
#: A part of a name that is shorter may stand in a password by chance.
_SHORTEST_NAME = 4

#: A check takes 64 MiB and a core for a while: more at once only slow each other down.
_AT_ONCE = BoundedSemaphore(2)
_CHEAP = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
_HASHER = PasswordHasher()


def hash_password(password: str, *, cheap: bool = False) -> str:
    """The hash to keep. ``cheap`` is for demo accounts, whose password everybody knows."""
    with _AT_ONCE:
        return (_CHEAP if cheap else _HASHER).hash(password)


def matches(hashed: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; with no hash the same work, and False."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(hashed or _nobody(), password) and hashed is not None
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False


def weakness(password: str, *names: str) -> str:
    """Why a new password is not taken: "short", "long", "name", "common"; "" where it is.

    ``names`` are what its owner is called.
    """
    if len(password) > LONGEST:
        return "long"
    if len(password) < SHORTEST:
        return "short"
    folded = _folded(password)
    parts = {part for name in names for part in [name, *name.split()]}
    if any(len(part) >= _SHORTEST_NAME and _folded(part) in folded for part in parts):
        return "name"
    return "common" if folded in _common() or len(set(folded)) == 1 else ""


def prepare() -> None:
    """Do beforehand what the first unknown user would otherwise wait for, and be known by."""
    _nobody()


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")


@cache
def _common() -> frozenset[str]:
    listed = files("desk.hub").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(_folded(line) for line in listed.splitlines())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
