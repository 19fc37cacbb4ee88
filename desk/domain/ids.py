"""UUIDv7 identifiers: ordered by time, so that they stay cheap in an encrypted index.

Source: RFC 9562, section 5.7.
"""

import hashlib
import uuid
from collections.abc import Callable

_TIME_BITS = 48
_RANDOM_BITS = 80
_RANDOM_MASK = (1 << _RANDOM_BITS) - 1
_VERSION_7 = 0x7 << 76
_VERSION_CLEAR = ~(0xF << 76)
_VARIANT = 0b10 << 62
_VARIANT_CLEAR = ~(0b11 << 62)


def make_id(now: int, random_bytes: Callable[[int], bytes]) -> str:
    """A new id for the moment ``now`` (ms); ``random_bytes(n)`` gives n bytes of randomness."""
    return _compose(now, int.from_bytes(random_bytes(10), "big"))


def derive_id(origin: str, number: int) -> str:
    """The id of the ``number``-th row that the operation ``origin`` creates.

    The desk and the hub derive the same one, so an optimistic row needs no renaming.
    """
    digest = hashlib.sha256(f"{origin}:{number}".encode()).digest()
    return _compose(id_time(origin), int.from_bytes(digest[:10], "big"))


def id_time(identifier: str) -> int:
    """The moment (ms) an id was made."""
    return uuid.UUID(identifier).int >> _RANDOM_BITS


def is_id(text: str) -> bool:
    """Whether ``text`` is an id in its canonical form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _compose(now: int, random: int) -> str:
    value = ((now & ((1 << _TIME_BITS) - 1)) << _RANDOM_BITS) | (random & _RANDOM_MASK)
    value = (value & _VERSION_CLEAR) | _VERSION_7
    value = (value & _VARIANT_CLEAR) | _VARIANT
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
