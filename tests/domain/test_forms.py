"""Values of fields: what people type and what programs send, checked and made uniform."""

import math
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desk.domain.forms import check_value, is_empty, parse_value
from desk.domain.playbook import Choice, Field, Text, ValueType
from desk.domain.refusals import SENTENCES, Refusal

TYPES: tuple[ValueType, ...] = get_args(ValueType)
_CHOICES = (
    Choice(id="site", title=Text(ru="Сайт", en="Site")),
    Choice(id="phone", title=Text(ru="Звонок", en="Call")),
)


def _field(kind: ValueType, **more: Any) -> Field:
    choices = _CHOICES if kind in ("choice", "choices") else ()
    return Field(id="f", title=Text(ru="Поле", en="Field"), type=kind, choices=choices, **more)


def _code(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    assert answer.args["field"] == "f"
    SENTENCES[answer.code].format(**answer.args)
    return answer.code


@pytest.mark.parametrize(
    "typed",
    [
        "+7 912 345-67-89",
        "8 (912) 345-67-89",
        "89123456789",
        "79123456789",
        "9123456789",
        "8-912-345-67-89",
        "+7(912)3456789",
        "+7.912.345.67.89",
        "8 912 345 67 89",
        "8\u00a0912\u00a0345\u201167\u201189",
        "тел. 8 912 345 67 89",
        "tel:+7-912-345-67-89",
        "８９１２３４５６７８９",
    ],
)
def test_a_russian_phone_is_one_number_however_it_is_written(typed: str) -> None:
    assert parse_value(_field("phone"), typed) == "+79123456789"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("8 800 555-35-35", "+78005553535"),
        ("8 10 44 20 7946 0958", "+442079460958"),
        ("+375 29 123-45-67", "+375291234567"),
        ("+7 701 234 5678", "+77012345678"),
        ("+998 90 123 45 67", "+998901234567"),
        ("+39 06 698 12345", "+390669812345"),
        ("+1 (212) 555-0123", "+12125550123"),
        ("+86 138 1234 5678", "+8613812345678"),
    ],
)
def test_other_phones_keep_their_country(typed: str, kept: str) -> None:
    assert parse_value(_field("phone"), typed) == kept
    assert check_value(_field("phone"), kept) == kept


@pytest.mark.parametrize("typed", ["нет", "123", "+1 555 0123", "+7", "0" * 400, "+79123456789123"])
def test_what_nobody_can_call_is_no_phone(typed: str) -> None:
    assert _code(parse_value(_field("phone"), typed)) == "not_a_phone"


@pytest.mark.parametrize(
    ("typed", "kopecks"),
    [
        ("1500", 150_000),
        ("1 500,50", 150_050),
        ("1\u202f500.5 ₽", 150_050),
        ("1 500 руб.", 150_000),
        ("1500 руб", 150_000),
        ("1500 рублей", 150_000),
        ("1500р.", 150_000),
        ("0,01", 1),
        ("\u2212100", -10_000),
        ("1234567890.07", 123_456_789_007),
    ],
)
def test_money_is_typed_in_roubles_and_kept_in_kopecks(typed: str, kopecks: int) -> None:
    value = parse_value(_field("money"), typed)
    assert value == kopecks
    assert type(value) is int


def test_money_is_whole_kopecks() -> None:
    assert check_value(_field("money"), 10.4) == 10
    assert check_value(_field("number"), 10.4) == 10.4


def test_a_refused_amount_speaks_of_roubles_as_the_person_does() -> None:
    refusal = parse_value(_field("money", min=0, max=500_000), "9000")
    assert isinstance(refusal, Refusal)
    assert refusal.args == {"field": "f", "low": "0", "high": "5000"}


@pytest.mark.parametrize(
    ("typed", "value"),
    [("12", 12), ("12,5", 12.5), ("1 000", 1000), ("-3", -3), ("\u22123", -3), ("-0", 0)],
)
def test_numbers_are_read_as_people_write_them(typed: str, value: float) -> None:
    assert parse_value(_field("number"), typed) == value


@pytest.mark.parametrize(
    "typed", ["сто", "1,2,3", "nan", "inf", "-Infinity", "1e999", "1_000", "٣"]
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    assert _code(parse_value(_field("number"), typed)) == "not_a_number"
    assert _code(parse_value(_field("money"), typed)) == "not_a_number"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "5", ["5"]])
def test_programs_may_send_only_finite_numbers(value: Any) -> None:
    assert _code(check_value(_field("number"), value)) == "not_a_number"


def test_a_number_keeps_within_its_limits() -> None:
    field = _field("number", min=0, max=10_000)
    assert check_value(field, 10_000) == 10_000
    for value in (-1, 10_000.5, 10**400):
        refusal = check_value(field, value)
        assert _code(refusal) == "number_range"
        assert isinstance(refusal, Refusal)
        assert (refusal.args["low"], refusal.args["high"]) == ("0", "10000")
    assert _code(check_value(_field("number"), -(10**5000))) == "number_range"


@pytest.mark.parametrize("typed", ["31.01.2027", "2027-01-31", " 31.1.2027 ", "20270131"])
def test_a_date_is_read_in_both_spellings(typed: str) -> None:
    assert parse_value(_field("date"), typed) == "2027-01-31"


