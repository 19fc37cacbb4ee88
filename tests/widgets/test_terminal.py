"""What really arrives at a terminal, and what a terminal really sends."""

from __future__ import annotations

import re
import unicodedata

from tests.widgets.terminals import needs_terminal, running

pytestmark = needs_terminal

#: What Textual itself writes: colours, cursor, modes, queries, keyboard protocol, mouse pointer.
OWN = re.compile(
    r"\x1b\[[0-9;]*m|\x1b\[\d+;\d+H|\x1b\[\?[0-9;]+[hl]|\x1b\[\?\d+\$p|\x1b\[[<>=]?[0-9;]*u"
    r"|\x1b\]22;[a-z-]*\x07|\x1b\[\?u|\r\n"
)

POINT_AT_THE_SECOND_LINE = "\x1b[<35;5;2M"


def test_no_control_code_of_foreign_text_arrives_at_the_terminal() -> None:
    with running("tests.widgets.terminal_app", "careless", size=(900, 70)) as terminal:
        terminal.until_shown("ready to be attacked")
        terminal.send(POINT_AT_THE_SECOND_LINE)
        terminal.until_shown("tooltip A")
        terminal.send("t")
        terminal.until_shown(" told")
        terminal.send("q")
        assert terminal.until_the_end() == 0
    written = terminal.raw.decode("utf-8")
    rest = OWN.sub("", written)
    unwanted = {c for c in rest if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}
    assert unwanted - {"\n"} == set()
    assert not re.search("[\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", rest)
    assert "\x1b[31m" not in written
    assert "[31mB" in rest, "the text itself is shown"
    assert "[@click=app.quit]A[/]" in rest
    # Every widget showed it: header, texts, frames, fields, lists, buttons, board, bars, notices.
    assert rest.count("[@click=app.quit]A[/]") >= 18


def test_keys_of_a_russian_layout_work_in_a_terminal() -> None:
    with running("tests.widgets.terminal_app", "keys") as terminal:
        terminal.until_shown("ready for keys")
        for sent, fired in (
            ("о", "j"),
            ("О", "J"),
            ("х", "left_square_bracket"),
            ("\x1b[1099;5u", "ctrl+s"),
            ("\x1b[1092;3u", "alt+a"),
        ):
            terminal.send(sent)
            terminal.until_shown(f"fired {fired}.")
        terminal.send("ш")
        terminal.until_shown("type now")
        terminal.send("о")
        terminal.until_shown("typed о.")
        terminal.send("ы")
        terminal.until_shown("typed оы.")
        assert b"\x1b[>5u" not in terminal.raw, "alternate keys are not asked for"
