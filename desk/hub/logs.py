"""The hub's log: one JSON object a line, ids only; never a value that a person gave."""

from __future__ import annotations

import sys
from typing import TextIO

import structlog


def to_stream(stream: TextIO | None = None) -> None:
    """Write the log of this process to ``stream``, or to the standard error stream."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
