"""Intake cleaning of foreign text: what is stored can neither steer a terminal nor hide itself."""

import re
import unicodedata

_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_ZWJ = "\u200d"
#: What the zero-width joiner makes one emoji of, as in a family; elsewhere it only hides.
_EMOJI = "\u2600-\u27bf\U0001f000-\U0001faff"
#: Controls (C0, DEL, C1), bidirectional controls, other invisible characters, surrogates and
#: noncharacters. Newline and tab are handled apart.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(f"{chr(last - 1)}{chr(last)}" for last in range(0x1FFFF, 0x110000, 0x10000))
    + "]"
)
_LONE_JOINER = re.compile(
    f"(?<![{_EMOJI}\ufe0f]){_ZWJ}|{_ZWJ}(?![{_EMOJI}\u2194\u2195\u2b00-\u2bff])"
)
_BLANKS = re.compile(r"[^\S\n]+")
_MANY_LINES = re.compile(r"\n{3,}")


def clean(text: str, limit: int, *, lines: bool = False) -> str:
    """``text`` in NFC without control, bidirectional or invisible characters, at most ``limit``.

    Runs of blanks become one; line ends stay only with ``lines``. Cleaning twice changes nothing.
    """
    text = _FORBIDDEN.sub("", _LINE_END.sub("\n", text))
    text = unicodedata.normalize("NFC", _LONE_JOINER.sub("", text))
    if lines:
        text = _MANY_LINES.sub("\n\n", "\n".join(row.rstrip() for row in text.split("\n")))
    else:
        text = text.replace("\n", " ")
    # The cut may part a joined emoji.
    return _BLANKS.sub(" ", text).strip()[:limit].rstrip().removesuffix(_ZWJ)
