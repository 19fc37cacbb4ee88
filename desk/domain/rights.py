"""One policy: which rows a role sees, how much of each field, and what it may change."""

import hashlib
from collections.abc import Callable, Iterable, Mapping

import msgspec

from desk.domain.condition import FieldType, evaluate
from desk.domain.model import Actor, Entry, Item, Subject, Value
from desk.domain.playbook import SEVERAL, Field, Level, Playbook

#: The columns of an item that a row predicate may speak of; none of them is personal data.
SCOPE_TYPES: Mapping[str, FieldType] = {
    "kind": "text",
    "stage": "text",
    "responsible": "user",
    "shared_with": "user",
    "owner": "user",
    "author": "user",
    "score": "number",
    "round": "number",
    "created_at": "time",
}
SCOPE_COLUMNS = tuple(SCOPE_TYPES)

#: Every column of an item that a filter may speak of.
COLUMN_TYPES: Mapping[str, FieldType] = {
    **SCOPE_TYPES,
    "id": "text",
    "title": "text",
    "updated_at": "time",
    "stage_since": "time",
    "due_at": "time",
    "worked_at": "time",
    "version": "number",
}

#: What a mask may speak of beside the fields of a kind: its title, the comments on its timeline.
TITLE, COMMENTS = PSEUDO_FIELDS = ("title", "comments")

MASK = "•"
#: What stands for a text of which nothing is shown.
HIDDEN = MASK * 3
#: Raised when masks begin to leave something else: desks then take what they hold anew.
_MASKING = 2
#: What names the fields of a subject: "subject.phone".
SUBJECT = "subject"


def item_types(playbook: Playbook, kind: str | None) -> dict[str, FieldType]:
    """The names a condition over items of ``kind`` (or of any) may use, with their types."""
    kinds = [playbook.kinds[kind]] if kind in playbook.kinds else playbook.kinds.values()
    fields: dict[str, FieldType] = {
        one.id: one.condition_type for k in kinds for one in k.fields.values()
    }
    return {**fields, **COLUMN_TYPES}


def scope(item: Item) -> dict[str, Value]:
    """The part of an item that decides who sees it."""
    return {name: getattr(item, name) for name in SCOPE_COLUMNS}


def record(item: Item) -> dict[str, Value]:
    """An item as conditions see it: its columns and its fields by name."""
    return {**item.fields, **{name: getattr(item, name) for name in COLUMN_TYPES}}


def sees(playbook: Playbook, actor: Actor, seen: Mapping[str, Value], now: int) -> bool:
    """Whether the actor sees an item of this scope."""
    kind = seen.get("kind")
    if not isinstance(kind, str):
        return False
    return evaluate(playbook.sees(actor.role, kind), seen, me=actor.id, now=now)


def mask_item(playbook: Playbook, role: str, item: Item) -> Item:
    """The item as people of ``role`` may read it."""
    if playbook.shows_all(role, item.kind):
        return item
    fields = _masked(playbook, role, item.kind, item.fields)
    versions = _kept(playbook, role, item.kind, item.field_versions)
    title = _mask_title(playbook.mask(role, item.kind, TITLE), item.title)
    if (title, fields, versions) == (item.title, item.fields, item.field_versions):
        return item
    return msgspec.structs.replace(item, title=title, fields=fields, field_versions=versions)


def mask_subject(playbook: Playbook, role: str, subject: Subject) -> Subject:
    """The subject as people of ``role`` may read it."""
    if playbook.shows_all(role, "subject"):
        return subject
    return msgspec.structs.replace(
        subject,
        fields=_masked(playbook, role, "subject", subject.fields),
        field_versions=_kept(playbook, role, "subject", subject.field_versions),
    )


def mask_entry(playbook: Playbook, role: str, kind: str, entry: Entry) -> Entry:
    """A line of the timeline of an item of ``kind`` as people of ``role`` may read it."""
    if not entry.comment or not hides_comments(playbook, role, kind):
        return entry
    level = playbook.mask(role, kind, COMMENTS)
    return msgspec.structs.replace(entry, comment="" if level == "none" else HIDDEN)


def hides_comments(playbook: Playbook, role: str, kind: str) -> bool:
    """Whether people of ``role`` may not read what is said on items of ``kind``."""
    return playbook.mask(role, kind, COMMENTS) != "full"


def hidden(
    playbook: Playbook, role: str, kind: str | None, names: Iterable[str]
) -> tuple[str, ...]:
    """Those of ``names`` that ``role`` does not see in full on items of ``kind``, or of any.

    To choose, sort or count by such a field would tell what stands in it.
    """
    return tuple(sorted({name for name in names if _is_hidden(playbook, role, kind, name)}))


