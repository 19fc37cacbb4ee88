"""The exchange with the hub by hand: `sync`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from desk.commands import output
from desk.commands.failure import DONE, INTERRUPTED
from desk.commands.session import open_desk
from desk.text import N_, _

if TYPE_CHECKING:
    from desk.services.desk import Desk, Event, Step, SyncReport

#: After so many exchanges it is enough, though others go on changing cards meanwhile.
_ROUNDS = 5

_STEPS: Mapping[str, str] = {
    "greeted": N_("the hub answers, protocol {low} to {high}"),
    "playbook": N_("new playbook, version {version}"),
    "sent": N_("sent {sent} of {of}"),
    "page": N_("got a page: {rows} rows, {forget} to remove"),
    "reset": N_("the hub asks to compare all rows"),
    "compared": N_("compared {ranges} ranges of cards with the hub"),
    "written": N_("written: {rows} rows, {forgotten} removed, in {ms} ms"),
}


def sync(options: Namespace) -> int:
    """Send what waits and fetch what is new, until there is nothing more; --once: one exchange.

    JSON: pushed, applied, merged, rejected, conflicts, pulled, forgotten, cursor, seconds.
    """
    with open_desk(options) as desk:
        stop = desk.listen(_show)
        try:
            report = exchange(desk, once=options.once, verbose=options.verbose)
        except KeyboardInterrupt:
            output.end_progress()
            output.tell(_("Interrupted. What has come is kept: desk sync goes on where it was."))
            return INTERRUPTED
        finally:
            stop()
            output.end_progress()
        waiting = desk.status().conflicts
    if options.json:
        output.put_json(report_json(report))
        return DONE
    output.put(
        _("Sent {pushed}, fetched {pulled}, removed {forgotten} in {seconds} s.").format(
            pushed=report.pushed,
            pulled=report.pulled,
            forgotten=report.forgotten,
            seconds=f"{report.seconds:.1f}",
        )
    )
    if waiting:
        output.tell(_("Waiting for your decision: {n}. See them: desk inbox").format(n=waiting))
    return DONE


def exchange(desk: Desk, *, once: bool = False, verbose: bool = False) -> SyncReport:
    """Exchange until nothing waits and nothing more comes, a few times at most."""
    told = _tell_step if verbose else None
    reports = [desk.sync_once(told)]
    while not once and len(reports) < _ROUNDS and _goes_on(desk, reports[-1]):
        reports.append(desk.sync_once(told))
    return _sum(reports)


def report_json(report: SyncReport) -> dict[str, object]:
    """What an exchange did, for a program."""
    return {
        "pushed": report.pushed,
        "applied": report.applied,
        "merged": report.merged,
        "rejected": report.rejected,
        "conflicts": report.conflicts,
        "pulled": report.pulled,
        "forgotten": report.forgotten,
        "cursor": report.cursor,
        "seconds": round(report.seconds, 3),
    }


def _goes_on(desk: Desk, last: SyncReport) -> bool:
    """Whether something waits still, or the last exchange brought something."""
    return bool(desk.status().pending or last.pulled or last.forgotten)


def _sum(reports: Sequence[SyncReport]) -> SyncReport:
    from desk.services.desk import SyncReport

    return SyncReport(
        pushed=sum(one.pushed for one in reports),
        applied=sum(one.applied for one in reports),
        merged=sum(one.merged for one in reports),
        rejected=sum(one.rejected for one in reports),
        conflicts=sum(one.conflicts for one in reports),
        pulled=sum(one.pulled for one in reports),
        forgotten=sum(one.forgotten for one in reports),
        cursor=reports[-1].cursor,
        seconds=sum(one.seconds for one in reports),
    )


def _show(event: Event) -> None:
    from desk.services.desk import Progress

    if isinstance(event, Progress):
        output.progress(
            _("Fetched {done} of {total}…").format(done=event.done, total=event.total or "?")
        )


def _tell_step(step: Step) -> None:
    output.end_progress()
    output.tell(f"{step.seconds:8.2f}  {_(_STEPS[step.name]).format(**step.counts)}")
