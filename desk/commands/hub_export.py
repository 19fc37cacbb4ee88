"""Rows for other systems: `hub export leads`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from desk.commands import output
from desk.commands.failure import DONE
from desk.commands.hub import problems
from desk.text import ngettext


def leads(options: Namespace) -> int:
    """Depersonalised leads as CSV. JSON: rows, file."""
    with problems():
        from desk.hub import administration
        from desk.hub.exporting import export_items
        from desk.hub.setup import milliseconds

        with administration.opened(options.db) as database:
            count = export_items(database, "lead", Path(options.out), milliseconds())
    if options.json:
        output.put_json({"rows": count, "file": options.out})
    else:
        said = ngettext(
            "{n} lead is in {file}, without personal data.",
            "{n} leads are in {file}, without personal data.",
            count,
        )
        output.put(said.format(n=count, file=output.shown(options.out)))
    return DONE