def _is_hidden(playbook: Playbook, role: str, kind: str | None, name: str) -> bool:
    if name in COLUMN_TYPES and name != TITLE:
        return False
    known = playbook.roles.get(role)
    kinds = [kind] if kind else [one for one in playbook.kinds if known and one in known.sees]
    having = [one for one in kinds if name == TITLE or name in playbook.fields(one)]
    return not having or any(playbook.mask(role, one, name) != "full" for one in having)


def mask_print(playbook: Playbook, role: str, owner: str) -> str:
    """Names the way in which ``role`` is shown the fields of ``owner``; equal means shown equally.

    Empty where every field is shown in full. The type of a masked field counts, too: it decides
    what the mask leaves.
    """
    known = playbook.roles.get(role)
    if known is None or playbook.shows_all(role, owner):
        return ""
    declared = playbook.fields(owner)
    levels = [str(_MASKING), f"*={known.mask.get(owner, 'none')}"]
    levels += sorted(
        f"{name}={level}" for name, level in known.mask.items() if name.startswith(f"{owner}.")
    )
    levels += sorted(
        f"{name}:{field.type}"
        for name, field in declared.items()
        if playbook.mask(role, owner, name) == "masked"
    )
    return hashlib.sha256("\n".join(levels).encode()).hexdigest()[:16]


def may_edit(playbook: Playbook, role: str, owner: str, field: str) -> bool:
    """Whether people of ``role`` may change the field; only what they see in full."""
    known = playbook.roles.get(role)
    if known is None or field not in playbook.fields(owner):
        return False
    if playbook.mask(role, owner, field) != "full":
        return False
    allowed = known.edits.get(owner, ())
    return "*" in allowed or field in allowed


def may_reveal(playbook: Playbook, role: str, name: str) -> bool:
    """Whether people of ``role`` may have a look at the field "OWNER.FIELD" that is masked."""
    known = playbook.roles.get(role)
    owner, _, field = name.partition(".")
    return known is not None and field in known.reveals.get(owner, ())


def may_call(playbook: Playbook, role: str, name: str) -> bool:
    """Whether people of ``role`` may have the number in the field "OWNER.FIELD" dialled."""
    known = playbook.roles.get(role)
    owner, _, field = name.partition(".")
    declared = playbook.fields(owner).get(field)
    if known is None or declared is None or declared.type not in ("phone", "phones"):
        return False
    level = playbook.mask(role, owner, field)
    return level == "full" or (level == "masked" and known.calls)


def numbers_in(value: Value) -> list[str]:
    """The numbers in a field for one or for several."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) and value else []


def _masked(
    playbook: Playbook, role: str, owner: str, values: Mapping[str, Value]
) -> dict[str, Value]:
    declared = playbook.fields(owner)
    shown: dict[str, Value] = {}
    for name, value in values.items():
        level = playbook.mask(role, owner, name)
        if level == "full":
            shown[name] = value
        elif level != "none" and value is not None:
            shown[name] = _mask_value(declared.get(name), value) if level == "masked" else MASK
    return shown


def _kept(playbook: Playbook, role: str, owner: str, versions: Mapping[str, int]) -> dict[str, int]:
    """The versions of fields the role may know of, cleared ones too: edits are based on them."""
    return {
        name: version
        for name, version in versions.items()
        if playbook.mask(role, owner, name) != "none"
    }


def _mask_value(field: Field | None, value: Value) -> Value:
    if field and field.type in SEVERAL and isinstance(value, list):
        # One beside another, so that each may be called.
        mask = _MASKS[SEVERAL[field.type]]
        return [mask(one) for one in value]
    text = value if isinstance(value, str) else ""
    mask = _MASKS.get(field.type) if field else None
    return mask(text) if mask else HIDDEN


def _mask_title(level: Level, title: str) -> str:
    """A title is always there, so that it exists tells nothing."""
    if level == "full":
        return title
    return _mask_words(title) if level == "masked" else HIDDEN


def _mask_phone(text: str) -> str:
    return text[:2] + MASK * max(len(text) - 4, 3) + text[-2:] if len(text) > 6 else HIDDEN


def _mask_email(text: str) -> str:
    name, _, domain = text.partition("@")
    return f"{name[:1]}{HIDDEN}@{HIDDEN}.{domain.rpartition('.')[2]}" if domain else HIDDEN


def _mask_words(text: str) -> str:
    return " ".join(word[:1] + "." for word in text.split()) or HIDDEN


_MASKS: Mapping[str, Callable[[str], str]] = {
    "phone": _mask_phone,
    "email": _mask_email,
    "text": _mask_words,
}
