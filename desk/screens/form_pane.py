"""The fields of a form on the screen; new rules lay them out anew around the one in use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from desk.screens.fields import FieldRow
from desk.screens.form_plan import Part, Spec
from desk.text import language


class FieldsPane(VerticalScroll):
    """Rows under the titles of their sections."""

    DEFAULT_CSS = """
    FieldsPane { padding: 0 2; scrollbar-size-vertical: 1; }
    FieldsPane .section { margin-top: 1; color: $text-primary; text-style: bold; }
    """

    def __init__(
        self, parts: Sequence[Part], make: Callable[[Spec], FieldRow], **kwargs: Any
    ) -> None:
        """`make` gives the row of a field, with what was typed into it."""
        super().__init__(**kwargs)
        self._parts = parts
        self._make = make

    def compose(self) -> ComposeResult:
        for part in self._parts:
            yield _heading(part)
            for spec in part.specs:
                yield self._make(spec)

    @property
    def rows(self) -> list[FieldRow]:
        """The fields from top to bottom."""
        return list(self.query(FieldRow))

    @property
    def in_use(self) -> FieldRow | None:
        """The row that has the cursor."""
        return next((row for row in self.rows if row.has_focus_within), None)

    async def lay_out(self, parts: Sequence[Part]) -> list[FieldRow]:
        """Lay out other fields. Answers the rows that were kept: the one in use with its cursor,
        and typed ones that may not be changed any more, for their text is the person's."""
        specs = {spec.key: spec for part in parts for spec in part.specs}
        in_use = self.in_use
        kept = [row for row in self.rows if _stays(row, row is in_use, specs.get(row.key))]
        here = in_use if in_use in kept else None
        await self.remove_children([one for one in self.children if one not in kept])
        before, after = self._around(parts, here, {row.key for row in kept})
        if here is not None:
            await self.mount_all(before, before=here)
            await self.mount_all(after, after=here)
        else:
            await self.mount_all(before)
        for row in kept:
            spec = specs.get(row.key)
            if spec is not None and spec.editable:
                row.adopt(spec.field, required=spec.required)
            else:
                row.adopt(None, required=False)
        return kept

    def _around(
        self, parts: Sequence[Part], here: FieldRow | None, kept: Collection[str]
    ) -> tuple[list[Widget], list[Widget]]:
        """New widgets for all but the kept rows: those before `here`, and those after it."""
        before: list[Widget] = []
        after: list[Widget] = []
        now = before
        for part in parts:
            now.append(_heading(part))
            for spec in part.specs:
                if here is not None and spec.key == here.key:
                    now = after
                elif spec.key not in kept:
                    now.append(self._make(spec))
        return before, after


def _heading(part: Part) -> Static:
    return Static(Content(part.section.title.get(language())), classes="section")


def _stays(row: FieldRow, in_use: bool, spec: Spec | None) -> bool:
    if spec is None or not spec.editable:
        return row.changed
    return in_use and spec.field.type == row.field.type
