"""Foreign text after intake: it steers no terminal, hides nothing, and cleaning again is idle."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desk.domain.clean import clean

_INVISIBLE = "\u200b\u200c\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\u00ad\u061c\u180e\u3164"
HOSTILE = (
    "\x1b[31m\x1b]0;title\x07\x9b2J\x9d\x7f\x00\x08\x0b\x0c\r\n\t\x85\u2028\u2029"
    + _INVISIBLE
    + "\ud800\udfff\ufffe\uffff\ufdd0\U0001fffe\U000e0041\u200d"
)
_FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("\x1b[31mИван\x1b[0m", "[31mИван[0m"),
        ("\x1b]0;owned\x07Иван", "]0;ownedИван"),
        ("\x9b31mИван\x7f\x00", "31mИван"),
        ("gnp.\u202eexe", "gnp.exe"),
        ("И\u200bв\u2060а\ufeffн\u00ad", "Иван"),
        ("И\u200cв\u200dа\u200dн", "Иван"),
        ("И\ud800ван\udfff", "Иван"),
        ("  Иван \t\u00a0 Петров  ", "Иван Петров"),
        ("\u3164\u115f\uffa0", ""),
        ("е\u0308ж", "ёж"),
        ("e\u200b\u0301", "é"),
        ("[@click=app.quit]жми[/]", "[@click=app.quit]жми[/]"),
    ],
)
def test_what_could_steer_or_hide_is_gone_and_the_rest_stays(text: str, kept: str) -> None:
    assert clean(text, 100) == kept


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_every_line_end_parts_words(end: str) -> None:
    assert clean(f"Москва{end}Казань", 100) == "Москва Казань"
    assert clean(f"Москва{end}Казань", 100, lines=True) == "Москва\nКазань"


def test_lines_keep_at_most_one_empty_line_between_them() -> None:
    assert clean(" а \n \r\n\t\n\n б  в \n", 100, lines=True) == "а\n\n б в"


@pytest.mark.parametrize("emoji", [_FAMILY, "❤\ufe0f\u200d🔥", "👩🏽\u200d⚕\ufe0f", "🚛", "🇷🇺"])
def test_joined_emoji_stay_whole(emoji: str) -> None:
    assert clean(f"Иван {emoji}", 100) == f"Иван {emoji}"


def test_a_joiner_that_joins_nothing_goes() -> None:
    assert clean("👩\u200d", 100) == "👩"
    assert clean("\u200d👩\u200dа", 100) == "👩а"
    assert clean("👩\u200d👧", 2) == "👩"


def test_the_limit_counts_what_is_left() -> None:
    assert clean("\x1b" * 50 + "абвгд", 3) == "абв"
    assert clean("аб вг", 3) == "аб"
    assert clean("абв", 0) == ""


_texts = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cs", "Cf", "Cc", "Mn", "Zs"]),
        st.sampled_from(
            [*HOSTILE, *_FAMILY, "❤", "\ufe0f", "\u0338", "\u2adc", "\u2329", " ", "\n"]
        ),
    ),
    max_size=40,
)


@given(text=_texts, limit=st.integers(0, 45), lines=st.booleans())
@example(text=HOSTILE, limit=200, lines=True)
@example(text="\u2adc\u200d👩", limit=9, lines=False)
@example(text="👩\u200d👧", limit=2, lines=False)
def test_cleaned_text_is_harmless_short_and_stays_as_it_is(
    text: str, limit: int, lines: bool
) -> None:
    cleaned = clean(text, limit, lines=lines)

    assert len(cleaned) <= limit
    assert not any(unicodedata.category(one) in ("Cc", "Cs") for one in cleaned.replace("\n", ""))
    assert lines or "\n" not in cleaned
    assert not set(cleaned) & (set(_INVISIBLE) | {"\u2028", "\u2029"})
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean(cleaned, limit, lines=lines) == cleaned
