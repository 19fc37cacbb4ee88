"""Passwords as Argon2id hashes; an unknown user costs the same work as a known one."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

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


def prepare() -> None:
    """Do beforehand what the first unknown user would otherwise wait for, and be known by."""
    _nobody()


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")
