"""What the hub did not carry out: `inbox`, `inbox retry`, `inbox discard`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from desk.commands import output, saying
from desk.commands.failure import DONE, USAGE, Failure
from desk.commands.session import open_desk
from desk.commands.work import send
from desk.screens import words
from desk.text import N_, _, format_datetime, titled

if TYPE_CHECKING:
    from desk.domain.model import Person, Value
    from desk.domain.playbook import Playbook
    from desk.protocol.messages import Changed
    from desk.services.desk import Desk, InboxEntry

_SHORTEST_PREFIX = 8
#: What the hub's answers are called.
_RESULTS: Mapping[str, str] = {
    "rejected": N_("refused"),
    "conflict": N_("somebody was first"),
    "quarantined": N_("the hub could not process it"),
    "blocked": N_("waits for an earlier action"),
}
#: The names of what is no field of a card.
_STAGE, _COMMENT = "stage", "comment"


def entries(options: Namespace) -> int:
    """Everything that waits for a decision, the oldest first.

    JSON: array of id, operation (such as move or edit_fields), item, result (rejected, conflict,
    quarantined, blocked), reason (a sentence), code and args (the reason for a program), mine,
    theirs, base (values by field), changed (who and at, by field of theirs), after (the entry this
    one builds on, or null), at.
    """
    with open_desk(options) as desk:
        waiting = desk.inbox()
        if options.json:
            output.put_json([_json(desk.playbook, _card(desk, one)[0], one) for one in waiting])
            return DONE
        people = desk.people()
        for entry in waiting:
            _put(desk.playbook, *_card(desk, entry), entry, people)
    if not waiting:
        output.tell(_("Nothing waits for your decision."))
    else:
        output.tell(_("Repeat one: desk inbox retry ID. Drop one: desk inbox discard ID."))
    return DONE


def retry(options: Namespace) -> int:
    """Ask anew for an entry, on top of what stands now; JSON as of `do`."""
    with open_desk(options) as desk:
        entry = _find(desk, options.id)
        kind, _title = _card(desk, entry)
        with saying.refusals(desk.playbook, kind):
            done = desk.retry(entry.id)
        return send(desk, done, kind, options)


def discard(options: Namespace) -> int:
    """Drop an entry for good. JSON: id."""
    with open_desk(options) as desk:
        entry = _find(desk, options.id)
        desk.discard(entry.id)
    if options.json:
        output.put_json({"id": entry.id})
    else:
        output.put(_("Dropped."))
    return DONE


def _find(desk: Desk, given: str) -> InboxEntry:
    """The entry whose id is or begins with ``given``."""
    from desk.services.errors import NoSuchEntry

    text = given.strip().lower()
    if len(text) < _SHORTEST_PREFIX:
        raise Failure(
            USAGE, _("Give the entry's id or at least its first 8 characters (see desk inbox).")
        )
    found = [entry for entry in desk.inbox() if entry.id.startswith(text)]
    if not found:
        raise NoSuchEntry
    if len(found) > 1:
        raise Failure(USAGE, _("Several entries begin so. Give more characters of the id."))
    return found[0]


def _card(desk: Desk, entry: InboxEntry) -> tuple[str | None, str]:
    """Kind and title of the entry's card; of one that is not here, what the entry says of it."""
    from desk.services.errors import Refused

    try:
        item = desk.card(entry.item_id).item
    except Refused:
        kind, title = getattr(entry.intent, "kind", None), getattr(entry.intent, "title", "")
        return kind, title or _("(a card you no longer see)")
    return item.kind, titled(item.title)


def _json(book: Playbook, kind: str | None, entry: InboxEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "operation": type(entry.intent).__struct_config__.tag,
        "item": entry.item_id,
        "result": entry.result,
        "reason": saying.refusal(book, kind, entry.code, entry.args),
        "code": entry.code,
        "args": entry.args,
        "mine": entry.mine,
        "theirs": entry.theirs,
        "base": entry.base,
        "changed": entry.changed,
        "after": entry.after,
        "at": entry.at,
    }


def _put(
    book: Playbook,
    kind: str | None,
    title: str,
    entry: InboxEntry,
    people: Mapping[str, Person],
) -> None:
    what = saying.intent(book, kind, entry.intent)
    output.put(f"{entry.id}  {format_datetime(entry.at)}  {_(_RESULTS[entry.result])}")
    output.put(f"  {output.shown(what)}: {output.shown(title)} ({entry.item_id})")
    output.put(f"  {saying.refusal(book, kind, entry.code, entry.args)}")
    for name in dict.fromkeys((*entry.mine, *entry.theirs)):
        output.put(f"  {output.shown(_field_title(book, kind, name))}")
        output.put_pairs(_sides(book, kind, entry, name, people), "    ")
    output.put()


def _sides(
    book: Playbook,
    kind: str | None,
    entry: InboxEntry,
    name: str,
    people: Mapping[str, Person],
) -> list[tuple[str, str]]:
    """What was wanted, what stands on the hub, and what stood there; the sides that are known."""
    sides = ((_("you wanted"), entry.mine), (_("on the hub"), entry.theirs),
             (_("it was"), entry.base))  # fmt: skip
    known = [
        (title, _value(book, kind, name, values[name], people))
        for title, values in sides
        if name in values
    ]
    changed = entry.changed.get(name)
    return [*known, (_("changed by"), _doer(changed, people))] if changed else known


def _doer(changed: Changed, people: Mapping[str, Person]) -> str:
    who = words.person_name(people, changed.who) if changed.who else _("the hub")
    return f"{who}, {format_datetime(changed.at)}"


def _field_title(book: Playbook, kind: str | None, name: str) -> str:
    if name == _STAGE:
        return _("Stage")
    if name == _COMMENT:
        return _("Comment")
    field = words.find_field(book, kind, name)
    return f"{words.title_of(field)} ({name})" if field else name


def _value(
    book: Playbook, kind: str | None, name: str, value: Value, people: Mapping[str, Person]
) -> str:
    if name == _STAGE and isinstance(value, str):
        return words.stage_title(book, kind or "", value)
    field = words.find_field(book, kind, name)
    if field is None:
        return words.NOTHING if value is None else str(value)
    return words.shown(field, value, people)
