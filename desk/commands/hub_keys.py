"""The hub's keys: `hub key rotate`."""

from __future__ import annotations

from argparse import Namespace

from desk.commands import output
from desk.commands.failure import DONE
from desk.commands.hub import problems
from desk.text import _, format_number


def rotate(options: Namespace) -> int:
    """Change the master key. JSON: keys (how many were wrapped anew), key_file (or null)."""
    with problems():
        from desk.hub import administration

        try:
            with administration.opened(options.db) as database:
                count = database.keys.rotate(_show)
                key_file = database.keys.key_file
        finally:
            output.end_progress()
    if options.json:
        output.put_json({"keys": count, "key_file": str(key_file) if key_file else None})
    elif key_file:
        output.put(
            _(
                "The new master key is in {file}. Keep a copy of it; the old one opens nothing."
            ).format(file=output.shown(str(key_file)))
        )
    else:
        output.put(
            _("Everything is under the new key. Put it into DESK_HUB_KEY and take NEXT away.")
        )
    return DONE


def _show(done: int, total: int) -> None:
    output.progress(
        _("{done} of {total} keys").format(done=format_number(done), total=format_number(total))
    )
