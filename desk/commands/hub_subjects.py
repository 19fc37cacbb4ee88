"""Persons on the hub: `hub pd erase`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from desk.commands import output
from desk.commands.failure import DONE, REFUSED, Failure
from desk.commands.hub import problems
from desk.text import _, format_datetime, ngettext

if TYPE_CHECKING:
    from desk.hub.erasure import Erased, Outstanding


def erase(options: Namespace) -> int:
    """Erase a person. JSON: subject, act, at, by, categories, outstanding (array of device, user,
    name, lease_until)."""
    with problems():
        import os

        from desk.hub import administration, erasure, officer_erasure
        from desk.hub.setup import milliseconds

        now = milliseconds()
        with administration.opened(options.db) as database:
            try:
                done = officer_erasure.by_administrator(
                    database, options.subject, options.by, options.reason, now, os.urandom
                )
            except erasure.NoSubject:
                line = _("There is no person {subject}. Take the id from the subject's card.")
                shown = output.shown(options.subject)
                raise Failure(REFUSED, line.format(subject=shown)) from None
            with database.read() as connection:
                awaited = erasure.outstanding(connection, done.subject_id, now)
    if options.json:
        output.put_json(_as_json(done, awaited))
    else:
        _put(done, awaited)
    return DONE


def _as_json(done: Erased, awaited: list[Outstanding]) -> dict[str, object]:
    return {
        "subject": done.subject_id,
        "act": done.number,
        "at": done.at,
        "by": done.by,
        "categories": list(done.categories),
        "outstanding": [
            {
                "device": one.device_id,
                "user": one.user,
                "name": one.device_name,
                "lease_until": one.lease_until,
            }
            for one in awaited
        ],
    }


def _put(done: Erased, awaited: list[Outstanding]) -> None:
    output.put(
        _("Act {number}: {subject} is erased on the hub.").format(
            number=done.number, subject=output.shown(done.subject_id)
        )
    )
    if not awaited:
        output.put(_("No device is left that may hold this person."))
        return
    count = ngettext(
        "{n} device has yet to confirm:", "{n} devices have yet to confirm:", len(awaited)
    )
    output.put(count.format(n=len(awaited)))
    output.put_table(
        (_("User"), _("Device"), _("At the latest")),
        [
            (
                output.shown(one.user),
                output.shown(one.device_name or one.device_id),
                format_datetime(one.lease_until) if one.lease_until else "—",
            )
            for one in awaited
        ],
    )
