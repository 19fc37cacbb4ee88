"""Reading the local copy: `list`, `find`, `count`, `show`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from desk.commands import output
from desk.commands.failure import DONE, REFUSED, USAGE, Failure
from desk.commands.session import open_desk
from desk.domain.forms import is_empty
from desk.screens import words
from desk.text import _, format_age, format_datetime, titled

if TYPE_CHECKING:
    from desk.domain.model import Item, Person, Value
    from desk.domain.playbook import Field, Playbook
    from desk.services.desk import Card, Desk, Row

_LIMIT = 50
_SHORTEST_PREFIX = 8


def list_cards(options: Namespace) -> int:
    """Cards that meet a condition, the newest first.

    JSON: array of id, kind, title, stage, responsible, score, version, pending, fields, and also
    owner, shared_with, round, created_at, updated_at, due_at (UTC milliseconds).
    """
    limit = options.limit
    if limit is None and not options.json:
        limit = _LIMIT
    with open_desk(options) as desk:
        rows = desk.rows(options.kind, options.filter, options.sort, limit)
        desk.note_rows(rows, "list")
        if options.json:
            output.put_json([row_json(row.item, pending=row.pending) for row in rows])
            return DONE
        total = desk.count(options.kind, options.filter)
        _put_rows(desk, rows)
    if total > len(rows):
        output.tell(_("Shown {n} of {total}. More: --limit N").format(n=len(rows), total=total))
    return DONE


def find(options: Namespace) -> int:
    """Cards whose title, id or person contains the text. JSON as of `list`."""
    with open_desk(options) as desk:
        rows = desk.find(options.text, options.limit or _LIMIT)
        desk.note_rows(rows, "find")
        if options.json:
            output.put_json([row_json(row.item, pending=row.pending) for row in rows])
        else:
            _put_rows(desk, rows)
    return DONE


def count(options: Namespace) -> int:
    """How many cards meet a condition. JSON: a number; with --by an object of value → number."""
    with open_desk(options) as desk:
        if not options.by:
            number = desk.count(options.kind, options.filter)
            if options.json:
                output.put_json(number)
            else:
                output.put(str(number))
            return DONE
        numbers = desk.count(options.kind, options.filter, by=options.by)
    if options.json:
        output.put_json(numbers)
    else:
        output.put_table(
            (options.by, _("Cards")),
            [(value or "—", str(number)) for value, number in numbers.items()],
            right=(1,),
        )
    return DONE


def show(options: Namespace) -> int:
    """One card with all that belongs to it.

    JSON: the keys of `list`, and timeline (at, who, event, from, to, comment), tasks (id, type,
    title, assignee, due_at, closed_at), linked (id, kind, stage, title, responsible), subject
    (its fields as the role may see them, or null), possible (transition, and why it is refused).
    """
    with open_desk(options) as desk:
        card = desk.card(resolve(desk, options.id))
        desk.note_card(card, "show")
        if options.json:
            output.put_json(card_json(card))
        else:
            _put_card(desk.playbook, card, desk.people())
    return DONE


def resolve(desk: Desk, given: str) -> str:
    """The id of the card that ``given``, an id or the beginning of one, means."""
    from desk.domain.ids import is_id

    text = given.strip().lower()
    if is_id(text):
        return text
    if len(text) < _SHORTEST_PREFIX or not all(sign in "0123456789abcdef-" for sign in text):
        raise Failure(
            USAGE, _("Give the card's id or at least its first 8 characters (see desk list).")
        )
    found = [row.item.id for row in desk.find(text) if row.item.id.startswith(text)]
    if not found:
        raise Failure(REFUSED, _("There is no card whose id begins so. Look at desk list."))
    if len(found) > 1:
        raise Failure(USAGE, _("Several cards begin so. Give more characters of the id."))
    return found[0]


def row_json(item: Item, *, pending: bool) -> dict[str, object]:
    """An item for a program."""
    return {
        "id": item.id,
        "kind": item.kind,
        "title": item.title,
        "stage": item.stage,
        "responsible": item.responsible,
        "score": item.score,
        "version": item.version,
        "pending": pending,
        "fields": item.fields,
        "owner": item.owner,
        "shared_with": item.shared_with,
        "round": item.round,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "due_at": item.due_at,
    }


def card_json(card: Card) -> dict[str, object]:
    """A card for a program."""
    return {
        **row_json(card.item, pending=card.pending),
        "timeline": [
            {
                "at": entry.at,
                "who": entry.who,
                "event": entry.event,
                "from": entry.from_stage,
                "to": entry.to_stage,
                "comment": entry.comment,
            }
            for entry in card.entries
        ],
        "tasks": [
            {
                "id": task.id,
                "type": task.type,
                "title": task.title,
                "assignee": task.assignee,
                "due_at": task.due_at,
                "closed_at": task.closed_at,
            }
            for task in card.tasks
        ],
        "linked": [
            {
                "id": item.id,
                "kind": item.kind,
                "stage": item.stage,
                "title": item.title,
                "responsible": item.responsible,
            }
            for item in card.linked
        ],
        "subject": card.subject.fields if card.subject else None,
        "possible": [
            {
                "transition": one.transition.id,
                "refused": one.refusal.code if one.refusal else None,
            }
            for one in card.possible
        ],
    }


def _put_rows(desk: Desk, rows: list[Row]) -> None:
    from desk.services.desk import wall_clock

    now = wall_clock()
    book = desk.playbook
    output.put_table(
        ("ID", _("Stage"), _("Title"), _("Responsible"), _("Score"), _("Age"), ""),
        [
            (
                row.item.id,
                words.stage_title(book, row.item.kind, row.item.stage),
                titled(row.item.title),
                row.item.responsible or "—",
                str(row.item.score),
                format_age(row.item.created_at, now),
                "↑" if row.pending else "",
            )
            for row in rows
        ],
        right=(4, 5),
    )


def _put_card(book: Playbook, card: Card, people: Mapping[str, Person]) -> None:
    item = card.item
    kind = book.kinds[item.kind]
    output.put(output.shown(titled(item.title)))
    output.put_pairs(
        [
            ("ID", item.id),
            (_("Kind"), words.title_of(kind)),
            (_("Stage"), words.stage_title(book, item.kind, item.stage)),
            (_("Responsible"), words.person_name(people, item.responsible)),
            (_("Score"), str(item.score)),
            (_("Created"), format_datetime(item.created_at)),
            *([(_("Unsent"), _("yes"))] if card.pending else []),
        ]
    )
    _put_fields(kind.fields, item.fields, people, "")
    if card.subject:
        _put_fields(book.subject_fields, card.subject.fields, people, _("Personal data"))
    _put_tasks(book, card, people)
    if card.linked:
        _put_head(_("Linked"))
        for one in card.linked:
            stage = words.stage_title(book, one.kind, one.stage)
            output.put(f"  {one.id}  {words.title_of(book.kinds[one.kind])}: {stage}")
    _put_timeline(book, card, people)
    allowed = [one.transition.id for one in card.possible if one.refusal is None]
    if allowed:
        _put_head(_("Possible now: {actions}").format(actions=", ".join(allowed)))


def _put_head(line: str) -> None:
    output.put()
    output.put(line)


def _put_tasks(book: Playbook, card: Card, people: Mapping[str, Person]) -> None:
    waiting = [task for task in card.tasks if task.closed_at is None]
    if not waiting:
        return
    _put_head(_("Tasks"))
    for task in waiting:
        title = words.task_title(book, task)
        who = words.person_name(people, task.assignee)
        output.put(f"  {format_datetime(task.due_at)}  {output.shown(title)}  {output.shown(who)}")


def _put_timeline(book: Playbook, card: Card, people: Mapping[str, Person]) -> None:
    _put_head(_("Timeline"))
    for entry in card.entries:
        who = words.person_name(people, entry.who) if entry.who else _("the hub")
        what = words.event_title(book, card.item.kind, entry)
        if entry.to_stage and entry.to_stage != entry.from_stage:
            what += f" → {words.stage_title(book, card.item.kind, entry.to_stage)}"
        output.put(f"  {format_datetime(entry.at)}  {output.shown(who)}: {output.shown(what)}")
        if entry.comment:
            for line in output.shown(entry.comment, lines=True).split("\n"):
                output.put(f"      {line}")


def _put_fields(
    declared: Mapping[str, Field],
    values: Mapping[str, Value],
    people: Mapping[str, Person],
    head: str,
) -> None:
    pairs = [
        (words.title_of(field), words.shown(field, value, people))
        for name, value in values.items()
        if (field := declared.get(name)) and not is_empty(value)
    ]
    if pairs:
        output.put()
        if head:
            output.put(head)
        output.put_pairs(pairs, "  " if head else "")
