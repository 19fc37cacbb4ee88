"""What is said of a condition that cannot be understood, and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.domain.condition import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TESTS,
    Condition,
    ConditionError,
    evaluate,
    parse,
)
from tests.condition_examples import ME, NOW, TYPES


def error_of(source: str) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        parse(source, TYPES)
    return caught.value


@pytest.mark.parametrize(
    ("source", "position", "message", "mend"),
    [
        ("", 0, "The condition is empty", "Write true where"),
        ("   ", 0, "The condition is empty", "Write true where"),
        ("stgae = 'a'", 0, "There is no field stgae", "Did you mean stage?"),
        ("hot = true and Stage = 'a'", 15, "There is no field Stage", "Did you mean stage?"),
        ("qqq = 1", 0, "There is no field qqq", "Known names: amount, due_at, f.at"),
        ("stage", 5, "What should stage be?", "Go on with ="),
        ("stage == 'a'", 7, "A value is missing here", "Write a choice in quotes"),
        ("stage = ", 8, "A value is missing here", "stage = "),
        ("stage = new", 8, "There is no field new to compare stage with", "in quotes"),
        ("stage = 5", 8, "stage cannot be compared with this", "in quotes"),
        ("score = '5'", 8, "score cannot be compared with this", "score = 10"),
        ("score = title", 8, "score cannot be compared with this", "score = 10"),
        ("title contains tags", 15, "title cannot be compared with this", "in quotes"),
        ("due_at > 5", 9, "due_at cannot be compared with this", "due_at > now - 3d"),
        ("due_at > 2026-02-30", 9, "There is no such day", "year-month-day"),
        ("due_at > now - 3", 15, "How far from now?", "3d"),
        ("due_at > now - 99999999999w", 15, "This is too far from now", "shorter"),
        ("hot > true", 4, "> does not work on hot", "hot = true"),
        ("hot = me", 6, "hot cannot be compared with this", "hot = true"),
        ("tags = 'a'", 5, "= does not work on tags", "tags contains"),
        ("tags in ('a')", 5, "in does not work on tags", "tags contains"),
        ("score contains 5", 6, "contains does not work on score", "score = 10"),
        ("stage in 'a'", 9, "( is missing here", "Write ("),
        ("stage in ()", 10, "A value is missing here", "Write a choice"),
        ("stage in ('a', title)", 15, "A value is missing here", "Write a choice"),
        ("stage in ('a'", 13, "opened at character 10 is not closed here", "Write )"),
        ("(stage = 'a'", 12, "opened at character 1 is not closed here", "Write )"),
        ("stage = 'a')", 11, "should have ended here", "and or or"),
        ("stage not contains 'a'", 10, "not is followed by in", "not stage ="),
        ("stage is null", 9, "empty is missing here", "Write empty"),
        ("'a' = stage", 0, "begins with a field's name", "name first"),
        ("stage = 'a' and", 15, "begins with a field's name", "name first"),
        ("stage = ''", 8, "Nothing equals an empty text", "stage is empty"),
        ("stage = 'a", 8, "This quote is never closed", "same quote"),
        (r"stage = 'a\n'", 10, "A backslash stands only before", "write two"),
        ("этап = 'a'", 0, "This character means nothing here", "in quotes"),
        ("stage = 'a\x00'", 10, "This character cannot be used", "Remove it"),
        ("score > 1000000000000001", 8, "This number is too large", "15 digits"),
    ],
)
def test_an_error_says_where_it_is_and_how_to_mend_it(
    source: str, position: int, message: str, mend: str
) -> None:
    error = error_of(source)
    assert error.position == position
    assert message in error.message.format(**error.args)
    assert mend in error.mend.format(**error.args)
    assert f"(character {position + 1})" in str(error)


def test_quoted_texts_are_never_repeated() -> None:
    for source in (
        "score = '+79123456789'",
        "'+79123456789' = title",
        "title = '+79123456789' '+79123456789'",
        "title = '+79123456789",
        r"title = '+79123456789\d'",
        "+79123456789",
    ):
        assert "79123456789" not in str(error_of(source))


@pytest.mark.parametrize(
    "source",
    [
        "(" * 10_000,
        "(" * 9_000 + "hot = true" + ")" * 9_000,
        "not " * 4_000 + "hot = true",
        "not(" * 3_000 + "true" + ")" * 3_000,
    ],
)
def test_endless_nesting_is_refused(source: str) -> None:
    assert f"nest deeper than {MAX_DEPTH}" in str(error_of(source))


def test_endless_conditions_are_refused() -> None:
    assert "longer than" in str(error_of("a" * (MAX_LENGTH + 1)))
    assert "more than" in str(error_of(" or ".join(["hot = true"] * (MAX_TESTS + 1))))
    assert "too large" in str(error_of(f"due_at = {'9' * 10_000}"))


def test_the_deepest_and_the_longest_condition_are_understood() -> None:
    deep = "(" * MAX_DEPTH + "hot = true" + ")" * MAX_DEPTH
    long = " or ".join(["hot = true"] * MAX_TESTS)
    for source in (deep, long):
        assert evaluate(parse(source, TYPES), {"hot": True}, me=ME, now=NOW)


def test_without_names_only_true_and_false_are_offered() -> None:
    with pytest.raises(ConditionError, match="write true or false"):
        parse("stage = 'a'", {})


_words = st.sampled_from(
    [
        *TYPES,
        *("and", "or", "not", "in", "contains", "is", "empty", "true", "false", "now", "me"),
        *("(", ")", ",", "=", "!=", "<", ">=", "+", "-", '"', "'", "\\", "!"),
        *("3d", "2026-01-31", "2026-99-99", "1.5", "1_0", "'a'", '"я"', "0" * 5000 + "m"),
    ]
)


def _parsed_or_error(source: str) -> Condition | ConditionError:
    try:
        return parse(source, TYPES)
    except ConditionError as error:
        return error


@given(st.text() | st.lists(_words, max_size=12).map(" ".join))
def test_any_text_is_a_condition_or_an_error_within_it(source: str) -> None:
    found = _parsed_or_error(source)
    if isinstance(found, ConditionError):
        assert 0 <= found.position <= len(source)
        assert str(found)
    else:
        assert parse(found.source, TYPES) == found
