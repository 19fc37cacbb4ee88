"""Case folding by a fixed table, so that Python, SQLite and PostgreSQL agree on every letter.

Only one-to-one capitals are folded: Latin (Basic, Latin-1, Extended-A) and Cyrillic.
"""

_CAPITAL_RANGES = ((0x41, 0x5A), (0xC0, 0xDE), (0x100, 0x17F), (0x400, 0x42F), (0x460, 0x52F))


def _capitals() -> list[str]:
    letters = [chr(code) for low, high in _CAPITAL_RANGES for code in range(low, high + 1)]
    return [letter for letter in letters if letter.lower() != letter and len(letter.lower()) == 1]


#: The capitals, and in the same places their small letters: the arguments of SQL's `translate()`.
FOLD_FROM = "".join(_capitals())
FOLD_TO = FOLD_FROM.lower()

_TABLE = str.maketrans(FOLD_FROM, FOLD_TO)


def fold(text: str) -> str:
    """`text` with every capital of the table made small, and nothing else changed."""
    # ASCII text is the common case, and `lower` is many times faster than a table.
    return text.lower() if text.isascii() else text.translate(_TABLE)
