"""Text on its way into a spreadsheet."""

#: What a spreadsheet takes for the beginning of a formula; tab and line ends hide it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    """The text so that a spreadsheet shows it and does not compute it: an apostrophe before what
    looks like a formula. Numbers stay numbers."""
    if not text.lstrip(" ").startswith(_FORMULA) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    """Only a sign and digits: a negative sum is no formula. A phone is text all the same."""
    digits = text[1:].replace(".", "", 1)
    return text[:1] == "-" and digits.isascii() and digits.isdigit()
