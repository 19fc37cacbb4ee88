"""Sending what waits: in order, in small batches, until every operation has its answer."""

from __future__ import annotations

from dataclasses import dataclass

from desk.protocol.messages import Numbered, Push, Pushed
from desk.services import inbox, overlay, queue, settings
from desk.services.context import Context
from desk.services.errors import HubProblem
from desk.services.hub_client import Gap, HubClient
from desk.services.views import StatusChanged

_BATCH = 50


@dataclass(slots=True)
class Answers:
    """How many operations got which answer."""

    pushed: int = 0
    applied: int = 0
    merged: int = 0
    rejected: int = 0
    conflicts: int = 0


def push(context: Context, client: HubClient, answers: Answers) -> None:
    """Send everything that waits; what was answered before a failure stays answered.

    Raises ``HubUnreachable``, ``NotSignedIn``, ``ClonedProfile``; nothing is dropped then.
    """
    resent = False
    while batch := _batch(context):
        try:
            pushed = client.push(Push(operations=batch))
        except Gap as gap:
            if resent or gap.expected >= batch[0].number:
                raise HubProblem(hub=client.hub, reason=gap.code) from None
            resent = True
            resend(context, gap.expected - 1)
            continue
        _take(context, batch, pushed, answers)
        if not {one.operation.id for one in batch} & {result.id for result in pushed.results}:
            raise HubProblem(hub=client.hub, reason="no_results")


def resend(context: Context, last_op: int) -> int:
    """Queue again what the hub has forgotten after the operation ``last_op``: it was restored.

    Gives how many operations wait then.
    """
    with context.store.write(durable=True) as connection:
        count = queue.resend(connection, last_op)
        touched = overlay.rebase(connection, context)
    context.rows_changed(touched)
    context.events.emit(StatusChanged())
    return count


def _batch(context: Context) -> list[Numbered]:
    with context.store.read() as connection:
        return queue.unanswered(connection, _BATCH)


def _take(context: Context, batch: list[Numbered], pushed: Pushed, answers: Answers) -> None:
    """Keep the answers: what the hub did stays laid over until a pull brings it; what it did not
    do is lifted and goes to the inbox."""
    sent = {one.operation.id: one.operation for one in batch}
    results = [result for result in pushed.results if result.id in sent]
    refused = [result for result in results if result.result not in ("applied", "merged")]
    done = [result.id for result in results if result.result in ("applied", "merged")]
    touched: set[str] = set()
    with context.store.write(durable=True) as connection:
        queue.accept(connection, done)
        for result in refused:
            inbox.add(connection, context, sent[result.id], result)
        known = settings.number(connection, settings.LAST_OP)
        settings.put(connection, settings.LAST_OP, str(max(known, pushed.last_op)))
        if refused:
            queue.remove(connection, [result.id for result in refused])
            touched = overlay.rebase(connection, context)
    answers.pushed += len(results)
    answers.applied += sum(result.result == "applied" for result in results)
    answers.merged += sum(result.result == "merged" for result in results)
    answers.conflicts += sum(result.result == "conflict" for result in results)
    answers.rejected += sum(
        result.result in ("rejected", "quarantined", "blocked") for result in results
    )
    touched.update(queue.item_of(sent[result.id]) for result in results)
    context.rows_changed(touched)
    context.events.emit(StatusChanged())
