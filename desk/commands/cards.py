"""Reading the local copy: `list`, `find`, `count`, `show`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from desk.commands import output
from desk.commands.failure import DONE, REFUSED, USAGE, Failure
from desk.commands.session import open_desk
from desk.text import _, format_age, format_datetime, language

if TYPE_CHECKING:
    from desk.domain.model import Item, Value
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
        if options.json:
            output.put_json(card_json(card))
        else:
            _put_card(desk.playbook, card)
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
                _stage(book, row.item.kind, row.item.stage),
                row.item.title,
                row.item.responsible or "—",
                str(row.item.score),
                format_age(row.item.created_at, now),
                "↑" if row.pending else "",
            )
            for row in rows
        ],
        right=(4, 5),
    )


def _put_card(book: Playbook, card: Card) -> None:
    item = card.item
    kind = book.kinds[item.kind]
    output.put(output.shown(item.title))
    output.put_pairs(
        [
            ("ID", item.id),
            (_("Kind"), kind.title.get(language())),
            (_("Stage"), _stage(book, item.kind, item.stage)),
            (_("Responsible"), item.responsible or "—"),
            (_("Score"), str(item.score)),
            (_("Created"), format_datetime(item.created_at)),
            *([(_("Unsent"), _("yes"))] if card.pending else []),
        ]
    )
    _put_fields(kind.fields, item.fields, "")
    if card.subject:
        _put_fields(book.subject_fields, card.subject.fields, _("Personal data"))
    open_tasks = [task for task in card.tasks if task.closed_at is None]
    if open_tasks:
        output.put(f"\n{_('Tasks')}")
        for task in open_tasks:
            due = format_datetime(task.due_at)
            output.put(f"  {due}  {output.shown(task.title)}  {task.assignee or '—'}")
    if card.linked:
        output.put(f"\n{_('Linked')}")
        for one in card.linked:
            stage = _stage(book, one.kind, one.stage)
            output.put(f"  {one.id}  {book.kinds[one.kind].title.get(language())}: {stage}")
    output.put(f"\n{_('Timeline')}")
    for entry in card.entries:
        output.put(
            "  "
            + _entry_line(
                book, item.kind, entry.event, entry.from_stage, entry.to_stage, entry.at, entry.who
            )
        )
        if entry.comment:
            for line in output.shown(entry.comment, lines=True).split("\n"):
                output.put(f"      {line}")
    allowed = [one.transition.id for one in card.possible if one.refusal is None]
    if allowed:
        output.put(f"\n{_('Possible now: {actions}').format(actions=', '.join(allowed))}")


def _entry_line(
    book: Playbook,
    kind_id: str,
    event: str,
    origin: str | None,
    target: str | None,
    at: int,
    who: str | None,
) -> str:
    transition = book.kinds[kind_id].transitions.get(event)
    name = transition.title.get(language()) if transition else event
    line = f"{format_datetime(at)}  {who or '—'}: {output.shown(name)}"
    if target and target != origin:
        line += f" → {_stage(book, kind_id, target)}"
    return line


def _put_fields(declared: dict[str, Field], values: dict[str, Value], head: str) -> None:
    pairs = [
        (declared[name].title.get(language()) if name in declared else name,
         _value(declared.get(name), value))
        for name, value in values.items()
        if value is not None and value != "" and value != []
    ]  # fmt: skip
    if pairs:
        output.put(f"\n{head}" if head else "")
        output.put_pairs(pairs, "  " if head else "")


def _value(field: Field | None, value: Value) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_choice(field, one) for one in value)
    if isinstance(value, str):
        return _choice(field, value)
    if field is not None and field.type == "money" and isinstance(value, int):
        from desk.text import format_money

        return format_money(value)
    if field is not None and field.type == "time" and isinstance(value, int):
        return format_datetime(value)
    return str(value)


def _choice(field: Field | None, value: str) -> str:
    choice = field.choice(value) if field else None
    return choice.title.get(language()) if choice else value


def _stage(book: Playbook, kind_id: str, stage_id: str) -> str:
    kind = book.kinds.get(kind_id)
    stage = kind.stage(stage_id) if kind else None
    return stage.title.get(language()) if stage else stage_id
