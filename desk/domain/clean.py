"""Intake cleaning of foreign text: what is stored can neither steer a terminal nor hide itself."""

import re
import unicodedata

#: Controls (C0, DEL, C1), bidirectional controls, other invisible format characters, surrogates
#: and noncharacters. Newline and tab are handled apart.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_BLANKS = re.compile(r"[^\S\n]+")
_MANY_LINES = re.compile(r"\n{3,}")


def clean(text: str, limit: int, *, lines: bool = False) -> str:
    """``text`` in NFC without control, bidirectional or invisible characters, at most ``limit``.

    Runs of blanks become one; line ends stay only with ``lines``.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", _FORBIDDEN.sub("", text))
    if lines:
        text = _MANY_LINES.sub("\n\n", "\n".join(row.rstrip() for row in text.split("\n")))
    else:
        text = text.replace("\n", " ")
    return _BLANKS.sub(" ", text).strip()[:limit].rstrip()
