"""A company where each field of each card and person holds a value of its own, to be looked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from desk.domain.ids import make_id
from desk.domain.model import Entry, Item, Standing, Subject, Value
from desk.domain.playbook import SEVERAL, Field, Playbook
from desk.domain.rights import COMMENTS, PSEUDO_FIELDS, SUBJECT, TITLE
from desk.hub.intake import Batch
from tests.hub.hubs import START

#: The values that are told apart from everything else in an answer.
Canaries = dict[tuple[str, str], Value]


def canaries(playbook: Playbook) -> Canaries:
    """By owner and field, the title and the comments of a kind too; choices have none."""
    numbers = count(1001)
    found: Canaries = {}
    for owner in (*playbook.kinds, SUBJECT):
        for field in playbook.fields(owner).values():
            value = _value(field, next(numbers))
            if value is not None:
                found[owner, field.id] = value
    for kind in playbook.kinds:
        found[kind, TITLE] = f"Заголов{next(numbers)}"
        found[kind, COMMENTS] = f"Сказано{next(numbers)}"
    return found


def _value(field: Field, number: int) -> Value:
    if field.type in SEVERAL:
        return [f"{_text(SEVERAL[field.type], number)}", f"{_text(SEVERAL[field.type], -number)}"]
    match field.type:
        case "number" | "money":
            return 7_310_000 + number
        case "time":
            return 1_650_000_000_000 + number
        case "bool" | "choice" | "choices":
            return None
        case _:
            return _text(field.type, number)


def _text(kind: str, number: int) -> str:
    match kind:
        case "phone":
            return f"+7912{5_550_000 + number}"
        case "email":
            return f"tayna{number}@sekret.example"
        case "date":
            return f"{number % 10000}-01-02"
        case _:
            return f"Тайна{number}я"


def looked_for(value: Value) -> list[bytes]:
    """The bytes that give a canary away."""
    parts = value if isinstance(value, list) else [value]
    return [str(part).encode() for part in parts]


def filled(playbook: Playbook, values: Canaries, users: list[str]) -> Batch:
    """A card of each kind for each of the ``users``, all of one and the same content."""
    ids = _ids()
    items: list[Item] = []
    entries: list[Entry] = []
    subjects: list[Subject] = []
    for user in users:
        subject = _subject(next(ids), values)
        subjects.append(subject)
        for kind in playbook.kinds.values():
            item = _item(next(ids), kind.id, kind.stages[0].id, user, subject.id, values)
            items.append(item)
            said = str(values[kind.id, COMMENTS])
            entries.append(
                Entry(
                    id=next(ids), item_id=item.id, at=START, who=user, event="comment", comment=said
                )
            )
    return Batch(items=items, subjects=subjects, entries=entries)


def _ids() -> Iterator[str]:
    for number in count(1):
        yield make_id(START - 1000 + number, lambda size, n=number: n.to_bytes(size, "big"))


def _fields(owner: str, values: Canaries) -> dict[str, Value]:
    return {
        name: value
        for (whose, name), value in values.items()
        if whose == owner and name not in PSEUDO_FIELDS
    }


def _subject(identifier: str, values: Canaries) -> Subject:
    fields = _fields(SUBJECT, values)
    given = Standing(given_at=START, text_version=1, channel="form")
    versions = dict.fromkeys(fields, 1)
    return Subject(
        id=identifier, fields=fields, field_versions=versions, consents={"processing": given}
    )


def _item(
    identifier: str, kind: str, stage: str, user: str, subject_id: str, values: Canaries
) -> Item:
    fields = _fields(kind, values)
    return Item(
        id=identifier,
        kind=kind,
        stage=stage,
        title=str(values[kind, TITLE]),
        created_at=START,
        updated_at=START,
        stage_since=START,
        version=3,
        author=user,
        owner=user,
        responsible=user,
        shared_with=user,
        subject_id=subject_id,
        fields=fields,
        field_versions=dict.fromkeys(fields, 3),
    )
