"""Text that attacks whoever shows it."""

from __future__ import annotations

HOSTILE: dict[str, str] = {
    "colour": "A\x1b[31mB",
    "cursor": "A\x1b[2J\x1b[1;1H",
    "title": "A\x1b]0;owned\x07",
    "clipboard": "A\x1b]52;c;cm0gLXJmIH4=\x07",
    "link": "A\x1b]8;;http://evil.example\x1b\\B",
    "device": "A\x1bP+q544e\x1b\\",
    "report": "A\x1b[6n\x1b[c",
    "alternate screen": "A\x1b[?1049h",
    "reset": "A\x1bc",
    "bell": "A\x07\x07",
    "delete": "A\x7f\x08\x08B",
    "c1": "A\x9b31m\x9d0;owned\x9c\x90",
    "shift": "A\x0e\x0f",
    "lines": "A\r\nB\x0bC\x0cD\x85E\u2028F\u2029G",
    "bidi": "A\u202egnp.exe\u202c\u2066B\u2069\u200f\u061c",
    "invisible": "A\u200b\u200c\u2060\ufeff\u00adB",
    "surrogate": "A\ud83dB\udc00",
    "tags": "A\U000e0041\U000e007f",
    "combining": "A" + "\u0301\u0489\u0336" * 200 + "B",
    "action": "[@click=app.quit]A[/]",
    "unbalanced": "A[/b][/]",
    "markup": "[b red on white]A[/] [link=http://evil.example]B[/link] $text",
    "wide": "漢字" * 30,
}
