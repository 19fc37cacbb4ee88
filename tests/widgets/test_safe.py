"""Foreign text is shown as it is and obeyed nowhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from desk.widgets.safe import Fence, cells, clean, fill, plain
from tests.widgets.hostile import HOSTILE

BLACK = Color(0, 0, 0)
#: Nothing a terminal acts on or hides: controls, bidi controls, invisible characters, surrogates.
HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)

anything = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cc", "Cf", "Cs", "Mn", "Me", "So", "Lo"]),
        st.sampled_from("\x1b\x07\x9b\u202eя漢👍🏽\u0301\u200d "),
    ),
    max_size=60,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_harmless_once_cleaned(name: str) -> None:
    assert not HARMFUL.search(clean(HOSTILE[name]))
    assert not HARMFUL.search(plain(HOSTILE[name], lines=False).plain)


@given(anything)
def test_cleaned_text_has_nothing_a_terminal_acts_on(text: str) -> None:
    assert not HARMFUL.search(clean(text))
    assert not HARMFUL.search(clean(text, lines=True).replace("\n", ""))
    clean(text).encode("utf-8")


@given(anything)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(anything, st.integers(0, 30))
def test_text_is_cut_to_the_cells_there_are(text: str, width: int) -> None:
    assert cell_len(cells(text, width)) <= width
    assert cell_len(fill(text, width)) == width
    assert not HARMFUL.search(fill(text, width))


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("Иван Петров", 20, "Иван Петров"),
        ("Иван Петров", 6, "Иван …"),
        ("漢字漢字", 5, "漢字…"),
        ("漢字漢字", 4, "漢…"),
        ("👍🏽 готово", 20, "👍 готово"),
        ("❤️", 4, "❤"),
        ("два\nряда\tи ещё", 30, "два ряда и ещё"),
        ("a\x1b[31mb", 20, "a\ufffd[31mb"),
        ("9\u202e1", 20, "9\ufffd1"),
        ("20\xa0000 ₽", 20, "20\xa0000 ₽"),
        ("й" + "\u0300" * 9, 5, "й\u0300\u0300"),
        ("x", 0, ""),
    ],
)
def test_what_is_shown_of_a_text(text: str, width: int, shown: str) -> None:
    assert cells(text, width) == shown


def test_lines_stay_lines_where_they_are_wanted() -> None:
    assert plain("one\r\ntwo\rthree\u2028four").plain == "one\ntwo\nthree\nfour"


def test_markup_is_text() -> None:
    content = plain("[@click=app.quit]press[/] [/b]")
    assert content.plain == "[@click=app.quit]press[/] [/b]"
    assert content.spans == []


@given(anything)
def test_the_fence_lets_nothing_harmful_through_and_keeps_the_width(text: str) -> None:
    (segment,) = Fence().apply([Segment(text, Style(bold=True))], BLACK)
    assert not HARMFUL.search(segment.text)
    assert cell_len(segment.text) == cell_len(text)


def test_the_fence_leaves_harmless_segments_as_they_are() -> None:
    segments = [Segment("Иван · 20\xa0000", Style(bold=True)), Segment(" ")]
    assert Fence().apply(segments, BLACK) is segments


def test_the_fence_takes_links_and_control_segments_away() -> None:
    link = Style(link="http://example.com/\x1b\\\x1b]52;c;eA==\x07")
    shown = Fence().apply(
        [Segment("name", link), Segment("\x1b[2J", None, [(1, 2)])],  # pyright: ignore
        BLACK,
    )
    assert [segment.text for segment in shown] == ["name", "[2J"]
    assert not any(segment.control for segment in shown)
    assert not any(segment.style and segment.style.link for segment in shown)
