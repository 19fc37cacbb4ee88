"""Rows of the invented world, gathered into batches of whole families."""

from __future__ import annotations

from desk.domain.model import Entry, Item, Subject, Tally, Task
from desk.hub.intake import Batch


class Gathering:
    """A batch that grows."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.subjects: list[Subject] = []
        self.tasks: list[Task] = []
        self.entries: list[Entry] = []
        self.tallies: list[Tally] = []

    def batch(self) -> Batch:
        """What was gathered."""
        return Batch(
            items=self.items,
            subjects=self.subjects,
            tasks=self.tasks,
            entries=self.entries,
            tallies=self.tallies,
        )
