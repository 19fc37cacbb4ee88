"""A bootstrap in a process that ends at one statement, as by a power cut.

``python -m tests.services.bootstrap_run PROFILE KILL_AT`` fetches by small pages until statement
number KILL_AT, or to the end for number 0, and then says how many statements that took.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from desk.services import bootstrap
from desk.services.desk import Desk
from tests.services.crash_run import end, say

PAGE = 5


def main(profile: str, kill_at: int) -> None:
    count = 0

    def step(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            end()

    bootstrap._ITEMS = bootstrap._CLEARED = PAGE
    with Desk.open(Path(profile), "correct horse") as desk:
        event.listen(Engine, "before_cursor_execute", step)
        event.listen(Engine, "after_cursor_execute", step)
        event.listen(Engine, "commit", step)
        desk.sync_once()
        say("steps", count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
