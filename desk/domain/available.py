"""What can be done with a card now, and why the rest cannot."""

from desk.domain.transitions import Possible, possible

__all__ = ["Possible", "possible"]
