"""What a checkup of the exchange with the hub found, in plain words, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from desk.screens.words import time_of
from desk.services.errors import DeskError
from desk.services.views import Checkup
from desk.text import N_, _, format_number

#: What a key of the dialog does about it, by the code of a repair.
DOABLE: Mapping[str, str] = {
    "sign_in": N_("Sign in again"),
    "go_online": N_("Switch the network on"),
    "sync": N_("Send and fetch now"),
    "reconcile": N_("Compare all cards with the hub and mend what differs"),
    "inbox": N_("Decide about what waits for you"),
}
#: What only the person can do, elsewhere.
ADVICE: Mapping[str, str] = {
    "set_clock": N_("Set the clock of this machine: what you do bears its time."),
    "update": N_("Update Desk: ask the administrator."),
}
#: A difference of the clocks below this is none, ms.
_SAME_CLOCK = 1000
_DIGEST: Mapping[str, str] = {
    "": N_("not compared with the hub yet"),
    "same": N_("the same as on the hub"),
    "repaired": N_("differed from the hub and were mended"),
    "differs": N_("differ from the hub"),
}


def findings(
    found: Checkup, now: int, explain: Callable[[DeskError], str]
) -> list[tuple[str, str]]:
    """Titles with what was found, what matters most first."""
    rows = [
        (_("Network"), _("the hub answers") if found.reachable else _("no connection")),
        (_("Unsent"), _unsent(found, now)),
        (_("To decide"), format_number(found.inbox)),
        (_("Last exchange"), _moment(found.synced_at, now)),
    ]
    if found.last_error is not None:
        when = _moment(found.last_error_at, now)
        # What stands in the way now is said above already.
        is_said = found.why is not None and found.why.code == found.last_error.code
        failure = when if is_said else f"{when} · {explain(found.last_error)}"
        rows.append((_("Last failure"), failure))
    rows += [
        (_("Clock"), _clock(found.clock_ms)),
        (_("Cards"), _cards(found, now)),
        (_("Here"), _here(found)),
    ]
    return rows


def _unsent(found: Checkup, now: int) -> str:
    count = format_number(len(found.pending))
    if not found.pending or found.pending_since is None:
        return count
    return _("{n}, since {time}").format(n=count, time=time_of(found.pending_since, now))


def _moment(ms: int | None, now: int) -> str:
    return time_of(ms, now) if ms is not None else _("not yet")


def _clock(ms: int | None) -> str:
    if ms is None:
        return _("not known while the hub does not answer")
    if abs(ms) < _SAME_CLOCK:
        return _("as the hub's")
    seconds = format_number(round(abs(ms) / 1000))
    if ms > 0:
        return _("{seconds} s ahead of the hub").format(seconds=seconds)
    return _("{seconds} s behind the hub").format(seconds=seconds)


def _cards(found: Checkup, now: int) -> str:
    state = _(_DIGEST.get(found.digest_state, found.digest_state))
    return f"{state} · {time_of(found.digest_at, now)}" if found.digest_at is not None else state


def _here(found: Checkup) -> str:
    return _("cards: {cards} · {size} MB").format(
        cards=format_number(found.rows.get("item", 0)),
        size=format_number(round((found.file_bytes + found.wal_bytes) / 1e6, 1)),
    )
