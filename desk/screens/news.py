"""What somebody else did with a card while it is open here: who, when and what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec

from desk.domain.model import Entry, Person, Value
from desk.domain.operations import EditFields, EditSubject, Intent, Move
from desk.domain.playbook import Playbook
from desk.screens.words import event_title, find_field, person_name, stage_title, time_of, title_of
from desk.services.views import Card
from desk.text import _

#: Stands before what somebody else did, here and on the board.
MARK = "*"

#: An item and one of its fields; personal data belongs to no item alone.
_Key = tuple[str, str]
_SUBJECT = "subject."


class Asked:
    """Which fields the person himself has asked to change, in order."""

    def __init__(self) -> None:
        self.number = 0
        self._last: dict[_Key, int] = {}

    def note(self, intent: Intent) -> None:
        """The person asks for `intent` now."""
        self.number += 1
        self._last.update(dict.fromkeys(_keys(intent), self.number))

    def take_back(self, intent: Intent) -> None:
        """It was refused: nothing has changed."""
        for key in _keys(intent):
            self._last.pop(key, None)

    def last(self, key: _Key) -> int:
        """The number under which the field was asked for last; 0 is never."""
        return self._last.get(key, 0)


def _keys(intent: Intent) -> Iterable[_Key]:
    if isinstance(intent, EditSubject):
        return [("", f"{_SUBJECT}{name}") for name in intent.fields]
    if isinstance(intent, EditFields | Move):
        return [(intent.item_id, name) for name in intent.fields]
    return ()


class Watch:
    """Compares a card with what it was when it was opened, leaving out what `me` did himself."""

    def __init__(self, card: Card, me: str, asked: Asked) -> None:
        self._me = me
        self._asked = asked
        self._known = {entry.id for entry in card.entries}
        self._values = _values(card)
        self._from = asked.number
        self._used: dict[_Key, int] = {}
        #: The latest line of the timeline that is somebody else's, and the fields that changed.
        self._entry: Entry | None = None
        self._fields: dict[str, None] = {}

    def look(self, card: Card) -> None:
        """The card may have changed."""
        came = [entry for entry in card.entries if entry.id not in self._known]
        self._known.update(entry.id for entry in came)
        theirs = [entry for entry in came if self._is_theirs(entry)]
        if theirs:
            self._entry = max(theirs, key=lambda entry: (entry.at, entry.id))
        values = _values(card)
        # What a step of one's own fills in comes with its line in the timeline.
        mine = any(entry.who == self._me for entry in came)
        for key in self._values.keys() | values.keys():
            same = self._values.get(key) == values.get(key)
            if not same and not self._was_asked(key) and not mine:
                self._fields[key[1]] = None
        self._values = values

    def _is_theirs(self, entry: Entry) -> bool:
        if entry.who is None:
            return entry.to_stage is not None and entry.to_stage != entry.from_stage
        return entry.who != self._me

    def _was_asked(self, key: _Key) -> bool:
        number = self._asked.last(key)
        if number <= self._used.get(key, self._from):
            return False
        self._used[key] = number
        return True

    def line(self, playbook: Playbook, kind: str, people: Mapping[str, Person], now: int) -> str:
        """«Мария Котова · 12:03 · Передан в ОП», or which fields changed, or nothing."""
        entry = self._entry
        if entry is not None:
            who = person_name(people, entry.who) if entry.who else _("the hub")
            moved = entry.to_stage and entry.to_stage != entry.from_stage
            what = (
                stage_title(playbook, kind, entry.to_stage)
                if moved
                else event_title(playbook, kind, entry)
            )
            return f"{who} · {time_of(entry.at, now)} · {what}"
        if not self._fields:
            return ""
        found = (_field(playbook, kind, name) for name in sorted(self._fields))
        return _("changed on the hub · fields: {fields}").format(fields=", ".join(found))


def _field(playbook: Playbook, kind: str, name: str) -> str:
    owner = "subject" if name.startswith(_SUBJECT) else kind
    field = find_field(playbook, owner, name.removeprefix(_SUBJECT))
    return title_of(field) if field else name.removeprefix(_SUBJECT)


def _values(card: Card) -> dict[_Key, Value]:
    values = {(card.item.id, name): value for name, value in card.item.fields.items()}
    if card.subject is not None:
        values |= {("", f"{_SUBJECT}{name}"): value for name, value in card.subject.fields.items()}
    return {key: value for key, value in values.items() if value not in (None, "", [])}


def gone() -> str:
    """Instead of the title of a card that left sight."""
    return _("(a card you no longer see)")


def emptied(card: Card) -> Card:
    """What may still be shown of a card that left sight: nothing of what the hub had said."""
    item = msgspec.structs.replace(card.item, title=gone(), fields={}, score=0, round=0)
    return replace(
        card, item=item, subject=None, tasks=(), entries=(), linked=(), pending=False, possible=()
    )
