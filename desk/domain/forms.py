"""Values of fields: checked, normalised, and read from what a person typed."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date

from desk.domain.clean import clean
from desk.domain.model import Value
from desk.domain.playbook import SEVERAL, Field
from desk.domain.refusals import Refusal

HOME_REGION = "RU"
_LIMIT = 1e15
_LONG = 4000
_EMAIL_LIMIT = 254
# The bullet keeps an address that is shown masked from being stored as a true one.
_EMAIL_PART = r"[^\s@.<>()\[\],;:\\\"•]+"
_EMAIL = re.compile(
    rf"(?=[^@]{{1,64}}@){_EMAIL_PART}(?:\.{_EMAIL_PART})*@{_EMAIL_PART}(?:\.{_EMAIL_PART})+"
)
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_ROUBLES = re.compile(r"(?:₽|rub|руб(?:\.|л(?:ей|я|ь))?|р\.?)$", re.IGNORECASE)
_TIME_DIGITS = 16
_TRUE = frozenset(("1", "true", "yes", "y", "да", "д", "+"))
_FALSE = frozenset(("0", "false", "no", "n", "нет", "н", "-"))
#: What people write between several values, and how many a field takes.
_SEPARATOR = re.compile(r"[;,\n]")
_MOST_VALUES = 20
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


def check_value(field: Field, value: Value) -> Value | Refusal:
    """``value`` as it is stored, or why it cannot be. Empty text and empty lists become None."""
    if value is None or value == "" or value == []:
        return None
    return _CHECKS[field.type](field, value)


def parse_value(field: Field, text: str) -> Value | Refusal:
    """What a person typed, as a value of the field."""
    limit = _text_limit(field) * (_MOST_VALUES if field.type in SEVERAL else 1)
    text = clean(text, limit + 1, lines=field.type == "long" or field.type in SEVERAL)
    if not text:
        return None
    reader = _READERS.get(field.type)
    value = reader(field, text) if reader else text
    if value is None:
        return Refusal(_WRONG[field.type], {"field": field.id})
    return check_value(field, value)


def is_empty(value: Value) -> bool:
    """Whether a field with this value counts as not filled."""
    return value is None or value == "" or value == []


def _text_limit(field: Field) -> int:
    return max(field.max_length, _LONG) if field.type == "long" else field.max_length


def _text(field: Field, value: Value) -> Value | Refusal:
    if not isinstance(value, str):
        return Refusal("not_text", {"field": field.id})
    limit = _text_limit(field)
    text = clean(value, limit + 1, lines=field.type == "long")
    if len(text) > limit:
        return Refusal("too_long", {"field": field.id, "limit": str(limit)})
    return text or None


def _number(field: Field, value: Value) -> Value | Refusal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Refusal("not_a_number", {"field": field.id})
    if isinstance(value, float) and not math.isfinite(value):
        return Refusal("not_a_number", {"field": field.id})
    low = field.min if field.min is not None else -_LIMIT
    high = field.max if field.max is not None else _LIMIT
    if not low <= value <= high:
        # People type and read roubles, whatever is stored.
        unit = 100 if field.type == "money" else 1
        limits = {"low": f"{low / unit:.15g}", "high": f"{high / unit:.15g}"}
        return Refusal("number_range", {"field": field.id, **limits})
    if isinstance(value, float) and (field.type == "money" or value.is_integer()):
        return round(value)
    return value


def _choice(field: Field, value: Value) -> Value | Refusal:
    if isinstance(value, str) and field.choice(value):
        return value
    return _not_a_choice(field)


def _choices(field: Field, value: Value) -> Value | Refusal:
    if isinstance(value, list) and all(field.choice(one) for one in value):
        return sorted(set(value))
    return _not_a_choice(field)


def _not_a_choice(field: Field) -> Refusal:
    known = ", ".join(choice.id for choice in field.choices)
    return Refusal("not_a_choice", {"field": field.id, "choices": known})


def _bool(field: Field, value: Value) -> Value | Refusal:
    return value if isinstance(value, bool) else Refusal("not_yes_no", {"field": field.id})


def _date(field: Field, value: Value) -> Value | Refusal:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    return Refusal("not_a_date", {"field": field.id})


def _time(field: Field, value: Value) -> Value | Refusal:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LIMIT:
        return value
    return Refusal("not_a_date", {"field": field.id})


def _phone(field: Field, value: Value) -> Value | Refusal:
    import phonenumbers  # Heavy, and no board needs it.

    if isinstance(value, str):
        try:
            number = phonenumbers.parse(value, HOME_REGION)
        except phonenumbers.NumberParseException:
            number = None
        possible = phonenumbers.ValidationResult.IS_POSSIBLE
        if number and phonenumbers.is_possible_number_with_reason(number) == possible:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Refusal("not_a_phone", {"field": field.id})


def _email(field: Field, value: Value) -> Value | Refusal:
    if isinstance(value, str):
        text = clean(value, _EMAIL_LIMIT + 1)
        if not text:
            return None
        if len(text) <= _EMAIL_LIMIT and _EMAIL.fullmatch(text):
            return text
    return Refusal("not_an_email", {"field": field.id})


def _several(field: Field, value: Value) -> Value | Refusal:
    """Several phones, addresses or words: each checked by itself, none twice."""
    check = _CHECKS[SEVERAL[field.type]]
    if not isinstance(value, list):
        return Refusal("not_text", {"field": field.id})
    if len(value) > _MOST_VALUES:
        return Refusal("too_many", {"field": field.id, "limit": str(_MOST_VALUES)})
    found: list[str] = []
    for one in value:
        checked = check(field, one)
        if isinstance(checked, Refusal):
            return checked
        if isinstance(checked, str) and checked not in found:
            found.append(checked)
    return found or None


def _user(field: Field, value: Value) -> Value | Refusal:
    if isinstance(value, str) and 0 < len(value) <= 64:
        return clean(value, 64) or None
    return Refusal("not_a_user", {"field": field.id})


def _read_number(_field: Field, text: str) -> Value:
    plain = text.replace(" ", "").replace("\u2212", "-").replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else None


def _read_money(field: Field, text: str) -> Value:
    roubles = _read_number(field, _ROUBLES.sub("", text))
    return round(roubles * 100) if isinstance(roubles, float) and abs(roubles) < _LIMIT else None


def _read_bool(_field: Field, text: str) -> Value:
    word = text.casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def _read_choice(field: Field, text: str) -> str:
    """The id of the choice that is typed as its id or its title; any other text as it is."""
    if field.choice(text):
        return text
    word = text.casefold()
    for choice in field.choices:
        if word in (choice.id.casefold(), choice.title.ru.casefold(), choice.title.en.casefold()):
            return choice.id
    return text


def _read_choices(field: Field, text: str) -> Value:
    return [_read_choice(field, part.strip()) for part in text.split(",") if part.strip()]


def _read_several(_field: Field, text: str) -> Value:
    return [part.strip() for part in _SEPARATOR.split(text) if part.strip()]


def _read_date(_field: Field, text: str) -> Value:
    match = _DAY_FIRST.fullmatch(text)
    return f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}" if match else text


def _read_time(_field: Field, text: str) -> Value:
    digits = text.isascii() and text.isdigit() and len(text) <= _TIME_DIGITS
    return int(text) if digits else None


_CHECKS: Mapping[str, Callable[[Field, Value], Value | Refusal]] = {
    "text": _text,
    "long": _text,
    "number": _number,
    "money": _number,
    "choice": _choice,
    "choices": _choices,
    "bool": _bool,
    "date": _date,
    "time": _time,
    "phone": _phone,
    "email": _email,
    "user": _user,
    **dict.fromkeys(SEVERAL, _several),
}
_READERS: Mapping[str, Callable[[Field, str], Value]] = {
    "number": _read_number,
    "money": _read_money,
    "bool": _read_bool,
    "choice": _read_choice,
    "choices": _read_choices,
    "date": _read_date,
    "time": _read_time,
    **dict.fromkeys(SEVERAL, _read_several),
}
_WRONG: Mapping[str, str] = {
    "number": "not_a_number",
    "money": "not_a_number",
    "bool": "not_yes_no",
    "choices": "not_a_choice",
    "date": "not_a_date",
    "time": "not_a_date",
}
