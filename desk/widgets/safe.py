"""The one place foreign text passes on its way to the screen.

A name, a request or a comment was typed by somebody outside. As control codes it would drive the
operator's terminal, as markup it would run actions or break the application. `plain` and `cells`
make text harmless where a widget is filled; `GuardedApp` checks every segment once more on the way
to the terminal, so that a widget that forgot cannot do harm either.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App
from textual.content import Content
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color
    from textual.dom import DOMNode
    from textual.events import Event
    from textual.notifications import SeverityLevel

#: What stands in place of a character that may not reach the terminal.
REPLACEMENT = "\ufffd"
ELLIPSIS = "…"

# Letters, digits and punctuation of Latin and Cyrillic: one cell each, nothing to look at twice.
_ORDINARY = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0377\u0384-\u0482\u048a-\u052f"
    "\u2010-\u2015\u2018-\u2027\u2030-\u203a\u20a0-\u20bf\u2116\u2212]*"
).fullmatch

# C0, DEL and C1; line separators; bidi controls; invisible characters; surrogates; tags.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
# Terminals disagree on how wide these make the character before, so they are left out.
_UNSTEADY = re.compile("[\u00ad\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029]")
_MARKS_KEPT = 2
# Anything shown in full is scanned at once; what is cut is not scanned far beyond its end.
_SCAN_AHEAD = 8


def clean(text: str, *, lines: bool = False) -> str:
    """`text` without anything a terminal would obey or hide; newlines are kept if `lines`."""
    if _ORDINARY(text):
        return text
    text = _BREAKS.sub("\n", text).replace("\t", " ")
    if lines:
        return "\n".join(_clean_line(line) for line in text.split("\n"))
    return _clean_line(text.replace("\n", " "))


def plain(text: str, *, lines: bool = True) -> Content:
    """`text` as content that is shown as it is: no markup, no actions, no control codes."""
    return Content(clean(text, lines=lines))


def cells(text: str, width: int) -> str:
    """`text` on one line, cut with «…» to at most `width` terminal cells."""
    if width <= 0:
        return ""
    if len(text) > width * _SCAN_AHEAD:
        text = text[: width * _SCAN_AHEAD]
    if _ORDINARY(text):
        return text if len(text) <= width else text[: width - 1] + ELLIPSIS
    text = clean(text)
    return text if cell_len(text) <= width else _cut(text, width - 1) + ELLIPSIS


def fill(text: str, width: int) -> str:
    """`text` on one line of exactly `width` cells: cut like `cells`, or followed by spaces."""
    text = cells(text, width)
    return text + " " * (width - (len(text) if _ORDINARY(text) else cell_len(text)))


def _clean_line(line: str) -> str:
    line = _HARMFUL.sub(REPLACEMENT, _UNSTEADY.sub("", line))
    if not any(map(unicodedata.combining, line)):
        return line
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", line):
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MARKS_KEPT:
            kept.append(character)
    return "".join(kept)


def _cut(text: str, width: int) -> str:
    """The longest beginning of `text` that takes at most `width` cells."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if cell_len(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low]


@lru_cache(maxsize=4096)
def harmless(text: str) -> str:
    """`text` of a laid-out segment without harmful characters, and of the same width."""
    return _HARMFUL.sub(lambda found: REPLACEMENT * cell_len(found[0]), text)


class Fence(LineFilter):
    """The last look at each segment before it becomes bytes for the terminal.

    Results are cached with the strips by Textual, so only lines that changed are looked at.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same list unless something in it may not pass."""
        harmful = _HARMFUL.search
        for text, style, control in segments:
            # Most text is printable, which is asked for five times quicker than a search.
            risky = control or (not text.isprintable() and harmful(text))
            if risky or (style is not None and style.link):
                return [_harmless_segment(segment) for segment in segments]
        return segments


def _harmless_segment(segment: Segment) -> Segment:
    text, style, _control = segment
    if style is not None and style.link:
        # A link is written raw into the escape sequence that makes it one.
        style = style.update_link(None)
    return Segment(harmless(text), style)


class GuardedApp(App[None]):
    """An application whose screen cannot be driven by the text it shows."""

    _fence = Fence()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, and the fence behind them all."""
        return [*super().get_line_filters(), self._fence]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - part of the signature, but never obeyed
    ) -> None:
        """Say `message`, always as plain text: it may quote what somebody typed."""
        super().notify(
            clean(message, lines=True),
            title=clean(title),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    def copy_to_clipboard(self, text: str) -> None:
        """Hand `text` to the terminal's clipboard, without what pasting it could trigger."""
        super().copy_to_clipboard(clean(text, lines=True))

    async def _broker_event(
        self,
        event_name: str,  # noqa: ARG002
        event: Event,  # noqa: ARG002
        default_namespace: DOMNode,  # noqa: ARG002
    ) -> bool:
        # Actions written into text (`[@click=…]`) are not used here, so none is obeyed.
        return False
