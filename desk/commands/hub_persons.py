"""A person's data out of the hub's database: `hub pd export`."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from desk.commands import output
from desk.commands.failure import DONE, REFUSED, USAGE, Failure
from desk.commands.hub import problems
from desk.text import _


def export(options: Namespace) -> int:
    """All that is kept of a person, for himself; as JSON on stdout, or into a file as JSON or PDF
    by its name."""
    target = Path(options.out) if options.out else None
    if target is not None and target.suffix not in (".json", ".pdf"):
        raise Failure(USAGE, _("Write the copy into a file whose name ends with .json or .pdf."))
    with problems():
        from desk.hub import administration, officer_export
        from desk.hub.errors import HubProblem
        from desk.hub.setup import milliseconds
        from desk.protocol.personal import AskExport

        form = "pdf" if target is not None and target.suffix == ".pdf" else "json"
        asked = AskExport(subject_id=options.subject, format=form)
        with administration.opened(options.db) as database:
            try:
                copy = officer_export.by_administrator(database, asked, milliseconds())
            except HubProblem as error:
                said = _("There is no such person here, or the data is erased.")
                raise Failure(REFUSED, said) from error
    if target is None:
        sys.stdout.buffer.write(copy.content + b"\n")
        return DONE
    try:
        target.write_bytes(copy.content)
    except OSError as error:
        said = _("The file {file} cannot be written. Check the folder.").format(file=target)
        raise Failure(USAGE, said) from error
    if options.json:
        output.put_json({"file": str(target), "bytes": len(copy.content)})
    else:
        output.put(str(target))
    return DONE
