"""Codes that people type: no letter looks like a digit, and case and dashes do not matter."""

from __future__ import annotations

from collections.abc import Callable

#: Crockford's base 32: five bits a character.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011", "- \t")
_GROUP = 4


def make(groups: int, random_bytes: Callable[[int], bytes]) -> str:
    """A new code of so many groups of four characters, 20 bits each."""
    drawn = "".join(_ALPHABET[byte % 32] for byte in random_bytes(groups * _GROUP))
    return "-".join(drawn[at : at + _GROUP] for at in range(0, len(drawn), _GROUP))


def normal(typed: str) -> str:
    """The code as it is compared, however it was typed."""
    return typed.upper().translate(_MISREAD)
