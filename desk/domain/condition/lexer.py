"""The source cut into tokens."""

import re
from typing import Literal, NamedTuple, TypeAlias, cast

from desk.domain.refusals import N_

from .errors import ConditionError

Kind: TypeAlias = Literal["text", "date", "duration", "number", "word", "sign", "end"]

#: The longest source, in characters: room for hundreds of listed values, no room for an attack.
MAX_LENGTH = 20_000

KEYWORDS = frozenset(
    {"and", "or", "not", "in", "contains", "is", "empty", "true", "false", "now", "me"}
)

_TOKEN = re.compile(
    r"""
      (?P<text>     "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<date>     [0-9]{4}-[0-9]{2}-[0-9]{2} )
    | (?P<duration> [0-9]+[mhdwMHDW](?![A-Za-z0-9_]) )
    | (?P<number>   [0-9]+(?:\.[0-9]+)? )
    | (?P<word>     [A-Za-z_][A-Za-z0-9_.]* )
    | (?P<sign>     <= | >= | != | [=<>(),+-] )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")
# Databases cannot hold these: NUL (PostgreSQL) and halves of surrogate pairs (no UTF-8 form).
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Token(NamedTuple):
    """One token; `word` is the keyword in small letters, the sign, or empty."""

    kind: Kind
    text: str
    position: int

    @property
    def word(self) -> str:
        if self.kind == "sign":
            return self.text
        small = self.text.lower() if self.kind == "word" else ""
        return small if small in KEYWORDS else ""


def tokens(source: str) -> list[Token]:
    """All tokens of the source, with an `end` token at the end; raises `ConditionError`."""
    if len(source) > MAX_LENGTH:
        raise ConditionError(
            N_("The condition is longer than {limit} characters"),
            MAX_LENGTH,
            N_("Shorten it, or make two of it"),
            {"limit": str(MAX_LENGTH)},
        )
    if bad := _UNSTORABLE.search(source):
        raise ConditionError(N_("This character cannot be used here"), bad.start(), N_("Remove it"))
    found: list[Token] = []
    position = _after_space(source, 0)
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise _stray(source[position], position)
        found.append(Token(cast("Kind", match.lastgroup), match.group(), position))
        position = _after_space(source, match.end())
    return [*found, Token("end", "", len(source))]


def unquote(token: Token) -> str:
    """The text that a `text` token stands for; raises `ConditionError` on an unknown escape."""
    for escape in _ESCAPE.finditer(token.text):
        if escape.group(1) not in "\"'\\":
            raise ConditionError(
                N_("A backslash stands only before a quote or another backslash"),
                token.position + escape.start(),
                N_("To mean the backslash itself, write two"),
            )
    return _ESCAPE.sub(r"\1", token.text[1:-1])


def _after_space(source: str, position: int) -> int:
    match = _SPACE.match(source, position)
    return match.end() if match else position


def _stray(character: str, position: int) -> ConditionError:
    if character in "\"'":
        return ConditionError(
            N_("This quote is never closed"), position, N_("Put the same quote after the text")
        )
    return ConditionError(
        N_("This character means nothing here"),
        position,
        N_('Texts stand in quotes, as in: name = "text"'),
    )
