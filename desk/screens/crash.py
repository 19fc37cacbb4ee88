"""What is left of an error of the program itself: where it happened, and nothing of whom."""

from __future__ import annotations

import secrets
import traceback
from pathlib import Path

from desk.text import _

_NAME = "crash-{reference}.txt"
_KEPT_FRAMES = 60


def record(error: BaseException, profile: Path) -> str:
    """Write where `error` happened beside the profile; the answer is its reference.

    Neither the values of variables nor the error's own text are written: both may hold personal
    data or keys.
    """
    reference = secrets.token_hex(3).upper()
    try:
        path = profile / _NAME.format(reference=reference)
        path.write_text(_places(error), encoding="utf-8")
    except OSError:
        return reference
    return reference


def _places(error: BaseException) -> str:
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__}")
        frames = traceback.extract_tb(seen.__traceback__)[-_KEPT_FRAMES:]
        lines.extend(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        seen = seen.__cause__ or seen.__context__
    return "\n".join(lines) + "\n"


def sentence(reference: str) -> str:
    """The one line a person reads."""
    return _(
        "Desk has stopped because of an error of its own; what you had done and typed is kept. "
        "Start it again, and tell the administrator the number {reference}."
    ).format(reference=reference)
