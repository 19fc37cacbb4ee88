"""How a command ends that cannot do what it was asked for."""

from __future__ import annotations

DONE = 0
USAGE = 2
REFUSED = 3
LOCKED = 4
UNREACHABLE = 5
INTERRUPTED = 130


class Failure(Exception):
    """One line for the person, already in his language, and the exit code."""

    def __init__(self, exit_code: int, line: str) -> None:
        super().__init__(line)
        self.exit_code = exit_code
        self.line = line
