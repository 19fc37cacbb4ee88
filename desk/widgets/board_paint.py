"""How a board looks: cards, headers and empty columns as segments of exact width.

A painted card is kept by everything its look depends on, so that a key press repaints two of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from desk.text import _, format_age, format_number, language, titled
from desk.widgets.board_grid import CARD
from desk.widgets.board_model import CardView, Column, Names
from desk.widgets.safe import cells, fill

Line: TypeAlias = list[Segment]

#: The parts of a board that a theme colours: component classes `board--<name>`.
PARTS = (
    "header",
    "header-here",
    "count",
    "rule",
    "rule-here",
    "more",
    "gap",
    "track",
    "thumb",
    "empty",
    "ghost",
    "card",
    "odd",
    "title",
    "meta",
    "score",
    "due",
    "overdue",
    "pending",
    "edge",
    "cursor",
    "cursor-title",
    "cursor-meta",
    "cursor-edge",
    "cursor-blurred",
)

_MINUTE_MS = 60_000
_KEPT = 3000


class Look(IntEnum):
    """How a card stands out."""

    PLAIN = 0
    #: Every second card, where cards touch each other.
    ODD = 1
    SELECTED = 2
    #: Selected, while the keys go elsewhere.
    BLURRED = 3


@dataclass(frozen=True, slots=True)
class Inks:
    """The styles of a card's parts."""

    ground: Style
    title: Style
    meta: Style
    score: Style
    due: Style
    overdue: Style
    pending: Style
    edge: Style
    edge_mark: str


