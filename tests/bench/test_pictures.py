import pytest

from bench.pictures import any_text, first_piece, lines
from bench.terminal import Piece, Silent, environment


def test_the_moment_is_that_of_the_piece_that_completed_the_picture() -> None:
    text = "заявка".encode()
    pieces = [
        Piece(1.0, 0.1, b"\x1b[2J\x1b[>1u"),
        Piece(2.0, 0.2, text[:5]),
        Piece(3.0, 0.3, text[5:]),
    ]
    assert first_piece(pieces, any_text) is pieces[1]
    assert first_piece(pieces, lambda shown: "заявка" in shown[0]) is pieces[2]
    assert lines(pieces)[0].strip() == "заявка"


def test_a_picture_that_never_came_is_an_error() -> None:
    with pytest.raises(Silent):
        first_piece([Piece(1.0, 0.1, b"\x1b[2J")], any_text)


def test_the_measured_program_hears_nothing_of_our_own_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DESK_HOME", "NO_COLOR", "TEXTUAL_THEME", "COLUMNS"):
        monkeypatch.setenv(name, "x")
    assert not {"DESK_HOME", "NO_COLOR", "TEXTUAL_THEME", "COLUMNS"} & environment().keys()
