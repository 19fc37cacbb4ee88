"""Ids: ordered by time, the same on both sides, and as RFC 9562 has them."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.domain.ids import derive_id, id_time, is_id, make_id

_moments = st.integers(0, (1 << 48) - 1)
_chance = st.binary(min_size=10, max_size=10)
_ORIGIN = "01900000-0000-7000-8000-000000000001"


@given(now=_moments, chance=_chance)
def test_an_id_is_a_uuid_of_version_7_that_tells_its_time(now: int, chance: bytes) -> None:
    made = make_id(now, lambda _: chance)

    assert is_id(made)
    assert len(made) == 36
    assert uuid.UUID(made).version == 7
    assert uuid.UUID(made).variant == uuid.RFC_4122
    assert id_time(made) == now


@given(first=_moments, second=_moments, chance=_chance, other=_chance)
def test_ids_sort_by_time(first: int, second: int, chance: bytes, other: bytes) -> None:
    one, two = make_id(first, lambda _: chance), make_id(second, lambda _: other)

    if first != second:
        assert (one < two) == (first < second)


def test_an_id_holds_the_randomness_it_was_given() -> None:
    assert make_id(0, lambda n: b"\xff" * n) == "00000000-0000-7fff-bfff-ffffffffffff"
    assert make_id(0, lambda n: b"\x00" * n) == "00000000-0000-7000-8000-000000000000"


def test_a_derived_id_depends_on_its_origin_and_number_alone() -> None:
    derived = derive_id(_ORIGIN, 0)

    assert derived == derive_id(_ORIGIN, 0)
    assert is_id(derived)
    assert uuid.UUID(derived).version == 7
    assert id_time(derived) == id_time(_ORIGIN)
    numbers = range(1100)
    assert len({derive_id(_ORIGIN, n) for n in numbers}) == len(numbers)
    assert derive_id(_ORIGIN.replace("1", "2"), 0) != derived


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "01900000-0000-7000-8000-00000000000",
        "01900000-0000-7000-8000-00000000000A",
        "{01900000-0000-7000-8000-000000000001}",
        "urn:uuid:01900000-0000-7000-8000-000000000001",
        "01900000000070008000000000000001",
        "0190000０-0000-7000-8000-000000000001",
        "01900000-0000-7000-8000-000000000001\n",
        "\ud800",
    ],
)
def test_only_the_canonical_form_is_an_id(text: str) -> None:
    assert is_id(_ORIGIN)
    assert not is_id(text)