class Painter:
    """Paints what a board consists of in the styles of the theme."""

    def __init__(self, style_of: Callable[[str], Style], names: Names) -> None:
        """`style_of` gives the style of a part (`PARTS`)."""
        self.styles = {part: style_of(part) for part in PARTS}
        self._names = names
        self._inks = (
            self._plain(),
            self._plain_on("odd"),
            self._selected(),
            replace(
                self._plain_on("cursor-blurred"),
                edge=self.styles["header-here"]
                + Style.from_color(None, self.styles["cursor-blurred"].bgcolor),
                edge_mark="▌",
            ),
        )
        self._kept: OrderedDict[tuple[object, ...], tuple[Line, ...]] = OrderedDict()

    def card(
        self, card: CardView, width: int, look: Look, now: int, *, fresh: bool = False
    ) -> tuple[Line, ...]:
        """The lines of `card` in `width` cells; `now` in milliseconds, seen by the minute.

        `fresh` marks a card that somebody else has changed.
        """
        minute = now // _MINUTE_MS
        key = (card.id, card.version, card.pending, fresh, width, look, minute)
        lines = self._kept.get(key)
        if lines is None:
            lines = self._card(card, width, self._inks[look], now, fresh)
            self._kept[key] = lines
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return lines

    def header(
        self, column: Column, width: int, here: bool, hidden: tuple[int, int], loading: bool
    ) -> list[Line]:
        """A column's two header lines; `hidden` is how many columns lie beyond its two sides."""
        left = f"« {hidden[0]} " if hidden[0] else ""
        right = f" {hidden[1]} »" if hidden[1] else ""
        count = "…" if loading else format_number(len(column.ids))
        mark = "▸ " if here else "  "
        room = max(0, width - len(left) - len(right) - len(mark) - len(count) - 2)
        title = fill(column.title.get(language()), room)
        ink = self.styles["header-here" if here else "header"]
        more = self.styles["more"]
        first = [
            Segment(left, more),
            Segment(mark + title, ink),
            Segment(f" {count}", self.styles["count"]),
            Segment(right + " ", more),
        ]
        rule = ("━" if here else "─") * (width - 1) + " "
        second = [Segment(rule, self.styles["rule-here" if here else "rule"])]
        return [[part for part in first if part.text], second]

    def gap(self, width: int) -> Line:
        """One empty line."""
        return [Segment(" " * width, self.styles["gap"])]

    def empty(self, width: int) -> Line:
        """What an empty column says."""
        return [Segment(fill("  " + _("No cards here"), width), self.styles["empty"])]

    def ghost(self, width: int, number: int) -> tuple[Line, ...]:
        """The outline of a card that is still being loaded."""
        ground, ink = self.styles["card"], self.styles["ghost"]
        lines: list[Line] = []
        for part in range(CARD):
            # Lengths differ from card to card, or the skeleton reads as a table.
            length = max(4, (width - 4) * (8 - part * 2 - (number * (part + 2)) % 3) // 10)
            lines.append([Segment("  ", ground), Segment(fill("━" * length, width - 2), ink)])
        return tuple(lines)

    def middle(self, text: str, width: int, strong: bool) -> Line:
        """`text` in the middle of a line."""
        text = cells(text, width)
        left = (width - cell_len(text)) // 2
        ink = self.styles["header" if strong else "empty"]
        return [Segment(" " * left, self.styles["gap"]), Segment(fill(text, width - left), ink)]

    def _card(
        self, card: CardView, width: int, inks: Inks, now: int, fresh: bool
    ) -> tuple[Line, ...]:
        edge = Segment(inks.edge_mark + " ", inks.edge)
        room = width - 3
        due, due_ink = self._due(card, now, inks)
        age = format_age(card.created_at, now)
        source = self._names.source(card.source)
        origin = f"{source} · {age}" if source else age
        round_mark = f"↻{card.round}" if card.round > 1 else ""
        score = f"★{card.score}"
        name = self._names.person(card.responsible)
        person = f" · {name}" if name else ""
        mark = ("*" if fresh else "") + ("●" if card.pending else "")
        return (
            [edge, *_spread((titled(card.title), inks.title), (mark, inks.pending), room, inks)],
            [edge, *_spread((origin, inks.meta), (round_mark, inks.meta), room, inks)],
            [
                edge,
                Segment(score, inks.score),
                *_spread((person, inks.meta), (due, due_ink), room - len(score), inks),
            ],
        )

    def _due(self, card: CardView, now: int, inks: Inks) -> tuple[str, Style]:
        if card.due_at is None:
            return "", inks.due
        span = format_age(min(card.due_at, 2 * now - card.due_at), now)
        return (f"◷ {span}", inks.due) if card.due_at > now else (f"‼ {span}", inks.overdue)

    def _plain(self) -> Inks:
        styles = self.styles
        return Inks(
            ground=styles["card"],
            title=styles["title"],
            meta=styles["meta"],
            score=styles["score"],
            due=styles["due"],
            overdue=styles["overdue"],
            pending=styles["pending"],
            edge=styles["edge"],
            edge_mark="▎",
        )

    def _selected(self) -> Inks:
        styles = self.styles
        meta = styles["cursor-meta"]
        strong = meta + Style(bold=True)
        return Inks(
            ground=styles["cursor"],
            title=styles["cursor-title"],
            meta=meta,
            score=strong,
            due=meta,
            overdue=strong,
            pending=strong,
            edge=styles["cursor-edge"],
            edge_mark="▌",
        )

    def _plain_on(self, part: str) -> Inks:
        plain = self._plain()
        ground = Style.from_color(None, self.styles[part].bgcolor)
        return Inks(
            ground=plain.ground + ground,
            title=plain.title + ground,
            meta=plain.meta + ground,
            score=plain.score + ground,
            due=plain.due + ground,
            overdue=plain.overdue + ground,
            pending=plain.pending + ground,
            edge=plain.edge + ground,
            edge_mark=plain.edge_mark,
        )


def _spread(left: tuple[str, Style], right: tuple[str, Style], room: int, inks: Inks) -> Line:
    """`left` at the left, `right` at the right of `room` cells and one more of margin."""
    mark, ink = right
    if not mark:
        return [Segment(fill(left[0], room) + " ", left[1])]
    return [
        Segment(fill(left[0], room - cell_len(mark) - 1) + " ", left[1]),
        Segment(mark, ink),
        Segment(" ", inks.ground),
    ]