@pytest.mark.parametrize("typed", ["31.02.2027", "вчера", "2027-13-01", "1.1.27", "31.01.２０２７"])
def test_a_day_that_is_not_is_refused(typed: str) -> None:
    assert _code(parse_value(_field("date"), typed)) == "not_a_date"


@pytest.mark.parametrize(
    ("words", "value"),
    [("да Да ДА д yes Y true 1 +", True), ("нет Нет н no N false 0 -", False)],
)
def test_yes_and_no_are_read_in_both_languages(words: str, value: bool) -> None:
    assert all(parse_value(_field("bool"), word) is value for word in words.split())
    assert _code(parse_value(_field("bool"), "может быть")) == "not_yes_no"
    assert _code(check_value(_field("bool"), 1)) == "not_yes_no"


def test_a_choice_is_read_by_id_or_by_title_and_kept_by_id() -> None:
    field = _field("choice")
    assert [parse_value(field, typed) for typed in ("phone", "звонок", "CALL")] == ["phone"] * 3
    refusal = parse_value(field, "факс")
    assert _code(refusal) == "not_a_choice"
    assert isinstance(refusal, Refusal)
    assert refusal.args["choices"] == "site, phone"


def test_choices_are_parted_by_commas_and_kept_once_in_order() -> None:
    field = _field("choices")
    assert parse_value(field, "Сайт, phone,site,") == ["phone", "site"]
    assert parse_value(field, " , ") is None
    assert _code(parse_value(field, "site, факс")) == "not_a_choice"
    assert _code(check_value(field, "site")) == "not_a_choice"


def test_text_is_cleaned_and_longer_text_is_refused_not_cut() -> None:
    field = _field("text", max_length=5)
    assert check_value(field, " Ива\x1bн \n") == "Иван"
    assert check_value(field, "абвгд") == "абвгд"
    assert _code(check_value(field, "абвгде")) == "too_long"
    assert _code(parse_value(field, "абвгде")) == "too_long"


def test_long_text_keeps_its_lines() -> None:
    assert parse_value(_field("long"), "Москва\r\nКазань") == "Москва\nКазань"
    assert _code(parse_value(_field("long"), "а" * 5000)) == "too_long"


@pytest.mark.parametrize("address", ["ivan@example.com", "и.петров@почта.рф", "a+b@x-y.co.uk"])
def test_an_email_address_is_kept_as_it_is(address: str) -> None:
    assert parse_value(_field("email"), f" {address} ") == address


@pytest.mark.parametrize(
    "typed",
    [
        *("ivan", "ivan@", "@example.com", "ivan@example", "a b@example.com", "a@b@c.ru"),
        *("a@<b>.ru", "a@" + "b" * 300 + ".ru", "a@b..ru", "a" * 65 + "@b.ru", "a..b@c.ru"),
    ],
)
def test_what_is_no_address_is_refused_not_cut(typed: str) -> None:
    assert _code(parse_value(_field("email"), typed)) == "not_an_email"


def test_a_moment_is_whole_milliseconds() -> None:
    field = _field("time")
    assert parse_value(field, "1790000000000") == 1_790_000_000_000
    for wrong in (1.5, True, -1, 10**400, "5"):
        assert _code(check_value(field, wrong)) == "not_a_date"
    assert _code(parse_value(field, "завтра")) == "not_a_date"


@pytest.mark.parametrize("kind", TYPES)
def test_nothing_is_nothing_in_every_field(kind: ValueType) -> None:
    for empty in (None, "", []):
        assert check_value(_field(kind), empty) is None
        assert is_empty(empty)
    for typed in ("", "  \t", "\x1b\u202e\u200b"):
        assert parse_value(_field(kind), typed) is None
    assert not is_empty(False)
    assert not is_empty(0)


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)
_likely = st.sampled_from(
    [
        *("site", ["site", "phone"], ["phone", "phone"], "2027-01-31", "+79123456789", "a@b.ru"),
        *("8 912 345 67 89 доб. 12", "+7 912 345-67-89;ext=5", "tel:1;phone-context=+7"),
        *(1e15, -0.0, 10**400, 5e-324, "\ud800", "\x1b", "\u0301", "0001-01-01", "2027-W05-6"),
    ]
)
_typed = st.text(st.characters() | st.sampled_from("0123456789+-().,@ р₽да"), max_size=30)


@pytest.mark.parametrize("kind", TYPES)
@given(value=_json | _likely | _typed)
@example(value=10**400)
@example(value="\x1b")
def test_every_value_is_kept_or_refused_and_a_kept_one_stays(kind: ValueType, value: Any) -> None:
    kept = check_value(_field(kind), value)

    if isinstance(kept, Refusal):
        assert _code(kept)
    else:
        again = check_value(_field(kind), kept)
        assert (again, type(again)) == (kept, type(kept))


@pytest.mark.parametrize("kind", TYPES)
@given(typed=_typed | _likely.filter(lambda one: isinstance(one, str)))
def test_every_typed_text_is_kept_or_refused(kind: ValueType, typed: str) -> None:
    kept = parse_value(_field(kind), typed)

    if isinstance(kept, Refusal):
        assert _code(kept)
    else:
        assert check_value(_field(kind), kept) == kept


def test_a_time_field_of_any_length_reads_any_digits() -> None:
    assert _code(parse_value(_field("time", max_length=9000), "9" * 9000)) == "not_a_date"
