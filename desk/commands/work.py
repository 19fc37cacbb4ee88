"""Doing something with cards: `do`, `new`, `edit`, `note`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from desk.commands import output, saying
from desk.commands.cards import resolve
from desk.commands.failure import DONE, REFUSED, USAGE, Failure
from desk.commands.session import open_desk
from desk.text import _

if TYPE_CHECKING:
    from desk.domain.model import Value
    from desk.domain.playbook import Field
    from desk.services.desk import Desk, Done


def do(options: Namespace) -> int:
    """One transition of one card: applied here, queued, and sent when the hub is there.

    JSON: operation (its id), items (ids it changed), state ("queued", "sent", "rejected",
    "conflict", "quarantined"), and of an operation that was not carried out code and args.
    """
    from desk.domain.operations import Move

    with open_desk(options) as desk:
        item = desk.card(resolve(desk, options.id)).item
        with saying.refusals(desk.playbook, item.kind):
            intent = Move(
                item_id=item.id,
                transition=options.transition,
                seen_stage=item.stage,
                fields=read_fields(desk.playbook.fields(item.kind), options.set),
                comment=options.comment or "",
                to=options.to,
            )
            done = desk.do(intent)
        return send(desk, done, item.kind, options)


def new(options: Namespace) -> int:
    """A new card; JSON as of `do`, its id is the first of items."""
    from desk.domain.operations import Create

    with open_desk(options) as desk:
        owned = desk.playbook.fields(options.kind)
        personal = [pair for pair in options.set if pair.split("=")[0].strip() not in owned]
        with saying.refusals(desk.playbook, options.kind):
            intent = Create(
                kind=options.kind,
                title=options.title,
                fields=read_fields(owned, [pair for pair in options.set if pair not in personal]),
                subject=read_fields(desk.playbook.subject_fields, personal),
            )
            done = desk.do(intent)
        return send(desk, done, options.kind, options)


def edit(options: Namespace) -> int:
    """New values of a card's fields; JSON as of `do`."""
    from desk.domain.operations import EditFields

    with open_desk(options) as desk:
        item = desk.card(resolve(desk, options.id)).item
        with saying.refusals(desk.playbook, item.kind):
            fields = read_fields(desk.playbook.fields(item.kind), options.set)
            done = desk.do(EditFields(item_id=item.id, fields=fields))
        return send(desk, done, item.kind, options)


def note(options: Namespace) -> int:
    """A note on a card's timeline; JSON as of `do`."""
    from desk.domain.operations import Comment

    with open_desk(options) as desk:
        item = desk.card(resolve(desk, options.id)).item
        with saying.refusals(desk.playbook, item.kind):
            done = desk.do(Comment(item_id=item.id, text=options.text))
        return send(desk, done, item.kind, options)


def read_fields(declared: Mapping[str, Field], pairs: Sequence[str]) -> dict[str, Value]:
    """The values of `--set field=value`; raises `Refused`, or `Failure` on another form."""
    from desk.domain.forms import parse_value
    from desk.domain.refusals import Refusal
    from desk.services.errors import Refused

    values: dict[str, Value] = {}
    for name, text in _split(pairs):
        field = declared.get(name)
        if field is None:
            raise Refused(Refusal("unknown_field", {"field": name}))
        value = parse_value(field, text)
        if isinstance(value, Refusal):
            raise Refused(value)
        values[name] = value
    return values


def _split(pairs: Sequence[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise Failure(USAGE, _("--set takes field=value, as in --set need=truck."))
        found.append((name.strip(), text))
    return found


def send(desk: Desk, done: Done, kind: str | None, options: Namespace) -> int:
    """Send what was done and say how it went; JSON as of `do`."""
    from desk.services.errors import EXIT_LOCKED, EXIT_UNREACHABLE, DeskError

    state, why = "sent", ""
    try:
        desk.sync_once()
    except DeskError as error:
        if error.exit_code not in (EXIT_UNREACHABLE, EXIT_LOCKED):
            raise
        # The work is safe in the queue: not reaching the hub is no failure of this command.
        state, why = "queued", error.text(_)
    refused = next((entry for entry in desk.inbox() if entry.id == done.operation_id), None)
    if refused:
        state = refused.result
    if options.json:
        answer: dict[str, object] = {
            "operation": done.operation_id,
            "items": list(done.item_ids),
            "state": state,
        }
        if refused:
            answer |= {"code": refused.code, "args": refused.args}
        output.put_json(answer)
    if refused:
        line = saying.refusal(desk.playbook, kind, refused.code, refused.args)
        raise Failure(REFUSED, line)
    if not options.json:
        output.put(_("Done and sent.") if state == "sent" else _("Done here and queued."))
    if why:
        output.tell(why)
    return DONE
