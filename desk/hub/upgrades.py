"""Operations of older desks, brought up to the form that this hub judges.

A desk may have been away for long, and what it queued then was written by an older build. Each
step takes an operation from one form to the next; the steps are kept for as long as the oldest
protocol is understood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from desk.domain.operations import SCHEMA

Body: TypeAlias = dict[str, object]

#: The form that operations had before they said which one they have.
_FIRST = 1


def upgraded(body: Body) -> Body | None:
    """The operation in the form ``SCHEMA``; None where its form is none that was ever written."""
    form = body.get("schema", _FIRST)
    # Truth is a number to Python; here it is nonsense.
    if not isinstance(form, int) or isinstance(form, bool):
        return None
    while form in _STEPS:
        body = _STEPS[form](body)
        form += 1
    return body if form == SCHEMA else None


def _from_1(body: Body) -> Body:
    """The first form did not say what an operation builds on: each was judged by itself."""
    return {**body, "schema": 2, "after": []}


def _from_2(body: Body) -> Body:
    """The second form knew no consents; all else is as it was."""
    return {**body, "schema": 3}


_STEPS: Mapping[int, Callable[[Body], Body]] = {1: _from_1, 2: _from_2}
