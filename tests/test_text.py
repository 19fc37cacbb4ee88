"""Words, times, numbers and money as each of the two languages writes them."""

from __future__ import annotations

import pytest

from desk import text

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MOMENT = 1_795_315_340_000  # 2026-11-22 02:42:20 UTC


def in_russian() -> None:
    text.use("ru")
    text.use_zone("Europe/Moscow")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DESK_LANG": "ru", "LC_ALL": "en_US.UTF-8"}, "ru"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "ru_RU.UTF-8"}, "en"),
        ({"LC_MESSAGES": "ru_RU.UTF-8", "LANG": "en_US.UTF-8"}, "ru"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "ru"),
    ],
)
def test_the_language_is_asked_of_the_setting_and_then_of_the_locale(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DESK_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert text.use(None) == text.language() == expected


def test_a_language_that_is_asked_for_outweighs_the_locale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DESK_LANG", "en")
    assert text.use("ru") == "ru"
    assert text._("now") == "сейчас"


def test_nothing_to_say_stays_nothing() -> None:
    text.use("ru")
    assert text._("") == ""


def test_an_unknown_message_is_shown_as_it_is() -> None:
    text.use("ru")
    unknown = "not in the catalogue"
    assert text._(unknown) == "not in the catalogue"


@pytest.mark.parametrize(
    ("distance", "english", "russian"),
    [
        (0, "now", "сейчас"),
        (MINUTE - 1, "now", "сейчас"),
        (5 * MINUTE, "5m", "5 мин"),
        (HOUR, "1h", "1 ч"),
        (26 * HOUR, "1d", "1 дн"),
        (364 * DAY, "364d", "364 дн"),
        (365 * DAY, "1y", "1 год"),
        (730 * DAY, "2y", "2 года"),
        (1825 * DAY, "5y", "5 лет"),
        (-3 * HOUR, "in 3h", "через 3 ч"),
    ],
)
def test_an_age_is_told_in_one_unit(distance: int, english: str, russian: str) -> None:
    assert text.format_age(MOMENT - distance, MOMENT) == english
    text.use("ru")
    assert text.format_age(MOMENT - distance, MOMENT) == russian


def test_a_moment_is_shown_in_the_zone_in_use() -> None:
    in_russian()
    assert text.format_datetime(MOMENT) == "22.11.2026 05:42"
    text.use_zone("Asia/Vladivostok")
    assert text.format_datetime(MOMENT) == "22.11.2026 12:42"
    text.use("en")
    assert text.format_datetime(MOMENT) == "Nov 22, 2026 12:42 PM"


def test_the_machine_has_the_zone_when_nobody_chose_one() -> None:
    assert text.local_time(MOMENT).utcoffset() is not None


def test_numbers_are_grouped_as_the_language_groups_them() -> None:
    assert text.format_number(20_000) == "20,000"
    in_russian()
    assert text.format_number(20_000) == "20\N{NO-BREAK SPACE}000"


@pytest.mark.parametrize(
    ("kopecks", "english", "russian"),
    [
        (12_345_600, "123,456 RUB", "123 456 ₽"),
        (12_345_650, "123,456.50 RUB", "123 456,50 ₽"),
        (-50, "-0.50 RUB", "-0,50 ₽"),
    ],
)
def test_money_shows_hundredths_only_where_there_are_any(
    kopecks: int, english: str, russian: str
) -> None:
    assert text.format_money(kopecks).replace("\N{NO-BREAK SPACE}", " ") == english
    in_russian()
    assert text.format_money(kopecks).replace("\N{NO-BREAK SPACE}", " ") == russian


def test_a_currency_sign_stands_where_english_puts_it() -> None:
    assert text.format_money(123_400, "USD") == "$1,234"
