"""How the desk stands and what can be done about it: `doctor`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from desk import __version__
from desk.commands import output
from desk.commands.exchange import exchange
from desk.commands.failure import DONE
from desk.commands.session import open_desk
from desk.text import N_, _, format_datetime, format_number

if TYPE_CHECKING:
    from desk.services.desk import Checkup, Desk
    from desk.services.errors import DeskError

#: What to do, by the code of a repair.
_REPAIRS: Mapping[str, str] = {
    "sign_in": N_("Sign in: desk login --hub URL --user NAME"),
    "go_online": N_("Switch the network on."),
    "sync": N_("Send and fetch: desk sync"),
    "set_clock": N_("Set the clock of this machine."),
    "reconcile": N_("Compare all cards with the hub and mend what differs: desk doctor --repair"),
    "inbox": N_("Decide about what waits for you: desk inbox"),
    "update": N_("Update Desk."),
}
_DIGEST: Mapping[str, str] = {
    "": N_("not compared yet"),
    "same": N_("the same as on the hub"),
    "repaired": N_("differed from the hub and were mended"),
    "differs": N_("differ from the hub"),
}
_KINDS: Mapping[str, str] = {
    "item": N_("cards"),
    "task": N_("tasks"),
    "entry": N_("timeline entries"),
    "subject": N_("people's data"),
    "person": N_("colleagues"),
}
#: What was done, by its code.
_DONE: Mapping[str, str] = {
    "sync": N_("Sent, fetched and compared with the hub."),
    "reconcile": N_("What differed was fetched anew."),
}
#: How many numbers of waiting operations are shown.
_NUMBERS = 12


def doctor(options: Namespace) -> int:
    """What waits, why it waits, and what can be done; --repair does what a program may do.

    Ends with 0 where nothing stands in the way, else with the code of what does. JSON: see
    `checkup_json`; with --repair also repaired (array of what was done: sync, and
    reconcile where something differed).
    """
    with open_desk(options) as desk:
        repaired = _repair(desk) if options.repair else []
        found = desk.examine()
    if options.json:
        answer = checkup_json(found)
        output.put_json({**answer, "repaired": repaired} if options.repair else answer)
    else:
        _put(found)
        for one in repaired:
            output.tell(_(_DONE[one]))
    return found.why.exit_code if found.why else DONE


def checkup_json(found: Checkup) -> dict[str, object]:
    """A checkup for a program: times are UTC milliseconds, sizes bytes."""
    return {
        "version": __version__,
        "at": found.at,
        "user": found.user,
        "hub": found.hub,
        "device": found.device,
        "pending": len(found.pending),
        "pending_numbers": list(found.pending),
        "pending_since": found.pending_since,
        "uncovered": found.uncovered,
        "inbox": found.inbox,
        "why": _error_json(found.why),
        "last_error": _error_json(found.last_error),
        "last_error_at": found.last_error_at,
        "synced_at": found.synced_at,
        "reachable": found.reachable,
        "protocol": list(found.protocol) if found.protocol else None,
        "clock_ms": found.clock_ms,
        "digest": found.digest_state or None,
        "digest_at": found.digest_at,
        "cursor": found.cursor,
        "epoch": found.epoch,
        "rows": found.rows,
        "file_bytes": found.file_bytes,
        "wal_bytes": found.wal_bytes,
        "to_scrub": found.to_scrub,
        "repairs": list(found.repairs),
    }


def numbers_in_words(numbers: Sequence[int]) -> str:
    """Numbers in order, runs as one: “3–7, 9”; the end is left out where there are many."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    parts = [str(low) if low == high else f"{low}–{high}" for low, high in runs]
    return ", ".join(parts[:_NUMBERS]) + (", …" if len(parts) > _NUMBERS else "")


def _repair(desk: Desk) -> list[str]:
    """Everything that needs no decision of a person."""
    before = desk.examine()
    if before.why is not None and "sync" not in before.repairs:
        return []
    exchange(desk)
    verdict = desk.verify(repair=True)
    return ["sync", "reconcile"] if verdict.repaired else ["sync"]


def _error_json(error: DeskError | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {"code": error.code, "reason": output.shown(error.text(_))}


def _put(found: Checkup) -> None:
    output.put_pairs(
        [
            (_("Desk"), __version__),
            (_("User"), found.user or _("nobody")),
            (_("Device"), found.device or "—"),
            (_("Hub"), found.hub or "—"),
            (_("Network"), _network(found)),
            (_("Clock"), _clock(found)),
            (_("Unsent"), _waiting(found)),
            (_("Sent, not fetched back"), format_number(found.uncovered)),
            (_("To decide"), format_number(found.inbox)),
            (_("Last exchange"), _moment(found.synced_at)),
            (_("Last failure"), _failure(found)),
            (_("Cards"), f"{_(_DIGEST[found.digest_state])} {_when(found.digest_at)}".rstrip()),
            (_("Here"), _rows(found)),
            (_("File"), _sizes(found)),
            (_("Cursor"), found.cursor or "—"),
        ]
    )
    output.put()
    if found.why is not None:
        output.put(output.shown(found.why.text(_)))
    elif not found.repairs:
        output.put(_("Everything is in order."))
    for repair in found.repairs:
        output.put(f"→ {_(_REPAIRS[repair])}")


def _network(found: Checkup) -> str:
    if found.protocol is None:
        return _("no connection")
    low, high = found.protocol
    return _("the hub answers, protocol {low} to {high}").format(low=low, high=high)


def _clock(found: Checkup) -> str:
    if found.clock_ms is None:
        return "—"
    if abs(found.clock_ms) < 1000:
        return _("as the hub's")
    seconds = format_number(round(abs(found.clock_ms) / 1000, 1))
    if found.clock_ms >= 0:
        return _("{seconds} s ahead of the hub").format(seconds=seconds)
    return _("{seconds} s behind the hub").format(seconds=seconds)


def _waiting(found: Checkup) -> str:
    if not found.pending:
        return "0"
    return _("{n}, since {when}: no. {numbers}").format(
        n=format_number(len(found.pending)),
        when=_moment(found.pending_since),
        numbers=numbers_in_words(found.pending),
    )


def _moment(ms: int | None) -> str:
    return format_datetime(ms) if ms is not None else "—"


def _when(ms: int | None) -> str:
    return f"({format_datetime(ms)})" if ms is not None else ""


def _failure(found: Checkup) -> str:
    if found.last_error is None:
        return "—"
    return f"{found.last_error.code} {_when(found.last_error_at)}"


def _rows(found: Checkup) -> str:
    return ", ".join(
        f"{_(_KINDS[kind])}: {format_number(count)}" for kind, count in found.rows.items()
    )


def _sizes(found: Checkup) -> str:
    size = _("{size} MB, log {log} MB").format(
        size=format_number(round(found.file_bytes / 1e6, 1)),
        log=format_number(round(found.wal_bytes / 1e6, 1)),
    )
    left = _("deleted data is left in it")
    return f"{size}, {left}" if found.to_scrub else size
