"""What conditions mean, evaluated on a record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.domain.condition import (
    ALWAYS,
    FOLD_FROM,
    FOLD_TO,
    NEVER,
    Condition,
    all_of,
    any_of,
    evaluate,
    fold,
    parse,
)
from tests.condition_examples import ME, NOW, TYPES, conditions, conditions_and_records

DAY = 86_400_000
RECORD: dict[str, Any] = {
    "title": 'Ёж & "Co" \\ 100%',
    "responsible": "marketer1",
    "stage": "new",
    "score": 42,
    "amount": -1.5,
    "hot": True,
    "due_at": NOW - DAY,
    "tags": ["vip", "Новый"],
    "f.owner": "marketer1",
}


def holds(source: str, record: dict[str, Any] = RECORD) -> bool:
    return evaluate(parse(source, TYPES), record, me="marketer1", now=NOW)


@pytest.mark.parametrize(
    "source",
    [
        'stage = "new"',
        "stage = 'new'",
        'stage != "work"',
        "score = 42",
        "score < 42.5",
        "score <= 42",
        "score > -1",
        "score >= 42",
        "amount = -1.5",
        "amount in (1, -1.5)",
        "hot = true",
        "hot != false",
        'stage in ("work", "new")',
        'stage not in ("work")',
        'stage > "NEW"',
        "responsible = me",
        "responsible in (me)",
        "responsible = f.owner",
        "due_at < now",
        "due_at <= now - 24h",
        "due_at > now-1w",
        "due_at < NOW + 30m",
        "due_at = 2026-01-14",
        'title contains "ёЖ"',
        r'title contains "\"co\" \\ 100%"',
        "title contains '\"Co\"'",
        'tags contains "vip"',
        "title is not empty",
        "f.title is empty",
        "tags is not empty",
        'NOT stage = "work" And hot = True',
        "true",
        "not false",
        'stage = "x" or score = 42 and hot = true',
        'not (stage = "new" and hot = false)',
        'not not stage = "new"',
    ],
)
def test_this_holds(source: str) -> None:
    assert holds(source)


@pytest.mark.parametrize(
    "source",
    [
        'stage = "New"',
        'stage != "new"',
        "score < 42",
        "score > 42",
        "hot = false",
        'stage not in ("work", "new")',
        "due_at > now",
        'title contains "%%"',
        'tags contains "VIP"',
        'tags contains "vi"',
        "stage is empty",
        "false",
        '(stage = "x" or score = 42) and hot = false',
        'not stage = "new" or hot = false',
    ],
)
def test_this_does_not_hold(source: str) -> None:
    assert not holds(source)


@pytest.mark.parametrize("nothing", [{}, {"f.title": None}, {"f.title": ""}, {"f.title": 5}])
def test_no_comparison_holds_on_an_empty_side_and_its_negation_does(
    nothing: dict[str, Any],
) -> None:
    for test in ('f.title = "a"', 'f.title in ("a")', 'f.title < "a"', 'f.title >= "a"'):
        assert not holds(test, nothing)
        assert holds(f"not {test}", nothing)
    for test in ('f.title != "a"', 'f.title not in ("a")', "f.title is empty"):
        assert holds(test, nothing)
    assert not holds("f.title = title", nothing)
    assert holds("f.title != title", nothing)
    assert not holds('f.title contains "a"', nothing)
    assert not holds("title contains f.title", {**RECORD, **nothing})


@pytest.mark.parametrize("value", [None, True, "5", [5], float("nan"), float("inf"), 10**400])
def test_what_is_no_number_within_bounds_counts_as_empty(value: object) -> None:
    assert holds("score is empty", {"score": value})
    assert not holds("score > -5", {"score": value})


def test_nobody_is_me_when_nobody_asks() -> None:
    condition = parse("responsible = me or title contains me or tags contains me", TYPES)
    assert not evaluate(condition, {"responsible": "", "title": "a", "tags": [""]}, me="", now=NOW)


def test_a_condition_tells_the_names_it_reads() -> None:
    condition = parse("stage is empty or (not responsible = f.owner and score in (1))", TYPES)
    assert condition.names() == {"stage", "responsible", "f.owner", "score"}


def test_conditions_are_joined() -> None:
    first, second = parse("score > 1", TYPES), parse('stage = "a" or hot = true', TYPES)
    assert all_of(first, second).source == 'score > 1 and (stage = "a" or hot = true)'
    assert any_of(first, second).source == 'score > 1 or stage = "a" or hot = true'
    assert all_of() == ALWAYS
    assert any_of() == NEVER
    assert all_of(ALWAYS, first) == first
    assert any_of(NEVER, first) == first


def test_the_canonical_source_is_short() -> None:
    source = "((score>=1.50)) AND not(stage='a') and due_at<now-48h or ((hot=TRUE))"
    expected = 'score >= 1.5 and stage != "a" and due_at < now - 2d or hot = true'
    assert parse(source, TYPES).source == expected


@given(condition=conditions)
def test_the_canonical_source_parses_to_the_same_condition(condition: Condition) -> None:
    assert parse(condition.source, TYPES) == condition


@given(case=conditions_and_records())
def test_evaluation_is_total_and_not_is_exact(
    case: tuple[Condition, list[dict[str, Any]]],
) -> None:
    condition, records = case
    negation = parse(f"not ({condition.source})", TYPES)
    for record in records:
        truth = evaluate(condition, record, me=ME, now=NOW)
        assert evaluate(negation, record, me=ME, now=NOW) is not truth


@given(st.text())
def test_folding_changes_no_length_and_is_done_once(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


def test_folding_knows_the_capitals_of_russian_and_of_europe() -> None:
    russian = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
    assert fold(russian) == russian.lower()
    assert fold("ÄÉŠŁŸÞ") == "äéšłÿþ"
    assert fold("×÷ßſİ🙂") == "×÷ßſİ🙂"
    assert len(FOLD_FROM) == len(FOLD_TO) == len(set(FOLD_FROM))
    assert not set(FOLD_FROM) & set(FOLD_TO)
    assert not set("'\\%{}") & set(FOLD_FROM + FOLD_TO)
