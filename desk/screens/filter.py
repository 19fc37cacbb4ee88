"""The dialog for a filter: a condition, checked as it is typed, with the names that may be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from textual import on
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static

from desk.domain.condition import ConditionError, parse
from desk.domain.refusals import Refusal
from desk.domain.rights import COLUMN_TYPES, hidden, item_types
from desk.screens.prompt import Prompt
from desk.screens.words import said, title_of
from desk.text import _
from desk.widgets.safe import plain

if TYPE_CHECKING:
    from desk.services.desk import Desk

_SHOWN = 12


class Names(Suggester):
    """Completes the name that is being typed at the end of a condition."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = sorted(names)

    async def get_suggestion(self, value: str) -> str | None:
        """`value` with its last word completed."""
        word = _last_word(value)
        if len(word) < 2:
            return None
        found = next((one for one in self._names if one.startswith(word) and one != word), None)
        return value + found[len(word) :] if found else None


def _last_word(value: str) -> str:
    end = len(value)
    while end and (value[end - 1].isalnum() or value[end - 1] == "_"):
        end -= 1
    return value[end:]


class FilterPrompt(Prompt):
    """Asks for a condition over the cards of one kind; an empty one takes the filter away."""

    DEFAULT_CSS = """
    FilterPrompt .filter-names { color: $text-muted; margin-top: 1; height: auto; }
    """

    def __init__(self, desk: Desk, kind: str, value: str, use: Callable[[str], None]) -> None:
        self._desk = desk
        self._types = item_types(desk.playbook, kind)
        self._kind = kind
        self._use = use
        super().__init__(
            _("Filter"),
            _("Which cards to show? Leave it empty to see all."),
            send=self._try,
            value=value,
            verb=_("Show"),
            may_be_empty=True,
            help=_('For example: score >= 50 and source = "site" · created_at > now - 7d'),
        )

    def body(self) -> Iterable[Widget]:
        yield Input(
            self._value,
            compact=True,
            id="text",
            suggester=Names([*self._seen(), "and", "or", "not", "me", "now"]),
        )
        yield Static(plain(self._known()), classes="filter-names")

    def _seen(self) -> list[str]:
        unseen = self._hidden(self._types)
        return [name for name in self._types if name not in unseen]

    def _known(self) -> str:
        fields = self.shell.playbook.fields(self._kind)
        unseen = self._hidden(self._types)
        own = [f"{n} ({title_of(field)})" for n, field in fields.items() if n not in unseen]
        columns = [name for name in COLUMN_TYPES if name not in (*fields, *unseen)]
        return _("Names: {names}").format(names=", ".join([*own[:_SHOWN], *columns]))

    @on(Input.Changed, "#text")
    def _check(self, event: Input.Changed) -> None:
        self.complain("")
        if event.value.strip():
            wrong = self._wrong(event.value)
            self.hint(wrong or self._help)
        else:
            self.hint(self._help)

    def _wrong(self, source: str) -> str:
        try:
            condition = parse(source, self._types)
        except ConditionError as error:
            return _condition_error(error)
        found = self._hidden(condition.names())
        refusal = Refusal("field_hidden", {"fields": ", ".join(found)})
        return said(refusal, self.shell.playbook, self._kind) if found else ""

    def _hidden(self, names: Iterable[str]) -> tuple[str, ...]:
        return hidden(self._desk.playbook, self._desk.me.role, self._kind, names)

    async def _try(self, source: str) -> str:
        wrong = self._wrong(source) if source else ""
        if wrong:
            # It is said above the keys now.
            self.hint(self._help)
        else:
            self._use(source)
        return wrong


def _condition_error(error: ConditionError) -> str:
    what = _(error.message).format(**error.args)
    where = _("{what} (character {position})").format(what=what, position=error.position + 1)
    return f"{where}. {_(error.mend).format(**error.args)}" if error.mend else where
