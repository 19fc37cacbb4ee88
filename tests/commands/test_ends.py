"""How commands end when something nobody foresaw happens, and what they load to begin."""

from __future__ import annotations

import subprocess
import sys

import pytest

from desk.cli import main
from desk.commands import output
from desk.commands.output import cell_width, put_table


def test_an_unforeseen_error_says_its_kind_and_nothing_of_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_options: object) -> int:
        raise RuntimeError("Анна Ким, +79123456789")

    monkeypatch.setattr("desk.commands.cards.list_cards", fail)
    assert main(["list"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "Desk has failed (RuntimeError). Run the command with DESK_DEBUG=1 and report it.\n"
    )
    monkeypatch.setenv("DESK_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["list"])


def test_an_interruption_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("desk.commands.cards.list_cards", interrupt)
    assert main(["list"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_foreign_text_reaches_no_terminal_as_codes(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(("a", "b"), [("\x1b]0;owned\x07", "x\u202ey\nz"), ("длинное", "1")], right=(1,))
    printed = capsys.readouterr().out
    assert printed.splitlines() == [
        "a            b",
        "]0;owned  xy z",
        "длинное      1",
    ]


def test_a_long_cell_is_cut_and_wide_letters_count_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_table(("a",), [("я" * 200,)])
    assert cell_width(capsys.readouterr().out.splitlines()[1]) == output._CELL
    assert cell_width("日本") == 4
    assert cell_width("е\u0301") == 1


def test_nothing_heavy_is_loaded_to_say_the_version() -> None:
    source = """
import sys
from desk.cli import main
main(["--version"])
heavy = {"textual", "sqlalchemy", "httpx", "litestar", "keyring", "phonenumbers", "babel"}
print(sorted(heavy & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_who_has_read_enough_may_leave() -> None:
    command = [sys.executable, "-m", "desk", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait()
