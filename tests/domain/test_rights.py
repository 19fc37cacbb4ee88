"""Who sees which cards and how much of each field; masks give away only what they show."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.domain.forms import check_value
from desk.domain.model import Actor, Entry, Item, Standing, Subject, Value
from desk.domain.playbook import SEVERAL, Field, Level, Playbook
from desk.domain.refusals import Refusal
from desk.domain.rights import (
    COLUMN_TYPES,
    HIDDEN,
    MASK,
    SCOPE_COLUMNS,
    hidden,
    item_types,
    mask_entry,
    mask_item,
    mask_print,
    mask_subject,
    may_edit,
    record,
    scope,
    sees,
)
from tests.domain.world import FREIGHT, START, World

OWNERS = [*FREIGHT.kinds, "subject"]
ROLES = [*FREIGHT.roles, "stranger"]
_SECRET = "Секретов Тайный-Кодов"
_BY_TYPE: dict[str, Value] = {
    "text": _SECRET,
    "long": _SECRET,
    "number": 271828,
    "money": 31415926,
    "bool": True,
    "date": "2027-01-31",
    "time": START,
    "phone": "+79123456789",
    "email": "secret@example.com",
    "user": "marketer1",
    "phones": ["+79123456789"],
    "emails": ["secret@example.com"],
    "texts": [_SECRET],
}


def _value(field: Field) -> Value:
    return field.choices[0].id if field.choices else _BY_TYPE[field.type]


def _filled(owner: str) -> dict[str, Value]:
    return {field.id: _value(field) for field in FREIGHT.fields(owner).values()}


def _item(kind: str, fields: dict[str, Value]) -> Item:
    return Item(
        id="i",
        kind=kind,
        stage=FREIGHT.kinds[kind].stages[0].id,
        title="Москва — Казань",
        created_at=START,
        updated_at=START,
        stage_since=START,
        fields=fields,
        field_versions=dict.fromkeys(fields, 1),
    )


def _shown(role: str, owner: str, fields: dict[str, Value]) -> Subject | Item:
    if owner == "subject":
        versions = dict.fromkeys(fields, 1)
        return mask_subject(FREIGHT, role, Subject(id="s", fields=fields, field_versions=versions))
    return mask_item(FREIGHT, role, _item(owner, fields))


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("role", ROLES)
def test_every_field_is_shown_as_far_as_the_role_may_see_it(role: str, owner: str) -> None:
    fields = _filled(owner)
    shown = _shown(role, owner, fields)

    for name, value in fields.items():
        level = FREIGHT.mask(role, owner, name)
        if level == "full":
            assert shown.fields[name] == value
        elif level == "none":
            assert name not in shown.fields
            assert name not in shown.field_versions
        elif level == "exists":
            assert shown.fields[name] == MASK
        else:
            parts = shown.fields[name]
            for part in parts if isinstance(parts, list) else [parts]:
                assert MASK in str(part) or str(part).endswith(".")
            assert shown.fields[name] != value


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("role", ROLES)
def test_a_field_is_edited_only_by_who_sees_it_in_full(role: str, owner: str) -> None:
    for name in FREIGHT.fields(owner):
        if may_edit(FREIGHT, role, owner, name):
            assert FREIGHT.mask(role, owner, name) == "full"
            assert role in FREIGHT.roles


def test_an_unknown_role_sees_and_edits_nothing() -> None:
    for owner in OWNERS:
        assert _shown("stranger", owner, _filled(owner)).fields == {}
        assert not any(may_edit(FREIGHT, "stranger", owner, one) for one in FREIGHT.fields(owner))
    for kind in FREIGHT.kinds:
        seen = scope(_item(kind, {}))
        assert not sees(FREIGHT, Actor("x", "stranger"), {**seen, "responsible": "x"}, START)


def test_a_field_that_does_not_exist_is_nobodys_to_edit() -> None:
    assert may_edit(FREIGHT, "marketer", "lead", "route_to")
    assert not may_edit(FREIGHT, "marketer", "lead", "no_such")
    assert not may_edit(FREIGHT, "marketer", "no_such", "route_to")


def test_some_roles_edit_only_what_they_are_given() -> None:
    assert may_edit(FREIGHT, "sales", "lead", "cargo")
    assert not may_edit(FREIGHT, "sales", "lead", "company")
    assert not may_edit(FREIGHT, "sales", "subject", "name")
    assert not may_edit(FREIGHT, "director", "lead", "cargo")


def _masking(level: Level) -> Any:
    role = msgspec.structs.replace(FREIGHT.roles["sales"], mask=dict.fromkeys(OWNERS, level))
    return msgspec.structs.replace(FREIGHT, roles={**FREIGHT.roles, "sales": role})


_digits = st.text("0123456789", min_size=8, max_size=12)
_phones = _digits.map(lambda digits: f"+{digits}")
_parts = st.text("abcxyzабвэюя0189-", min_size=2, max_size=12)
_emails = st.builds(lambda name, host: f"{name}@{host}.example", _parts, _parts)
_names = st.lists(st.text("абвгдАБВГДabcd-", min_size=2, max_size=12), min_size=1, max_size=4)


@given(phone=_phones, email=_emails, words=_names)
def test_a_mask_gives_away_only_what_it_shows(phone: str, email: str, words: list[str]) -> None:
    subject = Subject(id="s", fields={"phone": phone, "email": email, "name": " ".join(words)})

    shown = mask_subject(_masking("masked"), "sales", subject).fields

    # A phone keeps two characters at each end, to be told from another.
    middle = str(shown["phone"])[2:-2]
    assert set(middle) == {MASK}
    assert len(str(shown["phone"])) == len(phone)
    # An address keeps its first letter and its zone, a name its initials.
    assert shown["email"] == f"{email[0]}{MASK * 3}@{MASK * 3}.example"
    assert shown["name"] == " ".join(f"{word[0]}." for word in words)


@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            name: st.none() | st.text(max_size=30) | st.integers() | st.booleans()
            for name in ("name", "phone", "email", "position", "unknown")
        },
    ),
    level=st.sampled_from(["none", "exists", "masked"]),
)
def test_whatever_stands_in_a_field_a_mask_hides_it(values: dict[str, Value], level: Level) -> None:
    shown = mask_subject(_masking(level), "sales", Subject(id="s", fields=values)).fields

    for name, value in values.items():
        if level == "none" or value is None:
            assert name not in shown
        else:
            assert isinstance(shown[name], str)
            assert shown[name] != value or len(str(value)) <= 2


def test_short_or_odd_values_are_masked_whole() -> None:
    odd: dict[str, Value] = {"phone": "112", "email": "нет", "name": "", "position": "  "}

    shown = mask_subject(_masking("masked"), "sales", Subject(id="s", fields=odd)).fields

    assert set(shown.values()) == {MASK * 3}


def test_a_cleared_field_keeps_its_version_only_for_who_may_see_the_field() -> None:
    cleared = msgspec.structs.replace(
        _item("lead", {"utm_source": "x"}), field_versions={"cargo": 4, "utm_term": 3}
    )

    assert mask_item(FREIGHT, "sales", cleared).field_versions == {"cargo": 4}
    assert mask_item(FREIGHT, "marketer", cleared) == cleared


def test_a_masked_value_is_never_taken_for_a_true_one() -> None:
    for name, value in _filled("subject").items():
        masked = mask_subject(_masking("masked"), "sales", Subject(id="s", fields={name: value}))
        field = FREIGHT.subject_fields[name]
        if field.type in ("phone", "email"):
            assert isinstance(check_value(field, masked.fields[name]), Refusal)


def test_who_sees_what_follows_the_cards_people() -> None:
    world = World()
    lead, qualification = world.handed("sales1")
    cases = {
        "marketer2": (True, True),
        "sales1": (True, True),
        "sales2": (False, False),
        "operator1": (True, False),
        "consultant1": (True, False),
        "head": (True, True),
        "admin": (True, True),
    }
    for name, expected in cases.items():
        actor = world.actor(name)
        seen = tuple(sees(FREIGHT, actor, scope(one), START) for one in (lead, qualification))
        assert seen == expected, name


def test_a_scope_without_a_known_kind_is_nobodys() -> None:
    for kind in (None, 5, "no_such", ["lead"]):
        assert not sees(FREIGHT, Actor("head", "head"), {"kind": kind}, START)


def test_a_scope_holds_no_field_and_no_title() -> None:
    lead = _item("lead", _filled("lead"))

    assert tuple(scope(lead)) == SCOPE_COLUMNS
    assert _SECRET not in scope(lead).values()
    assert "title" not in scope(lead)


def test_a_filter_may_speak_of_columns_and_of_the_kinds_fields() -> None:
    assert item_types(FREIGHT, "lead")["weight_t"] == "number"
    assert "monthly_volume" not in item_types(FREIGHT, "lead")
    assert {"weight_t", "monthly_volume", *COLUMN_TYPES} <= set(item_types(FREIGHT, None))
    assert set(record(_item("lead", {"cargo": "food"}))) == {"cargo", *COLUMN_TYPES}


def _titled(level: str, title: str = "Анна Тайнова") -> Item:
    return mask_item(_with(title=level), "sales", _item_of("lead", title))


def _with(**levels: str) -> Playbook:
    mask = {"lead": "full", "qualification": "full"}
    mask |= {f"lead.{name}": level for name, level in levels.items()}
    role = msgspec.structs.replace(FREIGHT.roles["sales"], mask=mask)
    return msgspec.structs.replace(FREIGHT, roles={**FREIGHT.roles, "sales": role})


def _item_of(kind: str, title: str) -> Item:
    return msgspec.structs.replace(_item(kind, {}), title=title)


def test_a_title_is_shown_by_its_initials_or_not_at_all() -> None:
    assert _titled("full").title == "Анна Тайнова"
    assert _titled("masked").title == "А. Т."
    assert _titled("masked", "Анна +79123456789").title == "А. +."
    assert _titled("exists").title == _titled("none").title == HIDDEN
    other = _item_of("qualification", "Анна Тайнова")
    assert mask_item(_with(title="none"), "sales", other) == other


@pytest.mark.parametrize(
    ("level", "shown"), [("full", "о нём"), ("masked", HIDDEN), ("exists", HIDDEN), ("none", "")]
)
def test_comments_are_shown_as_the_kind_s_mask_says(level: str, shown: str) -> None:
    playbook = _with(comments=level)
    entry = Entry(id="e", item_id="i", at=START, who="head", event="comment", comment="о нём")
    silent = msgspec.structs.replace(entry, comment="")

    assert mask_entry(playbook, "sales", "lead", entry).comment == shown
    assert mask_entry(playbook, "sales", "lead", silent) == silent
    assert mask_entry(playbook, "sales", "qualification", entry) == entry


def test_another_mask_of_titles_or_comments_is_another_print() -> None:
    prints = {
        mask_print(_with(**levels), "sales", "lead")
        for levels in ({}, {"title": "masked"}, {"title": "none"}, {"comments": "none"})
    }

    assert len(prints) == 4
    assert mask_print(_with(title="none"), "sales", "qualification") == ""


def test_each_of_several_values_is_masked_by_itself() -> None:
    values: dict[str, Value] = {
        "more_phones": ["+79123456789", "+79123450000"],
        "more_emails": ["anna@example.com"],
        "messengers": ["telegram @anna"],
    }
    shown = mask_subject(_masking("masked"), "sales", Subject(id="s", fields=values)).fields

    assert shown["more_phones"] == ["+7••••••••89", "+7••••••••00"]
    assert shown["more_emails"] == ["a•••@•••.com"]
    assert shown["messengers"] == ["t. @."]
    assert {FREIGHT.subject_fields[name].type for name in values} == set(SEVERAL)


def test_which_consents_there_are_is_seen_by_who_sees_no_data() -> None:
    given = Standing(given_at=START, text_version=1, channel="form")
    subject = Subject(id="s", fields={"name": _SECRET}, consents={"calls": given})
    shown = mask_subject(FREIGHT, "director", subject)

    assert shown.consents == {"calls": given}
    assert shown.fields == {}


def test_what_a_role_does_not_see_in_full_is_no_ground_to_choose_or_count_by() -> None:
    assert hidden(FREIGHT, "sales", "lead", ["utm_term", "cargo", "stage", "title"]) == (
        "utm_term",
    )
    assert hidden(FREIGHT, "sales", None, ["utm_campaign", "request"]) == ("utm_campaign",)
    assert hidden(FREIGHT, "director", None, ["request", "comments"]) == ("comments", "request")
    assert hidden(FREIGHT, "admin", "lead", ["title", "score"]) == ("title",)
    assert hidden(FREIGHT, "marketer", None, ["request", "title", "utm_term"]) == ()
    # What stands on cards of other kinds alone is not in his sight either.
    assert hidden(FREIGHT, "operator", "qualification", ["need", "title"]) == ("need", "title")
    assert hidden(FREIGHT, "stranger", None, ["title", "cargo"]) == ("cargo", "title")
