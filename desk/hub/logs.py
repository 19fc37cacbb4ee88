"""The hub's log: one JSON object a line, ids only; never a value that a person gave."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog

from desk.hub.errors import where

#: Libraries that would write the text of an error, and with it what was being worked on.
_TALKATIVE = ("uvicorn", "asyncio", "litestar")

_log = structlog.get_logger("desk.hub.server")


def to_stream(stream: TextIO | None = None) -> None:
    """Write the log of this process to ``stream``, or to the standard error stream."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.handlers = [_Terse(logging.WARNING)]
        logger.propagate = False


class _Terse(logging.Handler):
    """Takes over what libraries log: the message's template, or an error's type and place."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        _log.warning(
            "library",
            library=record.name,
            message=where(error) if error else str(record.msg).split("\n", 1)[0],
        )
