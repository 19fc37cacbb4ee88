"""The journal of personal data on the hub: `hub journal verify`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from desk.commands import output
from desk.commands.failure import DONE
from desk.commands.hub import problems
from desk.text import N_, _, ngettext

if TYPE_CHECKING:
    from desk.hub.journal_chain import Fault

#: What the command ends with where the journal is broken.
_BROKEN = 1
_CODES = {
    "removed": N_("Removed: entries {seq} to {until} of {stream} are gone."),
    "edited": N_("Edited: entries {seq} to {until} of {stream} are not what was written."),
    "inserted": N_("Put in: entries {seq} to {until} of {stream} were not written by a hub."),
    "reordered": N_("Moved: entries {seq} to {until} of {stream} stood elsewhere."),
    "truncated": N_("Cut off: entries {seq} to {until} at the end of {stream} are gone."),
    "replaced": N_("Replaced: at entry {seq} of {stream} the key store knows another one."),
    "missing": N_("Missing: the whole journal of {stream} is gone, entries {seq} to {until}."),
    "head": N_("The end kept of {stream} is not that of its entry {seq}."),
}


def verify(options: Namespace) -> int:
    """Look whether the journal is whole. JSON: streams, entries, broken (array of stream, code,
    seq, until). Ends with 1 if it is broken."""
    with problems():
        from desk.hub import administration, journal

        with administration.opened(options.db) as database:
            found = journal.verify(database)
    if options.json:
        broken = found.faults
        output.put_json({"streams": found.streams, "entries": found.entries, "broken": broken})
    else:
        for fault in found.faults:
            output.put(_line(fault))
        if not found.faults:
            whole = ngettext(
                "The journal is whole: {n} entry.",
                "The journal is whole: {n} entries.",
                found.entries,
            )
            output.put(whole.format(n=found.entries))
    return _BROKEN if found.faults else DONE


def _line(fault: Fault) -> str:
    said = _(_CODES[fault.code])
    return said.format(stream=output.shown(fault.stream), seq=fault.seq, until=fault.until)
