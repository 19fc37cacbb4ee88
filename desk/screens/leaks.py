"""Ways in which Textual would carry what is on the screen out of the application."""

from __future__ import annotations

import logging
import os
import sys
import threading

from textual import constants


def close() -> None:
    """Nothing is written or sent but by the application itself.

    Textual's log, screenshots and key scripts are begun by the environment: not here. What fails
    in a thread or in a task that nobody waits for would print the error's text, which may hold
    personal data.
    """
    for name in ("TEXTUAL", "TEXTUAL_LOG", "TEXTUAL_DEBUG"):
        os.environ.pop(name, None)
    for name, value in (
        ("LOG_FILE", None),
        ("DEBUG", False),
        ("PRESS", ""),
        ("SCREENSHOT_DELAY", -1),
    ):
        setattr(constants, name, value)
    threading.excepthook = _say_nothing
    sys.unraisablehook = _say_nothing
    # Without a handler the standard library prints what libraries log.
    logging.getLogger().addHandler(logging.NullHandler())


def _say_nothing(_failed: object) -> None:
    """The error's text stays unsaid."""
