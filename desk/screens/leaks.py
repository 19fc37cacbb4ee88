"""Ways in which Textual would carry what is on the screen out of the application."""

from __future__ import annotations

import os

from textual import constants


def close() -> None:
    """Textual's log, screenshots and key scripts are begun by the environment: not here."""
    for name in ("TEXTUAL", "TEXTUAL_LOG", "TEXTUAL_DEBUG"):
        os.environ.pop(name, None)
    for name, value in (
        ("LOG_FILE", None),
        ("DEBUG", False),
        ("PRESS", ""),
        ("SCREENSHOT_DELAY", -1),
    ):
        setattr(constants, name, value)
