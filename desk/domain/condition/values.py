"""Written values, from their tokens; each raises `ConditionError` where there is no such value."""

from datetime import UTC, datetime

from desk.domain.refusals import N_

from .errors import ConditionError
from .lexer import Token, unquote
from .nodes import NUMBER_LIMIT, Constant, Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(token: Token, left: Field) -> Constant:
    """A quoted text; an empty one is refused, since `is empty` must have been meant."""
    unquoted = unquote(token)
    if not unquoted:
        raise ConditionError(
            N_("Nothing equals an empty text"),
            token.position,
            N_("Write: {name} is empty"),
            {"name": left.name},
        )
    return Constant(unquoted, "text")


def number(token: Token, sign: int) -> Constant:
    """A number with its sign, 1 or -1."""
    size = float(token.text)
    if size > NUMBER_LIMIT:
        raise ConditionError(
            N_("This number is too large"),
            token.position,
            N_("Write a number of at most 15 digits before the point"),
        )
    # Adding zero turns -0.0 into 0.0.
    return Constant(sign * size + 0.0, "number")


def date(token: Token) -> Constant:
    """Midnight UTC of a day."""
    try:
        day = datetime.fromisoformat(token.text).replace(tzinfo=UTC)
    except ValueError:
        raise ConditionError(
            N_("There is no such day"),
            token.position,
            N_("Write year-month-day, as in: 2026-01-31"),
        ) from None
    return Constant(int((day - _EPOCH).total_seconds()) * 1000, "time")
