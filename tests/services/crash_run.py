"""A desk's working day in a process that ends at one statement, as by a power cut.

``python -m tests.services.crash_run PROFILE KILL_AT`` says each thing that was acknowledged on a
line of its own, until statement number KILL_AT; number 0 never comes.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from desk.domain.operations import Comment, Create, EditFields
from desk.services.desk import Desk


def say(what: str, value: object) -> None:
    """Tell who started this process, at once."""
    sys.stdout.write(f"{what} {value}\n")
    sys.stdout.flush()


def main(profile: str, kill_at: int) -> None:
    count = 0

    def step(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            end()

    with Desk.open(Path(profile), "correct horse") as desk:
        event.listen(Engine, "before_cursor_execute", step)
        event.listen(Engine, "after_cursor_execute", step)
        event.listen(Engine, "commit", step)
        for entry in desk.inbox():
            desk.retry(entry.id)
        for row in desk.rows(filter='title = "Общий"'):
            text = f"mine {kill_at}"
            edit = EditFields(item_id=row.item.id, fields={"request": text})
            say("edited", desk.do(edit).operation_id)
        for number in range(2):
            typed = f"typed {kill_at}.{number}"
            desk.save_draft(typed, "form", {"need": typed})
            say("draft", typed)
            made = desk.do(Create(kind="lead", title=typed)).operation_id
            say("made", made)
            said = desk.do(Comment(item_id=made, text=typed)).operation_id
            say("said", said)
            desk.sync_once()
        say("steps", count)


def end() -> None:
    """At once: nothing is closed, nothing is flushed."""
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(9)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
